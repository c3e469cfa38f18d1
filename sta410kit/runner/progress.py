"""Show the progress of a run: one bar over all code cells, on standard error."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sta410kit.runner.notebook import read_notebook

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from rich.progress import Progress as RichProgress

    from sta410kit.runner.pipeline import Step

_MINUTE = 60


class Progress:
    """A progress bar with the time left; without a terminal, one line per step.

    The time left is that of the longest path through the remaining steps, or of all of them divided by the
    jobs if that is more, from how long each took the last time. Methods may be called from any thread.
    """

    silent = False  # show nothing

    def __init__(self) -> None:
        self._bar: RichProgress | None = None
        self._cells: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._before: Mapping[str, Collection[str]] = {}
        self._seconds: Mapping[str, float] = {}
        self._jobs = 1
        self._began: dict[str, float] = {}
        self._running: list[str] = []
        self._lock = threading.Lock()

    @contextmanager
    def of(
        self,
        steps: Sequence[Step],
        before: Mapping[str, Collection[str]] | None = None,
        seconds: Mapping[str, float] | None = None,
        jobs: int = 1,
    ) -> Iterator[None]:
        """Show the bar while `steps` run."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._cells = {
            step.name: sum(cell.cell_type == "code" for cell in read_notebook(step.notebook).cells)
            for step in steps
        }
        self._done = dict.fromkeys(self._cells, 0)
        self._before, self._seconds, self._jobs = before or {}, seconds or {}, jobs
        console = Console(stderr=True, quiet=self.silent)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("cells,"),
            TimeElapsedColumn(),
            TextColumn("gone{task.fields[left]}", markup=False),
        )
        with RichProgress(*columns, console=console, disable=not console.is_terminal) as self._bar:
            self._bar.add_task("starting", total=sum(self._cells.values()), left=self)
            yield

    def begin(self, name: str) -> None:
        """Show that a step runs now."""
        with self._lock:
            self._running.append(name)
            self._began[name] = time.monotonic()
        self._say(f"running {name}")

    def end(self, name: str) -> None:
        """Show that a step has ended."""
        with self._lock:
            self._running.remove(name)
            self._done[name] = self._cells.get(name, 0)
        self._say("")

    def skip(self, name: str) -> None:
        """Show that a step is unchanged; all its cells count as done."""
        self._say(f"unchanged {name}")
        self.advance(name, self._cells.get(name, 0))

    def advance(self, name: str, cells: int = 1) -> None:
        """Count more cells of a step."""
        with self._lock:
            self._done[name] = self._done.get(name, 0) + cells
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], advance=cells)

    def left(self) -> float | None:
        """Return about how many seconds are left; None if it is not known how long a step takes."""
        with self._lock:
            if any(name not in self._seconds for name in self._cells if not self._over(name)):
                return None
            longest: dict[str, float] = {}
            for name in self._cells:  # in order, so that what comes before is there
                waited = max((longest.get(other, 0.0) for other in self._before.get(name, ())), default=0.0)
                longest[name] = waited + self._still(name)
            shared = sum(map(self._still, self._cells)) / self._jobs
            return max(shared, *longest.values()) if longest else 0.0

    def _over(self, name: str) -> bool:
        return self._done.get(name, 0) >= self._cells[name]

    def _still(self, name: str) -> float:
        """Return how long a step still takes, by its cells or by the clock, compared with the last time."""
        if self._over(name):
            return 0.0
        whole = self._seconds[name]
        by_cells = whole * (1 - self._done[name] / self._cells[name])
        if name not in self._began:
            return by_cells
        return max(0.0, min(by_cells, whole - (time.monotonic() - self._began[name])))

    def __str__(self) -> str:
        """Return the time left as text; the bar asks whenever it is drawn."""
        left = self.left()
        if left is None or round(left) == 0:
            return ""
        minutes, seconds = divmod(round(left), _MINUTE)
        return f", about {minutes} min {seconds} s left" if minutes else f", about {seconds} s left"

    def _say(self, line: str) -> None:
        if self._bar is None:
            return
        if self._bar.disable and line:
            left = self if line.startswith("running") else ""
            self._bar.console.print(f"{line}{left}", highlight=False, markup=False)
        running = ", ".join(self._running) or "starting"
        self._bar.update(self._bar.task_ids[0], description=running)
