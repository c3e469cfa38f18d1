"""Predictions of one or several models on the same outcomes, ready to be compared date by date."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sta410kit.exceptions import DataValidationError
from sta410kit.research.frames import horizon_of, numbers_of, require_columns, require_filled, require_once

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_COLUMNS = ("symbol", "date", "horizon", "model", "predicted", "actual")  # what a comparison looks at
_NUMBERS = ("predicted", "actual")


@dataclass(frozen=True)
class Panel:
    """Outcomes that all models predicted, sorted by date and symbol.

    ``day`` and ``share`` number the date and the symbol of each row, from 0; ``actual`` has shape (rows,),
    ``predicted`` (rows, models). Log return, unit 1.
    """

    horizon: int
    models: tuple[str, ...]
    dates: pd.DatetimeIndex
    symbols: tuple[str, ...]
    day: NDArray[np.int64]
    share: NDArray[np.int64]
    actual: Floats
    predicted: Floats

    @cached_property
    def constant(self) -> Floats:
        """The mean outcome of each row's symbol, in hindsight: no constant forecast has smaller errors."""
        import numpy as np

        counts = np.bincount(self.share)
        return (np.bincount(self.share, self.actual) / counts)[self.share]

    def sums(self, rows: Floats) -> Floats:
        """Return the sum of each date over its symbols; `rows` has shape (rows,) or (rows, k)."""
        import numpy as np

        begins = np.flatnonzero(np.diff(self.day, prepend=-1))
        summed: Floats = np.add.reduceat(rows, begins, axis=0)
        return summed

    def means(self, rows: Floats) -> Floats:
        """Return the mean of each date over its symbols; `rows` as in `sums`."""
        import numpy as np

        counts = np.bincount(self.day).astype(float)
        mean: Floats = self.sums(rows) / (counts if rows.ndim == 1 else counts[:, None])
        return mean


def read_panel(predictions: pd.DataFrame) -> Panel:
    """Return the panel of a predictions frame; rows that not every model predicted are left out.

    Raises
    ------
    DataValidationError
        If columns are missing, there are no rows, horizons are mixed, a row is there twice, a value is no
        number, a symbol or date is missing, two models saw different outcomes, or no row has all models.
    """
    import numpy as np
    import pandas as pd

    frame = _checked(predictions)
    rows = pd.MultiIndex.from_frame(frame[["date", "symbol"]])
    wide = pd.Series(
        frame["predicted"].to_numpy(), index=[rows.get_level_values(0), rows.get_level_values(1)]
    )
    models = tuple(dict.fromkeys(frame["model"]))
    parts = {name: wide[(frame["model"] == name).to_numpy()] for name in models}
    table = pd.concat(parts, axis=1, join="inner").sort_index()
    if table.empty:
        message = (
            f"No symbol and date has a prediction of every model ({', '.join(models)}); judge one at a time."
        )
        raise DataValidationError(message)
    actual: Floats = np.asarray(_outcomes(frame).reindex(table.index))
    day, dates = pd.factorize(table.index.get_level_values(0))
    share, symbols = pd.factorize(table.index.get_level_values(1), sort=True)
    return Panel(
        horizon=int(frame["horizon"].iloc[0]),
        models=models,
        dates=pd.DatetimeIndex(dates),
        symbols=tuple(symbols),
        day=day.astype(np.int64),
        share=share.astype(np.int64),
        actual=actual,
        predicted=table.to_numpy(),
    )


def _outcomes(frame: pd.DataFrame) -> pd.Series[float]:
    """Return the outcome of each date and symbol, or raise if two models were told different ones."""
    import numpy as np

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


def _checked(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions with plain dtypes, or raise `DataValidationError` saying what is wrong."""
    import pandas as pd

    require_columns(predictions, _COLUMNS, "predictions", DataValidationError)
    frame = predictions[list(_COLUMNS)].reset_index(drop=True)
    if not pd.api.types.is_datetime64_any_dtype(frame["date"]):
        message = (
            f"The column date of the predictions holds {frame['date'].dtype}; convert it with pd.to_datetime."
        )
        raise DataValidationError(message)
    require_filled(frame, ("symbol", "date", "model", "horizon"), "predictions", DataValidationError)
    frame["date"] = frame["date"].dt.tz_localize(None)
    for name in ("symbol", "model"):
        frame[name] = frame[name].astype(str)
    for name in _NUMBERS:
        frame[name] = numbers_of(frame, name, "predictions")
    frame["horizon"] = horizon_of(frame)
    require_once(frame, ("symbol", "date", "model"), "predictions")
    return frame
