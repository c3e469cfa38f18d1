"""What the validators of `sta410kit.validation` share: conversions that refuse, and masks of odd rows."""

from numbers import Real
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import DataValidationError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

_FAR_OUT = 10.0  # robust standard deviations: rare in honest data, common where units are mixed up
_MAD_TO_SIGMA = 1.4826  # the median absolute deviation of a normal sample, times this, is its deviation
_MOST_EXPECTED = 60_000_000  # times; more than a century of minutes, so far finer than any data here
_SATURDAY = 5


def refuse(problem: object, message: str) -> None:
    """Raise `DataValidationError` with `message` when there is a problem."""
    if problem:
        raise DataValidationError(message)


def refuse_rows(mask: "pd.Series[bool]", what: str) -> None:
    """Raise `DataValidationError` when a mask marks rows."""
    found = rows(mask, what)
    refuse(found, found)


def rows(mask: "pd.Series[bool]", what: str) -> str:
    """Return how many rows a mask marks, and the first; empty where there are none."""
    hits = int(mask.sum())
    first = mask.index[int(mask.to_numpy().argmax())] if hits else ""
    return f"{what}: {hits} of {len(mask)} rows, first at {label(first)}" if hits else ""


def label(row: object) -> str:
    """Return the label of a row; a session is a day, and its midnight is noise."""
    import pandas as pd

    midnight = isinstance(row, pd.Timestamp) and row == row.normalize()
    return f"{row:%Y-%m-%d}" if midnight else str(row)


def table(value: object, where: str) -> "pd.DataFrame":
    """Return `value` if it is a table with rows and unambiguous column names."""
    import pandas as pd

    if not isinstance(value, pd.DataFrame):
        message = f"{where}a pandas DataFrame is needed, not {type(value).__name__}"
        raise DataValidationError(message)
    refuse(value.empty, f"{where}the table is empty ({value.shape[0]} rows, {value.shape[1]} columns)")
    refuse(value.columns.nlevels > 1, f"{where}column names have several levels; flatten them first")
    twice = value.columns[value.columns.duplicated()].unique().astype(str)
    refuse(len(twice), f"{where}duplicate column names: {', '.join(twice)}")
    return value.infer_objects()


def is_numeric(column: "pd.Series[Any]") -> bool:
    """Tell whether a column has a dtype of real numbers."""
    import pandas as pd

    kind = pd.api.types
    return (
        kind.is_numeric_dtype(column) and not kind.is_bool_dtype(column) and not kind.is_complex_dtype(column)
    )


def numbers(column: "pd.Series[Any]") -> "pd.Series[float]":
    """Return a column of numbers as ``float64`` with its index; missing values are NaN."""
    import numpy as np
    import pandas as pd

    return pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan), index=column.index)


def array(value: object, what: str, *, truth: bool = False) -> "npt.NDArray[np.float64]":
    """Return anything array-like as `float64`, refusing text, dates and complex numbers."""
    import numpy as np
    import pandas as pd

    try:
        found = value.to_numpy() if isinstance(value, pd.Series | pd.DataFrame) else np.asarray(value)
        if found.dtype == object:
            plain = [np.nan if one is None or one is pd.NA else one for one in found.flat]
            whole = all(isinstance(one, Real | np.bool_) or hasattr(one, "as_tuple") for one in plain)
            found = np.array(plain, dtype=np.float64).reshape(found.shape) if whole else found
        if found.dtype.kind in ("iufb" if truth else "iuf"):
            return found.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:  # rows of different length, numbers too large
        message = f"{what} must be numeric and of regular shape: {error}"
        raise DataValidationError(message) from error
    message = f"{what} must be numeric, not {type(value).__name__} of {found.dtype}"
    raise DataValidationError(message)


def vector(value: object, what: str, *, truth: bool = False) -> "pd.Series[float]":
    """Return what has shape (n,) or (n, 1), and at least one element, as a series numbered from 0."""
    import pandas as pd

    found = array(value, what, truth=truth)
    if found.ndim == 2 and found.shape[1] == 1:  # noqa: PLR2004 - a table of one column
        found = found[:, 0]
    refuse(found.ndim != 1, f"{what}: one dimension is needed, the shape is {found.shape}")
    refuse(not found.size, f"{what}: empty")
    return pd.Series(found)


def is_constant(values: "pd.Series[float]") -> bool:
    """Tell whether there are several values and all are the same."""
    return values.count() > 1 and bool(values.min() == values.max())


def infinite(values: "pd.Series[float]") -> "pd.Series[bool]":
    """Mark infinite values; NaN is not one."""
    return values.isin([float("inf"), float("-inf")])


def far_out(values: "pd.Series[float]") -> "pd.Series[bool]":
    """Mark values more than ten robust standard deviations from the median."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        distance = (values - values.median()).abs()
        spread = _MAD_TO_SIGMA * distance.median()
        return distance > (_FAR_OUT * spread if spread > 0 else np.inf)


def missing_times(index: "pd.DatetimeIndex", frequency: str, where: str) -> "pd.DatetimeIndex":
    """Return the expected times, from the first to the last of a sorted `index`, around which it has none."""
    import pandas as pd

    refusal = f"{where}expected_freq is {frequency!r}; it takes a pandas frequency such as D, B, h, W or ME"
    try:
        step = pd.tseries.frequencies.to_offset(frequency)
        length = index[0] + step - index[0] if step is not None else pd.Timedelta(0)
        refuse(length <= pd.Timedelta(0) or (index[-1] - index[0]) / length > _MOST_EXPECTED, refusal)
        edges = pd.date_range(index[0] - step, index[-1] + step, freq=step)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataValidationError(refusal) from error
    inside = edges[(edges >= index[0]) & (edges <= index[-1])]
    before = index.searchsorted(edges, side="right")
    empty = edges[1:][before[1:] == before[:-1]].intersection(inside)
    if step == pd.tseries.frequencies.to_offset("D") and not (index.day_of_week >= _SATURDAY).any():
        empty = empty[empty.day_of_week < _SATURDAY]
    return pd.DatetimeIndex(empty)
