"""``sta410 show``: one run, explained from its folder."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import pluralize
from sta410kit.exit_codes import ExitCode
from sta410kit.guards.data_docs import summaries
from sta410kit.runner.history.listing import facts_of, seconds_of, state_of
from sta410kit.runner.history.tables import spoken_seconds
from sta410kit.runner.manifest import DIFF, read_manifest
from sta410kit.runner.report import changes_since, newest_gates
from sta410kit.runner.run_log import NAME as LOG
from sta410kit.runner.runs import DATA_DOCS, MANIFEST, REPORT
from sta410kit.runner.sweeps.results import TABLE
from sta410kit.runner.sweeps.sweep import KIND

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

_MIB = 1024**2


def explained(folder: Path) -> dict[str, Any]:
    """Return all there is to know of the run in `folder`, as JSON values.

    The manifest, and beside it ``state`` (``outcome``, or ``RUNNING`` or ``KILLED`` for a run without an
    end), ``seconds``, ``gates``, ``changes`` since the run before, and ``paths``.

    Raises
    ------
    ConfigurationError
        It has no manifest: it was killed as it began, or is no run of notebooks.
    """
    manifest = read_manifest(folder)
    pages = {
        "folder": folder,
        "manifest": folder / MANIFEST,
        "report": folder / REPORT,
        "table": folder / TABLE,
        "log": folder / LOG,
        "data_docs": folder / DATA_DOCS / "index.html",
        "diff": folder / DIFF,
    }
    return {
        **asdict(manifest),
        "state": state_of(folder, manifest),
        "seconds": seconds_of(manifest),
        "reused": facts_of(folder).reused,
        "gates": newest_gates(summaries(folder / DATA_DOCS)),
        # A unit of a sweep is no other sweep's of the same number; `sta410 diff` compares sweeps.
        "changes": {} if manifest.kind == KIND else changes_since(folder, manifest),
        "paths": {name: str(path) for name, path in pages.items() if path.exists()},
    }


def print_explained(run: dict[str, Any]) -> None:
    """Print what `explained` returns."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    _print_head(run, console)
    _print_steps(run, console)
    for step in run["steps"]:
        if step["message"]:
            console.print(f"{step['name']} failed: {step['message']}", style="red", markup=False)
        for text in step["warnings"]:
            console.print(f"warning: {step['name']}: {text}", style="yellow", markup=False)
    _print_gates(run, console)
    _print_forecasts(run, console)
    verdict = run["results"].get("verdict")
    if verdict:
        console.print(f"verdict: {verdict['verdict']}. {verdict['sentence']}", markup=False)
    if run["changes"]:
        words = {name: ", ".join(parts) or "nothing" for name, parts in run["changes"]["steps"].items()}
        console.print(f"changed since run {run['changes']['run']}:", markup=False)
        for name, text in words.items():
            console.print(f"  {name}: {text}", markup=False)
    for name, path in run["paths"].items():
        console.print(f"{name.replace('_', ' ') + ':':10} {path}", markup=False)


def _print_head(run: dict[str, Any], console: Console) -> None:
    took = f", {spoken_seconds(run['seconds'])}" if run["seconds"] is not None else ""
    code = f", exit code {run['exit_code']}" if run["exit_code"] is not None else ""
    console.print(f"run {run['run']}: {run['state']}{code}{took}", style="bold", markup=False)
    what = f"{run['kind']} of {run['title']}" if run["kind"] == KIND else f"notebook {run['title']}"
    what = what if run["title"] else f"the {run['kind']}"
    console.print(f"{what}, started {run['started']}", markup=False)
    given = ", ".join(f"{name}={value}" for name, value in run["given"].items()) or "none given, all defaults"
    console.print(f"parameters: {given}", markup=False)
    git, host = run["git"], run["host"]
    commit = f"commit {git['commit'][:10]} on {git['branch']}" if git else "no git checkout"
    commit += " with changes (code.diff)" if git.get("changed") else ""
    machine = f"Python {host.get('python', '')} on {host.get('host', '')}, {host.get('cpus', '')} processors"
    console.print(f"{commit}; seed {run['seed']}; {machine}", markup=False)


def _print_steps(run: dict[str, Any], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="steps", title_justify="left")
    for name in ("step", "outcome", "seconds", "peak MiB", "from run"):
        table.add_column(name, justify="right" if name in {"seconds", "peak MiB"} else "left")
    for step in run["steps"]:
        colour = "green" if step["outcome"] == ExitCode.PASSED.name else "red"
        peak = f"{step['peak_memory'] / _MIB:,.0f}" if step["peak_memory"] else ""
        table.add_row(
            Text(step["name"]), Text(step["outcome"], colour), f"{step['seconds']:.1f}", peak, step["reused"]
        )
    for name in run["not_run"]:
        table.add_row(Text(name), Text("not run", "dim"), "", "", "")
    console.print(table)


def _print_gates(run: dict[str, Any], console: Console) -> None:
    for gate in run["gates"]:
        word, colour = ("accepted", "green") if gate["passed"] else ("refused", "red")
        console.print(
            f"gate {gate['suite']} ({gate['step']}): {word}, {pluralize(gate['row_count'], 'row')}, "
            f"{gate['critical']} critical, {pluralize(gate['warnings'], 'warning')}",
            style=colour,
            markup=False,
        )


def _print_forecasts(run: dict[str, Any], console: Console) -> None:
    for row in run["results"].get("forecasts", []):
        console.print(
            f"forecast {row['symbol']}, {pluralize(row['horizon'], 'session')} from {row['date']} on: "
            f"{100 * row['predicted']:+.2f} % ({100 * row['lower']:+.2f} to {100 * row['upper']:+.2f})",
            markup=False,
        )
