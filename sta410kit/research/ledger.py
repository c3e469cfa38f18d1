"""The trials ledger: how often one has looked, counted by dataset and target.

The best of many tries looks skilled without any skill, so what a result is worth depends on how many were
tried. Every skill score and every Sharpe ratio is therefore written down when it is reported, in notebooks
too, once for each distinct trial: the same predictions again are no new trial, other predictions are. Rows
are only ever added. The ledger is ``runs/trials.sqlite`` of the project; the environment variable
``STA410_LEDGER`` names another file.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sta410kit.project import find_project
from sta410kit.research import trial_identity
from sta410kit.research.trial_returns import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from sta410kit.research.trial_identity import Dataset

VARIABLE = "STA410_LEDGER"
FILE = Path("runs") / "trials.sqlite"
SKILL, BACKTEST = "skill", "backtest"
_PATIENCE = 30.0  # seconds to wait while another process writes
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS datasets (
    id INTEGER PRIMARY KEY, symbols TEXT NOT NULL, horizon INTEGER NOT NULL, first TEXT NOT NULL, last TEXT
    NOT NULL
);
CREATE TABLE IF NOT EXISTS pieces (piece INTEGER PRIMARY KEY, dataset INTEGER NOT NULL REFERENCES datasets);
CREATE TABLE IF NOT EXISTS trials (
    id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL REFERENCES datasets, kind TEXT NOT NULL, model TEXT NOT
    NULL, predictions TEXT NOT NULL, strategy TEXT NOT NULL, recorded TEXT NOT NULL, sessions INTEGER NOT
    NULL, r2 REAL, sharpe REAL, returns BLOB, UNIQUE (predictions, kind, strategy)
);
CREATE INDEX IF NOT EXISTS trials_of_dataset ON trials (dataset);
CREATE TRIGGER IF NOT EXISTS trials_stay BEFORE DELETE ON trials
    BEGIN SELECT RAISE(ABORT, 'the trials ledger only grows'); END;
CREATE TRIGGER IF NOT EXISTS trials_stay_as_they_are BEFORE UPDATE ON trials
    BEGIN SELECT RAISE(ABORT, 'the trials ledger only grows'); END;
"""


@dataclass(frozen=True)
class Trial:
    """One model or strategy that was tried.

    ``sharpe`` is the Sharpe ratio of a session, not annualised, riskless rate 0: of a backtest after costs,
    or, where only the skill was looked at, of following the sign of the predictions without costs. ``r2`` is
    out of sample and against zero; `None` for a backtest.
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


@dataclass(frozen=True)
class Trials:
    """What the ledger holds on one dataset and target; ``problem`` says why it could not count, if so.

    Backtests of predictions stand for the look at their skill, so that one choice of model and strategy
    counts once: see `count`.
    """

    trials: tuple[Trial, ...] = ()
    problem: str = ""
    path: Path | None = None

    @property
    def distinct(self) -> tuple[Trial, ...]:
        """The trials, without the skill of predictions that were backtested too."""
        tested = {trial.predictions for trial in self.trials if trial.kind == BACKTEST}
        return tuple(t for t in self.trials if t.kind == BACKTEST or t.predictions not in tested)

    @property
    def count(self) -> int:
        """How many distinct trials there were."""
        return len(self.distinct)

    @property
    def forecasts(self) -> int:
        """How many distinct forecasts were looked at, whatever strategies followed them."""
        return len({trial.predictions for trial in self.trials})

    @property
    def sharpes(self) -> tuple[float, ...]:
        """The Sharpe ratio of a session, of every distinct trial that has one."""
        return tuple(trial.sharpe for trial in self.distinct if trial.sharpe is not None)

    def returns(self) -> pd.DataFrame:
        """Return the simple return of each session, one column a distinct trial, NaN where it has none.

        Read from the ledger when asked for; empty if it has none, or is not there any more.
        """
        import pandas as pd

        wanted = {trial.id for trial in self.distinct if trial.sharpe is not None}
        if self.path is None or not wanted:
            return pd.DataFrame()
        try:
            with closing(_open(self.path, write=False)) as connection:
                found = connection.execute(
                    "SELECT id, returns FROM trials WHERE returns IS NOT NULL"
                ).fetchall()
        except (OSError, sqlite3.Error):
            return pd.DataFrame()
        columns = {number: unpack(packed) for number, packed in found if number in wanted}
        return pd.concat(columns, axis=1).sort_index() if columns else pd.DataFrame()


def ledger_path() -> Path | None:
    """Return where the ledger is; `None` outside any project, where nothing can be counted."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    project = find_project()
    return project / FILE if project else None


