"""Remove old runs, and the log files from before them."""

import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from sta410kit._internal.text import pluralize
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.listing import ListedRun, list_runs
from sta410kit.runner.manifest import RUNNING
from sta410kit.runner.registry import NAME as INDEX
from sta410kit.runner.registry import Registry
from sta410kit.runner.runs import LOCK, is_running, run_folders
from sta410kit.runner.terminal import say

_PRUNED = ".pruned-"
_SCRATCH = (_PRUNED, ".verify-")  # left by a prune or a verification that was killed
_LOG = re.compile(r"sta410_(?:errors_)?(\d{8})\.log(?:\.\d+)?")
_JUST_BEGUN = timedelta(hours=1)  # a folder this young may have no manifest yet


@dataclass(frozen=True)
class Removal:
    """What pruning removes, or would remove."""

    runs: list[ListedRun]  # oldest first
    logs: list[Path]  # daily log files from before the oldest remaining run
    freed: int  # bytes on disk; files that a remaining run links to are not counted


def prune(
    runs: Path,
    logs: Path,
    *,
    older_than: float | None = None,
    keep: int | None = None,
    dry_run: bool = False,
) -> Removal:
    """Remove old runs with everything in their folders, old log files, and their entries in the index.

    A run is removed if it is older than `older_than` and not among the newest `keep`; if only one of them is
    given, by that one. A run that is still going on stays. A result that a later run has reused stays: it is
    a hard link to the same file.
    """
    if older_than is None and keep is None:
        message = "say what to remove: --older-than, such as 30d, or --keep, such as 20, or both"
        raise ConfigurationError(message)
    if runs.is_symlink():
        message = f"{runs} is a symbolic link to {runs.resolve()}; nothing is removed through a link"
        raise ConfigurationError(message)
    now = datetime.now(UTC)
    latest = now - timedelta(seconds=older_than) if older_than is not None else now
    facts = list_runs(runs)
    old = [one for one in facts[keep or 0 :] if one.started <= latest and not _may_be_running(one, now)]
    remaining = [one.started for one in facts if one not in old]
    first_day = min([latest, *remaining]) if older_than is not None or remaining else now
    old_logs = _logs_before(logs, first_day)
    removal = Removal(old[::-1], old_logs, _size([one.folder for one in old], old_logs))
    if not dry_run:
        _remove(runs, removal)
    return removal


def _may_be_running(one: ListedRun, now: datetime) -> bool:
    if one.outcome == RUNNING or is_running(one.folder):
        return True
    return one.kind == "unknown" and now - one.started < _JUST_BEGUN


def _logs_before(folder: Path, moment: datetime) -> list[Path]:
    found = [(path, _LOG.fullmatch(path.name)) for path in sorted(folder.glob("sta410_*"))]
    return [path for path, match in found if match and match[1] < f"{moment:%Y%m%d}"]


def _size(folders: Sequence[Path], files: Sequence[Path]) -> int:
    """Return the bytes that removing these frees; a file with hard links elsewhere stays on disk."""
    inside = (item for folder in folders for item in folder.rglob("*") if item.is_file())
    stats = [path.lstat() for path in (*files, *inside)]
    links = Counter(stat.st_ino for stat in stats)
    last = {stat.st_ino: stat for stat in stats}
    return sum(stat.st_size for inode, stat in last.items() if links[inode] >= stat.st_nlink)


def _remove(runs: Path, removal: Removal) -> None:
    for one in removal.runs:
        try:
            with FileLock(one.folder / LOCK, timeout=0):
                # Rename first: if the process is killed half-way, no half of a run is left in the list.
                aside = runs / f"{_PRUNED}{one.folder.name}"
                one.folder.rename(aside)
        except Timeout:
            continue  # resumed a moment ago
        shutil.rmtree(aside)
    for leftover in runs.glob(".*"):
        if leftover.name.startswith(_SCRATCH) and not leftover.is_symlink() and not is_running(leftover):
            shutil.rmtree(leftover, ignore_errors=True)
    for path in removal.logs:
        path.unlink(missing_ok=True)
    if (runs / INDEX).is_file():
        with Registry(runs) as registry:
            registry.forget_all_but(folder.name for folder in run_folders(runs))


def print_removal(removal: Removal, *, dry_run: bool) -> None:
    """Print what was removed, or would be."""
    for one in removal.runs:
        say(f"{one.run}  {one.kind}  {one.outcome.lower()}")
    for path in removal.logs:
        say(str(path))
    files = f" and {pluralize(len(removal.logs), 'log file')}" if removal.logs else ""
    verb, size = "would remove" if dry_run else "removed", removal.freed / 1024**2
    say(f"{verb} {pluralize(len(removal.runs), 'run')}{files}, {size:,.1f} MiB")
