"""What the validators of `sta410kit.validation` see: conversions that refuse, masks, and words for both."""

from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import DataValidationError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Numbers = npt.NDArray[np.float64]

# Ten times what a normal sample strays: rare in honest data, common where units are mixed up.
_FAR_OUT = 10.0
# The median absolute deviation of a normal sample, times this, is its standard deviation.
_MAD_TO_SIGMA = 1.4826
# More expected times than a century of minutes: a frequency far finer than the data.
_MOST_EXPECTED = 60_000_000
_SATURDAY = 5


def refuse(problem: object, message: str) -> None:
    """Raise `DataValidationError` with `message` when there is a problem."""
    if problem:
        raise DataValidationError(message)


def table(value: object, where: str) -> "pd.DataFrame":
    """Return `value` if it is a table with rows and unambiguous column names; refuse it otherwise."""
    import pandas as pd

    if not isinstance(value, pd.DataFrame):
        message = f"{where}a pandas DataFrame is needed, not {type(value).__name__}"
        raise DataValidationError(message)
    refuse(value.empty, f"{where}the table is empty ({value.shape[0]} rows, {value.shape[1]} columns)")
    refuse(value.columns.nlevels > 1, f"{where}column names have several levels; flatten them first")
    twice = value.columns[value.columns.duplicated()].unique().astype(str)
    refuse(len(twice), f"{where}duplicate column names: {', '.join(twice)}")
    return value


def is_number_column(column: "pd.Series[Any]") -> bool:
    """Tell whether a column holds real numbers, also when its dtype is ``object``."""
    import pandas as pd

    if column.dtype == object:
        return pd.api.types.infer_dtype(column) in {"floating", "integer", "mixed-integer-float", "decimal"}
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)


def numbers(column: "pd.Series[Any]") -> "pd.Series[float]":
    """Return a column of numbers as ``float64`` with its index; missing values are NaN."""
    import numpy as np
    import pandas as pd

    return pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan), index=column.index)


def array(value: object, what: str, *, truth: bool = False) -> "Numbers":
    """Return anything array-like as a ``float64`` array of its own shape; refuse what holds no numbers.

    Text, dates and complex numbers are no numbers here, and truth values only (as 0 and 1) if `truth` says
    so; ``None`` and ``NA`` are NaN.
    """
    import numpy as np
    import pandas as pd

    try:
        found = value.to_numpy() if isinstance(value, pd.Series | pd.DataFrame) else np.asarray(value)
        if found.dtype.kind in ("iufb" if truth else "iuf"):
            return found.astype(np.float64)
        plain = [np.nan if one is None or one is pd.NA else one for one in found.flat]
        wanted, unwanted = ((Real, Decimal, np.bool_), ()) if truth else ((Real, Decimal), (bool,))
        if found.dtype == object and all(
            isinstance(one, wanted) and not isinstance(one, unwanted) for one in plain
        ):
            return np.array(plain, dtype=np.float64).reshape(found.shape)
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


def constant(values: "pd.Series[float]") -> bool:
    """Tell whether there are several values and all are the same."""
    return values.count() > 1 and bool(values.min() == values.max())


def is_length(value: float) -> bool:
    """Tell whether `value` is a number from 0 upwards; NaN and truth values are not."""
    real = isinstance(value, Real)
    return real and type(value) is not bool and bool(value >= 0)


def label(row: object) -> str:
    """Return what a row is called; a session is a day, and its midnight is noise."""
    import pandas as pd

    midnight = isinstance(row, pd.Timestamp) and row == row.normalize()
    return f"{row:%Y-%m-%d}" if midnight else str(row)


def count_and_first(mask: "pd.Series[bool]", what: str) -> str:
    """Return ``""`` when `mask` is nowhere true, else `what`, how many rows, and the first."""
    hits = int(mask.sum())
    if not hits:
        return ""
    first = mask.index[int(mask.to_numpy().argmax())]
    return f"{what}: {hits} of {len(mask)} rows, first at {label(first)}"


def infinite(values: "pd.Series[float]") -> "pd.Series[bool]":
    """Mark the infinite values; NaN is not one."""
    return values.isin([float("inf"), float("-inf")])


def far_out(values: "pd.Series[float]") -> "pd.Series[bool]":
    """Mark values more than ten robust standard deviations from the median.

    The spread is the median absolute deviation, which one wild value cannot stretch as it stretches the
    standard deviation. Where more than half of the values are equal it is zero, and nothing is marked.
    """
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        distance = (values - values.median()).abs()
        spread = _MAD_TO_SIGMA * distance.median()
        return distance > (_FAR_OUT * spread if spread > 0 else np.inf)


def missing_times(index: "pd.DatetimeIndex", frequency: str, where: str) -> "pd.DatetimeIndex":
    """Return the times expected between the first and the last of `index` around which it has none.

    One time is wanted in each step of `frequency`, anywhere in it: a weekly series may be dated Fridays and
    is still whole. With ``"D"``, weekends are not missed unless the series itself has some.

    Parameters
    ----------
    index : DatetimeIndex
        Sorted, without duplicates or NaT, not empty.
    """
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
