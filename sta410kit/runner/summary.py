"""A run in the terminal: at its end, for ``sta410 show``, and what it would do."""

from __future__ import annotations

from dataclasses import asdict
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import pluralize
from sta410kit.exit_codes import ExitCode
from sta410kit.guards.data_docs import summaries
from sta410kit.runner.listing import format_seconds, state_of
from sta410kit.runner.manifest import DIFF, Manifest, read_manifest
from sta410kit.runner.report import changes_since, newest_gates
from sta410kit.runner.run_log import NAME as LOG
from sta410kit.runner.runs import DATA_DOCS, MANIFEST, REPORT

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from sta410kit.runner.chain import Run

_MIB = 1024**2
# After these, running again may succeed without any change, or with a larger limit.
_TRANSIENT = {
    ExitCode.INTERRUPTED, ExitCode.TIMED_OUT, ExitCode.OUT_OF_MEMORY, ExitCode.SOURCE_UNAVAILABLE,
}  # fmt: skip


def print_summary(run: Run) -> None:
    """Print how `run` ended; the reasons of a failure go to standard error."""
    console, errors = _consoles()
    manifest = run.manifest
    _print_steps(console, f"run {run.folder.name}", manifest)
    _print_results(console, run.folder, manifest)
    console.print(f"report:    {run.folder / REPORT}", markup=False)
    if (run.folder / DATA_DOCS / "index.html").is_file():
        console.print(f"data docs: {run.folder / DATA_DOCS / 'index.html'}", markup=False)
    for step in run.steps:
        if step.outcome != ExitCode.PASSED.name:
            errors.print(f"\n{step.name} failed: {step.message}", markup=False)
            if step.notebook:
                errors.print(f"executed notebook: {run.folder / step.notebook}", markup=False)
            errors.print(f"exit code {int(ExitCode[step.outcome])} ({step.outcome})", markup=False)
    if hint := _resume_hint(manifest):
        errors.print(hint, markup=False)


def _resume_hint(manifest: Manifest) -> str:
    """Return the command that resumes a run, if resuming can help."""
    if manifest.kind != "chain":
        return ""
    outcome = ExitCode[manifest.outcome]
    if outcome is ExitCode.NOTEBOOK_FAILED:
        return "correct the notebook, then continue from there: sta410 run --resume"
    return "to continue from there: sta410 run --resume" if outcome in _TRANSIENT else ""


def run_details(folder: Path) -> dict[str, Any]:
    """Return everything that is known of the run in `folder`, as JSON values.

    Returns
    -------
    dict
        The manifest, and ``state`` (the outcome, ``RUNNING`` or ``KILLED``), ``seconds``, ``reused`` (number
        of steps), ``gates``, ``changes`` since the run before, and ``paths``.

    Raises
    ------
    ConfigurationError
        It has no readable manifest.
    """
    manifest = read_manifest(folder)
    pages = {
        "folder": folder,
        "manifest": folder / MANIFEST,
        "report": folder / REPORT,
        "table": folder / "results.parquet",
        "log": folder / LOG,
        "data_docs": folder / DATA_DOCS / "index.html",
        "diff": folder / DIFF,
    }
    return {
        **asdict(manifest),
        "state": state_of(folder, manifest),
        "seconds": manifest.seconds,
        "reused": sum(bool(step.reused) for step in manifest.steps),
        "gates": newest_gates(summaries(folder / DATA_DOCS)),
        "changes": changes_since(folder, manifest),
        "paths": {name: str(path) for name, path in pages.items() if path.exists()},
    }


def print_details(folder: Path) -> None:
    """Print a run for ``sta410 show``."""
    console, _ = _consoles()
    manifest = read_manifest(folder)
    details = run_details(folder)
    _print_head(console, manifest, details["state"])
    _print_steps(console, "steps", manifest)
    for step in manifest.steps:
        if step.message:
            console.print(f"{step.name} failed: {step.message}", style="red", markup=False)
    for gate in details["gates"]:
        state, colour = ("accepted", "green") if gate["passed"] else ("rejected", "red")
        counts = f"{pluralize(gate['row_count'], 'row')}, {gate['critical']} critical"
        counts += f", {pluralize(gate['warnings'], 'warning')}"
        text = f"gate {gate['suite']} ({gate['step']}): {state}, {counts}"
        console.print(text, style=colour, markup=False)
    _print_results(console, folder, manifest)
    for step in manifest.steps:
        for name, value in step.recorded.items():
            console.print(f"recorded {step.name}: {name} = {value}", markup=False)
    if details["changes"]:
        console.print(f"changed since run {details['changes']['run']}:", markup=False)
        for name, parts in details["changes"]["steps"].items():
            console.print(f"  {name}: {', '.join(parts) or 'nothing'}", markup=False)
    for name, path in details["paths"].items():
        console.print(f"{name.replace('_', ' ') + ':':10} {path}", markup=False)


