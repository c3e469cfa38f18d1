"""Predictions of one or several models beside their outcomes, by date and symbol."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.exceptions import DataValidationError
from sta410kit.research.frames import (
    horizon_of,
    numbers_of,
    require_columns,
    require_filled,
    require_once,
)
from sta410kit.research.target_names import DEFAULT, TargetName, target_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Panel:
    """Predictions of one or several models on the same outcomes, sorted by date and symbol.

    ``date_index`` and ``symbol_index`` number each row's date and symbol from 0; ``actual`` has the shape
    (rows,), ``predicted`` (rows, models), in the unit of the target.
    """

    horizon: int
    models: tuple[str, ...]
    dates: pd.DatetimeIndex
    symbols: tuple[str, ...]
    date_index: NDArray[np.int64]
    symbol_index: NDArray[np.int64]
    actual: Floats
    predicted: Floats
    target: TargetName = DEFAULT

    @cached_property
    def centred(self) -> Panel:
        """The panel with each symbol's mean taken from its outcomes and from its predictions.

        What is left to save is what a constant, even the best in hindsight, cannot: a drift predicts nothing.
        """
        counts = np.bincount(self.symbol_index)

        def less_mean(values: Floats) -> Floats:
            return values - (np.bincount(self.symbol_index, values) / counts)[self.symbol_index]

        predicted = np.column_stack([less_mean(column) for column in self.predicted.T])
        return replace(self, actual=less_mean(self.actual), predicted=predicted)

    @cached_property
    def spacing(self) -> int:
        """Business days from one date to the next, 1 for daily decisions."""
        days = self.dates.to_numpy().astype("datetime64[D]")
        return max(int(np.median(np.busday_count(days[:-1], days[1:]))), 1) if len(days) > 1 else 1

    @property
    def span(self) -> int:
        """Dates that a target spans: its horizon where decisions are daily, 1 where none overlap."""
        return -(-self.horizon // self.spacing)

    def grid(self, rows: Floats) -> Floats:
        """Return one value per row as an array of shape (dates, symbols); 0 where there is no row."""
        table = np.zeros((len(self.dates), len(self.symbols)))
        table[self.date_index, self.symbol_index] = rows
        return table

    def sums(self, rows: Floats) -> Floats:
        """Return the sum over the symbols of each date; `rows` has shape (rows,) or (rows, k)."""
        begins = np.flatnonzero(np.diff(self.date_index, prepend=-1))
        summed: Floats = np.add.reduceat(rows, begins, axis=0)
        return summed

    def means(self, rows: Floats) -> Floats:
        """Return the mean over the symbols of each date; `rows` as in `sums`."""
        counts = np.bincount(self.date_index).astype(float)
        mean: Floats = self.sums(rows) / (counts if rows.ndim == 1 else counts[:, None])
        return mean


def read_panel(predictions: pd.DataFrame) -> Panel:
    """Return the panel of a predictions frame; rows that not every model predicted are dropped."""
    frame = _comparable(predictions)
    long = frame.set_index(["date", "symbol"])["predicted"]
    models = tuple(dict.fromkeys(frame["model"]))
    parts = {name: long[(frame["model"] == name).to_numpy()] for name in models}
    table = pd.concat(parts, axis=1, join="inner").sort_index()
    if table.empty:
        message = f"No row has a prediction of every model ({', '.join(models)}); evaluate one at a time."
        raise DataValidationError(message)
    actual: Floats = np.asarray(_outcomes(frame).reindex(table.index))
    date_index, dates = pd.factorize(table.index.get_level_values(0))
    symbol_index, symbols = pd.factorize(table.index.get_level_values(1), sort=True)
    return Panel(
        horizon=int(frame["horizon"].iloc[0]),
        models=models,
        dates=pd.DatetimeIndex(dates),
        symbols=tuple(symbols),
        date_index=date_index.astype(np.int64),
        symbol_index=symbol_index.astype(np.int64),
        actual=actual,
        predicted=table.to_numpy(),
        target=target_of(predictions),
    )


def _outcomes(frame: pd.DataFrame) -> pd.Series[float]:
    """Return the outcome of each date and symbol, or raise if models disagree."""
    found = frame.groupby(["date", "symbol"], sort=False)["actual"].agg(["min", "max"])
    apart = ~np.isclose(found["min"], found["max"], rtol=1e-9, atol=1e-12)
    if apart.any():
        date, symbol = found.index[apart][0]
        low, high = found[apart].iloc[0]
        message = (
            f"The models disagree on what happened: actual of {symbol} {date:%Y-%m-%d} is {low:.6g} for one "
            f"and {high:.6g} for another. Compare predictions made from the same prices."
        )
        raise DataValidationError(message)
    return found["min"]


def _comparable(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the columns to compare with plain dtypes, or raise `DataValidationError`."""
    columns = ("symbol", "date", "horizon", "model", "predicted", "actual")
    require_columns(predictions, columns, "predictions", DataValidationError)
    frame = predictions[list(columns)].reset_index(drop=True)
    if not pd.api.types.is_datetime64_any_dtype(frame["date"]):
        kind = frame["date"].dtype
        message = f"The column date of the predictions holds {kind}; convert it with pd.to_datetime."
        raise DataValidationError(message)
    require_filled(frame, ("symbol", "date", "model", "horizon"), "predictions", DataValidationError)
    frame["date"] = frame["date"].dt.tz_localize(None)
    for name in ("symbol", "model"):
        frame[name] = frame[name].astype(str)
    for name in ("predicted", "actual"):
        frame[name] = numbers_of(frame, name, "predictions")
    frame["horizon"] = horizon_of(frame)
    require_once(frame, ("symbol", "date", "model"), "predictions")
    return frame
