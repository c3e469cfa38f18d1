"""The checkout that these tests look at."""

import os
import re
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
def targets():
    """Name the targets of the Makefile that a person may type."""
    text = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    return phony.split()


@pytest.fixture(scope="session")
def tool():
    """Give the path of a program, or skip without it; under CI, where nothing may be missing, fail."""

    def find(name):
        path = shutil.which(name)
        if path is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no '{name}' here")
        return path

    return find


@pytest.fixture(scope="session")
def tracked(tool):
    """List the files that are committed or about to be; skip outside a git checkout, but not under CI."""
    git = [tool("git"), "-c", "safe.directory=*", "-C", str(ROOT)]
    found = subprocess.run([*git, "ls-files", "-z"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("this is no git checkout")
    return [path for name in found.stdout.split("\0") if name and (path := ROOT / name).is_file()]
