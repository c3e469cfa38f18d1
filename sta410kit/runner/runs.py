"""Run folders: one a run, named by its time, under the project's ``runs/``."""

from __future__ import annotations

import secrets
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from sta410kit._internal.project import OUTSIDE, find_project
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError, STA410Exception

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = "manifest.json"
LATEST = "latest"
LOCK = ".lock"
_PATTERN = "[0-9]*-[0-9]*-*"
DATA_DOCS = "data_docs"
REPORT = "report.html"


def runs_folder(start: Path) -> Path:
    """Return the folder of the runs started from `start`; outside any project it is beside `start`."""
    return (find_project(start) or (start if start.is_dir() else start.parent)) / "runs"


def new_run(runs: Path) -> Path:
    """Make and return a fresh run folder, ``runs/YYYYMMDD-HHMMSS-mmmxx``; two at once get two.

    By name they stand in order of time, to the millisecond; the last two characters are chance.
    """
    while True:
        now = datetime.now(UTC)
        folder = runs / f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}{secrets.token_hex(1)}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            message = f"cannot make the run folder {folder}: {error.strerror}"
            raise ConfigurationError(message) from error
        return folder


@contextmanager
def told(folder: Path, resume: str) -> Iterator[None]:
    """Leave no run folder behind where nothing has begun; say of one that takes nothing more what to do.

    Parameters
    ----------
    folder : Path
        The run folder, in which work is done in this block.
    resume : str
        The command that goes on with what has passed.

    Raises
    ------
    STA410Exception
        The folder cannot be written, as on a full disk.
    """
    try:
        yield
    except Timeout:
        raise
    except BaseException as error:
        begun = (folder / MANIFEST).is_file()
        if not begun:
            shutil.rmtree(folder, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        again = f"go on with what has passed: {resume}" if begun else "run again"
        message = f"{folder} cannot be written: {error.strerror or error}. See to the disk, then {again}"
        raise STA410Exception(message) from error


def find_run(runs: Path, wanted: str) -> Path:
    """Return the folder of one run.

    Parameters
    ----------
    runs : Path
        Where the runs are.
    wanted : str
        An id, the beginning of just one, ``latest``, or the path of a run folder or of a file in it.

    Raises
    ------
    ConfigurationError
        There is no such run, or there are several.
    """
    folders = run_folders(runs)
    if not folders and not _as_folder(wanted):
        raise ConfigurationError(no_runs(runs))
    if wanted == LATEST:
        return next((folder for folder in folders if (folder / MANIFEST).is_file()), folders[0])
    found = [folder for folder in folders if folder.name == wanted] or [
        folder for folder in folders if wanted and folder.name.startswith(wanted)
    ]
    if len(found) == 1:
        return found[0]
    by_path = _as_folder(wanted)
    if by_path is not None and not found:
        return by_path
    if found:
        message = (
            f"'{wanted}' is the beginning of {len(found)} runs: {', '.join(one.name for one in found[:5])}"
        )
        raise ConfigurationError(message)
    names = [folder.name for folder in folders]
    message = f"no run '{wanted}' in {runs}.{did_you_mean(wanted, names)} `sta410 runs` lists them."
    raise ConfigurationError(message)


def no_runs(runs: Path) -> str:
    """Say that there are no runs, and what makes one: outside any project that is another command."""
    if find_project(runs.parent):
        return f"no runs in {runs} yet; `sta410 run` makes one"
    return f"no runs in {runs}, which {OUTSIDE}; change into one, or run a notebook: sta410 run NOTEBOOK"


def _as_folder(wanted: str) -> Path | None:
    """Return the run folder that a path means, if it means one."""
    path = Path(wanted).absolute()
    try:
        folder = path if path.is_dir() else path.parent
        return folder if wanted and path.exists() and (folder / MANIFEST).is_file() else None
    except OSError:  # too long for a path, or in a folder that is closed
        return None


def is_running(folder: Path) -> bool:
    """Tell whether the process that makes a run is still at work: it holds the lock in its folder."""
    lock = folder / LOCK
    if not lock.is_file():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a folder that is read-only: nothing can be at work in it
        return False


def run_folders(runs: Path) -> list[Path]:
    """Return the run folders under `runs`, newest first."""
    return sorted((path for path in runs.glob(_PATTERN) if path.is_dir()), reverse=True)


def latest_docs(runs: Path) -> Path:
    """Return the index page of the newest run that has data docs.

    Raises
    ------
    ConfigurationError
        Nothing was validated yet.
    """
    # A notebook opened in JupyterLab has its data docs one level deeper, under runs/alone/.
    found = (*runs.glob(f"*/{DATA_DOCS}/index.html"), *runs.glob(f"alone/*/{DATA_DOCS}/index.html"))
    pages = sorted(found, key=lambda page: page.stat().st_mtime)
    if not pages:
        message = f"no data docs under {runs} yet; `sta410 run` or `sta410 validate` builds them"
        raise ConfigurationError(message)
    return pages[-1]
