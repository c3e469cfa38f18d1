"""A standard output that outlives its reader, so that ``sta410 run | head`` keeps the run's exit code."""

from __future__ import annotations

import io
import os
import sys


class _Outlet(io.FileIO):
    """The raw standard output; once nobody reads it any more, it leads nowhere."""

    def write(self, data: bytes, /) -> int | None:  # type: ignore[override]
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


def keep_writing() -> None:
    """Let this process go on, and end as it would have, when the reader of its standard output leaves."""
    if sys.stdout is None:  # closed by the caller: `>&-`
        return
    sys.stdout.flush()
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_Outlet(sys.stdout.fileno(), "w", closefd=False)),
        encoding=sys.stdout.encoding,
        errors=sys.stdout.errors,
        line_buffering=sys.stdout.isatty(),
    )
