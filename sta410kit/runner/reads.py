"""The user's own files that a step read while it ran, by content: a result is reused only if all still match.

Modules and data count, wherever they lie, and the names in a folder that was listed; `Observer` sees them
being opened. Not seen is what a subprocess or native code opens by itself, but for Parquet. Such a file
belongs in a parameter, which is digested too.
"""

import os
import sys
import tempfile
import tokenize
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sta410kit._internal.project import project_folder
from sta410kit.config import get_config
from sta410kit.runner.identity import code_digest
from sta410kit.runner.registry import Registry, content_digest, json_digest
from sta410kit.runner.warm.identity import KIT, package_folders
from sta410kit.runner.warm.observer import SUITES

ABSENT, UNSTABLE = "absent", "changed while the step ran"
_SYSTEM = ("/etc", "/usr", "/lib", "/lib64", "/opt", "/var", "/run", "/snap", "/nix")


def record_reads(
    observed: Mapping[str, list[str]], notebook: Path, runs: Path, began: float, registry: Registry
) -> dict[str, Any]:
    """Return what a step depends on of the user's files, as it is stored in its record."""
    project = project_folder(notebook.parent).absolute()
    places = (project, notebook.parent.absolute())
    files = {}
    for name in observed["read"]:
        path = Path(name)
        if name.startswith(SUITES) and path.parent != project / "expectations":
            files[f"expectations/{path.name}"] = ABSENT
            if not path.is_relative_to(KIT):
                files[str(path)] = _state(path, registry, began)
        elif _is_users(path, places, runs) and not path.is_dir():
            files[_stored(path, project)] = _state(path, registry, began)
    for path in map(Path, observed["listed"]):
        if _is_users(path, places, runs):
            files[f"{_stored(path, project)}/"] = _state(path, registry)
    modules = [Path(name) for name in observed["read"] if name.endswith((".py", ".so", ".pyd"))]
    modules = [path for path in modules if _is_users(path, places, runs)]
    names = {
        *observed["missing"],
        *map(_stem, modules),
        *(path.parent.name for path in modules if _stem(path) == "__init__"),
    }
    folders = dict.fromkeys([*observed["path"], *(str(path.parent) for path in modules)])
    stored = [_stored(Path(folder), project) for folder in folders]
    return {
        "files": dict(sorted(files.items())),
        "names": sorted(names),
        "folders": stored,
        "candidates": _candidates(stored, names, project),
    }


def changed_reads(reads: Mapping[str, Any] | None, notebook: Path, registry: Registry) -> list[str]:
    """Return the user's files that are not as a step read them; a word where its reads are not known."""
    if not reads:
        return ["files that it reads (not observed)"]
    project = project_folder(notebook.parent).absolute()
    changed = [
        f"file {name}"
        for name, digest in reads["files"].items()
        if _state(project / name, registry) != digest
    ]
    there = _candidates(reads["folders"], set(reads["names"]), project)
    return changed + [f"module {name}" for name in sorted({*there} ^ {*reads["candidates"]})]


def _is_users(path: Path, places: tuple[Path, ...], runs: Path) -> bool:
    if path.is_relative_to(runs) or path.name.startswith(".env"):
        return False  # settings count by their values
    if path.is_relative_to(places[0] / get_config().data.cache_dir):
        return False  # the store of prices grows; what it knew at a moment does not change
    if any(path.is_relative_to(place) for place in places):
        return "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts
    if path.is_relative_to(tempfile.gettempdir()) or str(path).startswith(_SYSTEM):
        return False
    home = Path.home()
    return not (path.is_relative_to(home) and path.relative_to(home).parts[:1][0].startswith("."))


def _state(path: Path, registry: Registry, began: float = float("inf")) -> str:
    try:
        if path.is_dir():
            names = sorted(p.name for p in path.iterdir() if p.name[0] != "." and p.name != "__pycache__")
            return json_digest(names)
        if not path.is_file():
            return ABSENT
        if path.stat().st_mtime > began:
            return UNSTABLE
        return str(registry.remembered(path, _digest))
    except OSError:
        return ABSENT


def _digest(path: Path) -> str:
    """Return a digest of a file's content; comments in a module do not count."""
    if path.suffix == ".py":
        with suppress(SyntaxError, UnicodeDecodeError), tokenize.open(path) as file:
            return code_digest(file.read())
    return content_digest(path)


def _stored(path: Path, project: Path) -> str:
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else str(path)


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


def _candidates(folders: Iterable[str], names: set[str], project: Path) -> list[str]:
    """Return what lies in `folders` under one of `names`, or under that of an installed package."""
    found = []
    for folder in folders:
        try:
            entries = list(os.scandir(project / folder))
        except OSError:
            continue
        for entry in entries:
            stem = entry.name.partition(".")[0]
            importable = entry.name.endswith((".py", ".so", ".pyd")) or (
                entry.name == stem and entry.is_dir()
            )
            if importable and stem and (stem in names or _is_installed(stem)):
                found.append(f"{folder}/{entry.name}".removeprefix("./"))
    return sorted(found)


def _is_installed(name: str) -> bool:
    return name in sys.stdlib_module_names or any(
        (folder / name).is_dir() or (folder / f"{name}.py").is_file() for folder in package_folders()
    )
