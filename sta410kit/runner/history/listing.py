"""The runs there are: what each was and how it ended, and the removal of old ones."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.manifest import RUNNING, read_manifest
from sta410kit.runner.registry import NAME as INDEX
from sta410kit.runner.registry import Registry
from sta410kit.runner.runs import DATA_DOCS, LOCK, is_running, run_folders

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sta410kit.runner.manifest import Manifest

KILLED = "KILLED"  # its process is gone and has written no end
_PRUNED = ".pruned-"
_SCRATCH = (_PRUNED, ".verify-")  # what a removal or a verification that was killed leaves
_LOG = re.compile(r"sta410_(?:errors_)?(\d{8})\.log(?:\.\d+)?")
_JUST_BEGUN = timedelta(hours=1)  # a folder this young may have no manifest yet


@dataclass(frozen=True)
class RunFacts:
    """A run in a line.

    Attributes
    ----------
    run, kind, title : str
        Its id; ``chain``, ``notebook`` or ``validate``; the notebook that ran alone.
    started : datetime
        In UTC.
    seconds : float or None
        How long it took; nothing while it runs, and when it was killed.
    outcome : str
        An exit code's name, ``RUNNING``, or ``KILLED``.
    steps, reused : int
        How many steps have come so far, and how many of them were taken over.
    folder : Path
        Where it is.
    """

    run: str
    kind: str
    title: str
    started: datetime
    seconds: float | None
    outcome: str
    steps: int
    reused: int
    folder: Path


def list_runs(runs: Path, limit: int | None = None) -> list[RunFacts]:
    """Return the runs under `runs`, newest first, at most `limit` of them."""
    return [facts_of(folder) for folder in run_folders(runs)[:limit]]


def facts_of(folder: Path) -> RunFacts:
    """Return what there is to know in a line of the run in `folder`, whatever state it is in."""
    try:
        manifest = read_manifest(folder)
    except ConfigurationError:
        kind = "validate" if (folder / DATA_DOCS).is_dir() else "unknown"
        outcome = RUNNING if is_running(folder) else "" if kind == "validate" else KILLED
        return RunFacts(folder.name, kind, "", _began(folder), None, outcome, 0, 0, folder)
    reused = sum(bool(step.reused) for step in manifest.steps)
    return RunFacts(
        manifest.run,
        manifest.kind,
        manifest.title,
        _began(folder),
        seconds_of(manifest),
        state_of(folder, manifest),
        len(manifest.steps),
        reused,
        folder,
    )


def state_of(folder: Path, manifest: Manifest) -> str:
    """Return how a run ended, or whether it still runs or was killed."""
    if manifest.outcome != RUNNING:
        return manifest.outcome
    return RUNNING if is_running(folder) else KILLED


def seconds_of(manifest: Manifest) -> float | None:
    """Return how long a run took; nothing when it has no end."""
    try:
        ends = [datetime.fromisoformat(text) for text in (manifest.started, manifest.finished)]
    except ValueError:
        return None
    return (ends[1] - ends[0]).total_seconds()


@dataclass(frozen=True)
class Removal:
    """What pruning removes, or would.

    Attributes
    ----------
    runs : list of RunFacts
        Oldest first.
    logs : list of Path
        Daily log files of the project from before the oldest run that stays.
    freed : int
        Bytes on the disk; files that another run still names are not among them.
    """

    runs: list[RunFacts]
    logs: list[Path]
    freed: int


def prune(
    runs: Path,
    logs: Path,
    *,
    older_than: float | None = None,
    keep: int | None = None,
    dry_run: bool = False,
) -> Removal:
    """Remove old runs with all that is in their folders, old log files, and what the index says of them.

    A run goes when it is older than `older_than` and not among the newest `keep`; with one of the two, by
    that one alone. A run that is still going on stays. Results that later runs have taken over stay whole,
    for a file lives as long as one run names it.

    Parameters
    ----------
    runs, logs : Path
        The run folders, and the project's log folder.
    older_than : float, optional
        Seconds.
    keep : int, optional
        How many of the newest stay, however old.
    dry_run : bool
        Say what would go, and remove nothing.

    Raises
    ------
    ConfigurationError
        Neither limit is given.
    """
    if older_than is None and keep is None:
        message = "what is old? Give --older-than, such as 30d, or --keep, such as 20, or both"
        raise ConfigurationError(message)
    now = datetime.now(UTC)
    latest = now - timedelta(seconds=older_than) if older_than is not None else now
    facts = [facts_of(folder) for folder in run_folders(runs)]
    old = [one for one in facts[keep or 0 :] if one.started <= latest and not _may_be_at_work(one, now)]
    stays = [one.started for one in facts if one not in old]
    first_day = min([latest, *stays]) if older_than is not None or stays else now
    old_logs = _logs_before(logs, first_day)
    removal = Removal(old[::-1], old_logs, _size([one.folder for one in old], old_logs))
    if not dry_run:
        _remove(runs, removal)
    return removal


def _began(folder: Path) -> datetime:
    try:
        return datetime.strptime(folder.name[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(folder.stat().st_mtime, UTC)


def _may_be_at_work(one: RunFacts, now: datetime) -> bool:
    if one.outcome == RUNNING or is_running(one.folder):
        return True
    return one.kind == "unknown" and now - one.started < _JUST_BEGUN


def _logs_before(folder: Path, moment: datetime) -> list[Path]:
    found = [(path, _LOG.fullmatch(path.name)) for path in sorted(folder.glob("sta410_*"))]
    return [path for path, match in found if match and match[1] < f"{moment:%Y%m%d}"]


def _size(folders: Sequence[Path], files: Sequence[Path]) -> int:
    """Return the bytes that removing these frees: a file with names elsewhere too stays on the disk."""
    inside = (item for folder in folders for item in folder.rglob("*") if item.is_file())
    stats = [path.lstat() for path in (*files, *inside)]
    names = Counter(stat.st_ino for stat in stats)
    last = {stat.st_ino: stat for stat in stats}
    return sum(stat.st_size for inode, stat in last.items() if names[inode] >= stat.st_nlink)


def _remove(runs: Path, removal: Removal) -> None:
    for one in removal.runs:
        try:
            with FileLock(one.folder / LOCK, timeout=0):
                # First out of sight: killed half-way, no half of a run is left to be found.
                aside = runs / f"{_PRUNED}{one.folder.name}"
                one.folder.rename(aside)
        except Timeout:
            continue  # somebody has just resumed it
        shutil.rmtree(aside)
    for leftover in runs.glob(".*"):
        if leftover.name.startswith(_SCRATCH) and not is_running(leftover):
            shutil.rmtree(leftover, ignore_errors=True)
    for path in removal.logs:
        path.unlink(missing_ok=True)
    if (runs / INDEX).is_file():
        with Registry(runs) as registry:
            registry.forget_all_but(folder.name for folder in run_folders(runs))
