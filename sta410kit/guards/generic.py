"""Great Expectations' generic expectations that the kit's suites use, evaluated in numpy on a `Panel`.

Each function has the arguments of the expectation of its name. It returns None where Great Expectations has
to decide: an argument or a kind of column that is not handled here.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit.guards.evidence import EVERY_ROW, Evidence, at_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from sta410kit.guards.panel import Panel

_PIECE = 1 << 18
_KEYS = {"symbol", "date"}
_EITHER = "either_value_is_missing"


def evaluate(panel: Panel, kind: str, kwargs: Mapping[str, Any]) -> Evidence | None:
    """Return what breaks a generic expectation, or None where Great Expectations has to decide."""
    judge = _GENERIC.get(kind)
    if judge is None:
        return None
    try:
        arguments = inspect.signature(judge).bind(panel, **kwargs)
        return judge(*arguments.args, **arguments.kwargs)
    except (TypeError, ValueError, KeyError, re.error):
        return None


def _row_count(panel: Panel, *, min_value: int | None = None, max_value: int | None = None) -> Evidence:
    return _table(_within(len(panel.frame), min_value, max_value), str(len(panel.frame)))


def _exists(panel: Panel, *, column: str) -> Evidence:
    return _table(column in panel.frame.columns, "no such column")


def _unique_values(
    panel: Panel, *, column: str, min_value: int | None = None, max_value: int | None = None
) -> Evidence:
    count = int(panel.frame[column].nunique())
    return _table(_within(count, min_value, max_value), f"{count} different values")


def _contains(panel: Panel, *, column: str, value_set: Sequence[Any]) -> Evidence:
    known = set(
        panel.symbols if column == "symbol" and panel.complete else panel.frame[column].dropna().unique()
    )
    missing = [str(value) for value in value_set if value not in known]
    return _table(not missing, f"no {', '.join(missing)}")


def _not_null(panel: Panel, *, column: str, mostly: float = EVERY_ROW) -> Evidence:
    frame = panel.frame
    known = panel.extremes(column)
    none_missing = panel.complete if column in _KEYS else known is not None and not known.missing
    bad = np.empty(0, np.int64) if none_missing else np.flatnonzero(frame[column].isna())
    return _rows(panel, bad, [column], len(frame), mostly)


def _type(panel: Panel, *, column: str, type_list: Sequence[str]) -> Evidence | None:
    """Judge text and objects value by value, and all other columns by their dtype."""
    values = panel.frame[column]
    dtype = values.dtype
    if isinstance(dtype, pd.api.extensions.ExtensionDtype) and not isinstance(dtype, pd.DatetimeTZDtype):
        dtype = getattr(dtype, "numpy_dtype", None) or values.to_numpy().dtype
    if dtype.kind != "O" and not isinstance(values.dtype, pd.StringDtype):
        return _table(dtype.name in type_list, f"the column is {dtype}")
    allowed = tuple(
        {"str": str, "int": int, "float": float}.get(name) or np.dtype(name).type for name in type_list
    )
    if isinstance(values.dtype, pd.StringDtype) and str in allowed:
        return _rows(panel, np.empty(0, np.int64), [column], len(values))
    good = np.fromiter((isinstance(value, allowed) for value in values), bool, len(values))
    return _rows(
        panel, np.flatnonzero(~good & values.notna().to_numpy()), [column], int(values.notna().sum())
    )


def _between(  # noqa: PLR0913 - Great Expectations' arguments
    panel: Panel,
    *,
    column: str,
    min_value: float | None = None,
    max_value: float | None = None,
    strict_min: bool = False,
    strict_max: bool = False,
    mostly: float = EVERY_ROW,
) -> Evidence | None:
    extremes, values = panel.extremes(column), panel.raw(column)
    if extremes is None or values is None:
        return None
    low, high, missing = extremes
    judged = len(values) - missing
    bounds = (min_value, max_value, strict_min, strict_max)
    if _inside(low, *bounds) and _inside(high, *bounds):
        return _rows(panel, np.empty(0, np.int64), [column], judged, mostly)
    bad = ~_inside(values, *bounds)
    if missing:
        bad &= ~np.isnan(values)
    return _rows(panel, np.flatnonzero(bad), [column], judged, mostly)


def _regex(panel: Panel, *, column: str, regex: str, mostly: float = EVERY_ROW) -> Evidence:
    pattern = re.compile(regex)
    if column == "symbol" and panel.complete and all(map(pattern.search, panel.symbols)):
        return _rows(panel, np.empty(0, np.int64), [column], len(panel.frame), mostly)
    codes, values = pd.factorize(panel.frame[column])
    matches = np.array([pattern.search(str(value)) is not None for value in values] + [True])
    return _rows(panel, np.flatnonzero(~matches[codes]), [column], int((codes >= 0).sum()), mostly)


def _pair(  # noqa: PLR0913 - Great Expectations' arguments
    panel: Panel,
    *,
    column_A: str,  # noqa: N803
    column_B: str,  # noqa: N803
    or_equal: bool = False,
    ignore_row_if: str = _EITHER,
    mostly: float = EVERY_ROW,
) -> Evidence | None:
    one, other = panel.raw(column_A), panel.raw(column_B)
    if one is None or other is None or ignore_row_if != _EITHER:
        return None
    compare = np.greater_equal if or_equal else np.greater
    bad = [
        start + np.flatnonzero(~compare(one[start : start + _PIECE], other[start : start + _PIECE]))
        for start in range(0, len(one), _PIECE)
    ]
    rows = np.concatenate([*bad, np.empty(0, np.int64)])
    judged = len(one)
    if len(rows):
        there = ~(np.isnan(one) | np.isnan(other))
        rows, judged = rows[there[rows]], int(there.sum())
    return _rows(panel, rows, [column_A, column_B], judged, mostly)


def _compound(panel: Panel, *, column_list: Sequence[str]) -> Evidence:
    frame, names = panel.frame, list(column_list)
    if set(names) == _KEYS and panel.complete and not len(panel.repeated) and not len(panel.timed):
        return _rows(panel, np.empty(0, np.int64), names, len(frame))
    there = frame[names].notna().any(axis=1)
    bad = np.flatnonzero(frame.duplicated(names, keep=False) & there)
    return _rows(panel, bad, names, int(there.sum()))


_GENERIC: dict[str, Callable[..., Evidence | None]] = {
    "expect_table_row_count_to_be_between": _row_count,
    "expect_column_to_exist": _exists,
    "expect_column_unique_value_count_to_be_between": _unique_values,
    "expect_column_distinct_values_to_contain_set": _contains,
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_in_type_list": _type,
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_match_regex": _regex,
    "expect_column_pair_values_a_to_be_greater_than_b": _pair,
    "expect_compound_columns_to_be_unique": _compound,
}


def _table(holds: bool, observed: str) -> Evidence:  # noqa: FBT001 - the one thing it takes
    """Return evidence about the table as a whole."""
    return Evidence(notes=() if holds else (observed,))


def _rows(
    panel: Panel, positions: NDArray[np.int64], columns: list[str], judged: int, mostly: float = EVERY_ROW
) -> Evidence:
    return at_positions(panel.frame, positions, columns=columns, judged=judged, mostly=mostly)


def _inside(
    values: Any,  # noqa: ANN401 - a number or an array of them
    least: float | None,
    most: float | None,
    strict_min: bool,  # noqa: FBT001
    strict_max: bool,  # noqa: FBT001
) -> Any:  # noqa: ANN401
    above: Any = True if least is None else values > least if strict_min else values >= least
    below: Any = True if most is None else values < most if strict_max else values <= most
    return above & below


def _within(count: int, least: float | None, most: float | None) -> bool:
    return (least is None or count >= least) and (most is None or count <= most)
