"""``sta410 sweep``: one notebook, or the chain, with every combination of some parameters."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sta410kit._internal.text import pluralize
from sta410kit.cli.completion import parameter_names
from sta410kit.cli.options import (
    PATH,
    from_file,
    json_option,
    limit_options,
    pairs,
    parameter_options,
    print_json,
)
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sta410kit.runner.manifest import StepRecord
    from sta410kit.runner.sweeps.plan import SweepOptions, SweepPlan
    from sta410kit.runner.sweeps.results import Sweep

_MOST_ROWS = 40


@click.command()
@click.argument("notebook", required=False, type=PATH)
@click.option(
    "-g",
    "--grid",
    "grid",
    multiple=True,
    metavar="NAME=A,B,...",
    shell_complete=parameter_names,
    help="Values to sweep; every combination is executed. Lists: -g symbols=[AAPL,MSFT],[IBM].",
)
@parameter_options("Set a parameter to the same value everywhere.", "-p and -g win")
@click.option(
    "--workers", "--jobs", default=0, type=click.IntRange(0), help="Units at once; 0: one a processor."
)
@click.option("--resume", is_flag=True, help="Execute those units of the newest sweep that have not passed.")
@click.option("--dry-run", is_flag=True, help="List the combinations and run nothing.")
@click.option("--scheduler", default="", metavar="ADDRESS", help="A Dask scheduler: tcp://HOST:PORT.")
@limit_options("sweep", "unit")
@json_option
def sweep(  # noqa: PLR0913 - a command has many options
    notebook: Path | None,
    grid: tuple[str, ...],
    parameters: tuple[str, ...],
    file: Path | None,
    *,
    resume: bool,
    dry_run: bool,
    as_json: bool,
    **how: Any,  # noqa: ANN401 - the fields of `SweepOptions`
) -> int:
    """Execute the chain, or one NOTEBOOK, with every combination of values.

    The values are given with -g. Every combination is checked before anything runs.

    Without NOTEBOOK the whole chain is swept: sta410 sweep -g model=ridge,boosting -g horizon=1,5. Steps that
    combinations share, and those unchanged since earlier runs, are executed once. One table shows verdict,
    R², rank IC, Sharpe ratio after costs and deflated Sharpe ratio, corrected for all combinations.

    Any notebook with a cell tagged `parameters` will do. What a cell gives to
    `sta410kit.steps.record(name, value)` reaches the table.
    """
    from sta410kit.runner.sweeps.plan import SweepOptions, split_values

    swept = {name: split_values(text) for name, text in pairs(grid, "-g").items()}
    in_file = {name: value for name, value in from_file(file).items() if name not in swept}
    fixed = {**in_file, **pairs(parameters)}
    options = SweepOptions(**how)
    if resume:
        if dry_run:
            message = "--resume and --dry-run exclude each other"
            raise ConfigurationError(message)
        done = _resume(notebook, swept, fixed, options)
        if done is None:
            message = "nothing to resume: the newest sweep has passed, or there is none"
            if as_json:
                print_json({"outcome": "PASSED", "exit_code": 0, "run": None, "message": message})
            else:
                click.echo(message)
            return ExitCode.PASSED
    else:
        plan = _plan(notebook, swept, fixed)
        if dry_run:
            _print_plan(plan, as_json=as_json)
            return ExitCode.PASSED
        from sta410kit.runner.sweeps.sweep import run_sweep

        with _watching(len(plan.units)) as on_unit:
            done = run_sweep(plan, options, on_unit)
    if as_json:
        print_json({**asdict(done.manifest), "folder": str(done.folder)})
    else:
        from sta410kit.runner.runs import REPORT
        from sta410kit.runner.sweeps.results import CSV, print_table

        print_table(done)
        click.echo(f"table:     {done.folder / CSV}\nreport:    {done.folder / REPORT}")
        _print_trouble(done)
    return done.outcome


def _plan(notebook: Path | None, swept: dict[str, list[str]], fixed: dict[str, Any]) -> SweepPlan:
    from sta410kit._internal.project import require_project
    from sta410kit.runner.sweeps.plan import plan_chain_sweep, plan_sweep

    if not swept:
        typed = f"sta410 sweep {notebook}" if notebook else "sta410 sweep"
        message = (
            f"which values? {typed} -g NAME=A,B; `sta410 params {notebook or 'NOTEBOOK'}` lists the names"
        )
        raise ConfigurationError(message)
    if notebook is None:
        project = require_project("; change into one, or name a notebook: sta410 sweep NOTEBOOK -g NAME=A,B")
        return plan_chain_sweep(project, swept, fixed)
    return plan_sweep(notebook, swept, fixed)


def _resume(
    notebook: Path | None, swept: dict[str, list[str]], fixed: dict[str, Any], options: SweepOptions
) -> Sweep | None:
    from sta410kit.runner.parameters import all_as_typed
    from sta410kit.runner.sweeps.sweep import resume_sweep, unfinished_sweep

    start = notebook.absolute() if notebook else Path.cwd()
    found = unfinished_sweep(start, notebook, swept, all_as_typed(fixed))
    if found is None:
        return None
    with _watching(len(found[1].parameters)) as on_unit:
        return resume_sweep(found, options, on_unit)


@contextmanager
def _watching(total: int) -> Iterator[Callable[[StepRecord], None]]:
    """Show a bar, and a line for each unit that fails."""
    from sta410kit.runner.progress import Progress

    progress = Progress()

    def on_unit(record: StepRecord) -> None:
        progress.advance()
        if not record.passed:
            progress.say(f"unit {record.name} failed: {record.message}")

    with progress.counting(total, "units,", "sweep"):
        yield on_unit


def _print_plan(plan: SweepPlan, *, as_json: bool) -> None:
    from sta410kit.runner.parameters import plain
    from sta410kit.runner.sweeps.results import shown
    from sta410kit.runner.terminal import say, show_table

    if as_json:
        print_json([{"unit": name, "parameters": plain(values)} for name, values in plan.units.items()])
        return
    names = [*plan.grid, *plan.fixed]
    units = list(plan.units.items())[:_MOST_ROWS]
    rows = [(unit, *(shown(plain(values[name])) for name in names)) for unit, values in units]
    of = "the chain" if plan.chains else plan.notebook.name
    show_table(("unit", *names), rows, title=f"{pluralize(len(plan.units), 'unit')} of {of}")
    if len(plan.units) > _MOST_ROWS:
        say(f"and {len(plan.units) - _MOST_ROWS} more")


def _print_trouble(sweep: Sweep) -> None:
    failed = [record for record in sweep.manifest.steps if not record.passed]
    for note in sweep.notes:
        click.echo(f"note: {note}", err=True)
    for record in failed[:_MOST_ROWS]:
        click.echo(f"\nunit {record.name} failed: {record.message}", err=True)
        what = "executed notebook" if record.notebook.endswith(".ipynb") else "its report"
        click.echo(f"{what}: {sweep.folder / record.notebook}", err=True)
    if failed or sweep.manifest.not_run:
        count = len(failed) + len(sweep.manifest.not_run)
        click.echo(f"\n{count} of {len(sweep.manifest.parameters)} units are not done; these alone: "
                   "sta410 sweep --resume", err=True)  # fmt: skip
        click.echo(f"exit code {int(sweep.outcome)} ({sweep.outcome.name})", err=True)
