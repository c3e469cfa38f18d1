"""What the kit adds to an IPython shell: magics, errors in one line, progress, links to data docs."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from sta410kit._internal import long_work
from sta410kit._internal.text import pluralize
from sta410kit.exceptions import STA410Exception
from sta410kit.lab.display import address, show, show_progress

if TYPE_CHECKING:
    from types import TracebackType

    from sta410kit.lab.exploration import Exploration

_LONG = 2.0  # seconds after which work is long enough to show how far it is
_EVERY = 0.5  # seconds between two updates
_INDEX = "data_docs/index.html"


def extend(shell: Any, exploration: Exploration | None = None) -> None:  # noqa: ANN401 - an InteractiveShell
    """Extend a shell; loading the extension twice changes nothing."""
    from sta410kit.lab.magics import register

    register(shell, exploration)
    shell.set_custom_exc((STA410Exception, KeyboardInterrupt), _show_error)
    long_work.watch(_Progress())
    if exploration is not None:
        pages = _Pages(exploration)
        shell.events.register("pre_run_cell", pages.remember)
        shell.events.register("post_run_cell", pages.link)


def _show_error(
    shell: Any,  # noqa: ANN401 - an InteractiveShell
    kind: type[BaseException],
    value: BaseException,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> list[str]:
    """Show what the kit refuses, or that a cell was interrupted, as one line; ``%tb`` shows the traceback."""
    del tb_offset
    sys.last_type, sys.last_value, sys.last_traceback = kind, value, trace
    words = "interrupted" if kind is KeyboardInterrupt else str(value)
    lines = [f"\x1b[31m{kind.__name__}\x1b[0m: {words}  (%tb shows the traceback)"]
    shell._showtraceback(kind, value, lines)  # noqa: SLF001 - what IPython's own handlers call
    return lines


class _Progress:
    """One line that is updated while work takes long."""

    def __init__(self) -> None:
        self._began = self._last = 0.0
        self._line: Any = None

    def __call__(self, what: str, done: int, total: int) -> None:
        now = monotonic()
        if done == 1:
            self._began, self._line = now, None
        seconds = now - self._began
        if seconds < _LONG or (now - self._last < _EVERY and done < total):
            return
        self._last = now
        left = f", about {seconds / done * (total - done):.0f} s left" if done < total else ""
        text = f"{done} of {pluralize(total, what)}, {seconds:.0f} s{left}"
        self._line = show_progress(done, total, text, update=self._line)


class _Pages:
    """A link to the data docs that a cell has written."""

    def __init__(self, exploration: Exploration) -> None:
        self._folder = exploration.folder
        self._before: dict[Path, int] = {}

    def _stamps(self) -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in self._folder.glob(f"*/{_INDEX}")}

    def remember(self, *_: Any) -> None:  # noqa: ANN401 - IPython's ExecutionInfo
        self._before = self._stamps()

    def link(self, *_: Any) -> None:  # noqa: ANN401 - IPython's ExecutionResult
        for path, stamp in self._stamps().items():
            if self._before.get(path) != stamp:
                where = address(path)
                show(
                    f'<a href="{escape(where)}" target="_blank" rel="noopener">Open the data docs of '
                    f"{escape(path.parents[1].name)}</a>",
                    f"data docs: {path}",
                )