def _consoles() -> tuple[Console, Console]:
    from rich.console import Console

    return (Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True))


def _print_head(console: Console, manifest: Manifest, state: str) -> None:
    took = f", {format_seconds(manifest.seconds)}" if manifest.finished else ""
    code = f", exit code {manifest.exit_code}" if manifest.exit_code is not None else ""
    console.print(f"run {manifest.run}: {state}{code}{took}", style="bold", markup=False)
    console.print(f"{f'{manifest.kind} {manifest.title}'.strip()}, started {manifest.started}", markup=False)
    given = ", ".join(f"{name}={value}" for name, value in manifest.given.items()) or "all defaults"
    console.print(f"parameters: {given}", markup=False)
    if data := manifest.results.get("data"):
        counts = f"{pluralize(len(data['symbols']), 'symbol')}, {pluralize(data['rows'], 'row')}"
        console.print(f"data: {counts}, {data['first']} to {data['last']}", markup=False)
    git, host = manifest.git, manifest.host
    commit = f"commit {git['commit'][:10]} on {git['branch']}" if git else "no git checkout"
    commit += f" with uncommitted changes ({DIFF})" if git.get("changed") else ""
    machine = f"Python {host.get('python', '')} on {host.get('host', '')}, {host.get('cpus', '')} processors"
    console.print(f"{commit}; seed {manifest.seed}; {machine}", markup=False)


def _print_steps(console: Console, title: str, manifest: Manifest) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for name in ("step", "outcome", "seconds", "peak MiB"):
        table.add_column(name, justify="right" if name in {"seconds", "peak MiB"} else "left")
    for step in manifest.steps:
        colour = "green" if step.outcome == ExitCode.PASSED.name else "red"
        reused = f" unchanged since {step.reused}" if step.reused else ""
        outcome = Text(step.outcome, colour) + Text(reused, "dim")
        peak = f"{step.peak_memory / _MIB:,.0f}" if step.peak_memory and not reused else ""
        table.add_row(Text(step.name), outcome, "" if reused else f"{step.seconds:.1f}", peak)
    for name in manifest.not_run:
        table.add_row(Text(name), Text("not run", "dim"), "", "")
    console.print(table)


def _print_results(console: Console, folder: Path, manifest: Manifest) -> None:
    """Print forecasts, warnings and the verdict."""
    from rich.text import Text

    if manifest.results.get("forecasts"):
        console.print(_forecast_table(manifest.results["forecasts"]))
    warnings = [f"{step.name}: {text}" for step in manifest.steps for text in step.warnings]
    warnings += manifest.warnings
    warnings += [
        f"{gate['step']}: the gate '{gate['suite']}' has {pluralize(gate['warnings'], 'warning')}, "
        "see the data docs"
        for gate in sorted(summaries(folder / DATA_DOCS), key=itemgetter("step"))
        if gate["warnings"]
    ]
    for text in warnings:
        console.print(Text.assemble(("warning", "yellow"), f": {text}"))
    if verdict := manifest.results.get("verdict"):
        console.print(Text.assemble("verdict: ", (verdict["verdict"], "bold"), ". ", verdict["sentence"]))


def _forecast_table(rows: list[dict[str, Any]]) -> Any:  # noqa: ANN401 - a rich Table
    from rich.table import Table
    from rich.text import Text

    table = Table(title="forecasts from the last session, in % (log returns)", title_justify="left")
    for name in ("symbol", "last session", "horizon", "model", "forecast", "interval"):
        table.add_column(name, justify="right" if name in {"horizon", "forecast", "interval"} else "left")
    for row in rows:
        table.add_row(
            Text(row["symbol"]),
            row["date"],
            str(row["horizon"]),
            Text(row["model"]),
            f"{100 * row['predicted']:+.2f}",
            f"{100 * row['lower']:+.2f} to {100 * row['upper']:+.2f}",
        )
    return table


def as_json_values(run: Run) -> dict[str, Any]:
    """Return the manifest and the run folder as JSON values."""
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
