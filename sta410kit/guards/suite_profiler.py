"""A first draft of a suite, from the data it is meant for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.guards.suites import PRICE_COLUMNS, columns_of, read_suite

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_MARGIN = 0.5  # of the distance between median and outer quantile, beyond the extreme seen
_OUTER = 0.005
_NAME = re.compile(r"[\w.-]+")
_NUMBERS = ["float64", "float32", "int64", "int32", "uint64", "uint32"]
_DATES = [f"datetime64[{unit}]" for unit in ("s", "ms", "us", "ns")]


def draft_suite(frame: pd.DataFrame, name: str) -> dict[str, Any]:
    """Return a suite that accepts `frame`, as the content of a suite file.

    Every column must be there, be of its type and lie within bounds that stand a margin outside of what was
    seen. A frame of prices gets what the kit's own ``prices`` suite asks, too; expectations that these data
    do not meet are left out, and the notes name them, for a person to decide.

    Parameters
    ----------
    frame : pandas.DataFrame
        The data.
    name : str
        The suite's name, which is also its file's.

    Raises
    ------
    ConfigurationError
        The name has other signs than letters, digits, ``_``, ``.`` and ``-``.
    DataValidationError
        There is nothing to learn from: no rows, no columns, or column names no suite can speak of.
    """
    from sta410kit.guards.evaluation import evaluate
    from sta410kit.guards.gate import structure_problem

    if not _NAME.fullmatch(name):
        message = f"{name!r} cannot be the name of a suite; use letters, digits, '_', '.' and '-'"
        raise ConfigurationError(message)
    problem = structure_problem(frame)
    if problem or not len(frame) or not len(frame.columns):
        reason = problem.message if problem else "it has no rows or no columns"
        message = f"no suite can be drafted from this frame: {reason}"
        raise DataValidationError(message)
    drafted = [_check("expect_table_row_count_to_be_between", "There is at least one row.", min_value=1)]
    for column in frame.columns:
        drafted += _of_column(frame[column], str(column))
    if {"symbol", "date"}.issubset(frame.columns):
        words = "No session of a symbol appears twice."
        drafted.append(_check("expect_compound_columns_to_be_unique", words, column_list=["symbol", "date"]))
    if set(PRICE_COLUMNS).issubset(frame.columns):
        known = {(item["type"], str(item["kwargs"])) for item in drafted}
        drafted += [
            _for_these(item, frame)
            for item in read_suite("prices").expectations
            if (item["type"], str(item["kwargs"])) not in known and item["type"] not in _LEARNED
        ]
    # Every gate refuses an empty column that its suite speaks of.
    empty = {str(column) for column in frame.columns if frame[column].isna().all()}
    drafted = [item for item in drafted if not empty.intersection(columns_of(item["kwargs"]))]
    checks, _ = evaluate(name, drafted, frame)
    kept = [check.config for check in checks if check.held]
    left = [check.config["description"] for check in checks if not check.held]
    notes = f"Drafted from {len(frame):,} rows; thresholds lie a margin outside of what was seen in them."
    if left:
        notes += " Left out, because these data do not meet it: " + " ".join(left)
    if empty:
        notes += f" Nothing is asked of columns that are empty throughout: {', '.join(sorted(empty))}."
    return {"name": name, "expectations": kept, "notes": notes}


_LEARNED = {
    "expect_table_row_count_to_be_between",
    "expect_column_to_exist",
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_be_between",
    "expect_compound_columns_to_be_unique",
}


def _of_column(values: pd.Series[Any], name: str) -> list[dict[str, Any]]:
    from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

    drafted = [_check("expect_column_to_exist", f"There is a column {name}.", column=name)]
    missing = float(values.isna().mean())
    if missing < 1:
        some = {} if not missing else {"mostly": round(max(0.0, 1 - 2 * missing), 4) or 1e-9}
        words = f"Column {name} has a value in {'every row' if not missing else 'most rows'}."
        drafted.append(_check("expect_column_values_to_not_be_null", words, column=name, **some))
    of_type = "expect_column_values_to_be_in_type_list"
    if is_numeric_dtype(values.dtype) and not is_bool_dtype(values.dtype) and values.dtype.kind != "c":
        words = f"Column {name} holds numbers."
        drafted.append(_check(of_type, words, column=name, type_list=_NUMBERS))
        drafted += _bounds(values.dropna().to_numpy(float), name)
    elif is_datetime64_any_dtype(values.dtype):
        words = f"Column {name} holds dates."
        drafted.append(_check(of_type, words, column=name, type_list=_DATES))
    return drafted


def _bounds(values: NDArray[np.float64], name: str) -> list[dict[str, Any]]:
    """Return bounds a margin outside of the values; what was never below zero stays there."""
    import numpy as np

    values = values[np.isfinite(values)]
    if not len(values):
        return []
    low, lower, middle, upper, high = np.quantile(values, [0, _OUTER, 0.5, 1 - _OUTER, 1])
    least = low - _MARGIN * max(middle - lower, abs(low) * 0.1)
    most = high + _MARGIN * max(upper - middle, abs(high) * 0.1)
    if low >= 0:
        least = max(least, 0.0)
    strict = {"strict_min": True} if low > 0 and least == 0 else {}
    least, most = (float(f"{bound:.4g}") for bound in (least, most))
    words = f"Column {name} lies within {least:g} and {most:g}."
    limits = {"min_value": min(least, low), "max_value": max(most, high), **strict}
    return [_check("expect_column_values_to_be_between", words, column=name, **limits)]


def _for_these(item: dict[str, Any], frame: pd.DataFrame) -> dict[str, Any]:
    """Fit what the kit's suite says of its own five symbols to those of the frame: their first sessions."""
    if item["type"] != "expect_sessions_to_match_calendar" or frame["date"].dtype.kind != "M":
        return item
    begins = frame.groupby(frame["symbol"].astype(str))["date"].min().dropna()
    late = begins[begins > begins.min()] if len(begins) else begins
    starts = {str(symbol): str(day)[:10] for symbol, day in late.items()}
    return {**item, "kwargs": {**item["kwargs"], "starts": starts, "ends": {}}}


def _check(kind: str, description: str, **kwargs: object) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, "meta": {"severity": "critical"}, "description": description}
