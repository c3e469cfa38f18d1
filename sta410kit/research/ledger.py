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
import zlib
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sta410kit._internal.project import find_project
from sta410kit.research import trial_identity
from sta410kit.research.ledger_file import copy_as_of, linked, open_ledger, write_trials
from sta410kit.research.trial_returns import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import pandas as pd

    from sta410kit.research.panel import Panel
    from sta410kit.research.trial_identity import Dataset

VARIABLE = "STA410_LEDGER"
FILE = Path("runs") / "trials.sqlite"
SKILL, BACKTEST = "skill", "backtest"
_LARGEST = 50.0  # log return beyond which a simple return says nothing; outcomes in other units get here
_NO_PROJECT = "this is no project (no notebooks/pipeline.toml upwards), so no trial could be counted"


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
            with closing(open_ledger(self.path, write=False)) as connection:
                found = connection.execute(
                    "SELECT id, returns FROM trials WHERE returns IS NOT NULL"
                ).fetchall()
            columns = {number: unpack(packed) for number, packed in found if number in wanted}
        except (
            OSError,
            sqlite3.Error,
            ValueError,
            zlib.error,
        ):  # bytes may be damaged that SQLite has not read
            return pd.DataFrame()
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
        return Trials(problem=_NO_PROJECT)
    dataset = trial_identity.dataset_of(predictions)
    try:
        with closing(open_ledger(target)) as connection:
            write_trials(connection, dataset, _rows(predictions, kind, returns, r2 or {}, strategy))
            return _read(connection, dataset.pieces, target)
    except (OSError, sqlite3.Error) as error:
        return _counted_anyway(target, dataset, error)


def record_look(predictions: pd.DataFrame, panel: Panel | None = None) -> Trials:
    """Write down that the skill of predictions is looked at; return all trials on their dataset and target.

    Each model is recorded with its R2 and, where targets do not overlap, the returns of following its sign.

    Raises
    ------
    DataValidationError
        As `panel.read_panel`, where `panel` is not given.
    """
    import numpy as np
    import pandas as pd

    from sta410kit.research.panel import read_panel

    panel = panel or read_panel(predictions)
    moved = float(np.sum(panel.actual**2))
    own = np.sum((panel.actual[:, None] - panel.predicted) ** 2, axis=0)
    r2 = 1 - own / moved if moved > 0 else np.full(len(panel.models), np.nan)
    earned = np.expm1(np.clip(panel.actual, -_LARGEST, _LARGEST))
    followed = panel.means(np.sign(panel.predicted) * earned[:, None])
    returns = {name: pd.Series(followed[:, i], panel.dates) for i, name in enumerate(panel.models)}
    scores = dict(zip(panel.models, map(float, r2), strict=True))
    return record(predictions, kind=SKILL, r2=scores, returns=returns if panel.horizon == 1 else {})


def record_backtest(
    predictions: pd.DataFrame, dates: pd.Series[pd.Timestamp], net: pd.Series[float], **strategy: object
) -> None:
    """Write down a backtest; where that is not possible, `read` says that it is missing.

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

    target = ledger_path()
    if target is None:
        return
    chosen = ", ".join(f"{name}={value!r}" for name, value in sorted(strategy.items()))
    returns = {str(predictions["model"].iloc[0]): pd.Series(net.to_numpy(), pd.DatetimeIndex(dates))}
    with suppress(OSError, sqlite3.Error), closing(open_ledger(target)) as connection:
        dataset = trial_identity.dataset_of(predictions)
        write_trials(connection, dataset, _rows(predictions, BACKTEST, returns, {}, chosen))


def read(predictions: pd.DataFrame, path: Path | None = None) -> Trials:
    """Return all trials on the dataset and target of a predictions frame, without adding one.

    Where the predictions themselves are not among them, ``problem`` says so.
    """
    target = path or ledger_path()
    if target is None:
        return Trials(problem=_NO_PROJECT)
    found = Trials(path=target)
    if target.is_file():
        try:
            with closing(open_ledger(target, write=False)) as connection:
                found = _read(connection, trial_identity.dataset_of(predictions).pieces, target)
        except (OSError, sqlite3.Error) as error:
            return Trials(problem=f"the ledger {target} cannot be read ({error})", path=target)
    known = {trial.predictions for trial in found.trials}
    if known.issuperset(trial_identity.digests_of(predictions).values()):
        return found
    return Trials(found.trials, f"these predictions are not in the ledger {target}, so not counted", target)


@contextmanager
def as_of(moment: datetime, ledger: Path, copy: Path) -> Iterator[None]:
    """Have this process, and those it starts, read and write a copy of a ledger as it was at a moment.

    What is computed again then counts the trials that were known when it was computed first.
    """
    copy_as_of(ledger, moment, copy)
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(copy)
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def read_all(path: Path) -> list[tuple[dict[str, object], Trials]]:
    """Return every dataset and target of a ledger with its trials, oldest first; none if there is no file.

    Raises
    ------
    DataLoadingError
        If the file is there and cannot be read.
    """
    from sta410kit.exceptions import DataLoadingError

    if not path.exists():
        return []
    try:
        with closing(open_ledger(path, write=False)) as connection:
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


def _rows(
    predictions: pd.DataFrame,
    kind: str,
    returns: Mapping[str, pd.Series[float]],
    r2: Mapping[str, float],
    strategy: str,
) -> list[tuple[object, ...]]:
    """Return a row for each model that tries something, its values in the order that `write_trials` takes."""
    rows: list[tuple[object, ...]] = []
    for model, digest in trial_identity.digests_of(predictions).items():
        earned = returns.get(model)
        sharpe = None if earned is None else trial_identity.sharpe_of(earned)
        score = trial_identity.finite(r2[model]) if model in r2 else None
        packed = None if earned is None else pack(earned)
        sessions = int(predictions.loc[predictions["model"] == model, "date"].nunique())
        rows.append((kind, model, digest, strategy, sessions, score, sharpe, packed))
    return rows


def _counted_anyway(target: Path, dataset: Dataset, error: Exception) -> Trials:
    """Return what an unwritable ledger still knows, with the reason that this trial is not in it."""
    problem = f"the ledger {target} cannot be written ({error}), so this trial is not counted"
    try:
        with closing(open_ledger(target, write=False)) as connection:
            known = _read(connection, dataset.pieces, target)
    except (OSError, sqlite3.Error):
        return Trials(problem=problem, path=target)
    return Trials(known.trials, problem, target)


def _read(connection: sqlite3.Connection, pieces: tuple[int, ...], path: Path) -> Trials:
    return _trials_of(connection, linked(connection, pieces), path)


def _trials_of(connection: sqlite3.Connection, datasets: list[int], path: Path) -> Trials:
    query = (
        "SELECT id, dataset, kind, model, predictions, strategy, recorded, sessions, r2, sharpe FROM trials "
        "WHERE dataset IN (SELECT value FROM json_each(?)) ORDER BY id"
    )
    return Trials(tuple(Trial(*row) for row in connection.execute(query, (json.dumps(datasets),))), "", path)
