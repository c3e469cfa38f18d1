"""Quick checks in plain pandas: each returns ``True``, warns, or raises.

A broken rule raises `DataValidationError`; what only looks odd is a `DataQualityWarning`. Nothing is changed,
and only pandas and NumPy are needed. The gates in ``expectations/`` are stricter and keep a record; see
`sta410kit.guards`.
"""

import warnings
from typing import TYPE_CHECKING

from sta410kit._internal.argument_checks import as_number
from sta410kit._internal.frame_checks import (
    array,
    far_out,
    infinite,
    is_constant,
    is_numeric,
    label,
    missing_times,
    numbers,
    refuse,
    refuse_rows,
    rows,
    table,
    vector,
)
from sta410kit.exceptions import DataQualityWarning, DataValidationError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

PRICES = ("Open", "High", "Low", "Close")
COLUMNS = (*PRICES, "Volume")

_NAN_SHARE = 0.1  # more of a column missing than halts and late listings explain
_EXTREME_RETURN = 1.0  # a log return beyond 1 more than doubles a price, or takes two thirds of it
_SMALL_SET = 100  # with fewer rows, the score of a fit says little
_LOW_VARIANCE, _HIGH_VARIANCE = 1e-10, 1e6


class DataValidator:
    """Checks on prices, features and predictions; each a static method that returns ``True`` or raises."""

    @staticmethod
    def validate_ohlcv_data(df: "pd.DataFrame", symbol: str = "") -> bool:
        """Check a table of prices with the columns Open, High, Low, Close and Volume.

        Parameters
        ----------
        df : DataFrame
            One row a session. A missing value breaks no rule by itself.
        symbol : str
            Named in every message.

        Raises
        ------
        DataValidationError
            Not a table, empty or without any value; "Missing required columns"; a column that "must be
            numeric"; "Infinite values"; "Negative or zero prices"; "High < Low"; "Negative volume". The
            message has the number of rows and the first of them.

        Warns
        -----
        DataQualityWarning
            More than a tenth of a column is missing, or a close lies outside [Low, High].
        """
        where = f"{symbol}: " if symbol else ""
        frame = table(df, where)
        missing = [name for name in COLUMNS if name not in frame.columns]
        refuse(missing, f"{where}Missing required columns: {', '.join(missing)}")
        wrong = [name for name in COLUMNS if not is_numeric(frame[name])]
        refuse(wrong, f"{where}these columns must be numeric: {', '.join(wrong)}")
        column = {name: numbers(frame[name]) for name in COLUMNS}
        for name, values in column.items():
            refuse(values.isna().all(), f"{where}{name} holds no value at all")
            refuse_rows(infinite(values), f"{where}Infinite values in {name}")
        for name in PRICES:
            refuse_rows(column[name] <= 0, f"{where}Negative or zero prices in {name}")
        refuse_rows(column["High"] < column["Low"], f"{where}High < Low")
        refuse_rows(column["Volume"] < 0, f"{where}Negative volume")
        sparse = {name: values.isna() for name, values in column.items() if values.isna().mean() > _NAN_SHARE}
        outside = (column["Close"] < column["Low"]) | (column["Close"] > column["High"])
        _warn(
            *(rows(mask, f"{where}more than 10 % NaN in {name}") for name, mask in sparse.items()),
            rows(outside, f"{where}Close outside [Low, High]"),
        )
        return True

    @staticmethod
    def validate_time_series_continuity(
        df: "pd.DataFrame", symbol: str = "", expected_freq: str = "D"
    ) -> bool:
        """Check that the rows of a table follow each other in time without duplicates or gaps.

        Parameters
        ----------
        df : DataFrame or Series
            Its index holds the times.
        symbol : str
            Named in every message.
        expected_freq : str
            Distance between rows as pandas writes it (``"D"``, ``"B"``, ``"h"``, ``"W"``). With ``"D"``,
            weekends are not missed unless the series itself has some.

        Raises
        ------
        DataValidationError
            Not a table, or empty; the index is not a "DatetimeIndex", or holds NaT; `expected_freq` is
            unknown.

        Warns
        -----
        DataQualityWarning
            Duplicate times, times out of order, or gaps.
        """
        import pandas as pd

        where = f"{symbol}: " if symbol else ""
        kind = type(df).__name__
        is_table = isinstance(df, pd.DataFrame | pd.Series)
        refuse(not is_table, f"{where}a pandas DataFrame or Series is needed, not {kind}")
        index = df.index
        refuse(not len(index), f"{where}there are no rows")
        if not isinstance(index, pd.DatetimeIndex):
            message = (
                f"{where}the index must be a DatetimeIndex, not {type(index).__name__}; "
                "for a column of dates: df.set_index(pd.to_datetime(df['date']))"
            )
            raise DataValidationError(message)
        refuse_rows(pd.Series(index.isna()), f"{where}the DatetimeIndex holds NaT")
        gaps = missing_times(index.unique().sort_values(), expected_freq, where)
        missing = f"{where}gaps: {len(gaps)} expected times missing (market holidays count)"
        ordered = index.is_monotonic_increasing
        _warn(
            rows(pd.Series(index.duplicated(), index=index), f"{where}duplicate times"),
            "" if ordered else f"{where}times are out of order; sort with df.sort_index()",
            f"{missing}, first {label(gaps[0])}" if len(gaps) else "",
        )
        return True

    @staticmethod
    def validate_features(df: "pd.DataFrame", symbol: str = "") -> bool:
        """Check the numeric columns of a table of features.

        Parameters
        ----------
        df : DataFrame
            One row a session, one column a feature.
        symbol : str
            Named in every message.

        Raises
        ------
        DataValidationError
            Not a table, empty, without any numeric column or value, or with "Infinite values".

        Warns
        -----
        DataQualityWarning
            A feature has missing values, "zero variance", or "extreme values": more than ten robust standard
            deviations from its median.
        """
        where = f"{symbol}: " if symbol else ""
        frame = table(df, where)
        columns = {name: numbers(frame[name]) for name in frame.columns if is_numeric(frame[name])}
        refuse(not columns, f"{where}there is no numeric column to check")
        for name, values in columns.items():
            refuse_rows(infinite(values), f"{where}Infinite values in {name}")
        empty = all(values.isna().all() for values in columns.values())
        refuse(empty, f"{where}there is no value, only NaN")
        for name, values in columns.items():
            same = f"{where}zero variance: {name} is the same in all {len(values)} rows"
            _warn(
                rows(values.isna(), f"{where}NaN in {name}"),
                same if is_constant(values) else "",
                rows(far_out(values), f"{where}extreme values in {name}"),
            )
        return True

    @staticmethod
    def validate_predictions(
        predictions: "npt.ArrayLike", actuals: "npt.ArrayLike | None" = None, threshold: float = 0.1
    ) -> bool:
        """Check predicted log returns, and how far they are from the actual ones.

        Parameters
        ----------
        predictions : array-like of shape (n,) or (n, 1)
            Log returns as fractions.
        actuals : array-like of the same length, optional
            The actual log returns. Missing values are skipped.
        threshold : float
            A prediction further than this from the actual return is a large deviation.

        Raises
        ------
        DataValidationError
            Empty, not numbers, not one-dimensional; "NaN" or "infinite" predictions; infinite `actuals`;
            "length mismatch"; a negative or undefined `threshold`.

        Warns
        -----
        DataQualityWarning
            Extreme predictions (beyond ±1, or more than ten robust standard deviations from the median),
            constant ones, or a large deviation from `actuals`.
        """
        values = vector(predictions, "predictions")
        refuse_rows(values.isna(), "predictions hold NaN")
        refuse_rows(infinite(values), "predictions hold infinite values")
        positive = as_number(threshold) >= 0  # NaN where it is no number
        refuse(not positive, f"threshold is {threshold!r}; it takes a number from 0 upwards")
        odd = [
            rows((values.abs() > _EXTREME_RETURN) | far_out(values), "extreme predictions"),
            f"constant predictions: all {len(values)} are {values.iloc[0]}" if is_constant(values) else "",
        ]
        if actuals is not None:
            actual = vector(actuals, "actuals")
            lengths = f"{len(values)} predictions, {len(actual)} actuals"
            refuse(len(values) != len(actual), f"length mismatch: {lengths}")
            refuse(actual.isna().all(), "actuals hold no value, only NaN")
            refuse_rows(infinite(actual), "actuals hold infinite values")
            far = (values - actual).abs() > threshold
            odd.append(rows(far, f"large deviation from actuals (more than {threshold:g})"))
        _warn(*odd)
        return True


