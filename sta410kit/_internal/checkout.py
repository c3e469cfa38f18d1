"""Who works here, and in which git checkout."""

import getpass
import subprocess
from pathlib import Path


def user_name() -> str:
    """Return the user's name; a container may run under a number without one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def git(folder: Path, *words: str) -> str | None:
    """Return what git prints for a command in `folder`; None outside a checkout or without git."""
    try:
        done = subprocess.run(  # noqa: S603 - the callers' own words
            ["git", "-C", str(folder), *words],  # noqa: S607 - whichever git the user has
            capture_output=True, text=True, errors="replace", timeout=20, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
