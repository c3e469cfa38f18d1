"""Argument checks for prices, features and predictions frames.

The gates report what is wrong with data, row by row. These checks are the floor below them: a computation
that would silently give a wrong number, on an unsorted frame or a missing price, raises instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import require_whole
from sta410kit._internal.universe import MEMBER
from sta410kit.exceptions import ConfigurationError, DataValidationError, STA410Exception

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PRICE_COLUMNS = ("open", "high", "low", "close", "adj_close")
PREDICTION_COLUMNS = ("symbol", "date", "horizon", "model", "fold", "predicted", "actual", "lower", "upper")
_LARGEST = 1e100  # its square is still finite


def require_columns(
    frame: pd.DataFrame, columns: Iterable[str], what: str, error: type[STA410Exception]
) -> None:
    """Raise `error` unless `frame`, called `what` in messages, has rows and each of the columns once."""
    if not isinstance(frame, pd.DataFrame):
        message = f"The {what} are a {type(frame).__name__}; give a DataFrame."  # type: ignore[unreachable]
        raise error(message)
    wanted = tuple(columns)
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        found = ", ".join(map(str, frame.columns))
        message = f"The {what} lack the column(s) {', '.join(missing)}; found {found}."
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


def require_series(frame: pd.DataFrame, what: str, error: type[STA410Exception]) -> None:
    """Raise `error` unless symbols are text, dates are dates, and rows are sorted and unique."""
    require_columns(frame, ("symbol", "date"), what, error)
    _require_keys(frame, what, error)
    _require_text(frame["symbol"], what, error)
    if _is_sorted(frame):
        return
    twice = frame.duplicated(["symbol", "date"]).to_numpy()
    if twice.any():
        message = (
            f"The {what} hold {row_label(frame, twice)} more than once; run them through the gate first."
        )
        raise error(message)
    symbol, date = frame["symbol"], frame["date"]
    earlier = (symbol == symbol.shift()) & (date < date.shift())
    unsorted = ((symbol < symbol.shift()) | earlier).to_numpy()
    if unsorted.any():
        late = row_label(frame, unsorted)
        message = f"The {what} are not sorted: {late} is out of order. Sort by symbol and date first."
        raise error(message)


def require_rows_of(
    frame: pd.DataFrame, prices: pd.DataFrame, what: str, error: type[STA410Exception]
) -> None:
    """Raise `error` unless the prices hold every symbol and session of the frame."""
    keys = ["symbol", "date"]
    found = frame[keys].merge(prices[keys], on=keys, how="left", indicator=True)
    strange = (found["_merge"] == "left_only").to_numpy()
    if strange.any():
        row = row_label(frame, strange)
        message = f"The {what} hold {row}, the prices do not; use the prices they were made from."
        raise error(message)


def require_filled(
    frame: pd.DataFrame, names: Iterable[str], what: str, error: type[STA410Exception]
) -> None:
    """Raise `error` if a value is missing in one of the columns."""
    for name in names:
        missing = frame[name].isna().to_numpy()
        if missing.any():
            message = f"The {what} have no {name} in row {missing.argmax()}; {missing.sum()} such row(s)."
            raise error(message)


def require_prices(
    prices: pd.DataFrame, error: type[STA410Exception], columns: Iterable[str] = (*PRICE_COLUMNS, "volume")
) -> None:
    """Raise `error` unless this is a sorted prices frame with finite, positive prices.

    Only the `columns` are required and checked; volumes may be zero. A gap, which is a session without a
    usable bar, is empty in all of them.
    """
    names = [*columns]
    require_columns(prices, ["symbol", "date", *names], "prices", error)
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
            bad &= ~prices[names].isna().all(axis=1).to_numpy()
        if bad.any():
            message = (
                f"{name} of {row_label(prices, bad)} is {values[bad][0]}; {int(bad.sum())} such row(s). "
                "Run the prices through the gate first."
            )
            raise error(message)


def is_gap(prices: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows are gaps: sessions whose bar is missing or quarantined."""
    return prices["adj_close"].isna()


