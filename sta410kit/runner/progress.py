"""Show the progress of a run: one bar over all code cells, on standard error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sta410kit._internal.text import printable
from sta410kit.runner.notebook import read_notebook

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from sta410kit.runner.pipeline import Step


class Progress:
    """A progress bar; without a terminal, one line per step. Methods may be called from any thread."""

    def __init__(self, *, silent: bool = False) -> None:
        self._silent = silent  # a library does not write to its caller's terminal
        self._bar: RichProgress | None = None
        self._cells: dict[str, int] = {}
        self._running: list[str] = []

    @contextmanager
    def of(self, steps: Sequence[Step]) -> Iterator[None]:
        """Show the bar while `steps` run."""
        for step in steps:
            cells = read_notebook(step.notebook).cells
            self._cells[step.name] = sum(cell["cell_type"] == "code" for cell in cells)
        with self.counting(sum(self._cells.values()), "cells,"):
            yield

    @contextmanager
    def counting(self, total: int, what: str, name: str = "starting") -> Iterator[None]:
        """Show a bar that counts to `total`, with a name before it."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True, quiet=self._silent, soft_wrap=True)
        left = TextColumn("{task.description}", markup=False)
        columns = (left, BarColumn(), MofNCompleteColumn(), TextColumn(what), TimeElapsedColumn())
        with Progress(*columns, console=console, disable=not console.is_terminal) as self._bar:
            self._bar.add_task(name, total=total)
            yield

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Show that a step runs, from `with` to the end of the block."""
        self._running.append(name)
        self._say(f"running {name}")
        try:
            yield
        finally:
            self._running.remove(name)
            self._say("")

    def skip(self, name: str) -> None:
        """Show that a step is unchanged; all its cells count as done."""
        self._say(f"unchanged {name}")
        self.advance(self._cells.get(name, 0))

    def advance(self, cells: int = 1) -> None:
        """Count more cells as executed."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], advance=cells)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.console.print(printable(line), highlight=False, markup=False)

    def _say(self, line: str) -> None:
        if self._bar is None:
            return
        if self._bar.disable and line:
            self.say(line)
        task = self._bar.tasks[0]
        last = "done" if task.finished else task.description  # between two steps, and where one has failed
        self._bar.update(task.id, description=", ".join(self._running) or last)
