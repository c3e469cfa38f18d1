"""Run folders: one a run, named by its time, under the project's ``runs/``."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError
from sta410kit.project import find_project

if TYPE_CHECKING:
    from pathlib import Path

_PATTERN = "[0-9]*-[0-9]*-*"
DATA_DOCS = "data_docs"
REPORT = "report.html"


def runs_folder(start: Path) -> Path:
    """Return the folder of the runs started from `start`; outside any project it is beside `start`."""
    return (find_project(start) or (start if start.is_dir() else start.parent)) / "runs"


def new_run(runs: Path) -> Path:
    """Make and return a fresh run folder, ``runs/YYYYMMDD-HHMMSS-xxxx``; two at once get two."""
    while True:
        folder = runs / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            message = f"cannot make the run folder {folder}: {error.strerror}"
            raise ConfigurationError(message) from error
        return folder


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
