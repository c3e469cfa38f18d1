"""The runs of a project, one line each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.manifest import RUNNING, Manifest, read_manifest
from sta410kit.runner.results import R2
from sta410kit.runner.runs import DATA_DOCS, MANIFEST, is_running, no_runs, run_folders
from sta410kit.runner.terminal import say, show_table

KILLED = "KILLED"  # its process is gone and has not written how it ended
UNREADABLE = "UNREADABLE"  # its manifest is damaged or of another schema
_MINUTE, _HOUR = 60, 3600
_COLOURS = {ExitCode.PASSED.name: "green", RUNNING: "cyan", "": "dim"}


@dataclass(frozen=True)
class ListedRun:
    """A run in any state."""

    folder: Path
    kind: str  # ``chain``, ``notebook``, ``sweep``, ``validate`` or ``unknown``
    outcome: str  # the name of an exit code, ``RUNNING``, ``KILLED`` or ``UNREADABLE``
    started: datetime  # in UTC
    manifest: Manifest  # empty where there is none that can be read

    @property
    def run(self) -> str:
        """Its id."""
        return self.folder.name

    def to_dict(self) -> dict[str, Any]:
        """Return what the list says of it as JSON values."""
        manifest, results = self.manifest, self.manifest.results
        return {
            "run": self.run,
            "kind": self.kind,
            "title": manifest.title,
            "started": self.started.isoformat(),
            "outcome": self.outcome,
            "folder": str(self.folder),
            "seconds": manifest.seconds,
            "steps": len(manifest.steps),
            "reused": sum(bool(step.reused) for step in manifest.steps),
            "model": results.get("model", ""),
            "verdict": results.get("verdict", {}).get("verdict", ""),
            "scores": results.get("scores", {}),
            "data": results.get("data", {}),
            "parameters": manifest.given,
        }


def list_runs(runs: Path, limit: int | None = None) -> list[ListedRun]:
    """Return the runs in the folder `runs`, newest first, at most `limit` of them."""
    return [look_at(folder) for folder in run_folders(runs)[:limit]]


def look_at(folder: Path) -> ListedRun:
    """Return what is known of the run in `folder`, in any state."""
    try:
        manifest = read_manifest(folder)
    except ConfigurationError:
        kind, outcome = "unknown", KILLED
        if (folder / MANIFEST).is_file():
            outcome = UNREADABLE
        elif is_running(folder):
            outcome = RUNNING
        elif (folder / DATA_DOCS).is_dir():
            kind, outcome = "validate", ""
        return ListedRun(folder, kind, outcome, _started(folder), Manifest(folder.name))
    return ListedRun(folder, manifest.kind, state_of(folder, manifest), _started(folder), manifest)


def state_of(folder: Path, manifest: Manifest) -> str:
    """Return how a run ended, ``RUNNING`` or ``KILLED``."""
    if manifest.outcome != RUNNING:
        return manifest.outcome
    return RUNNING if is_running(folder) else KILLED


def print_runs(found: Sequence[ListedRun], folder: Path) -> None:
    """Print one line per run."""
    from rich.text import Text

    if not found:
        say(no_runs(folder))
        return
    columns = ("run", "kind", "started (UTC)", "duration", "outcome", "steps", "reused", "model", "R2",
               "verdict", "notebook")  # fmt: skip
    rows = []
    for one in found:
        facts = one.to_dict()
        rows.append((
            one.run,
            one.kind,
            f"{one.started:%Y-%m-%d %H:%M}",
            format_seconds(facts["seconds"]),
            Text(one.outcome.lower().replace("_", " "), _COLOURS.get(one.outcome, "red")),
            str(facts["steps"] or ""),
            str(facts["reused"] or ""),
            facts["model"],
            f"{100 * facts['scores'][R2]:+.2f} %" if R2 in facts["scores"] else "",
            facts["verdict"],
            Path(facts["title"]).name,
        ))  # fmt: skip
    show_table(columns, rows, right=("duration", "steps", "reused", "R2"), lines=False)


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
        return datetime.strptime(folder.name[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(folder.stat().st_mtime, UTC)
