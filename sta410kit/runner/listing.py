"""The runs of a project, one line each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.manifest import RUNNING, Manifest, read_manifest
from sta410kit.runner.results import R2
from sta410kit.runner.runs import DATA_DOCS, MANIFEST, is_running, no_runs, run_folders

if TYPE_CHECKING:
    from collections.abc import Sequence

KILLED = "KILLED"  # its process is gone and has not written how it ended
UNREADABLE = "UNREADABLE"  # its manifest is damaged or of another schema
_MINUTE, _HOUR = 60, 3600
_WIDE = 170
_COLOURS = {ExitCode.PASSED.name: "green", RUNNING: "cyan", "": "dim"}


@dataclass(frozen=True)
class RunFacts:
    """What the list of runs says of one run."""

    # its id; ``chain``, ``notebook``, ``sweep``, ``validate`` or ``unknown``; the notebook, or empty
    run: str
    kind: str
    title: str
    started: datetime
    outcome: str  # the name of an exit code, ``RUNNING``, ``KILLED`` or ``UNREADABLE``
    folder: Path
    seconds: float | None = None  # wall-clock time; None while it runs, and if it was killed
    # number of steps so far, and how many of them were reused
    steps: int = 0
    reused: int = 0
    model: str = ""
    verdict: str = ""
    scores: dict[str, float] = field(default_factory=dict)  # the numbers that were recorded
    # symbols, first and last session, and rows of its prices
    data: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        return {**asdict(self), "started": self.started.isoformat(), "folder": str(self.folder)}


def list_runs(runs: Path, limit: int | None = None) -> list[RunFacts]:
    """Return the runs in the folder `runs`, newest first, at most `limit` of them."""
    return [facts_of(folder) for folder in run_folders(runs)[:limit]]


def facts_of(folder: Path) -> RunFacts:
    """Return the facts of the run in `folder`, in any state."""
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
        return RunFacts(folder.name, kind, "", _started(folder), outcome, folder)
    results = manifest.results
    return RunFacts(
        run=manifest.run,
        kind=manifest.kind,
        title=manifest.title,
        started=_started(folder),
        outcome=state_of(folder, manifest),
        folder=folder,
        seconds=manifest.seconds,
        steps=len(manifest.steps),
        reused=sum(bool(step.reused) for step in manifest.steps),
        model=results.get("model", ""),
        verdict=results.get("verdict", {}).get("verdict", ""),
        scores=results.get("scores", {}),
        data=results.get("data", {}),
        parameters=manifest.given,
    )


def state_of(folder: Path, manifest: Manifest) -> str:
    """Return how a run ended, ``RUNNING`` or ``KILLED``."""
    if manifest.outcome != RUNNING:
        return manifest.outcome
    return RUNNING if is_running(folder) else KILLED


def print_runs(found: Sequence[RunFacts], folder: Path) -> None:
    """Print one line per run."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE  # do not wrap in a file or a pipe
    if not found:
        console.print(no_runs(folder), markup=False, soft_wrap=True)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    right = {"duration", "steps", "reused", "R2"}
    for name in ("run", "kind", "started (UTC)", "duration", "outcome", "steps", "reused", "model", "R2",
                 "verdict", "notebook"):  # fmt: skip
        table.add_column(name, justify="right" if name in right else "left", no_wrap=name == "run")
    for one in found:
        table.add_row(
            one.run,
            one.kind,
            f"{one.started:%Y-%m-%d %H:%M}",
            format_seconds(one.seconds),
            Text(one.outcome.lower().replace("_", " "), _COLOURS.get(one.outcome, "red")),
            str(one.steps or ""),
            str(one.reused or ""),
            Text(one.model),
            f"{100 * one.scores[R2]:+.2f} %" if R2 in one.scores else "",
            Text(one.verdict),
            Text(Path(one.title).name),
        )
    console.print(table)


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
