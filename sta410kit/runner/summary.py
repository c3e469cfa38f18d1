"""The tables that end a run in the terminal: steps, forecasts, verdict, and where the pages are."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import pluralize
from sta410kit.exit_codes import ExitCode
from sta410kit.guards.data_docs import summaries
from sta410kit.runner.runs import DATA_DOCS, REPORT

if TYPE_CHECKING:
    from rich.console import Console

    from sta410kit.runner.chain import Run


def print_summary(run: Run) -> None:
    """Print how `run` ended; the reasons of a failure go to standard error."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    _print_steps(run, console)
    _print_forecasts(run, console)
    _print_warnings(run, console)
    verdict = run.manifest.results.get("verdict")
    if verdict:
        console.print(Text.assemble("verdict: ", (verdict["verdict"], "bold"), ". ", verdict["sentence"]))
    console.print(f"report:    {run.folder / REPORT}", markup=False)
    if (run.folder / DATA_DOCS / "index.html").is_file():
        console.print(f"data docs: {run.folder / DATA_DOCS / 'index.html'}", markup=False)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    for step in run.steps:
        if step.outcome != ExitCode.PASSED.name:
            errors.print(f"\n{step.name} failed: {step.message}", markup=False)
            if step.notebook:
                errors.print(f"executed notebook: {run.folder / step.notebook}", markup=False)
            errors.print(f"exit code {int(ExitCode[step.outcome])} ({step.outcome})", markup=False)
    if run.manifest.not_run:
        errors.print("to go on from there: sta410 run --resume", markup=False)


def _print_steps(run: Run, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"run {run.folder.name}", title_justify="left")
    table.add_column("step")
    table.add_column("outcome")
    table.add_column("seconds", justify="right")
    for step in run.steps:
        colour = "green" if step.outcome == ExitCode.PASSED.name else "red"
        outcome = Text(step.outcome, colour) + Text(" unchanged" if step.reused else "", "dim")
        table.add_row(Text(step.name), outcome, "" if step.reused else f"{step.seconds:.1f}")
    for name in run.manifest.not_run:
        table.add_row(Text(name), Text("not run", "dim"), "")
    console.print(table)


def _print_warnings(run: Run, console: Console) -> None:
    """Print what did not stop the run and still has to be known."""
    from rich.text import Text

    found = [f"{step.name}: {text}" for step in run.steps for text in step.warnings]
    found += run.manifest.warnings
    found += [
        f"{gate['step']}: the gate '{gate['suite']}' has {pluralize(gate['warnings'], 'warning')}, "
        "see the data docs"
        for gate in sorted(summaries(run.folder / DATA_DOCS), key=itemgetter("step"))
        if gate["warnings"]
    ]
    for text in found:
        console.print(Text.assemble(("warning", "yellow"), f": {text}"))


def _print_forecasts(run: Run, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    rows = run.manifest.results.get("forecasts")
    if not rows:
        return
    table = Table(title="forecasts from the last session on, in % (log returns)", title_justify="left")
    for name in ("symbol", "last session", "horizon", "model", "forecast", "interval"):
        table.add_column(name, justify="right" if name in {"horizon", "forecast", "interval"} else "left")
    for row in rows:
        table.add_row(
            Text(str(row["symbol"])),
            row["date"],
            str(row["horizon"]),
            Text(str(row["model"])),
            f"{100 * row['predicted']:+.2f}",
            f"{100 * row['lower']:+.2f} to {100 * row['upper']:+.2f}",
        )
    console.print(table)


def as_json_values(run: Run) -> dict[str, Any]:
    """Return the manifest and the run's folder, for machines."""
    from dataclasses import asdict

    return {**asdict(run.manifest), "folder": str(run.folder)}


def print_explanation(rows: list[tuple[str, bool, str]]) -> None:
    """Print for each step whether it would be executed, and why."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="what would run", title_justify="left")
    for name in ("step", "", "why"):
        table.add_column(name)
    for name, executed, reason in rows:
        table.add_row(Text(name), Text("run", "yellow") if executed else Text("keep", "green"), Text(reason))
    Console(highlight=False).print(table)
