"""The quick checks of the old system, in plain pandas: each returns ``True``, warns, or raises.

What must hold raises `DataValidationError`; what only looks odd is a `DataQualityWarning`. Nothing is
changed, and nothing but pandas and NumPy is needed, so a notebook can call these in the middle of a cell.
The gates in ``expectations/`` are stricter and keep a record; see `sta410kit.guards`.
"""

import warnings
from typing import TYPE_CHECKING

from sta410kit._internal.frame_checks import (
    array,
    constant,
    count_and_first,
    far_out,
    infinite,
    is_length,
    is_number_column,
    label,
    missing_times,
    numbers,
    refuse,
    table,
    vector,
)
from sta410kit.exceptions import DataQualityWarning, DataValidationError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

PRICES = ("Open", "High", "Low", "Close")
COLUMNS = (*PRICES, "Volume")

# A tenth of a column missing is more than halts and late listings explain.
_NAN_SHARE = 0.1
# Predictions are log returns: beyond 1 a price more than doubles or falls by two thirds.
_EXTREME_RETURN = 1.0
# With fewer rows, the score of a fit says little.
_SMALL_SET = 100
_LOW_VARIANCE, _HIGH_VARIANCE = 1e-10, 1e6


class DataValidator:
    """Checks on prices, features and predictions; each a static method."""

    @staticmethod
    def validate_ohlcv_data(df: "pd.DataFrame", symbol: str = "") -> bool:
        """Check a table of prices with the columns Open, High, Low, Close and Volume.

        Parameters
        ----------
        df : DataFrame
            One row a session. A missing value breaks no rule by itself.
        symbol : str
            Named in every message.

        Returns
        -------
        bool
            ``True``; anything else raises.

        Raises
        ------
        DataValidationError
            Not a table, empty or without any value; "Missing required columns"; a column that "must be
            numeric"; "Infinite values"; "Negative or zero prices"; "High < Low"; "Negative volume". The
            text says in how many rows and where first.

        Warns
        -----
        DataQualityWarning
            More than a tenth of a column is missing, or a close lies outside [Low, High].
        """
        where = _name(symbol)
        frame = table(df, where)
        missing = [name for name in COLUMNS if name not in frame.columns]
        refuse(missing, f"{where}Missing required columns: {', '.join(missing)}")
        wrong = [
            name
            for name in COLUMNS
            if not is_number_column(frame[name]) or frame[name].dtype in (bool, object)
        ]
        refuse(wrong, f"{where}these columns must be numeric: {', '.join(wrong)}")
        column = {name: numbers(frame[name]) for name in COLUMNS}
        for name, values in column.items():
            refuse(values.isna().all(), f"{where}{name} holds no value at all")
            _refuse_rows(infinite(values), f"{where}Infinite values in {name}")
        for name in PRICES:
            _refuse_rows(column[name] <= 0, f"{where}Negative or zero prices in {name}")
        _refuse_rows(column["High"] < column["Low"], f"{where}High < Low")
        _refuse_rows(column["Volume"] < 0, f"{where}Negative volume")
        sparse = {name: values.isna() for name, values in column.items() if values.isna().mean() > _NAN_SHARE}
        outside = (column["Close"] < column["Low"]) | (column["Close"] > column["High"])
        _warn(
            *(count_and_first(mask, f"{where}more than 10 % NaN in {name}") for name, mask in sparse.items()),
            count_and_first(outside, f"{where}Close outside [Low, High]"),
        )
        return True

    @staticmethod
    def validate_time_series_continuity(
        df: "pd.DataFrame", symbol: str = "", expected_freq: str = "D"
    ) -> bool:
        """Check that the rows of a table follow each other in time without doubles or holes.

        Parameters
        ----------
        df : DataFrame or Series
            Its index holds the times.
        symbol : str
            Named in every message.
        expected_freq : str
            Distance between rows as pandas writes it (``"D"``, ``"B"``, ``"h"``, ``"W"``). With ``"D"``,
            Saturdays and Sundays are not missed, since markets are closed.

        Returns
        -------
        bool
            ``True``; anything else raises.

        Raises
        ------
        DataValidationError
            Not a table, or empty; the index is not a "DatetimeIndex", or holds NaT; `expected_freq` is
            unknown.

        Warns
        -----
        DataQualityWarning
            Duplicated times, times out of order, or gaps.
        """
        import pandas as pd

        where = _name(symbol)
        refuse(
            not isinstance(df, pd.DataFrame | pd.Series),
            f"{where}a pandas DataFrame or Series is needed, not {type(df).__name__}",
        )
        index = df.index
        refuse(not len(index), f"{where}there are no rows")
        if not isinstance(index, pd.DatetimeIndex):
            message = (
                f"{where}the index must be a DatetimeIndex, not {type(index).__name__}; "
                "for a column of dates: df.set_index(pd.to_datetime(df['date']))"
            )
            raise DataValidationError(message)
        _refuse_rows(pd.Series(index.isna()), f"{where}the DatetimeIndex holds NaT")
        twice = pd.Series(index.duplicated(), index=index)
        gaps = missing_times(index.unique().sort_values(), expected_freq, where)
        _warn(
            count_and_first(twice, f"{where}duplicate times"),
            ""
            if index.is_monotonic_increasing
            else f"{where}times are out of order; sort with df.sort_index()",
            f"{where}gaps: {len(gaps)} expected times missing (market holidays count), first {label(gaps[0])}"
            if len(gaps)
            else "",
        )
        return True

    @staticmethod
    def validate_features(df: "pd.DataFrame", symbol: str = "") -> bool:
        """Check a table of features; columns that hold text or dates are passed over.

        Parameters
        ----------
        df : DataFrame
            One row a session, one column a feature.
        symbol : str
            Named in every message.

        Returns
        -------
        bool
            ``True``; anything else raises.

        Raises
        ------
        DataValidationError
            Not a table, empty, without any numeric column, or with "Infinite values".

        Warns
        -----
        DataQualityWarning
            A feature has missing values, never changes, or holds values more than ten robust standard
            deviations from its median.
        """
        where = _name(symbol)
        frame = table(df, where)
        columns = {name: numbers(frame[name]) for name in frame.columns if is_number_column(frame[name])}
        refuse(not columns, f"{where}there is no numeric column to check")
        for name, values in columns.items():
            _refuse_rows(infinite(values), f"{where}Infinite values in {name}")
        refuse(all(values.isna().all() for values in columns.values()), f"{where}there is no value, only NaN")
        for name, values in columns.items():
            _warn(
                count_and_first(values.isna(), f"{where}NaN in {name}"),
                f"{where}zero variance: {name} is the same in all {len(values)} rows"
                if constant(values)
                else "",
                count_and_first(far_out(values), f"{where}extreme values in {name}"),
            )
        return True

    @staticmethod
    def validate_predictions(
        predictions: "npt.ArrayLike", actuals: "npt.ArrayLike | None" = None, threshold: float = 0.1
    ) -> bool:
        """Check predicted log returns, and how far they are from what happened.

        Parameters
        ----------
        predictions : array-like of shape (n,) or (n, 1)
            Log returns; unit 1, not percent.
        actuals : array-like of the same length, optional
            What happened, in the same unit. Missing values are passed over.
        threshold : float
            A prediction further than this from what happened is a large deviation; same unit.

        Returns
        -------
        bool
            ``True``; anything else raises.

        Raises
        ------
        DataValidationError
            Empty, not numbers, not one-dimensional; "NaN" or "infinite" predictions; infinite `actuals`;
            "length mismatch"; a negative or undefined `threshold`.

        Warns
        -----
        DataQualityWarning
            Extreme predictions (beyond ±1, or more than ten robust standard deviations from the median), all
            the same, or a large deviation from `actuals`.
        """
        values = vector(predictions, "predictions")
        _refuse_rows(values.isna(), "predictions hold NaN")
        _refuse_rows(infinite(values), "predictions hold infinite values")
        refuse(not is_length(threshold), f"threshold is {threshold!r}; it takes a number from 0 upwards")
        odd = [
            count_and_first((values.abs() > _EXTREME_RETURN) | far_out(values), "extreme predictions"),
            f"constant predictions: all {len(values)} are {values.iloc[0]}" if constant(values) else "",
        ]
        if actuals is not None:
            happened = vector(actuals, "actuals")
            refuse(
                len(values) != len(happened),
                f"length mismatch: {len(values)} predictions, {len(happened)} actuals",
            )
            refuse(happened.isna().all(), "actuals hold no value, only NaN")
            _refuse_rows(infinite(happened), "actuals hold infinite values")
            far = (values - happened).abs() > threshold
            odd.append(count_and_first(far, f"large deviation from actuals (more than {threshold:g})"))
        _warn(*odd)
        return True


