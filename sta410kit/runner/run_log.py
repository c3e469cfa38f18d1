"""``run.log``: what happened in a run and when, and what its notebooks wrote to standard error."""

import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sta410kit._internal.redaction import redact
from sta410kit._internal.text import printable
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.notebook import cell_name, read_notebook

NAME = "run.log"


class RunLog:
    """The log of one run; every line is flushed at once.

    Methods may be called from any thread. Lines that cannot be written, as on a full disk, are dropped.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._lock = threading.Lock()

    def say(self, text: str, step: str = "run") -> None:
        """Add each line of `text` with the time and the step that it is about."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        lines = "".join(
            f"{stamp} {printable(step)}: {printable(line)}\n"
            for line in redact(text).splitlines()
            if line.strip()
        )
        with self._lock, suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(lines)

    def notebook_said(self, path: Path, step: str) -> None:
        """Add what the cells of an executed notebook wrote to standard error: log messages and warnings."""
        with suppress(ConfigurationError):
            cells = read_notebook(path).cells
            for position, cell in enumerate(cells):
                for output in cell.get("outputs", []):
                    if output.get("name") == "stderr":
                        self.say("".join(output["text"]), f"{step} {cell_name(cells, position)}")
