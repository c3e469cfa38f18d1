"""An SQLite index over ``runs/``: which run holds which result, and the digests of known files.

It is a cache; the manifests in the run folders are the record. Losing it costs time only: steps run and files
are read again. A damaged index is replaced; where none can be written (full disk, read-only folder) one in
memory serves for the length of the command.
"""

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

from sta410kit import __version__

NAME = "registry.sqlite"
Answer = TypeVar("Answer")
_TABLES = """
create table if not exists results (identity text, run text, primary key (identity, run));
create table if not exists known_files (path text primary key, stamp text, known text);
"""
_REMEMBER = """
insert or replace into known_files
select json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') from json_each(?)
"""
_PATIENCE = 30.0  # seconds to wait for another process's write lock


class Registry:
    """The index of one ``runs/`` folder, safe to use from several threads and processes.

    Unless `make` is given, a folder that does not exist is not created, and the index is in memory.
    """

    def __init__(self, runs: Path, *, make: bool = True) -> None:
        self._path = runs / NAME
        self._make = make
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.RLock()  # steps run in parallel
        self._held: dict[str, tuple[str, str]] = {}  # stamp and value of files already looked up
        self._once: dict[object, Any] = {}
        self._unwritten: list[tuple[str, str, str]] = []
        self._blocks = 0  # that are open, see `together`

    def passed(self, identity: str, run: str) -> None:
        """Note that `run` holds a passed result of a step with this identity."""
        self._do("insert or replace into results values (?, ?)", identity, run)

    def runs_with(self, identity: str) -> list[str]:
        """Return the runs that hold a result with this identity, newest first."""
        rows = self._do("select run from results where identity = ? order by run desc", identity)
        return [str(row[0]) for row in rows]

    def forget_all_but(self, runs: Iterable[str]) -> None:
        """Forget runs that are not among `runs`, and files that no longer exist."""
        kept = set(runs)
        for run in {row[0] for row in self._do("select run from results")}:
            if run.partition("/")[0] not in kept:  # a combination of a sweep lies in the sweep's folder
                self._do("delete from results where run = ?", run)
        for (key,) in self._do("select path from known_files"):
            if not os.path.exists(key.partition(":")[2]):  # noqa: PTH110 - thousands; pathlib takes five times as long
                self._do("delete from known_files where path = ?", key)

    def remembered(self, path: Path, compute: Callable[[Path], Any]) -> Any:  # noqa: ANN401 - JSON values
        """Return `compute(path)`, cached for as long as the file does not change.

        A file counts as unchanged when inode, size, modification time and change time are the same. The
        modification time alone is not enough, for `cp -p` sets it back; the change time cannot be set.
        """
        found = path.stat()
        # Another version of the kit may compute something else.
        key = f"{compute.__module__}.{compute.__qualname__} {__version__}:{path}"
        stamp = f"{found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
        held = self._held.get(key)
        if held is not None and held[0] == stamp:
            return json.loads(held[1])
        rows = self._do("select known from known_files where path = ? and stamp = ?", key, stamp)
        known = str(rows[0][0]) if rows else json.dumps(compute(path))
        self._held[key] = (stamp, known)
        if not rows:
            with self.together():
                self._unwritten.append((key, stamp, known))
        return json.loads(known)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write what is remembered in the block when it ends: thousands of files cost one commit."""
        with self._lock:
            self._blocks += 1
        try:
            yield
        finally:
            with self._lock:
                self._blocks -= 1
                if self._unwritten and not self._blocks:
                    rows, self._unwritten = self._unwritten, []
                    self._do(_REMEMBER, json.dumps(rows))

    def once(self, name: object, compute: Callable[[], Answer]) -> Answer:
        """Return `compute()`, computed once per registry and name."""
        if name not in self._once:
            self._once[name] = compute()
        answer: Answer = self._once[name]
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _do(self, statement: str, *values: object) -> list[Any]:
        with self._lock:
            try:
                self._connection = self._connection or self._connect()
                with self._connection:
                    return self._connection.execute(statement, values).fetchall()
            except (OSError, sqlite3.Error) as error:
                if self._connection is not None:
                    self._connection.close()
                self._connection = self._another(error)
                with self._connection:
                    return self._connection.execute(statement, values).fetchall()

    def _connect(self) -> sqlite3.Connection:
        if not self._make and not self._path.parent.is_dir():
            return _with_tables(":memory:")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return _with_tables(self._path)

    def _another(self, error: Exception) -> sqlite3.Connection:
        """Replace a damaged index; in memory where none can be written, or another process has it locked."""
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            with suppress(OSError, sqlite3.Error):
                self._path.unlink(missing_ok=True)
                return _with_tables(self._path)
        return _with_tables(":memory:")


def _with_tables(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)
    try:
        connection.executescript(_TABLES)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a file's content; of a folder, of the names and contents of all files in it."""
    if path.is_file():
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    files = sorted(item for item in path.rglob("*") if item.is_file())
    listing = [(item.relative_to(path).as_posix(), content_digest(item)) for item in files]
    return json_digest(listing)


def json_digest(value: object) -> str:
    """Return the SHA-256 of a value as JSON; the order of keys does not count."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