def validate_data_for_training(X: "npt.ArrayLike", y: "npt.ArrayLike") -> tuple[bool, list[str]]:  # noqa: N803 - scikit-learn's name
    """Check features and target before a fit; what looks odd is returned, not warned of.

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
        1e-10), "high variance" (above 1e6), or rows of `X` and `y` that are labelled differently. Empty when
        there is none.

    Raises
    ------
    DataValidationError
        `X` is not "2D"; "length mismatch" between `X` and `y`; "infinite" values; nothing but numbers is
        accepted, and neither may be empty or all NaN.
    """
    import pandas as pd

    features = array(X, "X", truth=True)
    refuse(
        features.ndim != 2,  # noqa: PLR2004 - that is what 2D means
        f"X must be 2D, rows by features, not {features.ndim}D; one feature is X.reshape(-1, 1)",
    )
    target = vector(y, "y", truth=True)
    refuse(len(features) != len(target), f"length mismatch: X has {len(features)} rows, y has {len(target)}")
    refuse(not features.size, f"X is empty ({features.shape[0]} rows, {features.shape[1]} columns)")
    names = X.columns if isinstance(X, pd.DataFrame) else range(features.shape[1])
    columns = {f"X column {name}": pd.Series(features[:, at]) for at, name in enumerate(names)} | {
        "y": target
    }
    for name, values in columns.items():
        _refuse_rows(infinite(values), f"infinite values in {name}")
    refuse(bool(pd.isna(features).all()) or target.isna().all(), "X or y holds no value, only NaN")
    odd = (
        [f"small training set: {len(target)} rows, fewer than {_SMALL_SET}"]
        if len(target) < _SMALL_SET
        else []
    )
    if _labelled_differently(X, y):
        odd.append("X and y have different row labels; they are matched by position")
    for name, values in columns.items():
        odd += [
            text
            for text in (count_and_first(values.isna(), f"NaN in {name}"), _variance(values, name))
            if text
        ]
    return True, odd


def _name(symbol: object) -> str:
    return f"{symbol}: " if symbol else ""


def _refuse_rows(mask: "pd.Series[bool]", what: str) -> None:
    found = count_and_first(mask, what)
    refuse(found, found)


def _warn(*texts: str) -> None:
    for text in texts:
        if text:
            warnings.warn(text, DataQualityWarning, stacklevel=3)  # the caller of the validator


def _variance(values: "pd.Series[float]", name: str) -> str:
    import numpy as np

    if values.count() < 2:  # noqa: PLR2004 - one value has no variance
        return ""
    with np.errstate(over="ignore", invalid="ignore"):
        variance = values.var(ddof=0)
    if variance < _LOW_VARIANCE:
        return f"low variance in {name}: {variance:g}"
    # An overflow is a variance too large to write down.
    return f"very high variance in {name}: {variance:g}" if not variance <= _HIGH_VARIANCE else ""


def _labelled_differently(one: object, other: object) -> bool:
    import pandas as pd

    both = isinstance(one, pd.DataFrame | pd.Series) and isinstance(other, pd.DataFrame | pd.Series)
    return both and len(one.index) == len(other.index) and not one.index.equals(other.index)  # type: ignore[attr-defined]