def record(  # noqa: PLR0913 - each is a column of the ledger, by keyword
    predictions: pd.DataFrame,
    *,
    kind: str,
    returns: Mapping[str, pd.Series[float]],
    r2: Mapping[str, float] | None = None,
    strategy: str = "",
    path: Path | None = None,
) -> Trials:
    """Write down a trial for each model of the predictions, and return all on their dataset and target.

    A trial that is there already is left as it is. Predictions that are zero everywhere try nothing and are
    not written. Whatever keeps the ledger from being written is told in ``problem`` and stops nobody.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame of one horizon, checked.
    kind : str
        `SKILL` or `BACKTEST`.
    returns : mapping of str to Series
        For each model the simple return of each session, indexed by date.
    r2 : mapping of str to float, optional
        For each model its R2 against zero.
    strategy : str
        What besides the predictions was chosen, such as ``threshold=0.001``; costs are no choice.
    path : Path, optional
        The ledger; that of the project when omitted.
    """
    target = path or ledger_path()
    if target is None:
        return Trials(
            problem="this is no project (no notebooks/pipeline.toml upwards), so no trial could be counted"
        )
    dataset = trial_identity.dataset_of(predictions)
    digests = trial_identity.digests_of(predictions)
    rows = []
    for model, digest in digests.items():
        earned = returns.get(model)
        sharpe = None if earned is None else trial_identity.sharpe_of(earned)
        score = None if r2 is None else trial_identity.finite(r2[model])
        packed = None if earned is None else pack(earned)
        sessions = int(predictions.loc[predictions["model"] == model, "date"].nunique())
        rows.append((kind, model, digest, strategy, sessions, score, sharpe, packed))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with closing(_open(target)) as connection:
            _write(connection, dataset, rows)
            return _read(connection, dataset.pieces, target)
    except (OSError, sqlite3.Error) as error:
        return _counted_anyway(target, dataset, error)


def record_backtest(
    predictions: pd.DataFrame, dates: pd.Series[pd.Timestamp], net: pd.Series[float], **strategy: object
) -> Trials:
    """Write down a backtest, and return all trials on the dataset and target of its predictions.

    Parameters
    ----------
    predictions : DataFrame
        The predictions that were followed, of one model and one horizon.
    dates, net : Series
        The sessions, and the simple return of each after costs.
    **strategy
        What was chosen besides the predictions, such as ``threshold=0.001``. Costs are no choice: the same
        strategy under doubled costs is the same trial, and keeps the returns it was first seen with.
    """
    import pandas as pd

    chosen = ", ".join(f"{name}={value!r}" for name, value in sorted(strategy.items()))
    returns = pd.Series(net.to_numpy(), pd.DatetimeIndex(dates))
    model = str(predictions["model"].iloc[0])
    return record(predictions, kind=BACKTEST, returns={model: returns}, strategy=chosen)


