"""Several notebooks compared with their committed outputs, side by side, and what that has shown."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sta410kit._internal.project import require_project
from sta410kit._internal.text import pluralize
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.limits import Watch
from sta410kit.runner.notebook import parameters_of, read_notebook
from sta410kit.runner.pipeline import Step, read_pipeline
from sta410kit.runner.progress import Progress
from sta410kit.runner.regression.compare import Regression, regress
from sta410kit.runner.schedule import run_graph

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sta410kit.runner.comparison.tolerance import Tolerance

_MOST = 20  # differences shown of a cell


def regress_all(
    notebooks: Sequence[Path],
    tolerance: Tolerance,
    *,
    update: bool = False,
    jobs: int = 0,
    timeout: float | None = None,
) -> list[Regression]:
    """Execute notebooks anew and compare each with the outputs it holds.

    Parameters
    ----------
    notebooks : sequence of Path
        Those of the project's chain when empty.
    tolerance : Tolerance
        How near numbers and figures must be.
    update : bool
        Replace the committed outputs of the cells that differ.
    jobs : int
        How many side by side; 0 is one a processor.
    timeout : float, optional
        Seconds each may take.

    Raises
    ------
    ConfigurationError
        There is no such notebook, or none is named outside a project.
    """
    chosen = [path.absolute() for path in notebooks] or _of_the_project()
    chosen = list(dict.fromkeys(chosen))
    steps = {str(path): Step(path, (), {}, tuple(parameters_of(read_notebook(path)))) for path in chosen}
    progress, whole = Progress(), Watch()
    found: dict[str, Regression] = {}

    def work(name: str) -> Regression:
        step = steps[name]
        progress.begin(step.name)
        try:
            watch = Watch(timeout, stop=whole.stop)
            return regress(
                step.notebook,
                tolerance,
                update=update,
                watch=watch,
                on_cell=lambda: progress.advance(step.name),
            )
        finally:
            progress.end(step.name)

    with _ledger_of_its_own(), progress.of(list(steps.values())):
        run_graph(
            dict.fromkeys(steps, ()),
            work,
            good=lambda one: one.outcome is not ExitCode.INTERRUPTED,
            done=found.__setitem__,
            jobs=jobs or os.cpu_count() or 1,
            stop=whole.stop,
        )
    if whole.stop.is_set():
        raise KeyboardInterrupt
    return [found[name] for name in steps]


@contextmanager
def _ledger_of_its_own() -> Iterator[None]:
    """Count trials from nothing, as the committed outputs do; and count none in the project's ledger."""
    from sta410kit.research import ledger

    with TemporaryDirectory(prefix="sta410-regress-") as scratch:
        place = Path(scratch)
        with ledger.as_of(datetime.now(UTC), place / "none.sqlite", place / "trials.sqlite"):
            yield


def _of_the_project() -> list[Path]:
    project = require_project("; change into one, or name notebooks: sta410 regress NOTEBOOK...")
    return [step.notebook for step in read_pipeline(project)]


def print_regressions(found: Sequence[Regression]) -> None:
    """Print what was compared; what differs, with cell and tolerance, goes to standard error."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    for one in found:
        if one.message:
            errors.print(f"{one.notebook.name} failed: {one.message}", style="red", markup=False)
            continue
        name = f"{one.notebook.name}: {pluralize(one.compared, 'cell')} compared in {one.seconds:.1f} s"
        verb = "updated" if one.updated else "different"
        state = f"{len(one.cells)} {verb}" if one.cells else "all as committed"
        colour = "yellow" if one.updated else "red" if one.cells else "green"
        console.print(f"{name}, {state}", style=colour, markup=False)
        shown = console if one.updated else errors
        for cell in one.cells:
            shown.print(
                f"  {one.notebook.name}, cell {cell.cell} ({cell.code}); tolerance {cell.tolerance}",
                markup=False,
            )
            for text in cell.differences[:_MOST]:
                shown.print(f"    {text}".replace("\n", "\n    "), markup=False)
            if len(cell.differences) > _MOST:
                shown.print(f"    and {len(cell.differences) - _MOST} more", markup=False)
    if any(one.cells and not one.updated for one in found):
        errors.print("look at the differences; if they are meant: sta410 regress --update", markup=False)
