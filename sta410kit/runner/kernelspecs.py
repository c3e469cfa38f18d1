"""Which kernels are this environment's Python, found out without loading Jupyter."""

import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

WARM = "sta410"
NATIVE = "python3"  # ipykernel's own, there even when no specification is installed
PYTHON = "python"  # the language, as notebooks name it
# Only a Jupyter client keeps the state of widgets, and puts what `Output` captures into it.
_NEEDS_A_CLIENT = re.compile(
    r"^\s*(?:import|from)\s+(?:ipywidgets|ipympl|anywidget|tqdm\.(?:notebook|autonotebook|auto))\b"
    r"|%matplotlib\s+(?:widget|ipympl)|run_line_magic\('matplotlib', '(?:widget|ipympl)'\)",
    re.MULTILINE,
)


def needs_a_client(sources: Sequence[str]) -> bool:
    """Tell whether notebook code uses widgets, whose state only a Jupyter client keeps."""
    return any(_NEEDS_A_CLIENT.search(source) for source in sources)


def is_this_python(kernel: str) -> bool:
    """Tell whether the kernel of that name is the Python of this environment.

    Specifications are looked for where `jupyter_client` looks, in the same order.
    """
    if kernel == WARM:
        return True
    program = _program(kernel.lower())
    if not program:
        return kernel.lower() == NATIVE
    return program in {PYTHON, f"python{sys.version_info[0]}"} or shutil.which(program) == sys.executable


def _program(kernel: str) -> str:
    """Return what a kernel's specification starts; empty when there is none."""
    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path("kernels"):
        for path in sorted(Path(folder).glob("*/kernel.json")):
            if path.parent.name.lower() != kernel:
                continue
            try:
                return str(json.loads(path.read_text(encoding="utf-8"))["argv"][0])
            except (OSError, ValueError, KeyError, IndexError, TypeError):
                continue
    return ""
