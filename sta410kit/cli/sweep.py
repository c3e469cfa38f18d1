"""``sta410 sweep``: one notebook with every combination of some parameters."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sta410kit._internal.text import pluralize
from sta410kit.cli.completion import parameter_names
from sta410kit.cli.json_output import json_option, print_json
from sta410kit.cli.limits import limit_options, parsed_limits
from sta410kit.cli.parameters import from_file, pairs, parameter_options
from sta410kit.cli.typed_path import TypedPath
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sta410kit.runner.manifest import StepRecord
    from sta410kit.runner.sweeps.plan import SweepOptions, SweepPlan
    from sta410kit.runner.sweeps.results import Sweep

_MOST_ROWS = 40
_WIDEST = 10_000


@click.command()
@click.argument("notebook", required=False, type=TypedPath())
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
@click.option("--workers", default=0, type=click.IntRange(0), help="Units at once; 0: one a processor.")
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
    **how: Any,  # noqa: ANN401 - see `_options`
) -> int:
    """Execute NOTEBOOK with every combination of values.

    The values are given with -g. Any notebook with a cell tagged `parameters` will do. Every combination is
    checked before anything runs. What a cell gives to `sta410kit.steps.record(name, value)` reaches the
    table.
    """
    from sta410kit.runner.sweeps.grid import split_values

    swept = {name: split_values(text) for name, text in pairs(grid, "-g").items()}
    in_file = {name: value for name, value in from_file(file).items() if name not in swept}
    fixed = {**in_file, **pairs(parameters)}
    options = _options(**how)
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
        _print(done)
    return done.outcome


def _options(*, deadline: str | None, timeout: str | None, memory: str | None, **others: Any) -> SweepOptions:  # noqa: ANN401
    from sta410kit.runner.sweeps.plan import SweepOptions

    return SweepOptions(**parsed_limits(deadline, timeout, memory), **others)


def _plan(notebook: Path | None, swept: dict[str, list[str]], fixed: dict[str, Any]) -> SweepPlan:
    from sta410kit.runner.sweeps.plan import plan_sweep

    if notebook is None:
        message = "which notebook? sta410 sweep NOTEBOOK -g NAME=A,B"
        raise ConfigurationError(message)
    if not swept:
        message = (
            f"which values? sta410 sweep {notebook} -g NAME=A,B; `sta410 params {notebook}` lists the names"
        )
        raise ConfigurationError(message)
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
    """Show a bar on a terminal; elsewhere say a line for each unit that fails."""
    if not sys.stderr.isatty():
        yield _say_failure
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("units,"),
        TextColumn("{task.fields[failed]} failed,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task, failed = bar.add_task("", total=total, failed=0), 0

        def on_unit(record: StepRecord) -> None:
            nonlocal failed
            failed += record.outcome != ExitCode.PASSED.name
            bar.update(task, advance=1, failed=failed)

        yield on_unit


def _say_failure(record: StepRecord) -> None:
    if record.outcome != ExitCode.PASSED.name:
        click.echo(f"unit {record.name} failed: {record.message}", err=True)


def _print_plan(plan: SweepPlan, *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from sta410kit.runner.parameters import plain
    from sta410kit.runner.sweeps.results import shown

    if as_json:
        print_json([{"unit": name, "parameters": plain(values)} for name, values in plan.units.items()])
        return
    names = [*plan.grid, *plan.fixed]
    table = Table(title=f"{pluralize(len(plan.units), 'unit')} of {plan.notebook.name}", title_justify="left")
    for name in ("unit", *names):
        table.add_column(Text(name))
    for unit, values in list(plan.units.items())[:_MOST_ROWS]:
        table.add_row(unit, *(Text(shown(plain(values[name]))) for name in names))
    console = Console(highlight=False)
    console.print(table)
    if len(plan.units) > _MOST_ROWS:
        console.print(f"and {len(plan.units) - _MOST_ROWS} more")


def _print(sweep: Sweep) -> None:
    """Print the table, failures first where not all rows are shown; reasons go to standard error."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from sta410kit.runner.runs import REPORT
    from sta410kit.runner.sweeps.results import TABLE, results_table, shown

    columns = results_table(sweep)
    fixed = sweep.manifest.results["sweep"]["fixed"]
    names = [name for name in columns if name not in {"message", "notebook", *fixed}]
    table = Table(title=f"sweep {sweep.folder.name}", title_justify="left")
    for name in names:
        number = all(isinstance(value, int | float | None) for value in columns[name])
        # A number that is cut in two is read as two: its heading gives way instead.
        table.add_column(
            Text(name.replace("_", "_\n") if number else name),
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=number or name == "outcome",
        )
    rows = list(zip(*(columns[name] for name in names), strict=True))
    ending = names.index("outcome")
    listed = rows if len(rows) <= _MOST_ROWS else sorted(rows, key=lambda row: row[ending] == "PASSED")
    for row in listed[:_MOST_ROWS]:
        colour = {"PASSED": "green", "NOT_RUN": "dim"}.get(row[ending], "red")
        table.add_row(*(Text(shown(v), colour if place == ending else "") for place, v in enumerate(row)))
    console = Console(highlight=False, soft_wrap=True)
    # A table narrower than this would cut the numbers.
    whole = console.measure(table, options=console.options.update(width=_WIDEST)).minimum
    console.width = max(console.width, whole)
    console.print(table)
    if len(rows) > _MOST_ROWS:
        console.print(f"and {len(rows) - _MOST_ROWS} more rows in {TABLE}")
    console.print(f"table:     {sweep.folder / TABLE}", markup=False)
    console.print(f"report:    {sweep.folder / REPORT}", markup=False)
    _print_trouble(sweep)


def _print_trouble(sweep: Sweep) -> None:
    failed = [record for record in sweep.manifest.steps if record.outcome != ExitCode.PASSED.name]
    for note in sweep.notes:
        click.echo(f"note: {note}", err=True)
    for record in failed[:_MOST_ROWS]:
        click.echo(f"\nunit {record.name} failed: {record.message}", err=True)
        click.echo(f"executed notebook: {sweep.folder / record.notebook}", err=True)
    if failed or sweep.manifest.not_run:
        count = len(failed) + len(sweep.manifest.not_run)
        click.echo(f"\n{count} of {len(sweep.manifest.parameters)} units are not done; these alone: "
                   "sta410 sweep --resume", err=True)  # fmt: skip
        click.echo(f"exit code {int(sweep.outcome)} ({sweep.outcome.name})", err=True)
