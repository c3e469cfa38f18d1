"""The forecast log: every forecast of a passed run, and what came of it.

A walk-forward is judged on data that were there when the model was chosen. The log holds what was forecast
before the outcome was known, so it is the only score that hindsight cannot improve. It is
``runs/forecasts.sqlite`` of the project, and stays when old runs are pruned.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import DataLoadingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd

FILE = "forecasts.sqlite"
_PATIENCE = 30.0  # seconds to wait for another process that writes
_SCHEMA = """
CREATE TABLE IF NOT EXISTS forecasts (
    symbol TEXT, date TEXT, horizon INTEGER, model TEXT, target TEXT,
    predicted REAL NOT NULL, lower REAL NOT NULL, upper REAL NOT NULL,
    run TEXT NOT NULL, made TEXT NOT NULL, actual REAL, known TEXT,
    PRIMARY KEY (symbol, date, horizon, model, target)
)
"""
_COLUMNS = [
    *("symbol", "date", "horizon", "model", "target"),
    *("predicted", "lower", "upper", "run", "made", "actual", "known"),
]


class ForecastLog:
    """The forecasts of one project, safe to use from several processes.

    Parameters
    ----------
    path : Path
        The SQLite file; created by the first `add`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, forecasts: Iterable[Mapping[str, Any]], *, run: str, made: str) -> None:
        """Log forecasts; one of the same symbol, session, horizon, model and target is not replaced.

        Parameters
        ----------
        forecasts : iterable of mapping
            With the columns of a forecasts frame; `date` as ISO text, log returns, unit 1.
        run : str
            The run that made them.
        made : str
            When, in UTC, as ISO text.
        """
        rows = [
            {"target": "close_to_close", **row, "date": str(row["date"])[:10], "run": run, "made": made}
            for row in forecasts
        ]
        with self._connected() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO forecasts VALUES (:symbol, :date, :horizon, :model, :target, "
                ":predicted, :lower, :upper, :run, :made, NULL, NULL)",
                rows,
            )

    def settle(self, prices: pd.DataFrame) -> int:
        """Note the outcomes of open forecasts that these prices know, and return how many were noted.

        An outcome is noted once: prices that a vendor revises later do not change a score. A forecast with a
        gap between its two prices stays open, and one that compares symbols while some of them are missing:
        the others are those forecast on its session.
        """
        from sta410kit.research.target_names import DEFAULT, RELATIVE, require_target
        from sta410kit.research.targets import build_target, realised_on

        rows, noted = self.read(), 0
        one = (rows["model"] + rows["date"].astype(str)).where(rows["target"].isin(RELATIVE), "")
        for _, every in rows.groupby(["horizon", "target", one]):
            horizon, target = int(every["horizon"].iloc[0]), str(every["target"].iloc[0])
            part, names, known = every[every["actual"].isna()], set(every["symbol"]), prices
            # Forecasts scaled by volatility were given back as returns.
            settled = DEFAULT if target == "volatility_scaled" else require_target(target)
            if target in RELATIVE and len(part):
                known = prices[prices["symbol"].isin(names)].reset_index(drop=True)
                if len(names) < 2 or known["symbol"].nunique() < len(names):  # noqa: PLR2004 - to be compared
                    continue
            outcomes = build_target(known, horizon, settled).rename(columns={"target": "outcome"})
            outcomes["session"] = realised_on(known, horizon, settled).dt.strftime("%Y-%m-%d")
            found = part.merge(outcomes, on=["symbol", "date"]).dropna(subset="outcome")
            found["date"] = found["date"].dt.strftime("%Y-%m-%d")
            values = found[["outcome", "session", "symbol", "date", "model"]].to_dict("records")
            with self._connected() as connection:
                connection.executemany(
                    "UPDATE forecasts SET actual = :outcome, known = :session WHERE symbol = :symbol "
                    "AND date = :date AND model = :model AND horizon = :horizon AND target = :target",
                    [{**value, "horizon": horizon, "target": target} for value in values],
                )
            noted += len(values)
        return noted

    def open_before(self, session: str) -> bool:
        """Return whether a forecast made before this session has no outcome yet."""
        query = "SELECT 1 FROM forecasts WHERE actual IS NULL AND date < ? LIMIT 1"
        if not self.path.is_file():
            return False
        with self._connected() as connection:
            return connection.execute(query, (session[:10],)).fetchone() is not None

    def read(self) -> pd.DataFrame:
        """Return the log, oldest first.

        Returns
        -------
        DataFrame
            Columns ``symbol, date, horizon, model, target, predicted, lower, upper, run, made, actual,
            known`` and ``live``; `actual` is NaN while the outcome is open, `known` the session at whose
            close it was known, and `live` whether the forecast was made by then.
        """
        import pandas as pd

        rows: list[tuple[Any, ...]] = []
        if self.path.is_file():
            with self._connected() as connection:
                query = "SELECT * FROM forecasts ORDER BY date, symbol, horizon, model"
                rows = connection.execute(query).fetchall()
        frame = pd.DataFrame(rows, columns=_COLUMNS)
        frame["date"], frame["known"] = pd.to_datetime(frame["date"]), pd.to_datetime(frame["known"])
        frame["actual"] = frame["actual"].astype("float64")
        made = pd.to_datetime(frame["made"], utc=True, format="ISO8601").dt.tz_localize(None).dt.normalize()
        return frame.assign(live=frame["known"].isna() | (made <= frame["known"]))

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_PATIENCE)) as connection, connection:
                connection.execute(_SCHEMA)
                yield connection
        except (OSError, sqlite3.Error) as error:
            message = (
                f"the forecast log {self.path} cannot be used ({error}); move it away to start a new one"
            )
            raise DataLoadingError(message) from error


def scorecard(log: pd.DataFrame) -> pd.DataFrame:
    """Return how forecasts came out, one row per model, horizon and target.

    Only forecasts made before their outcome count: those of past sessions, made later, are left out.

    Parameters
    ----------
    log : DataFrame
        From `ForecastLog.read`.

    Returns
    -------
    DataFrame
        Columns ``model, horizon, target, first, last, forecasts, scored, hit_rate, r2_against_naive,
        coverage``: the sessions of the first and last forecast, how many there are and how many of them have
        an outcome; then the scores of `metrics.score_table`, NaN without an outcome.
    """
    import pandas as pd

    from sta410kit.research.metrics import scores_of

    rows = []
    for (model, horizon, target), part in log[log["live"]].groupby(["model", "horizon", "target"]):
        known = part.dropna(subset="actual")
        scores = scores_of(known) if len(known) else {}
        rows.append(
            {
                "model": model,
                "horizon": horizon,
                "target": target,
                "first": part["date"].min(),
                "last": part["date"].max(),
                "forecasts": len(part),
                "scored": len(known),
                "hit_rate": scores.get("directional_accuracy"),
                "r2_against_naive": scores.get("r2_against_naive"),
                "coverage": scores.get("coverage"),
            }
        )
    names = ["model", "horizon", "target", "first", "last", "forecasts", "scored"]
    return pd.DataFrame(rows, columns=[*names, "hit_rate", "r2_against_naive", "coverage"])
