"""The trials ledger: how many forecasts and strategies were tried on each dataset and target.

The best of many tries looks skilled without any skill, so what a result is worth depends on how many were
tried. Each distinct trial is recorded when its skill, scores or deflated Sharpe ratio are computed: the same
forecast again is no new trial, also on refetched prices or with the sessions that have passed since. The
ledger is ``runs/trials.sqlite`` of the project; the environment variable ``STA410_LEDGER`` names another
file. SQLite lets several processes write at once.
"""

from __future__ import annotations

import math
import os
import sqlite3
import zlib
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.project import find_project
from sta410kit._internal.text import pluralize
from sta410kit.exceptions import DataLoadingError
from sta410kit.research.ledger_file import (
    SCHEMA,
    Trial,
    connect,
    stamp,
    trials_beside,
    trials_in,
    trials_of,
    write_trials,
)
from sta410kit.research.target_names import DEFAULT, RELATIVE, target_of
from sta410kit.research.trial_identity import (
    at_least_once,
    candidates_of,
    dataset_of,
    forecasts_of,
    pack,
    sharpe_of,
    unpack,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import pandas as pd

    from sta410kit.research.panel import Panel

VARIABLE = "STA410_LEDGER"
FILE = Path("runs") / "trials.sqlite"
SKILL, BACKTEST, TUNING = "skill", "backtest", "tuning"
_LARGEST = 50.0  # log return; outcomes in other units would overflow as simple returns
_NO_PROJECT = "this is no project (no notebooks/pipeline.toml upwards), so no trial could be counted"


@dataclass(frozen=True)
class Trials:
    """The trials on one dataset and target; ``problem`` says why some could not be counted, if so."""

    trials: tuple[Trial, ...] = ()
    problem: str = ""
    path: Path | None = None

    @property
    def distinct(self) -> tuple[Trial, ...]:
        """The trials as last seen, without the look at the skill of predictions that were backtested too."""
        last = {(trial.kind, trial.predictions, trial.strategy): trial for trial in self.trials}
        tested = {trial.predictions for trial in self.trials if trial.kind == BACKTEST}
        return tuple(t for t in last.values() if t.kind == BACKTEST or t.predictions not in tested)

    @property
    def count(self) -> int:
        """Number of distinct trials."""
        return len(self.distinct)

    @property
    def forecasts(self) -> int:
        """Number of distinct forecasts, regardless of strategies."""
        return len({trial.predictions for trial in self.trials})

    @property
    def newest(self) -> int:
        """Id under which the newest of the forecasts was first recorded; a copy up to it counts the same."""
        return max({trial.predictions: trial.id for trial in reversed(self.trials)}.values(), default=0)

    @property
    def sharpes(self) -> tuple[float, ...]:
        """The Sharpe ratio per session of every distinct trial that has one."""
        return tuple(trial.sharpe for trial in self.distinct if trial.sharpe is not None)

    def returns(self) -> pd.DataFrame:
        """Return the simple returns per session, one column per distinct trial; empty if unreadable."""
        import pandas as pd

        wanted = {trial.id for trial in self.distinct if trial.sharpe is not None}
        if self.path is None or not wanted:
            return pd.DataFrame()
        query = "SELECT id, returns FROM trials WHERE returns IS NOT NULL"
        try:
            with closing(connect(self.path, write=False)) as connection:
                columns = {
                    number: unpack(packed) for number, packed in connection.execute(query) if number in wanted
                }
        except (OSError, sqlite3.Error, ValueError, zlib.error):  # SQLite does not notice damaged blobs
            return pd.DataFrame()
        return pd.concat(columns, axis=1, sort=True) if columns else pd.DataFrame()


@dataclass(frozen=True)
class Ledger:
    """A trials ledger in a SQLite file; without a path, trials are not counted.

    A ledger that cannot be read or written raises nothing: ``Trials.problem`` says what is not counted.
    """

    path: Path | None

    @classmethod
    def of_project(cls, start: Path | None = None) -> Ledger:
        """Return the ledger of the project around `start`, or the one ``STA410_LEDGER`` names; else none."""
        named, project = os.environ.get(VARIABLE), find_project(start)
        return cls(Path(named) if named else project / FILE if project else None)

    def record_predictions(self, predictions: pd.DataFrame, panel: Panel | None = None) -> Trials:
        """Record each model of a frame that does not predict zero; return all trials on its dataset.

        Every candidate that `walk_forward` has compared with `tune` is a trial too.
        """
        import numpy as np
        import pandas as pd

        from sta410kit.research.panel import read_panel

        panel = panel or read_panel(predictions)
        moved = float(np.sum(panel.actual**2))
        own = np.sum((panel.actual[:, None] - panel.predicted) ** 2, axis=0)
        r2 = 1 - own / moved if moved > 0 else np.full(len(panel.models), np.nan)
        earned = np.expm1(np.clip(panel.actual, -_LARGEST, _LARGEST))
        followed = panel.means(np.sign(panel.predicted) * earned[:, None]) - panel.means(earned)[:, None]
        returns = {name: pd.Series(followed[:, i], panel.dates) for i, name in enumerate(panel.models)}
        scores = dict(zip(panel.models, map(float, r2), strict=True))
        followable = panel.horizon == 1 and panel.target not in RELATIVE  # no position earns those
        return self._record(predictions, SKILL, returns if followable else {}, r2=scores)

    def record_backtest(self, predictions: pd.DataFrame, net: pd.Series[float], strategy: str = "") -> Trials:
        """Record a backtest and its choices; return all trials on its dataset and target."""
        return self._record(
            predictions, BACKTEST, {str(predictions["model"].iloc[0]): net}, strategy=strategy
        )

    def read(self, predictions: pd.DataFrame) -> Trials:
        """Return all trials on the dataset and target of a predictions frame, without recording one."""
        if self.path is None:
            return Trials(problem=_NO_PROJECT)
        if not self.path.is_file():
            return Trials(path=self.path)
        try:
            with closing(connect(self.path, write=False)) as connection:
                return Trials(trials_of(connection, dataset_of(predictions)), path=self.path)
        except (OSError, sqlite3.Error) as error:
            return Trials(problem=f"the ledger {self.path} cannot be read ({error})", path=self.path)

    def read_all(self) -> list[tuple[dict[str, object], Trials]]:
        """Return every dataset and target with its trials, oldest first; `DataLoadingError` if unreadable."""
        if self.path is None or not self.path.exists():
            return []
        names = ("id", "symbols", "horizon", "first", "last")
        try:
            with closing(connect(self.path, write=False)) as connection:
                found = connection.execute(f"SELECT {', '.join(names)} FROM datasets ORDER BY id").fetchall()  # noqa: S608 - literals
                return [
                    (
                        dict(zip(names, row, strict=True)),
                        Trials(trials_in(connection, [row[0]]), path=self.path),
                    )
                    for row in found
                ]
        except sqlite3.Error as error:
            message = (
                f"{self.path} is not a readable trials ledger: {error}. Move it away to start a new one."
            )
            raise DataLoadingError(message) from error

    def beside(self, *numbers: int) -> Trials:
        """Return all trials on the datasets and targets of some trials, by id; none if it cannot be read."""
        if self.path is None or not self.path.is_file():
            return Trials()
        try:
            with closing(connect(self.path, write=False)) as connection:
                found = {one.id: one for number in numbers for one in trials_beside(connection, number)}
                return Trials(tuple(found[number] for number in sorted(found)), path=self.path)
        except (OSError, sqlite3.Error):
            return Trials()

    def recounted(self, evidence: Mapping[str, Any]) -> str:
        """Return what trials made after a verdict change in it, in a sentence; empty where there are none.

        Parameters
        ----------
        evidence : mapping
            `verdict.SkillEvidence` as ``verdict.json`` holds it.
        """
        count = self.beside(int(evidence.get("newest_trial", 0))).forecasts
        more = count - int(evidence.get("trials", 0))
        if more <= 0:
            return ""
        p_value = max(evidence["p_value"], at_least_once(evidence["p_information"], count))
        return (
            f"Since then {pluralize(more, 'forecast')} of the same outcomes "
            f"{'was' if more == 1 else 'were'} tried: p = {p_value:.3f} after {count:,} trials."
        )

    def copy_as_of(self, moment: datetime, target: Path, newest: int | None = None) -> Path:
        """Write to `target` what the ledger held at a moment, without forecasts newer than `newest`.

        A ledger that is missing or unreadable gives an empty copy.
        """
        with closing(connect(target)) as copy:
            if self.path is not None:
                with suppress(OSError, sqlite3.Error), closing(connect(self.path, write=False)) as ledger:
                    ledger.backup(copy)
            copy.executescript("DROP TRIGGER IF EXISTS no_delete;")
            copy.execute("DELETE FROM trials WHERE recorded > ?", (stamp(moment),))
            counted = "SELECT predictions FROM trials WHERE ? IS NULL OR id <= ?"
            copy.execute(f"DELETE FROM trials WHERE predictions NOT IN ({counted})", (newest, newest))  # noqa: S608 - a literal
            copy.executescript(SCHEMA)
        return target

    def _record(
        self,
        predictions: pd.DataFrame,
        kind: str,
        returns: Mapping[str, pd.Series[float]],
        *,
        r2: Mapping[str, float] | None = None,
        strategy: str = "",
    ) -> Trials:
        if self.path is None:
            return Trials(problem=_NO_PROJECT)
        rows: list[tuple[Any, ...]] = []
        sketches, target = {}, target_of(predictions)
        for model, (digest, sketch) in forecasts_of(predictions).items():
            sketches[digest] = sketch
            earned = returns.get(model)
            sharpe = None if earned is None else sharpe_of(earned)
            score = (r2 or {}).get(model, math.nan)
            known = score if math.isfinite(score) else None
            packed = None if earned is None else pack(earned)
            sessions = int(predictions.loc[predictions["model"] == model, "date"].nunique())
            name = model if target == DEFAULT else f"{model}, {target}"
            rows.append((kind, name, digest, strategy, sessions, known, sharpe, packed))
        dataset = dataset_of(predictions)
        days = int(predictions["date"].nunique())
        for digest, (name, score) in candidates_of(predictions).items():
            known = score if math.isfinite(score) else None
            rows.append((TUNING, name, digest, "", days, known, None, None))
        try:
            with closing(connect(self.path)) as connection:
                write_trials(connection, dataset, rows, sketches)
                return Trials(trials_of(connection, dataset), path=self.path)
        except (OSError, sqlite3.Error) as error:
            problem = f"the ledger {self.path} cannot be written ({error}), so this trial is not counted"
            return replace(self.read(predictions), problem=problem)
