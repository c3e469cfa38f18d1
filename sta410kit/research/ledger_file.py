"""The file of the trials ledger: SQLite, so that several processes may write at once, and nothing is lost."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sta410kit.research.trial_identity import Dataset

    Row = tuple[object, ...]

_PATIENCE = 30.0  # seconds to wait while another process writes
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS datasets (
    id INTEGER PRIMARY KEY,
    symbols TEXT NOT NULL, horizon INTEGER NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS pieces (piece INTEGER PRIMARY KEY, dataset INTEGER NOT NULL REFERENCES datasets);
CREATE TABLE IF NOT EXISTS trials (
    id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL REFERENCES datasets,
    kind TEXT NOT NULL, model TEXT NOT NULL, predictions TEXT NOT NULL, strategy TEXT NOT NULL,
    recorded TEXT NOT NULL, sessions INTEGER NOT NULL, r2 REAL, sharpe REAL, returns BLOB,
    UNIQUE (predictions, kind, strategy)
);
CREATE INDEX IF NOT EXISTS trials_of_dataset ON trials (dataset);
CREATE TRIGGER IF NOT EXISTS trials_stay BEFORE DELETE ON trials
    BEGIN SELECT RAISE(ABORT, 'the trials ledger only grows'); END;
CREATE TRIGGER IF NOT EXISTS trials_stay_as_they_are BEFORE UPDATE ON trials
    BEGIN SELECT RAISE(ABORT, 'the trials ledger only grows'); END;
"""


def open_ledger(path: Path, *, write: bool = True) -> sqlite3.Connection:
    """Return a connection to the ledger, which is made if need be; without `write` nothing can change it.

    Raises
    ------
    OSError, sqlite3.Error
        If it cannot be opened, or is no ledger.
    """
    if not write:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            message = "a newer version of the kit made it"
            raise sqlite3.DatabaseError(message)
        if version < _VERSION:
            connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def copy_as_of(path: Path, moment: datetime, target: Path) -> None:
    """Write to `target` what the ledger held at a moment, so that a result of then can be computed again.

    A ledger that is not there, or cannot be read, leaves an empty one.
    """
    with closing(open_ledger(target)) as copy:
        with suppress(OSError, sqlite3.Error), closing(open_ledger(path, write=False)) as ledger:
            ledger.backup(copy)
        copy.executescript("DROP TRIGGER IF EXISTS trials_stay;")
        copy.execute("DELETE FROM trials WHERE recorded > ?", (stamp(moment),))
        copy.executescript(_SCHEMA)


def stamp(moment: datetime) -> str:
    """Return a moment as it stands in the ledger."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def write_trials(connection: sqlite3.Connection, dataset: Dataset, rows: Iterable[Row]) -> None:
    """Add the trials that are not there yet; nothing is written, and nobody waits, when all are."""
    known = "SELECT 1 FROM trials WHERE kind = ? AND predictions = ? AND strategy = ?"
    fresh = [row for row in rows if not connection.execute(known, (row[0], row[2], row[3])).fetchone()]
    if not fresh:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        number = _dataset_number(connection, dataset)
        now = stamp(datetime.now(UTC))
        connection.executemany(
            "INSERT INTO trials (dataset, recorded, kind, model, predictions, strategy, sessions, r2, "
            "sharpe, returns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (predictions, kind, strategy) DO NOTHING",
            [(number, now, *row) for row in fresh],
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _dataset_number(connection: sqlite3.Connection, dataset: Dataset) -> int:
    """Return the dataset that shares a piece with this one, or a new one; its pieces lead there now."""
    there = linked(connection, dataset.pieces)
    if there:
        number = there[0]
    else:
        values = (dataset.symbols, dataset.horizon, dataset.first, dataset.last)
        made = connection.execute(
            "INSERT INTO datasets (symbols, horizon, first, last) VALUES (?, ?, ?, ?)", values
        )
        number = int(made.lastrowid or 0)
    pieces = [(piece, number) for piece in dataset.pieces]
    connection.executemany("INSERT OR IGNORE INTO pieces (piece, dataset) VALUES (?, ?)", pieces)
    return number


def linked(connection: sqlite3.Connection, pieces: tuple[int, ...]) -> list[int]:
    """Return the datasets that own one of the pieces."""
    query = "SELECT DISTINCT dataset FROM pieces WHERE piece IN (SELECT value FROM json_each(?)) ORDER BY 1"
    return [row[0] for row in connection.execute(query, (json.dumps(pieces),))]