def read(predictions: pd.DataFrame, path: Path | None = None) -> Trials:
    """Return all trials on the dataset and target of a predictions frame, without adding one."""
    target = path or ledger_path()
    if target is None:
        return Trials(
            problem="this is no project (no notebooks/pipeline.toml upwards), so no trial could be counted"
        )
    if not target.is_file():
        return Trials(path=target)
    try:
        with closing(_open(target, write=False)) as connection:
            return _read(connection, trial_identity.dataset_of(predictions).pieces, target)
    except (OSError, sqlite3.Error) as error:
        return Trials(problem=f"the ledger {target} cannot be read ({error})", path=target)


def read_all(path: Path) -> list[tuple[dict[str, object], Trials]]:
    """Return every dataset and target of a ledger with its trials, oldest first; none if there is no file.

    Raises
    ------
    DataLoadingError
        If the file is there and cannot be read.
    """
    from sta410kit.exceptions import DataLoadingError

    if not path.is_file():
        return []
    try:
        with closing(_open(path, write=False)) as connection:
            found = connection.execute(
                "SELECT id, symbols, horizon, first, last FROM datasets ORDER BY id"
            ).fetchall()
            names = ("id", "symbols", "horizon", "first", "last")
            return [
                (dict(zip(names, row, strict=True)), _trials_of(connection, [row[0]], path)) for row in found
            ]
    except sqlite3.Error as error:
        message = f"{path} cannot be read as a trials ledger: {error}. Move it away, and a new one is begun."
        raise DataLoadingError(message) from error


def _counted_anyway(target: Path, dataset: Dataset, error: Exception) -> Trials:
    """Return what an unwritable ledger still knows, with the reason that this trial is not in it."""
    problem = f"the ledger {target} cannot be written ({error}), so this trial is not counted"
    try:
        with closing(_open(target, write=False)) as connection:
            known = _read(connection, dataset.pieces, target)
    except (OSError, sqlite3.Error):
        return Trials(problem=problem, path=target)
    return Trials(known.trials, problem, target)


def _open(path: Path, *, write: bool = True) -> sqlite3.Connection:
    if not write:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _write(connection: sqlite3.Connection, dataset: Dataset, rows: Iterable[tuple[object, ...]]) -> None:
    """Add the trials that are not there yet; nothing is written, and nobody waits, when all are."""
    known = "SELECT 1 FROM trials WHERE kind = ? AND predictions = ? AND strategy = ?"
    fresh = [row for row in rows if not connection.execute(known, (row[0], row[2], row[3])).fetchone()]
    if not fresh:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        number = _dataset_number(connection, dataset)
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
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
    linked = _linked(connection, dataset.pieces)
    if linked:
        number = linked[0]
    else:
        values = (dataset.symbols, dataset.horizon, dataset.first, dataset.last)
        made = connection.execute(
            "INSERT INTO datasets (symbols, horizon, first, last) VALUES (?, ?, ?, ?)", values
        )
        number = int(made.lastrowid or 0)
    pieces = [(piece, number) for piece in dataset.pieces]
    connection.executemany("INSERT OR IGNORE INTO pieces (piece, dataset) VALUES (?, ?)", pieces)
    return number


def _linked(connection: sqlite3.Connection, pieces: tuple[int, ...]) -> list[int]:
    """Return the datasets that own one of the pieces."""
    query = "SELECT DISTINCT dataset FROM pieces WHERE piece IN (SELECT value FROM json_each(?)) ORDER BY 1"
    return [row[0] for row in connection.execute(query, (json.dumps(pieces),))]


def _read(connection: sqlite3.Connection, pieces: tuple[int, ...], path: Path) -> Trials:
    return _trials_of(connection, _linked(connection, pieces), path)


def _trials_of(connection: sqlite3.Connection, datasets: list[int], path: Path) -> Trials:
    query = (
        "SELECT id, dataset, kind, model, predictions, strategy, recorded, sessions, r2, sharpe FROM trials "
        "WHERE dataset IN (SELECT value FROM json_each(?)) ORDER BY id"
    )
    return Trials(tuple(Trial(*row) for row in connection.execute(query, (json.dumps(datasets),))), "", path)