def validate_data_for_training(X: "npt.ArrayLike", y: "npt.ArrayLike") -> tuple[bool, list[str]]:  # noqa: N803 - scikit-learn's name
    """Check features and target before a fit; oddities are returned, not warned of.

    Parameters
    ----------
    X : array-like of shape (n, k)
        Features.
    y : array-like of shape (n,) or (n, 1)
        Target.

    Returns
    -------
    tuple of (True, list of str)
        One sentence for each oddity: a "small" set (fewer than 100 rows), "NaN", "low variance" (below
        1e-10), "high variance" (above 1e6), or rows of `X` and `y` that are labelled differently.

    Raises
    ------
    DataValidationError
        `X` is not "2D"; "length mismatch" between `X` and `y`; "infinite" values; not numbers, empty or all
        NaN.
    """
    import pandas as pd

    features = array(X, "X", truth=True)
    dimensions = f"X must be 2D, rows by features, not {features.ndim}D; one feature is X.reshape(-1, 1)"
    refuse(features.ndim != 2, dimensions)  # noqa: PLR2004 - that is what 2D means
    target = vector(y, "y", truth=True)
    refuse(len(features) != len(target), f"length mismatch: X has {len(features)} rows, y has {len(target)}")
    refuse(not features.size, f"X is empty ({features.shape[0]} rows, {features.shape[1]} columns)")
    names = X.columns if isinstance(X, pd.DataFrame) else range(features.shape[1])
    columns = {f"X column {name}": pd.Series(features[:, at]) for at, name in enumerate(names)}
    columns["y"] = target
    for name, values in columns.items():
        refuse_rows(infinite(values), f"infinite values in {name}")
    refuse(bool(pd.isna(features).all()) or target.isna().all(), "X or y holds no value, only NaN")
    small = f"small training set: {len(target)} rows, fewer than {_SMALL_SET}"
    odd = [small if len(target) < _SMALL_SET else ""]
    both = isinstance(X, pd.DataFrame | pd.Series) and isinstance(y, pd.DataFrame | pd.Series)
    if both and not X.index.equals(y.index):  # type: ignore[union-attr]
        odd.append("X and y have different row labels; they are matched by position")
    for name, values in columns.items():
        odd += [rows(values.isna(), f"NaN in {name}"), _variance(values, name)]
    return True, [text for text in odd if text]


def _warn(*texts: str) -> None:
    for text in filter(None, texts):
        warnings.warn(text, DataQualityWarning, stacklevel=3)  # the caller of the validator


def _variance(values: "pd.Series[float]", name: str) -> str:
    import numpy as np

    if values.count() < 2:  # noqa: PLR2004 - one value has no variance
        return ""
    with np.errstate(over="ignore", invalid="ignore"):
        variance = values.var(ddof=0)
    if variance < _LOW_VARIANCE:
        return f"low variance in {name}: {variance:g}"
    return f"very high variance in {name}: {variance:g}" if not variance <= _HIGH_VARIANCE else ""
