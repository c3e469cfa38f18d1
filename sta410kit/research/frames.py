"""What the statistics need of a frame before they touch it.

The gates say what is wrong with data, row by row. These checks are the floor below them: work that would give
a wrong number without a word, on an unsorted frame or a missing price, refuses instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import DataValidationError, STA410Exception
from sta410kit.given import require_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

PRICE_COLUMNS = ("open", "high", "low", "close", "adj_close")
PREDICTION_COLUMNS = ("symbol", "date", "horizon", "model", "fold", "predicted", "actual", "lower", "upper")


def require_columns(
    frame: pd.DataFrame, columns: Iterable[str], what: str, error: type[STA410Exception]
) -> None:
    """Raise `error` naming the columns that the frame called `what` lacks, or that it is empty."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        message = (
            f"The {what} lack the column(s) {', '.join(missing)}; found {', '.join(map(str, frame.columns))}."
        )
        raise error(message)
    if frame.empty:
        message = f"The {what} have no rows."
        raise error(message)


def require_order(frame: pd.DataFrame, what: str, error: type[STA410Exception]) -> None:
    """Raise `error` unless the rows are sorted by symbol and date, each pair there once."""
    if _climbs(frame):
        return
    twice = frame.duplicated(["symbol", "date"]).to_numpy()
    if twice.any():
        message = f"The {what} hold {_row(frame, twice)} more than once; run them through the gate first."
        raise error(message)
    unsorted = ((frame["symbol"] < frame["symbol"].shift()) | _falls_back(frame)).to_numpy()
    if unsorted.any():
        late = _row(frame, unsorted)
        message = f"The {what} are not sorted: {late} comes too late. Sort by symbol and date first."
        raise error(message)


def require_filled(
    frame: pd.DataFrame, names: Iterable[str], what: str, error: type[STA410Exception]
) -> None:
    """Raise `error` unless every row has a value in each of the columns `names`."""
    for name in names:
        missing = frame[name].isna().to_numpy()
        if missing.any():
            message = f"The {what} have no {name} in row {missing.argmax()}; {missing.sum()} such row(s)."
            raise error(message)


def require_prices(prices: pd.DataFrame, error: type[STA410Exception]) -> None:
    """Raise `error` unless this is a prices frame to calculate with.

    All columns, sorted, no session twice, every price finite and positive, every volume finite and not
    negative.
    """
    import numpy as np

    require_columns(prices, ("symbol", "date", *PRICE_COLUMNS, "volume"), "prices", error)
    _require_keys(prices, "prices", error)
    _require_text(prices["symbol"], error)
    require_order(prices, "prices", error)
    for name in (*PRICE_COLUMNS, "volume"):
        if not (isinstance(prices[name].dtype, np.dtype) and prices[name].dtype.kind in "fiu"):
            message = (
                f"The column {name} of the prices holds {prices[name].dtype}, not plain numbers; "
                "convert it with .astype('float64')."
            )
            raise error(message)
        values = prices[name].to_numpy(dtype=float)
        bad = ~np.isfinite(values) | (values < 0 if name == "volume" else values <= 0)
        if bad.any():
            message = (
                f"{name} of {_row(prices, bad)} is {values[bad][0]}; {int(bad.sum())} such row(s). "
                "Run the prices through the gate first."
            )
            raise error(message)


def require_predictions(predictions: pd.DataFrame, *, bounds: bool = True) -> None:
    """Raise `DataValidationError` unless these are predictions of one model and one horizon, all numbers.

    Without `bounds` nothing is asked of their intervals.
    """
    import numpy as np

    numbers = ("predicted", "actual", *(("lower", "upper") if bounds else ()))
    needed = ("symbol", "date", "horizon", "model", *numbers)
    require_columns(predictions, needed, "predictions", DataValidationError)
    _require_keys(predictions, "predictions", DataValidationError)
    twice = predictions.duplicated(["symbol", "date", "model", "horizon"]).to_numpy()
    if twice.any():
        message = f"The predictions hold {_row(predictions, twice)} more than once."
        raise DataValidationError(message)
    for name in ("model", "horizon"):
        values = predictions[name].unique()
        if len(values) != 1:
            message = f"The predictions mix {name} {', '.join(map(str, values))}; judge one at a time."
            raise DataValidationError(message)
    for name in numbers:
        bad = ~np.isfinite(predictions[name].to_numpy(dtype=float, na_value=np.nan))
        if bad.any():
            message = f"{name} of {_row(predictions, bad)} is no number; {int(bad.sum())} such row(s)."
            raise DataValidationError(message)


def require_horizon(horizon: object) -> int:
    """Return the horizon as an int, or raise `ConfigurationError` if it is not a whole number of sessions."""
    return require_whole("horizon", horizon, of="sessions")


def log(values: pd.Series[float]) -> pd.Series[float]:
    """Return the natural logarithm of a column, as float64 on the same index."""
    import numpy as np
    import pandas as pd

    return pd.Series(np.log(values.to_numpy(dtype=float)), index=values.index)


def _require_keys(frame: pd.DataFrame, what: str, error: type[STA410Exception]) -> None:
    """Raise `error` unless every row has a symbol, and a date without a timezone."""
    import numpy as np
    import pandas as pd

    date = frame["date"]
    require_filled(frame, ("symbol", "date"), what, error)
    if not np.issubdtype(date.to_numpy().dtype, np.datetime64) or isinstance(date.dtype, pd.DatetimeTZDtype):
        ready = ".dt.tz_localize(None)" if isinstance(date.dtype, pd.DatetimeTZDtype) else "pd.to_datetime"
        message = (
            f"The column date of the {what} holds {date.dtype}, not dates without a timezone; "
            f"convert it with {ready}."
        )
        raise error(message)


def _require_text(symbol: pd.Series[str], error: type[STA410Exception]) -> None:
    """Raise `error` unless symbols are text: numbers and categories do not compare as names do."""
    import pandas as pd

    if isinstance(symbol.dtype, pd.CategoricalDtype) or not pd.api.types.is_string_dtype(symbol):
        message = (
            f"The column symbol of the prices holds {symbol.dtype}, not text; convert it with .astype(str)."
        )
        raise error(message)


def _climbs(frame: pd.DataFrame) -> bool:
    """Tell whether each row comes after the one before: one look, where finding pairs would hash them all."""
    symbol, date = frame["symbol"], frame["date"]
    later = (symbol > symbol.shift()) | ((symbol == symbol.shift()) & (date > date.shift()))
    return bool(later.iloc[1:].all()) and not bool(date.isna().any() or symbol.isna().any())


def _falls_back(frame: pd.DataFrame) -> pd.Series[bool]:
    return (frame["symbol"] == frame["symbol"].shift()) & (frame["date"] < frame["date"].shift())


def _row(frame: pd.DataFrame, chosen: object) -> str:
    first = frame[chosen].iloc[0]
    return f"{first['symbol']} {first['date']:%Y-%m-%d}"
