"""``python -m sta410kit`` is the command ``sta410``."""

from sta410kit.cli import main

if __name__ == "__main__":
    main()
