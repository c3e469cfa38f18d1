"""Find the project, and the folder that its files belong to.

A project is the nearest folder upwards that holds ``notebooks/pipeline.toml``. Configuration, logs, caches
and ``runs/`` belong to it, from wherever in it a command or a notebook was started.
"""

from pathlib import Path

from sta410kit.exceptions import ConfigurationError

MARKER = Path("notebooks") / "pipeline.toml"
OUTSIDE = f"lies in no project (no {MARKER.as_posix()} here or above)"


def find_project(start: Path | None = None) -> Path | None:
    """Return the project folder that contains `start` (or the current folder), None outside any."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / MARKER).is_file():
            return folder
    return None


def require_project(otherwise: str) -> Path:
    """Return the project of the current folder, or raise with `otherwise` as the message's end."""
    project = find_project()
    if project is None:
        message = f"{Path.cwd()} {OUTSIDE}{otherwise}"
        raise ConfigurationError(message)
    return project


def project_folder(start: Path | None = None) -> Path:
    """Return the project folder, or outside any project the folder started from."""
    return find_project(start) or (start or Path.cwd()).resolve()
