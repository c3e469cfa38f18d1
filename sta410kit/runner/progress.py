"""What a person sees while notebooks run: one bar over all code cells, on standard error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sta410kit.runner.notebook import read_notebook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from sta410kit.runner.pipeline import Step


class Progress:
    """A progress bar over the code cells of all steps; where no terminal listens, a line a step."""

    def __init__(self) -> None:
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    @contextmanager
    def of(self, steps: Sequence[Step]) -> Iterator[None]:
        """Show the bar while `steps` run."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        cells = sum(cell.cell_type == "code" for step in steps for cell in read_notebook(step.notebook).cells)
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("cells"),
            TimeElapsedColumn(),
        )
        with RichProgress(*columns, console=console, disable=not console.is_terminal) as self._bar:
            self._task = self._bar.add_task("starting", total=cells)
            yield

    def begin(self, name: str) -> None:
        """Say which step runs now."""
        if self._bar is None or self._task is None:
            return
        if self._bar.disable:
            self._bar.console.print(f"running {name}", highlight=False, markup=False)
        self._bar.update(self._task, description=name)

    def advance(self) -> None:
        """Count one more cell."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)
