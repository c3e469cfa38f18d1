"""A standard output that outlives its reader, so that ``sta410 run | head`` keeps the run's exit code."""

import io
import os
import sys
from collections.abc import Callable


class _Output(io.FileIO):
    """The raw standard output; after a write fails, it discards everything."""

    refusal = ""

    def write(self, data: bytes, /) -> int | None:  # type: ignore[override]
        try:
            return super().write(data)
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.refusal = error.strerror or str(error)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


def keep_writing() -> Callable[[], str]:
    """Let this process go on when the reader of its standard output leaves."""
    if sys.stdout is None:  # closed by the caller: `>&-`
        return str
    sys.stdout.flush()
    output = _Output(sys.stdout.fileno(), "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=sys.stdout.encoding,
        errors=sys.stdout.errors,
        line_buffering=sys.stdout.isatty(),
    )

    stream = sys.stdout

    def refused() -> str:
        stream.flush()
        return output.refusal

    return refused
