"""What earlier runs did, to be asked quickly: an index in SQLite over ``runs/``.

The manifests in the run folders are the truth. Whatever is lost here costs time and nothing else: a step is
run again, a file is read again.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from sta410kit.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAME = "registry.sqlite"
_TABLES = """
create table if not exists steps
    (identity text, step text, run text, parts text, primary key (identity, run));
create table if not exists runs
    (run text primary key, started text, outcome text, kind text, notebook text);
create table if not exists files
    (path text primary key, mtime integer, size integer, known text);
"""
_PATIENCE = 30.0  # seconds that one process waits for another's few milliseconds of writing


class Registry:
    """The index of one ``runs/`` folder, which is made if needed; used in a `with` block."""

    def __init__(self, runs: Path) -> None:
        self._path = runs / NAME
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.RLock()  # steps run side by side

    def passed(self, identity: str, step: str, run: str, parts: dict[str, str]) -> None:
        """Note that a step with this identity has passed in `run`."""
        with self._open() as database:
            database.execute(
                "insert or replace into steps values (?, ?, ?, ?)",
                (identity, step, run, redact(json.dumps(parts))),
            )

    def runs_with(self, identity: str) -> list[str]:
        """Return the runs in which a step with this identity has passed, newest first."""
        with self._open() as database:
            rows = database.execute("select run from steps where identity = ? order by run desc", (identity,))
            return [str(row[0]) for row in rows]

    def last_parts(self, step: str) -> dict[str, str]:
        """Return what the identity of `step` was made of when it last passed; empty when it never has."""
        with self._open() as database:
            row = database.execute(
                "select parts from steps where step = ? order by run desc limit 1", (step,)
            ).fetchone()
        return dict(json.loads(row[0])) if row else {}

    def note_run(self, run: str, started: str, outcome: str, kind: str, notebook: str = "") -> None:
        """Note how a run stands."""
        with self._open() as database:
            database.execute(
                "insert or replace into runs values (?, ?, ?, ?, ?)", (run, started, outcome, kind, notebook)
            )

    def remembered(self, path: Path, compute: Callable[[Path], Any]) -> Any:  # noqa: ANN401 - JSON values
        """Return `compute(path)`, from memory when the file has not changed since it was last asked.

        A file counts as unchanged when its size and its time of change, to the nanosecond, are the same.
        """
        found = path.stat()
        key = f"{compute.__qualname__}:{path}"
        with self._open() as database:
            row = database.execute(
                "select known from files where path = ? and mtime = ? and size = ?",
                (key, found.st_mtime_ns, found.st_size),
            ).fetchone()
        if row:
            return json.loads(row[0])
        value = compute(path)
        with self._open() as database:
            database.execute(
                "insert or replace into files values (?, ?, ?, ?)",
                (key, found.st_mtime_ns, found.st_size, json.dumps(value)),
            )
        return value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._connection is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    self._connection = self._connect()
                except sqlite3.DatabaseError:
                    # A broken index is worth nothing: the manifests hold everything.
                    self._path.unlink(missing_ok=True)
                    self._connection = self._connect()
            with self._connection:
                yield self._connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_PATIENCE, check_same_thread=False)
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
    return hashlib.sha256(json.dumps(listing).encode()).hexdigest()
