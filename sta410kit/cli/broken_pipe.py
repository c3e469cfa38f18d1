"""A standard output that outlives its reader, so that ``sta410 run | head`` keeps the run's exit code."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class _Outlet(io.FileIO):
    """The raw standard output; once it takes nothing more, it leads nowhere.

    Attributes
    ----------
    refusal : str
        Why what was printed is not whole, as on a full disk; empty when its reader has left on purpose.
    """

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
    """Let this process go on, and end as it would have, when the reader of its standard output leaves.

    Returns
    -------
    callable
        Asked at the end, writes what is still to be written and says why not all could be, if so.
    """
    if sys.stdout is None:  # closed by the caller: `>&-`
        return str
    sys.stdout.flush()
    outlet = _Outlet(sys.stdout.fileno(), "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(outlet),
        encoding=sys.stdout.encoding,
        errors=sys.stdout.errors,
        line_buffering=sys.stdout.isatty(),
    )
    stream = sys.stdout

    def refused() -> str:
        stream.flush()
        return outlet.refusal

    return refused