def is_member(prices: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows count: sessions on which the symbol is a member of the universe, all without one.

    Rows before membership are history for the windows of features; they are not trained on, compared with
    other symbols, predicted or traded.
    """
    return prices[MEMBER] if MEMBER in prices else pd.Series(True, index=prices.index)  # noqa: FBT003 - its values


def unbroken_runs(prices: pd.DataFrame) -> NDArray[np.intp]:
    """Return the number of each row's run: consecutive rows of a symbol without a gap among them.

    Nothing is computed across two runs. Adjacent gaps are a run too, of missing values.
    """
    symbol, gap = prices["symbol"], is_gap(prices)
    begins = (symbol != symbol.shift()) | (gap != gap.shift())
    return np.cumsum(begins.to_numpy()) - 1


def require_predictions(predictions: pd.DataFrame, *, bounds: bool = True) -> None:
    """Raise `DataValidationError` unless these are finite predictions of one model and one horizon.

    Without `bounds`, intervals are not checked.
    """
    numbers = ("predicted", "actual", *(("lower", "upper") if bounds else ()))
    needed = ("symbol", "date", "horizon", "model", *numbers)
    require_columns(predictions, needed, "predictions", DataValidationError)
    require_once(predictions, ("symbol", "date", "model", "horizon"), "predictions")
    _only_value(predictions, "model")
    horizon_of(predictions)
    for name in numbers:
        numbers_of(predictions, name, "predictions")


def require_once(frame: pd.DataFrame, keys: Iterable[str], what: str) -> None:
    """Raise `DataValidationError` unless the keys, symbol and date among them, are complete and unique.

    Rows may be in any order, and symbols categorical.
    """
    names = list(keys)
    require_filled(frame, names, what, DataValidationError)
    _require_keys(frame, what, DataValidationError)
    if not isinstance(frame["symbol"].dtype, pd.CategoricalDtype):
        _require_text(frame["symbol"], what, DataValidationError)
    twice = frame.duplicated(names).to_numpy()
    if twice.any():
        message = f"The {what} hold {row_label(frame, twice)} more than once."
        raise DataValidationError(message)


def numbers_of(frame: pd.DataFrame, name: str, what: str) -> NDArray[np.float64]:
    """Return a column of log returns as float64; raise `DataValidationError` for gaps and huge values."""
    try:
        values: NDArray[np.float64] = frame[name].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as cause:
        message = f"The column {name} of the {what} holds {frame[name].dtype}, not numbers."
        raise DataValidationError(message) from cause
    bad = ~(np.abs(values) < _LARGEST)  # NaN too
    if bad.any():
        kind = "is too large for a log return" if np.isfinite(values[bad]).all() else "is not a finite number"
        message = f"{name} of {row_label(frame, bad)} {kind}; {int(bad.sum())} such row(s)."
        raise DataValidationError(message)
    return values


def horizon_of(predictions: pd.DataFrame) -> int:
    """Return the horizon of predictions, or raise `DataValidationError` if it is invalid or mixed."""
    found = _only_value(predictions, "horizon")
    try:
        value = float(found)
        return require_horizon(int(value) if value.is_integer() else found)
    except (ConfigurationError, TypeError, ValueError, OverflowError) as cause:
        message = f"The horizon of the predictions is {found!r}; give whole sessions, 1 or more."
        raise DataValidationError(message) from cause


def require_horizon(horizon: object) -> int:
    """Return the horizon as an int, or raise `ConfigurationError`."""
    return require_whole("horizon", horizon, of="sessions")


def log(values: pd.Series[float]) -> pd.Series[float]:
    """Return the natural logarithm of a column, as float64 on the same index."""
    return pd.Series(np.log(values.to_numpy(dtype=float)), index=values.index)


def _only_value(predictions: pd.DataFrame, name: str) -> Any:  # noqa: ANN401 - of any column
    """Return the value that all predictions share, or raise `DataValidationError` if they mix several."""
    values = predictions[name].unique()
    if len(values) != 1:
        message = f"The predictions mix {name} {', '.join(map(str, values))}; evaluate one at a time."
        raise DataValidationError(message)
    return values[0]


def _require_keys(frame: pd.DataFrame, what: str, error: type[STA410Exception]) -> None:
    """Raise `error` unless every row has a symbol and a timezone-naive date."""
    date = frame["date"]
    require_filled(frame, ("symbol", "date"), what, error)
    zoned = isinstance(date.dtype, pd.DatetimeTZDtype)
    if zoned or not np.issubdtype(date.to_numpy().dtype, np.datetime64):
        ready = ".dt.tz_localize(None)" if zoned else "pd.to_datetime"
        message = (
            f"The column date of the {what} holds {date.dtype}, not dates without a timezone; "
            f"convert it with {ready}."
        )
        raise error(message)


def _require_text(symbol: pd.Series[str], what: str, error: type[STA410Exception]) -> None:
    """Raise `error` unless symbols are text: numbers and categories sort differently."""
    if isinstance(symbol.dtype, pd.CategoricalDtype) or not pd.api.types.is_string_dtype(symbol):
        message = (
            f"The column symbol of the {what} holds {symbol.dtype}, not text; convert it with .astype(str)."
        )
        raise error(message)


def _is_sorted(frame: pd.DataFrame) -> bool:
    """Return whether each row follows the one before; much faster than looking for duplicates."""
    symbol, date = frame["symbol"], frame["date"]
    later = (symbol > symbol.shift()) | ((symbol == symbol.shift()) & (date > date.shift()))
    return bool(later.iloc[1:].all()) and not bool(date.isna().any() or symbol.isna().any())


def row_label(frame: pd.DataFrame, chosen: NDArray[np.bool_]) -> str:
    """Return symbol and date of the first chosen row, for a message."""
    if not {"symbol", "date"} <= set(frame.columns):
        return f"row {chosen.argmax()}"
    first = frame[chosen].iloc[0]
    return f"{first['symbol']} {first['date']:%Y-%m-%d}"
