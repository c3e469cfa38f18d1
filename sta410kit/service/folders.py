"""Run folders and the files in them, by names that come from outside."""

import os
from pathlib import Path
from typing import Annotated

import fastapi
from fastapi import Depends, Request

from sta410kit.runner.run_files import known_file, known_run
from sta410kit.runner.runs import LATEST, MANIFEST, run_folders
from sta410kit.service.problems import found
from sta410kit.service.site import Site, site_of

RunId = Annotated[
    str,
    fastapi.Path(
        pattern=r"^(latest|[0-9]{8}-[0-9]{6}-[0-9a-z]{1,20})$",
        description="The id of a run, or `latest`",
        examples=["20261127-213000-123ab"],
    ),
]


def run_folder(site: Site, run: str) -> Path:
    """Return the folder of a run; `latest` is the newest that has a manifest."""
    if run == LATEST:
        run = next((one.name for one in run_folders(site.runs) if (one / MANIFEST).is_file()), run)
    return found(known_run, site.runs, run)


def _folder_of(run: RunId, request: Request) -> Path:
    return run_folder(site_of(request), run)


RunFolder = Annotated[Path, Depends(_folder_of)]  # of the run that the address of a request names


def run_file(folder: Path, name: str) -> Path:
    """Return a file of a run by its path in the run's folder."""
    return found(known_file, folder, name)


def list_files(folder: Path) -> list[str]:
    """Return the files in a run folder by relative name, without hidden ones and symbolic links."""
    files: list[str] = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(root) / name for name in names if not name.startswith(".")]
        files += [path.relative_to(folder).as_posix() for path in paths if not path.is_symlink()]
    return sorted(files)
