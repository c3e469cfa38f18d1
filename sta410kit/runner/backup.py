"""Backup of what a project has made: store of prices, runs with models and data docs, ledgers, unsealings.

A backup is a folder at any address that fsspec knows. Contents lie there once each under their SHA-256, and
each backup is one file that lists them, written last: what is interrupted is no backup, and the next one
copies only what is new::

    objects/3f/3f7a9c0d...              snapshots/20261129T210403Z-<digest>.json
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.atomic_files import replacing, write_text
from sta410kit._internal.text import did_you_mean
from sta410kit.config import get_config
from sta410kit.exceptions import ConfigurationError, DataLoadingError
from sta410kit.holdout import RECORD
from sta410kit.runner.runs import is_running, run_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

_OBJECTS, _SNAPSHOTS = "objects", "snapshots"
_LAST = "runs/.backup.json"  # hidden, so in no backup itself
_STAMP = "%Y%m%dT%H%M%S%fZ"
_WORKERS = 8
_ATTEMPTS = 5  # passes until no file has vanished during one: the store compacts, runs are pruned
_DIGEST = 16
_SHOWN = 5
_SQLITE = ".sqlite"


@dataclass(frozen=True)
class Backup:
    """What was backed up, restored or checked."""

    snapshot: str  # its name, which says when it was made
    files: int
    size: int  # bytes of all files
    copied: int  # contents that were not there yet
    running: list[str] = field(default_factory=list)  # runs that were going on, and are not included

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return asdict(self)


def backup(project: Path, destination: str) -> Backup:
    """Copy what the project has made to `destination`, and read back what was copied.

    Raises
    ------
    ConfigurationError
        The place cannot be used, or there is nothing to back up.
    DataLoadingError
        The place gives back something else than was written.
    """
    place = _Place(destination)
    for _ in range(_ATTEMPTS):
        running = [one.name for one in run_folders(project / "runs") if is_running(one)]
        names = list(_files(project, running))
        with ThreadPoolExecutor(_WORKERS) as pool:
            kept = list(pool.map(lambda item: place.keep(*item), names))
        if all(kept):
            break
    entries = {name: one for (name, _), one in zip(names, kept, strict=True) if one}
    if not entries:
        message = f"{project} has nothing to back up yet: no run, no stored prices"
        raise ConfigurationError(message)
    size = sum(one["size"] for one in entries.values())
    snapshot = place.write_snapshot(entries)
    (project / "runs").mkdir(exist_ok=True)
    write_text(project / _LAST, json.dumps({"snapshot": snapshot, "destination": place.shown}) + "\n")
    return Backup(snapshot, len(entries), size, len(place.new), running)


def last_backup(project: Path) -> tuple[datetime, str] | None:
    """Return when the newest backup was made and where to, or None if none was."""
    try:
        last = json.loads((project / _LAST).read_text(encoding="utf-8"))
        moment = datetime.strptime(last["snapshot"].partition("-")[0], _STAMP).replace(tzinfo=UTC)
        return moment, str(last["destination"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def restore(
    project: Path, source: str, at: str = "", *, overwrite: bool = False, check: bool = False
) -> Backup:
    """Bring a backup into the project; files that are there already and equal stay.

    Parameters
    ----------
    project : Path
        The folder of a project.
    source : str
        Where the backups are.
    at : str
        The beginning of a backup's name, the newest when empty.
    overwrite : bool
        Whether files that differ are replaced.
    check : bool
        Whether to read and verify everything, and write nothing.

    Raises
    ------
    ConfigurationError
        There is no such backup, or files of the project differ from it and `overwrite` is false.
    DataLoadingError
        Files of the backup are damaged or gone; the others are restored.
    """
    place = _Place(source)
    snapshot, entries = place.read_snapshot(at)
    targets = {name: _target(project, name) for name in entries}
    there = {name for name, path in targets.items() if path.is_file()}
    differ = sorted(name for name in there if _digest(_content(targets[name])) != entries[name]["sha256"])
    if differ and not (overwrite or check):
        more = f" and {len(differ) - _SHOWN} more" if len(differ) > _SHOWN else ""
        message = (
            f"{', '.join(differ[:_SHOWN])}{more} differ from the backup {snapshot}; nothing was restored, "
            "--overwrite replaces them"
        )
        raise ConfigurationError(message)
    wanted = sorted(entries if check else {*entries} - there | {*differ})

    def bring(name: str) -> str:
        content = place.read(entries[name]["sha256"])
        if content is None:
            return name
        if not check:
            with replacing(targets[name]) as aside:
                aside.write_bytes(content)
            for journal in ("-wal", "-shm"):  # of the database that was there
                Path(f"{targets[name]}{journal}").unlink(missing_ok=True)
            os.utime(targets[name], (entries[name]["modified"],) * 2)
        return ""

    with ThreadPoolExecutor(_WORKERS) as pool:
        damaged = list(filter(None, pool.map(bring, wanted)))
    if damaged:
        message = (
            f"{len(damaged)} of {len(entries)} files of the backup {snapshot} are damaged or gone, the first "
            f"{', '.join(damaged[:_SHOWN])}; the others are {'intact' if check else 'restored'}"
        )
        raise DataLoadingError(message)
    size = sum(one["size"] for one in entries.values())
    return Backup(snapshot, len(entries), size, 0 if check else len(wanted))


def _areas(project: Path) -> dict[str, Path]:
    """Return the folders of a backup, wherever the settings put them."""
    return {"store": project / get_config().data.cache_dir, "runs": project / "runs"}


def _files(project: Path, running: list[str]) -> Iterator[tuple[str, Path]]:
    """Yield name and path of each file to back up: none that is hidden, linked or of a run going on."""
    for area, folder in _areas(project).items():
        for root, folders, files in os.walk(folder):
            skipped = running if Path(root) == folder and area == "runs" else []
            folders[:] = [name for name in folders if name[0] != "." and name not in skipped]
            for name in files:
                path = Path(root, name)
                if (
                    name[0] != "."
                    and not name.endswith(("-wal", "-shm", "-journal"))
                    and not path.is_symlink()
                ):
                    yield f"{area}/{path.relative_to(folder).as_posix()}", path
    if (project / RECORD).is_file():
        yield f"project/{RECORD}", project / RECORD


def _target(project: Path, name: str) -> Path:
    area, _, rest = name.partition("/")
    folder = {**_areas(project), "project": project}.get(area)
    path = (folder / rest).resolve() if folder else project
    if folder is None or not path.is_relative_to(folder.resolve()):
        message = f"the backup names a file {name!r}, which belongs to no project; nothing was restored"
        raise ConfigurationError(message)
    return path


def _content(path: Path) -> bytes:
    """Return what is in a file; of a database that is in use a consistent state."""
    if path.suffix != _SQLITE:
        return path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        source, target = (
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True),
            sqlite3.connect(copy),
        )
        try:
            source.backup(target)
        finally:
            source.close()
            target.close()
        return copy.read_bytes()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class _Place:
    """A folder of backups at any address."""

    def __init__(self, address: str) -> None:
        from fsspec.core import url_to_fs

        self.shown = re.sub(r"//[^/\s]*@", "//***@", address)  # it may hold a password
        try:
            self._fs, self._root = url_to_fs(address)
            found = self._fs.find(f"{self._root}/{_OBJECTS}", detail=True)
        except (ImportError, ValueError, OSError) as error:
            raise self._unusable(error) from error
        self._sizes = {Path(name).name: one["size"] for name, one in found.items()}
        self.new: set[str] = set()  # digests of what was copied

    def _unusable(self, error: Exception) -> ConfigurationError:
        return ConfigurationError(f"{self.shown} cannot be used for backups: {error}")

    def _object(self, digest: str) -> str:
        return f"{self._root}/{_OBJECTS}/{digest[:2]}/{digest}"

    def keep(self, name: str, path: Path) -> dict[str, Any] | None:
        """Copy a file unless its content is there; return its entry, or None if it has vanished."""
        try:
            content, modified = _content(path), path.stat().st_mtime
        except (FileNotFoundError, sqlite3.Error) as error:
            if not path.is_file():
                return None
            message = f"{path} cannot be read ({error}); no backup was made. Mend it, or move it away"
            raise DataLoadingError(message) from error
        digest = _digest(content)
        if self._sizes.get(digest) != len(content):
            self._write(self._object(digest), content)
            if self.read(digest) is None:
                message = f"{self.shown} does not give back what was written of {name}; no backup was made"
                raise DataLoadingError(message)
            self._sizes[digest] = len(content)
            self.new.add(digest)
        return {"sha256": digest, "size": len(content), "modified": modified}

    def _write(self, path: str, content: bytes) -> None:
        try:
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._fs.pipe_file(path, content)
        except OSError as error:
            raise self._unusable(error) from error

    def read(self, digest: str) -> bytes | None:
        """Return a content, or None if it is damaged or gone."""
        try:
            content: bytes = self._fs.cat_file(self._object(digest))
        except FileNotFoundError:
            return None
        return content if _digest(content) == digest else None

    def write_snapshot(self, entries: dict[str, dict[str, Any]]) -> str:
        """Write the list of a backup, and return its name."""
        content = json.dumps(entries, indent=1, sort_keys=True).encode()
        name = f"{datetime.now(UTC):{_STAMP}}-{_digest(content)[:_DIGEST]}"
        self._write(f"{self._root}/{_SNAPSHOTS}/{name}.json", content)
        return name

    def read_snapshot(self, at: str) -> tuple[str, dict[str, dict[str, Any]]]:
        """Return the name and the entries of the newest backup whose name begins with `at`."""
        try:
            names = sorted(Path(one).stem for one in self._fs.find(f"{self._root}/{_SNAPSHOTS}"))
        except OSError as error:
            raise self._unusable(error) from error
        name = next((one for one in reversed(names) if one.startswith(at)), None)
        if name is None:
            known = f" Backups: {', '.join(names[-_SHOWN:])}." if names else ""
            message = f"no backup{f' {at!r}' if at else ''} at {self.shown}.{did_you_mean(at, names)}{known}"
            raise ConfigurationError(message)
        content = self._fs.cat_file(f"{self._root}/{_SNAPSHOTS}/{name}.json")
        if _digest(content)[:_DIGEST] != name.rpartition("-")[2]:
            message = f"the list of the backup {name} is damaged; take an older one: --at"
            raise DataLoadingError(message)
        return name, json.loads(content)
