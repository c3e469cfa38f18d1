"""The file of the trials ledger: tables, connections, and what is written and found."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sta410kit.research.trial_identity import Sketch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sta410kit.research.trial_identity import Dataset

_PATIENCE = 30.0  # seconds to wait for another process that writes
_VERSION = 2
EVER = "0", "9"  # before and after all dates
SCHEMA = """
CREATE TABLE IF NOT EXISTS datasets (
    id INTEGER PRIMARY KEY, universe TEXT NOT NULL UNIQUE,
    symbols TEXT NOT NULL, horizon INTEGER NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS pieces (
    piece INTEGER NOT NULL, dataset INTEGER NOT NULL REFERENCES datasets, PRIMARY KEY (piece, dataset)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sketches (
    predictions TEXT PRIMARY KEY, dataset INTEGER NOT NULL REFERENCES datasets, sketch BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS trials (
    id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL REFERENCES datasets,
    kind TEXT NOT NULL, model TEXT NOT NULL, predictions TEXT NOT NULL, strategy TEXT NOT NULL,
    recorded TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL, sessions INTEGER NOT NULL,
    r2 REAL, sharpe REAL, returns BLOB,
    UNIQUE (predictions, kind, strategy, sessions)
);
CREATE INDEX IF NOT EXISTS trials_of_dataset ON trials (dataset);
CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON trials
    BEGIN SELECT RAISE(ABORT, 'the trials ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON trials
    BEGIN SELECT RAISE(ABORT, 'the trials ledger is append-only'); END;
"""


@dataclass(frozen=True)
class Trial:
    """One model or strategy that was tried.

    ``sharpe`` is per session, not annualised, of returns in excess of holding the same symbols: of a backtest
    after costs or, where only the skill was looked at, of following the sign without costs. ``r2`` is out of
    sample against zero; `None` for a backtest.
    """

    id: int
    dataset: int
    kind: str
    model: str
    predictions: str
    strategy: str
    recorded: str
    sessions: int
    r2: float | None
    sharpe: float | None


def stamp(moment: datetime) -> str:
    """Return a moment as the ledger has it: UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def connect(path: Path, *, write: bool = True) -> sqlite3.Connection:
    """Return a connection to the ledger, which is created if needed; without `write` it is read-only."""
    if not write:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in {0, _VERSION}:
            other = "a newer" if version > _VERSION else "an earlier"
            message = f"it was written by {other} version of the kit; move it away to start a new one"
            raise sqlite3.DatabaseError(message)
        if version < _VERSION:
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def write_trials(
    connection: sqlite3.Connection,
    dataset: Dataset,
    rows: list[tuple[Any, ...]],
    sketches: Mapping[str, Sketch],
) -> None:
    """Add the trials that are missing; the write lock is not taken for what is there to the digit.

    Without a sketch, a trial is known by its digest alone.
    """
    known = "SELECT 1 FROM trials WHERE kind = ? AND predictions = ? AND strategy = ?"
    fresh = [row for row in rows if not connection.execute(known, (row[0], row[2], row[3])).fetchone()]
    if not fresh:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        number = _dataset(connection, dataset)
        seen = _sketches(connection, _linked(connection, dataset.pieces))
        for kind, model, digest, strategy, *rest in fresh:
            own = sketches.get(digest)
            same = (first for first, sketch in seen.items() if own is not None and sketch.is_same(own))
            forecast = digest if digest in seen else next(same, digest)
            if own is not None and forecast == digest and digest not in seen:
                seen[digest] = own
                connection.execute(
                    "INSERT INTO sketches (predictions, dataset, sketch) VALUES (?, ?, ?)",
                    (digest, number, own.pack()),
                )
            connection.execute(
                "INSERT INTO trials (dataset, recorded, kind, model, predictions, strategy, first, last, "
                "sessions, r2, sharpe, returns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (predictions, kind, strategy, sessions) DO NOTHING",
                (
                    *(number, stamp(datetime.now(UTC)), kind, model, forecast, strategy),
                    *(dataset.first, dataset.last, *rest),
                ),
            )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _dataset(connection: sqlite3.Connection, dataset: Dataset) -> int:
    """Return the number of a dataset, which is added, or extended to the dates seen now."""
    connection.execute(
        "INSERT INTO datasets (universe, symbols, horizon, first, last) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (universe) DO UPDATE SET "
        "first = min(first, excluded.first), last = max(last, excluded.last)",
        dataset[:5],
    )
    query = "SELECT id FROM datasets WHERE universe = ?"
    number = int(connection.execute(query, (dataset.universe,)).fetchone()[0])
    pieces = [(piece, number) for piece in dataset.pieces]
    connection.executemany("INSERT OR IGNORE INTO pieces (piece, dataset) VALUES (?, ?)", pieces)
    return number


def _sketches(connection: sqlite3.Connection, datasets: list[int]) -> dict[str, Sketch]:
    query = (
        "SELECT predictions, sketch FROM sketches WHERE dataset IN (SELECT value FROM json_each(?)) "
        "ORDER BY rowid"
    )
    return {
        digest: Sketch.unpack(packed) for digest, packed in connection.execute(query, (json.dumps(datasets),))
    }


def _linked(connection: sqlite3.Connection, pieces: tuple[int, ...]) -> list[int]:
    """Return the datasets that have one of the pieces."""
    query = "SELECT DISTINCT dataset FROM pieces WHERE piece IN (SELECT value FROM json_each(?)) ORDER BY 1"
    return [row[0] for row in connection.execute(query, (json.dumps(pieces),))]


def trials_of(connection: sqlite3.Connection, dataset: Dataset) -> tuple[Trial, ...]:
    """Return the trials on any of the symbols whose dates overlap with those of the dataset."""
    linked = _linked(connection, dataset.pieces)
    return trials_in(connection, linked, (dataset.first, dataset.last))


def trials_in(
    connection: sqlite3.Connection, datasets: list[int], dates: tuple[str, str] = EVER
) -> tuple[Trial, ...]:
    """Return the trials on some datasets whose dates overlap with `dates`, oldest first."""
    query = (
        "SELECT id, dataset, kind, model, predictions, strategy, recorded, sessions, r2, sharpe FROM trials "
        "WHERE dataset IN (SELECT value FROM json_each(?)) AND last >= ? AND first <= ? ORDER BY id"
    )
    return tuple(Trial(*row) for row in connection.execute(query, (json.dumps(datasets), *dates)))


def trials_beside(connection: sqlite3.Connection, number: int) -> tuple[Trial, ...]:
    """Return the trials that count together with a trial, by its id."""
    query = (
        "SELECT DISTINCT pieces.dataset, trials.first, trials.last FROM trials "
        "JOIN pieces AS own ON own.dataset = trials.dataset "
        "JOIN pieces ON pieces.piece = own.piece WHERE trials.id = ?"
    )
    found = connection.execute(query, (number,)).fetchall()
    return trials_in(connection, [row[0] for row in found], found[0][1:] if found else EVER)
