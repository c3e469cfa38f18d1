"""What the statistics need of a frame before they touch it.

The gates say what is wrong with data, row by row. These checks are the floor below them: work that would give
a wrong number without a word, on an unsorted frame or a missing price, refuses instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit._internal.argument_checks import require_whole
from sta410kit.exceptions import ConfigurationError, DataValidationError, STA410Exception

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

PRICE_COLUMNS = ("open", "high", "low", "close", "adj_close")
PREDICTION_COLUMNS = ("symbol", "date", "horizon", "model", "fold", "predicted", "actual", "lower", "upper")
_LARGEST = 1e100  # its square is still a number


def require_columns(
    frame: pd.DataFrame, columns: Iterable[str], what: str, error: type[STA410Exception]
) -> None:
    """Raise `error` unless `frame`, called `what`, is a frame with rows that has each of the columns once."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        message = f"The {what} are a {type(frame).__name__}; give a DataFrame."  # type: ignore[unreachable]
        raise error(message)
    wanted = tuple(columns)
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        message = (
            f"The {what} lack the column(s) {', '.join(missing)}; found {', '.join(map(str, frame.columns))}."
        )
        if set(missing) <= set(frame.index.names):
            message += " They are in the index; make them columns with .reset_index()."
        raise error(message)
    twice = [str(name) for name in frame.columns[frame.columns.duplicated()] if name in wanted]
    if twice:
        message = f"The {what} have the column {twice[0]} more than once; drop or rename one."
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


def require_series(frame: pd.DataFrame, what: str, error: type[STA410Exception]) -> None:
    """Raise `error` unless each row is a symbol, in text, and a session of it, each once and in order."""
    require_columns(frame, ("symbol", "date"), what, error)
    _require_keys(frame, what, error)
    _require_text(frame["symbol"], what, error)
    require_order(frame, what, error)


def require_rows_of(
    frame: pd.DataFrame, prices: pd.DataFrame, what: str, error: type[STA410Exception]
) -> None:
    """Raise `error` unless the prices have each symbol and session of the frame."""
    keys = ["symbol", "date"]
    # On the keys alone: a column of the frame may be called anything.
    found = frame[keys].merge(prices[keys], on=keys, how="left", indicator=True)
    strange = (found["_merge"] == "left_only").to_numpy()
    if strange.any():
        message = (
            f"The {what} hold {_row(frame, strange)}, the prices do not; use the prices they were made from."
        )
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


def require_prices(
    prices: pd.DataFrame,
    error: type[STA410Exception],
    columns: Iterable[str] = (*PRICE_COLUMNS, "volume"),
) -> None:
    """Raise `error` unless this is a prices frame to calculate with.

    All columns (or those that are looked at, where `columns` says which), sorted, no session twice, every
    price finite and positive, every volume finite and not negative.
    """
    import numpy as np

    names = tuple(columns)
    require_columns(prices, ("symbol", "date", *names), "prices", error)
    require_series(prices, "prices", error)
    for name in names:
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
    numbers = ("predicted", "actual", *(("lower", "upper") if bounds else ()))
    needed = ("symbol", "date", "horizon", "model", *numbers)
    require_columns(predictions, needed, "predictions", DataValidationError)
    require_once(predictions, ("symbol", "date", "model", "horizon"), "predictions")
    for name in ("model", "horizon"):
        values = predictions[name].unique()
        if len(values) != 1:
            message = f"The predictions mix {name} {', '.join(map(str, values))}; judge one at a time."
            raise DataValidationError(message)
    horizon_of(predictions)
    for name in numbers:
        numbers_of(predictions, name, "predictions")


def require_once(frame: pd.DataFrame, keys: Iterable[str], what: str) -> None:
    """Raise `DataValidationError` unless the keys, symbol and date among them, are there, and once each.

    Rows may come in any order, and symbols as text or categories.
    """
    import pandas as pd

    names = list(keys)
    require_filled(frame, names, what, DataValidationError)
    _require_keys(frame, what, DataValidationError)
    if not isinstance(frame["symbol"].dtype, pd.CategoricalDtype):
        _require_text(frame["symbol"], what, DataValidationError)
    twice = frame.duplicated(names).to_numpy()
    if twice.any():
        message = f"The {what} hold {_row(frame, twice)} more than once."
        raise DataValidationError(message)


def numbers_of(frame: pd.DataFrame, name: str, what: str) -> NDArray[np.float64]:
    """Return a column as float64, or raise `DataValidationError` unless all are log returns to square."""
    import numpy as np

    try:
        values: NDArray[np.float64] = frame[name].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as cause:
        message = f"The column {name} of the {what} holds {frame[name].dtype}, not numbers."
        raise DataValidationError(message) from cause
    bad = ~(np.abs(values) < _LARGEST)  # NaN too
    if bad.any():
        kind = "is too large for a log return" if np.isfinite(values[bad]).all() else "is no number"
        message = f"{name} of {_row(frame, bad)} {kind}; {int(bad.sum())} such row(s)."
        raise DataValidationError(message)
    return values


def horizon_of(predictions: pd.DataFrame) -> int:
    """Return the one horizon of predictions, or raise `DataValidationError`."""
    values = predictions["horizon"].unique()
    if len(values) != 1:
        message = f"The predictions mix horizon {', '.join(map(str, values))}; judge one at a time."
        raise DataValidationError(message)
    try:
        value = float(values[0])
        return require_horizon(int(value) if value.is_integer() else values[0])
    except (ConfigurationError, TypeError, ValueError, OverflowError) as cause:
        message = (
            f"The horizon of the predictions is {values[0]!r}; it is a whole number of sessions, 1 or more."
        )
        raise DataValidationError(message) from cause


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


def _require_text(symbol: pd.Series[str], what: str, error: type[STA410Exception]) -> None:
    """Raise `error` unless symbols are text: numbers and categories do not compare as names do."""
    import pandas as pd

    if isinstance(symbol.dtype, pd.CategoricalDtype) or not pd.api.types.is_string_dtype(symbol):
        message = (
            f"The column symbol of the {what} holds {symbol.dtype}, not text; convert it with .astype(str)."
        )
        raise error(message)


def _climbs(frame: pd.DataFrame) -> bool:
    """Tell whether each row comes after the one before: one look, where finding pairs would hash them all."""
    symbol, date = frame["symbol"], frame["date"]
    later = (symbol > symbol.shift()) | ((symbol == symbol.shift()) & (date > date.shift()))
    return bool(later.iloc[1:].all()) and not bool(date.isna().any() or symbol.isna().any())


def _falls_back(frame: pd.DataFrame) -> pd.Series[bool]:
    return (frame["symbol"] == frame["symbol"].shift()) & (frame["date"] < frame["date"].shift())


def _row(frame: pd.DataFrame, chosen: NDArray[np.bool_]) -> str:
    if not {"symbol", "date"} <= set(frame.columns):
        return f"row {chosen.argmax()}"
    first = frame[chosen].iloc[0]
    return f"{first['symbol']} {first['date']:%Y-%m-%d}"
