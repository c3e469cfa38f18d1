"""The checkout that the tests around the kit look at."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root():
    """Give the folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def tool():
    """Give the path of a program, or skip without it; where nothing may be missing (CI), fail instead."""

    def find(name):
        path = shutil.which(name)
        if path is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no '{name}' here")
        return path

    return find


@pytest.fixture(scope="session")
def tracked(root, tool):
    """Every file that is committed or about to be; skipped outside a git checkout, but not under CI."""
    git = [tool("git"), "-c", "safe.directory=*", "-C", str(root)]
    found = subprocess.run([*git, "ls-files", "-z"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("this is no git checkout")
    return [path for name in found.stdout.split("\0") if name and (path := root / name).is_file()]
