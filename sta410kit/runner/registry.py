"""An SQLite index over ``runs/``: which run holds which result, and the digests of known files.

It is a cache; the manifests in the run folders are the record. Losing it costs time only: steps run and files
are read again. A damaged index, or one of another schema, is replaced; where none can be written (full
disk, read-only folder) an in-memory index serves for the length of the command.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sta410kit._internal.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

NAME = "registry.sqlite"
SCHEMA = 1  # SQLite's user_version; an index of another version is replaced
Answer = TypeVar("Answer")
_TABLES = """
create table steps
    (identity text, step text, run text, parts text, primary key (identity, run));
create table known_files
    (path text primary key, stamp text, known text);
create table durations
    (step text primary key, seconds real);
"""
_PATIENCE = 30.0  # seconds to wait for another process's write lock


class Registry:
    """The index of one ``runs/`` folder, safe to use from several threads and processes."""

    def __init__(self, runs: Path, *, make: bool = True) -> None:
        self._path = runs / NAME
        self._make = make
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.RLock()  # steps run in parallel
        self._held: dict[str, tuple[str, str]] = {}  # stamp and value of files already looked up
        self._once: dict[object, Any] = {}

    def passed(self, identity: str, step: str, run: str, parts: dict[str, str]) -> None:
        """Note that `run` holds a passed result of `step` with this identity."""
        known = redact(json.dumps(parts))
        self._note("insert or replace into steps values (?, ?, ?, ?)", identity, step, run, known)

    def runs_with(self, identity: str) -> list[str]:
        """Return the runs that hold a result with this identity, newest first."""
        rows = self._ask("select run from steps where identity = ? order by run desc", identity)
        return [str(row[0]) for row in rows]

    def last_parts(self, step: str) -> dict[str, str]:
        """Return the parts of the identity of `step` when it last passed; empty if it never has."""
        rows = self._ask("select parts from steps where step = ? order by run desc limit 1", step)
        return dict(json.loads(rows[0][0])) if rows else {}

    def note_seconds(self, step: str, seconds: float) -> None:
        """Note the duration of a step."""
        self._note("insert or replace into durations values (?, ?)", step, seconds)

    def seconds(self) -> dict[str, float]:
        """Return the last known duration of each step."""
        return {str(row[0]): float(row[1]) for row in self._ask("select step, seconds from durations")}

    def forget_all_but(self, runs: Iterable[str]) -> None:
        """Forget runs that are not among `runs`, and files that no longer exist."""
        kept = set(runs)
        for run in {row[0] for row in self._ask("select run from steps")} - kept:
            self._note("delete from steps where run = ?", run)
        for (key,) in self._ask("select path from known_files"):
            if not os.path.exists(key.partition(":")[2]):  # noqa: PTH110 - thousands; pathlib takes five times as long
                self._note("delete from known_files where path = ?", key)

    def remembered(self, path: Path, compute: Callable[[Path], Any]) -> Any:  # noqa: ANN401 - JSON values
        """Return `compute(path)`, cached for as long as the file does not change.

        A file counts as unchanged when inode, size, modification time and change time are the same. The
        modification time alone is not enough, for `cp -p` sets it back; the change time cannot be set.
        """
        found = path.stat()
        key = f"{compute.__qualname__}:{path}"
        stamp = f"{found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
        held = self._held.get(key)
        if held is not None and held[0] == stamp:
            return json.loads(held[1])
        rows = self._ask(
            "select known from known_files where path = ? and stamp = ?",
            key,
            stamp,
        )
        if rows:
            known = str(rows[0][0])
        else:
            known = json.dumps(compute(path))
            self._note("insert or replace into known_files values (?, ?, ?)", key, stamp, known)
        self._held[key] = (stamp, known)
        return json.loads(known)

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

    def _ask(self, question: str, *values: object) -> list[Any]:
        return self._do(lambda database: database.execute(question, values).fetchall())

    def _note(self, order: str, *values: object) -> None:
        self._do(lambda database: database.execute(order, values).rowcount)

    def _do(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        with self._lock:
            if self._connection is None:
                self._connection = self._connect()
            try:
                with self._connection:
                    return work(self._connection)
            except sqlite3.Error as error:
                self._connection.close()
                self._connection = self._another(error)
                with self._connection:
                    return work(self._connection)

    def _connect(self) -> sqlite3.Connection:
        if not self._make and not self._path.parent.is_dir():
            return _with_tables(":memory:")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return _with_tables(self._path)
        except (OSError, sqlite3.Error) as error:
            return self._another(error)

    def _another(self, error: Exception) -> sqlite3.Connection:
        """Replace a damaged index; in memory where none can be written."""
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            with suppress(OSError, sqlite3.Error):
                self._path.unlink(missing_ok=True)
                return _with_tables(self._path)
        return _with_tables(":memory:")


def _with_tables(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)
    try:
        if _version(connection) != SCHEMA:
            connection.execute("begin immediate")  # of several processes at once, one makes the tables
            if _version(connection) != SCHEMA:
                _make_tables(connection)
            connection.commit()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def _make_tables(connection: sqlite3.Connection) -> None:
    old = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
    for (name,) in old:
        connection.execute(f'drop table "{name}"')
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    connection.execute(f"pragma user_version = {SCHEMA}")


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
