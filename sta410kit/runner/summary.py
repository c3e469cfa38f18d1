"""A run in the terminal: at its end, for ``sta410 show``, and what it would do."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import pluralize, utc
from sta410kit.exit_codes import ExitCode
from sta410kit.guards.data_docs import gates_of
from sta410kit.research.ledger import Ledger
from sta410kit.research.target_names import forecast_words
from sta410kit.runner.key_metrics import metrics_of
from sta410kit.runner.listing import format_seconds, state_of
from sta410kit.runner.manifest import DIFF, Manifest, last_passed, read_manifest
from sta410kit.runner.report import changes_since
from sta410kit.runner.run_log import NAME as LOG
from sta410kit.runner.runs import DATA_DOCS, MANIFEST, REPORT
from sta410kit.runner.sheet import sheet_of
from sta410kit.runner.terminal import say, show_table

if TYPE_CHECKING:
    from pathlib import Path

    from rich.text import Text

    from sta410kit.runner.chain import Run

_MIB = 1024**2
# After these, running again may succeed without any change, or with a larger limit.
_TRANSIENT = {
    ExitCode.INTERRUPTED, ExitCode.TIMED_OUT, ExitCode.OUT_OF_MEMORY, ExitCode.SOURCE_UNAVAILABLE,
}  # fmt: skip


def print_summary(run: Run) -> None:
    """Print how `run` ended; the reasons of a failure go to standard error."""
    manifest = run.manifest
    _print_steps(f"run {run.folder.name}", manifest)
    _print_results(run.folder, manifest)
    if manifest.kind == "notebook":
        _print_recorded_beside_last(run.folder, manifest)
    else:
        _print_metrics(manifest, changes_since(run.folder, manifest))
    say(f"report:    {run.folder / REPORT}")
    if (run.folder / DATA_DOCS / "index.html").is_file():
        say(f"data docs: {run.folder / DATA_DOCS / 'index.html'}")
    for step in run.steps:
        if not step.passed:
            say(f"\n{step.name} failed: {step.message}", err=True)
            if step.notebook:
                say(f"executed notebook: {run.folder / step.notebook}", err=True)
            say(f"exit code {int(ExitCode[step.outcome])} ({step.outcome})", err=True)
    if hint := _resume_hint(manifest):
        say(hint, err=True)


def _resume_hint(manifest: Manifest) -> str:
    """Return the command that resumes a run, if resuming can help."""
    if manifest.kind != "chain":
        return ""
    outcome = ExitCode[manifest.outcome]
    if outcome is ExitCode.NOTEBOOK_FAILED:
        return "correct the notebook, then continue from there: sta410 run --resume"
    return "to continue from there: sta410 run --resume" if outcome in _TRANSIENT else ""


def run_details(folder: Path) -> dict[str, Any]:
    """Return everything that is known of the run in `folder`, as JSON values."""
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
        "state": state_of(folder, manifest.outcome),
        "seconds": manifest.seconds,
        "reused": sum(bool(step.reused) for step in manifest.steps),
        "gates": gates_of(folder / DATA_DOCS),
        "changes": changes_since(folder, manifest),
        "paths": {name: str(path) for name, path in pages.items() if path.exists()},
    }


def print_details(folder: Path) -> None:
    """Print a run for ``sta410 show``."""
    manifest = read_manifest(folder)
    details = run_details(folder)
    _print_head(manifest, details["state"])
    _print_parts(folder, manifest)
    for gate in details["gates"]:
        state, colour = ("accepted", "green") if gate["passed"] else ("rejected", "red")
        state += f" without {gate['left_out']}" if gate["passed"] and gate.get("left_out") else ""
        counts = f"{pluralize(gate['row_count'], 'row')}, {gate['critical']} critical"
        counts += f", {pluralize(gate['warnings'], 'warning')}"
        text = f"gate {gate['suite']} ({gate['step']}): {state}, {counts}"
        say(text, colour)
    _print_results(folder, manifest)
    _print_sheet(manifest)
    _print_quarantined(manifest)
    _print_recorded(manifest)
    if details["changes"]:
        say(f"changed since run {details['changes']['run']}, the last that passed:")
        for name, before, now in details["changes"]["metrics"]:
            say(f"  {name}: {before or 'none'} -> {now or 'none'}")
        for name, parts in details["changes"]["steps"].items():
            say(f"  {name}: {', '.join(parts) or 'nothing'}")
    for name, path in details["paths"].items():
        say(f"{name.replace('_', ' ') + ':':10} {path}")


def _print_parts(folder: Path, manifest: Manifest) -> None:
    """Print the steps of a run, or the units of a sweep, and why some failed."""
    if manifest.kind == "sweep":
        from sta410kit.runner.sweeps.results import Sweep, print_table

        print_table(Sweep(folder, manifest))
    else:
        _print_steps("steps", manifest)
    for step in manifest.steps:
        if step.message:
            say(f"{step.name} failed: {step.message}", "red")


def _print_recorded(manifest: Manifest) -> None:
    for step in manifest.steps if manifest.kind != "sweep" else ():
        for name, value in step.recorded.items():
            if name != "survivorship":  # said already
                say(f"recorded {step.name}: {name} = {_short(value)}")


def _print_metrics(manifest: Manifest, changes: dict[str, Any]) -> None:
    """Print what a run recorded in a line, and beside it what the run before had where that differs."""
    before = {name: first for name, first, _ in changes.get("metrics", [])}
    values = metrics_of(manifest)
    found = {
        name: value
        for name, value in values.items()
        if name != "verdict" and (value != "0" or name in before)
    }
    if found:
        was = {name: f" (before {before[name]})" if before.get(name) else "" for name in found}
        other = f"; before: run {changes['run']}, the last that passed" if any(was.values()) else ""
        say("metrics: " + ", ".join(f"{name} {value}{was[name]}" for name, value in found.items()) + other)


def _print_recorded_beside_last(folder: Path, manifest: Manifest) -> None:
    """Print the values that a notebook recorded beside those of its last run that passed."""
    values = {name: value for step in manifest.steps for name, value in step.recorded.items()}
    if not values:
        return
    last = last_passed(folder, manifest)
    if last is None:
        show_table(("recorded", "value"), [(name, _short(value)) for name, value in values.items()])
        return
    before = {name: value for step in last.steps for name, value in step.recorded.items()}
    rows = []
    for name in dict.fromkeys([*values, *before]):
        one, two = (_short(found[name]) if name in found else "" for found in (values, before))
        same = values.get(name) == before.get(name)
        rows.append((name, one, two, "" if same else _change(before.get(name), values.get(name))))
    show_table(("recorded", "value", f"run {last.run}", "change"), rows)
    if manifest.given != last.given:
        was = ", ".join(f"{name}={value}" for name, value in last.given.items()) or "all defaults"
        say(f"parameters of run {last.run}: {was}")


def _short(value: Any) -> str:  # noqa: ANN401 - any recorded value
    return f"{value:.6g}" if isinstance(value, float) else "none" if value is None else str(value)


def _change(before: Any, value: Any) -> str:  # noqa: ANN401 - any recorded values
    both = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (before, value))
    return f"{value - before:+.4g}" if both else "changed"


def _print_sheet(manifest: Manifest) -> None:
    verdict = manifest.results.get("verdict", {})
    if "ranking" in verdict:
        say(f"ranking: {verdict['ranking']['verdict']}. {verdict['ranking']['sentence']}")
    if said := manifest.results.get("survivorship"):
        say(f"survivorship: {said}")
    sheet = sheet_of(verdict)
    if sheet is None:
        return
    show_table(("tear sheet", "value", ""), sheet.figures, right=("value",))
    for name, (columns, *rows) in sheet.tables.items():
        show_table(columns, rows, title=name, right=columns[1:])


def _print_quarantined(manifest: Manifest) -> None:
    found = manifest.results.get("quarantined", {})
    for words in found.get("named", []):
        say(words)
    for expectation, count in found.get("bars", {}).items():
        say(f"quarantined in all {pluralize(count, 'bar')}: {expectation}")


def _print_head(manifest: Manifest, state: str) -> None:
    took = f", {format_seconds(manifest.seconds)}" if manifest.finished else ""
    code = f", exit code {manifest.exit_code}" if manifest.exit_code is not None else ""
    say(f"run {manifest.run}: {state}{code}{took}", "bold")
    say(f"{f'{manifest.kind} {manifest.title}'.strip()}, started {utc(manifest.started)}")
    given = ", ".join(f"{name}={value}" for name, value in manifest.given.items()) or "all defaults"
    say(f"parameters: {given}")
    if data := manifest.results.get("data"):
        counts = f"{pluralize(len(data['symbols']), 'symbol')}, {pluralize(data['rows'], 'row')}"
        say(f"data: {counts}, {data['first']} to {data['last']}")
    git, host = manifest.git, manifest.host
    commit = f"commit {git['commit'][:10]} on {git['branch']}" if git else "no git checkout"
    commit += f" with uncommitted changes ({DIFF})" if git.get("changed") else ""
    machine = f"Python {host.get('python', '')} on {host.get('host', '')}, {host.get('cpus', '')} processors"
    say(f"{commit}; seed {manifest.seed}; {machine}")


def _print_steps(title: str, manifest: Manifest) -> None:
    from rich.text import Text

    rows: list[list[str | Text]] = []
    for step in manifest.steps:
        outcome = Text(step.outcome, "green" if step.passed else "red")
        if step.reused:
            rows.append([step.name, outcome + Text(f" unchanged since {step.reused}", "dim"), "", ""])
        else:
            peak = f"{step.peak_memory / _MIB:,.0f}" if step.peak_memory else ""
            rows.append([step.name, outcome, f"{step.seconds:.1f}", peak])
    rows += [[name, Text("not run", "dim"), "", ""] for name in manifest.not_run]
    columns = ("step", "outcome", "seconds", "peak MiB")
    show_table(columns, rows, title=title, right=columns[2:])


def _print_results(folder: Path, manifest: Manifest) -> None:
    """Print forecasts, warnings and the verdict."""
    columns = ("symbol", "last session", "model", "horizon", "forecast", "interval")
    rows = [
        (
            *(str(row[name]) for name in ("symbol", "date", "model", "horizon")),
            f"{100 * row['predicted']:+z.2f}",
            f"{100 * row['lower']:+z.2f} to {100 * row['upper']:+z.2f}",
        )
        for row in manifest.results.get("forecasts", [])
    ]
    if rows:
        missing = manifest.results.get("no_forecast", {})
        rows += [(name, "", "", "", "no forecast", why.split(" (")[0]) for name, why in missing.items()]
        title = f"forecasts from the last session, in % ({forecast_words(manifest.results['forecasts'])})"
        show_table(columns, rows, title=title, right=columns[3:])
    for step in manifest.steps:
        for text in step.warnings:
            say(f"warning: {step.name}: {text}", "yellow")
    for text in manifest.warnings:
        say(f"warning: {text}", "yellow")
    for gate in gates_of(folder / DATA_DOCS):
        parts = [f"left out {gate['left_out']}"] if gate["passed"] and gate.get("left_out") else []
        parts += [f"has {pluralize(gate['warnings'], 'warning')}"] if gate["warnings"] else []
        if parts:
            words = " and ".join(parts)
            say(f"warning: {gate['step']}: the gate '{gate['suite']}' {words}, see the data docs", "yellow")
    if verdict := manifest.results.get("verdict"):
        evidence = verdict.get("evidence", {})
        if evidence.get("target") == "rank":  # judged by its ranking
            evidence = {**evidence, **verdict["ranking"]["evidence"]}
        more = Ledger.of_project().recounted(evidence)
        say(f"verdict: {verdict['verdict']}. {verdict['sentence']}{' ' * bool(more)}{more}")


def as_json_values(run: Run) -> dict[str, Any]:
    """Return the manifest and the run folder as JSON values."""
    return {**asdict(run.manifest), "folder": str(run.folder)}


def print_explanation(rows: list[tuple[str, bool, str]]) -> None:
    """Print for each step whether it would be executed, and why."""
    from rich.text import Text

    shown = [
        (name, Text("run", "yellow") if executed else Text("keep", "green"), reason)
        for name, executed, reason in rows
    ]
    show_table(("step", "", "why"), shown, title="what would run")
