"""Log files that several processes write at once, set aside by size, with no line lost or torn.

Each line is written by opening the day's file, appending and closing it, under one lock for the folder. No
process keeps a file open, so none can go on writing to one that another has set aside.
"""

import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from sta410kit._internal.redaction import redact

if TYPE_CHECKING:
    from loguru import Message, Record

_LOCK = ".sta410.lock"


class DailyFile:
    """A sink of loguru, ``<folder>/<stem>_YYYYMMDD.log``; past `max_size` bytes it becomes ``.log.1``."""

    def __init__(self, folder: Path, stem: str, max_size: int, backups: int, *, json_lines: bool) -> None:
        self._folder, self._stem = folder, stem
        self._max_size, self._backups = max_size, backups
        self._json_lines = json_lines
        self._lock = FileLock(folder / _LOCK, poll_interval=0.005)
        self._complained = False

    def __call__(self, message: "Message") -> None:
        """Write one message, redacted; a full disk is reported once and does not stop the work."""
        text = as_json(message.record) if self._json_lines else redact(message)
        line = text.encode("utf-8", errors="backslashreplace")
        try:
            self._append(self._folder / f"{self._stem}_{message.record['time']:%Y%m%d}.log", line)
            self._complained = False
        except OSError as error:
            if not self._complained and sys.stderr is not None:
                sys.stderr.write(f"sta410kit: {self._folder} cannot be logged to ({error.strerror})\n")
            self._complained = True

    def _append(self, path: Path, line: bytes) -> None:
        with self._lock:
            if path.exists() and path.stat().st_size + len(line) > self._max_size:
                self._set_aside(path)
            with path.open("ab") as file:
                file.write(line)

    def _set_aside(self, path: Path) -> None:
        names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, self._backups + 1))]
        names[-1].unlink(missing_ok=True)
        for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
            if newer.exists():
                newer.rename(older)


def as_json(record: "Record") -> str:
    """Return a record as one line of JSON, redacted field by field."""
    fields: dict[str, object] = {
        "time": record["time"].isoformat(),
        "level": record["level"].name,
        "logger": record["extra"].get("logger", record["name"]),
        "message": record["message"],
        "function": record["function"],
        "line": record["line"],
        "process": record["process"].id,
    }
    if record["exception"] is not None:
        fields["exception"] = "".join(traceback.format_exception(*record["exception"]))
    fields |= {name: value for name, value in record["extra"].items() if name not in fields}
    plain = {
        redact(name): value if isinstance(value, int | None) else redact(_text(value))
        for name, value in fields.items()
    }
    return json.dumps(plain, ensure_ascii=False) + "\n"


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a bound value with a broken __str__ must not cost the message
        return f"<{type(value).__name__}, whose str raises {type(error).__name__}>"


def prepare(folder: Path) -> OSError | None:
    """Make the log folder if needed and return why nothing can be written in it, or ``None``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / _LOCK):
            return None
    except OSError as error:
        return error
