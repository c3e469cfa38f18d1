"""The runs of a project, one line each."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.key_metrics import METRICS
from sta410kit.runner.manifest import RUNNING, Manifest, read_manifest
from sta410kit.runner.registry import Registry
from sta410kit.runner.runs import DATA_DOCS, MANIFEST, is_running, no_runs, run_folders
from sta410kit.runner.terminal import say, show_table

KILLED = "KILLED"  # its process is gone and has not written how it ended
UNREADABLE = "UNREADABLE"  # its manifest is damaged or of another schema
_MINUTE, _HOUR = 60, 3600
_NARROW = 140  # columns of a terminal, below which a list has only these:
_FEW = ("run", "outcome", "model", "parameters", "R²", "verdict")
_FIGURES = {"r2": "R²", "rank_ic": "rank IC", "sharpe": "Sharpe"}  # their columns
_COLOURS = {ExitCode.PASSED.name: "green", RUNNING: "cyan", "": "dim"}


@dataclass(frozen=True)
class ListedRun:
    """A run in any state."""

    folder: Path
    kind: str  # ``chain``, ``notebook``, ``sweep``, ``validate`` or ``unknown``
    outcome: str  # the name of an exit code, ``RUNNING``, ``KILLED`` or ``UNREADABLE``
    started: datetime  # in UTC
    facts: Mapping[str, Any]  # what its manifest says, see `_facts`; of an empty one where it cannot be read

    @property
    def run(self) -> str:
        """Its id."""
        return self.folder.name

    def to_dict(self) -> dict[str, Any]:
        """Return what the list says of it as JSON values."""
        return {
            "run": self.run,
            "kind": self.kind,
            "title": self.facts["title"],
            "started": self.started.isoformat(),
            "outcome": self.outcome,
            "folder": str(self.folder),
            **{name: value for name, value in self.facts.items() if name not in {"kind", "title", "outcome"}},
        }


def list_runs(runs: Path, limit: int | None = None, index: Registry | None = None) -> list[ListedRun]:
    """Return the runs in the folder `runs`, newest first, at most `limit` of them.

    With an `index`, only the manifests that have changed since the last time are read.
    """
    with index.together() if index else nullcontext():
        return [look_at(folder, index) for folder in run_folders(runs)[:limit]]


def look_at(folder: Path, index: Registry | None = None) -> ListedRun:
    """Return what is known of the run in `folder`, in any state."""
    manifest = folder / MANIFEST
    try:
        facts = index.remembered(manifest, _facts) if index else _facts(manifest)
    except (ConfigurationError, OSError):
        kind, outcome = "unknown", KILLED
        if manifest.is_file():
            outcome = UNREADABLE
        elif is_running(folder):
            outcome = RUNNING
        elif (folder / DATA_DOCS).is_dir():
            kind, outcome = "validate", ""
        return ListedRun(folder, kind, outcome, _started(folder), _row(Manifest(folder.name)))
    outcome = state_of(folder, facts["outcome"])
    return ListedRun(folder, facts["kind"], outcome, _started(folder), facts)


def _facts(path: Path) -> dict[str, Any]:
    return _row(read_manifest(path.parent))


def _row(manifest: Manifest) -> dict[str, Any]:
    """Return what a list of runs says of one, as JSON values; None for a number that it does not have."""
    verdict, scores = manifest.results.get("verdict", {}), manifest.results.get("scores", {})
    return {
        "kind": manifest.kind,
        "title": manifest.title,
        "outcome": manifest.outcome,
        "finished": manifest.finished,
        "seconds": manifest.seconds,
        "steps": len(manifest.steps),
        "reused": sum(bool(step.reused) for step in manifest.steps),
        "model": manifest.results.get("model", ""),
        "verdict": verdict.get("verdict", ""),
        **{key: METRICS[key].value(manifest) for key in (*_FIGURES, "trials")},
        "scores": scores,
        "data": manifest.results.get("data", {}),
        "parameters": manifest.given,
    }


def state_of(folder: Path, outcome: str) -> str:
    """Return how a run ended, ``RUNNING`` or ``KILLED``; `outcome` is that of its manifest."""
    return KILLED if outcome == RUNNING and not is_running(folder) else outcome


def print_runs(found: Sequence[ListedRun], folder: Path) -> None:
    """Print one line per run."""
    from rich.console import Console
    from rich.text import Text

    if not found:
        say(no_runs(folder))
        return
    rows = []
    for one in found:
        facts = one.to_dict()
        given = ", ".join(f"{name}={value}" for name, value in facts["parameters"].items())
        title = Path(facts["title"]).name
        kinds = {"notebook": title, "sweep": f"sweep of {title}"}
        rows.append({
            "run": one.run,
            "kind": kinds.get(one.kind, one.kind),
            "started (UTC)": f"{one.started:%Y-%m-%d %H:%M}",
            "duration": format_seconds(facts["seconds"]),
            "outcome": Text(one.outcome.lower().replace("_", " "), _COLOURS.get(one.outcome, "red")),
            "reused": f"{facts['reused']} of {facts['steps']}" if facts["reused"] else "",
            "model": facts["model"],
            "parameters": given,
            **{column: METRICS[key].text(facts[key]) for key, column in _FIGURES.items()},
            "verdict": facts["verdict"],
        })  # fmt: skip
    console = Console()
    narrow = console.is_terminal and console.width < _NARROW
    columns = [name for name in rows[0] if not narrow or name in _FEW]
    show_table(
        columns,
        [[row[name] for name in columns] for row in rows],
        right=[name for name in ("duration", *_FIGURES.values()) if name in columns],
        lines=False,
    )


def format_seconds(seconds: float | None) -> str:
    """Return a duration such as ``12.3 s`` or ``2 h 05 min``; empty if unknown."""
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest:02d} s" if seconds < _HOUR else f"{minutes // 60} h {minutes % 60:02d} min"


def _started(folder: Path) -> datetime:
    try:
        text = folder.name[:15].replace("-", "T", 1)
        return datetime.fromisoformat(text).replace(tzinfo=UTC)  # a tenth of the time of `strptime`
    except ValueError:
        return datetime.fromtimestamp(folder.stat().st_mtime, UTC)
