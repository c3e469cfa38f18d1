"""What a person sees while notebooks run: one bar over all code cells, on standard error."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sta410kit.runner.notebook import read_notebook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.progress import Progress as RichProgress

    from sta410kit.runner.pipeline import Step


class Progress:
    """A progress bar with the time left; where no terminal listens, a line a step.

    Steps run side by side, each in a thread; every method may be called from any of them.
    """

    def __init__(self) -> None:
        self._bar: RichProgress | None = None
        self._cells: dict[str, int] = {}
        self._running: list[str] = []
        self._lock = threading.Lock()

    @contextmanager
    def of(self, steps: Sequence[Step]) -> Iterator[None]:
        """Show the bar while `steps` run."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as RichProgress

        self._cells = {
            step.name: sum(cell.cell_type == "code" for cell in read_notebook(step.notebook).cells)
            for step in steps
        }
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("cells,"),
            TimeElapsedColumn(),
            TextColumn("gone,"),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        with RichProgress(*columns, console=console, disable=not console.is_terminal) as self._bar:
            self._bar.add_task("starting", total=sum(self._cells.values()))
            yield

    def begin(self, name: str) -> None:
        """Say that a step runs now."""
        with self._lock:
            self._running.append(name)
        self._say(f"running {name}")

    def end(self, name: str) -> None:
        """Say that a step has ended."""
        with self._lock:
            self._running.remove(name)
        self._say("")

    def skip(self, name: str) -> None:
        """Say that a step has not changed; all its cells count as done."""
        self._say(f"unchanged {name}")
        self.advance(self._cells.get(name, 0))

    def advance(self, cells: int = 1) -> None:
        """Count more cells."""
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0], cells)

    def _say(self, line: str) -> None:
        if self._bar is None:
            return
        if self._bar.disable and line:
            self._bar.console.print(line, highlight=False, markup=False)
        self._bar.update(self._bar.task_ids[0], description=", ".join(self._running) or "starting")
