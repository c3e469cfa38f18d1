"""Run folders: one per run, named by its time, under the project's ``runs/``."""

import fnmatch
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from sta410kit._internal.project import OUTSIDE, find_project
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError, STA410Exception

MANIFEST = "manifest.json"
LATEST = "latest"
LOCK = ".lock"
_PATTERN = "[0-9]*-[0-9]*-*"
DATA_DOCS = "data_docs"
REPORT = "report.html"


def runs_folder(start: Path) -> Path:
    """Return the folder of the project's runs; outside any project, ``runs`` beside `start`."""
    return (find_project(start) or (start if start.is_dir() else start.parent)) / "runs"


def new_run(runs: Path) -> Path:
    """Create and return a run folder, ``runs/YYYYMMDD-HHMMSS-mmmxx``.

    Names sort by time, to the millisecond; the last two characters are random.
    """
    while True:
        now = datetime.now(UTC)
        folder = runs / f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}{secrets.token_hex(1)}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            message = f"cannot create the run folder {folder}: {error.strerror}"
            raise ConfigurationError(message) from error
        return folder


@contextmanager
def folder_errors(folder: Path, resume: str) -> Iterator[None]:
    """Turn a failure to write the run folder into an error that says what to do; remove an empty run."""
    try:
        yield
    except Timeout:  # another process holds the lock: the run is its own
        raise
    except BaseException as error:
        begun = (folder / MANIFEST).is_file()
        if not begun:
            shutil.rmtree(folder, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        again = f"continue the run: {resume}" if begun and resume else "run again"
        message = f"{folder} cannot be written: {error.strerror or error}. Free disk space, then {again}"
        raise STA410Exception(message) from error


def find_run(runs: Path, wanted: str) -> Path:
    """Return the folder of one run."""
    folders = run_folders(runs)
    by_path = _as_folder(wanted)
    if not folders and by_path is None:
        raise ConfigurationError(no_runs(runs))
    if wanted == LATEST:
        return next((folder for folder in folders if (folder / MANIFEST).is_file()), folders[0])
    found = [folder for folder in folders if folder.name == wanted] or [
        folder for folder in folders if wanted and folder.name.startswith(wanted)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        message = f"'{wanted}' matches {len(found)} runs: {', '.join(one.name for one in found[:5])}"
        raise ConfigurationError(message)
    if by_path is not None:
        return by_path
    names = [folder.name for folder in folders]
    message = f"no run '{wanted}' in {runs}.{did_you_mean(wanted, names)} `sta410 runs` lists them."
    raise ConfigurationError(message)


def no_runs(runs: Path) -> str:
    """Return the message that there are no runs, with the command that makes one."""
    if find_project(runs.parent):
        return f"no runs in {runs} yet; `sta410 run` makes one"
    return f"no runs in {runs}, which {OUTSIDE}; change into one, or run a notebook: sta410 run NOTEBOOK"


def _as_folder(wanted: str) -> Path | None:
    path = Path(wanted).absolute()
    try:
        folder = path if path.is_dir() else path.parent
        return folder if wanted and path.exists() and (folder / MANIFEST).is_file() else None
    except OSError:  # the name is too long, or a folder cannot be entered
        return None


def is_running(folder: Path) -> bool:
    """Tell whether the process that executes a run holds the lock in its folder."""
    lock = folder / LOCK
    if not lock.is_file():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # in a read-only folder nothing runs
        return False


def run_folders(runs: Path) -> list[Path]:
    """Return the run folders in `runs`, newest first; symbolic links are left out."""
    try:
        with os.scandir(runs) as entries:  # thousands; pathlib takes several times as long
            names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
    except OSError:  # there is none yet, or it cannot be read
        return []
    return [runs / name for name in sorted(fnmatch.filter(names, _PATTERN), reverse=True)]
