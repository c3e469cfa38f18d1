"""Generic expectations that plainly hold, proven from a column's extremes instead of row by row.

The screen never says that something fails: what it cannot prove is evaluated by Great Expectations.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sta410kit.guards.panel import Panel

EXAMPLE_ROWS = 20
_PIECE = 1 << 18
_WITH_MISSING = {"expect_column_values_to_not_be_null", "expect_column_values_to_be_between"}


class Extremes(NamedTuple):
    """The smallest and the largest number of a column, and how many of its rows hold none."""

    low: float
    high: float
    missing: int


class Screen:
    """What can be said of a frame at a glance.

    Parameters
    ----------
    frame : pandas.DataFrame
        The frame that is judged.
    panel : Panel
        Its rows by symbol and session.
    """

    def __init__(self, frame: pd.DataFrame, panel: Panel) -> None:
        self.frame = frame
        self.panel = panel
        self._extremes: dict[str, Extremes | None] = {}
        self._proofs: dict[str, Callable[[dict[str, Any]], bool]] = {
            "expect_table_row_count_to_be_between": self._row_count,
            "expect_column_to_exist": self._exists,
            "expect_column_values_to_not_be_null": self._not_null,
            "expect_column_values_to_be_in_type_list": self._type,
            "expect_column_values_to_be_between": self._between,
            "expect_column_values_to_match_regex": self._regex,
            "expect_column_pair_values_a_to_be_greater_than_b": self._pair,
            "expect_compound_columns_to_be_unique": self._unique,
            "expect_column_distinct_values_to_contain_set": self._contains,
        }

    def proves(self, item: dict[str, Any]) -> bool:
        """Whether the expectation certainly holds."""
        proof = self._proofs.get(item["type"])
        kwargs = dict(item["kwargs"])
        if proof is None or not len(self.frame) or any(isinstance(value, dict) for value in kwargs.values()):
            return False
        try:
            return bool(proof(kwargs)) and not kwargs  # an argument that no proof looked at proves nothing
        except (TypeError, ValueError, re.error):
            return False

    def result(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return what Great Expectations would have said of it."""
        if item["type"] == "expect_column_to_exist":
            return {}
        if item["type"] == "expect_table_row_count_to_be_between":
            return {"observed_value": len(self.frame)}
        if item["type"] == "expect_column_distinct_values_to_contain_set":
            return {"observed_value": sorted(self.panel.symbols)}
        rows, kwargs = len(self.frame), item["kwargs"]
        missing = self._missing(kwargs["column"]) if item["type"] in _WITH_MISSING else 0
        result = {
            "element_count": rows,
            "unexpected_count": 0,
            "unexpected_percent": 0.0,
            "partial_unexpected_list": [],
            "partial_unexpected_counts": [],
            "partial_unexpected_index_list": [],
        }
        if not missing:
            return result
        if item["type"] != "expect_column_values_to_not_be_null":
            return result | {"missing_count": missing, "missing_percent": 100 * missing / rows}
        examples = self._examples(kwargs["column"])
        return result | {
            "unexpected_count": missing,
            "unexpected_percent": 100 * missing / rows,
            "partial_unexpected_list": [None] * len(examples),
            "partial_unexpected_counts": [{"value": None, "count": 1} for _ in examples],
            "partial_unexpected_index_list": examples,
        }

    def _row_count(self, kwargs: dict[str, Any]) -> bool:
        least, most = kwargs.pop("min_value", None), kwargs.pop("max_value", None)
        return (least is None or len(self.frame) >= least) and (most is None or len(self.frame) <= most)

    def _exists(self, kwargs: dict[str, Any]) -> bool:
        return kwargs.pop("column") in self.frame.columns

    def _not_null(self, kwargs: dict[str, Any]) -> bool:
        mostly, name = kwargs.pop("mostly", 1.0), kwargs.pop("column")
        if name in {"symbol", "date"} and self.panel.ready:
            return self.panel.complete
        missing, rows = self._missing(name), len(self.frame)
        # Rows that are missing all the same are named, which takes a symbol and a date.
        return not missing or (self.panel.complete and (rows - missing) / rows >= mostly)

    def _type(self, kwargs: dict[str, Any]) -> bool:
        dtype, kinds = self.frame[kwargs.pop("column")].dtype, kwargs.pop("type_list")
        text = isinstance(dtype, pd.StringDtype) and "str" in kinds
        return text or (isinstance(dtype, np.dtype) and dtype.kind != "O" and dtype.name in kinds)

    def _between(self, kwargs: dict[str, Any]) -> bool:
        kwargs.pop("mostly", None)
        extremes = self._extremes_of(kwargs.pop("column"))
        least, most = kwargs.pop("min_value", None), kwargs.pop("max_value", None)
        above, below = kwargs.pop("strict_min", False), kwargs.pop("strict_max", False)
        if extremes is None:
            return False
        low, high, _ = extremes
        enough = least is None or low > least or (low == least and not above)
        return enough and (most is None or high < most or (high == most and not below))

    def _regex(self, kwargs: dict[str, Any]) -> bool:
        pattern = re.compile(kwargs.pop("regex"))
        known = kwargs.pop("column") == "symbol" and self.panel.ready and self.panel.complete
        return known and all(pattern.match(name) for name in self.panel.symbols)

    def _pair(self, kwargs: dict[str, Any]) -> bool:
        if kwargs.pop("ignore_row_if", "either_value_is_missing") != "either_value_is_missing":
            return False
        one, other = (self.panel.raw(kwargs.pop(key)) for key in ("column_A", "column_B"))
        compare = np.greater_equal if kwargs.pop("or_equal", False) else np.greater
        if one is None or other is None:
            return False
        return all(
            compare(one[start : start + _PIECE], other[start : start + _PIECE]).all()
            for start in range(0, len(one), _PIECE)
        )

    def _unique(self, kwargs: dict[str, Any]) -> bool:
        columns = kwargs.pop("column_list")
        if set(columns) == {"symbol", "date"}:
            whole = self.panel.ready and self.panel.complete
            return whole and not len(self.panel.repeated) and not len(self.panel.timed)
        return not self.frame.duplicated(columns).any()

    def _contains(self, kwargs: dict[str, Any]) -> bool:
        name, wanted = kwargs.pop("column"), kwargs.pop("value_set")
        return name == "symbol" and self.panel.ready and set(wanted) <= set(self.panel.symbols)

    def _missing(self, name: str) -> int:
        if name in {"symbol", "date"} and self.panel.complete:
            return 0  # the panel has looked at every row already
        extremes = self._extremes_of(name)
        return int(self.frame[name].isna().sum()) if extremes is None else extremes.missing

    def _examples(self, name: str) -> list[dict[str, Any]]:
        """Name the first rows in which a column holds nothing, as Great Expectations names them."""
        rows = self.frame.loc[self.frame[name].isna(), ["symbol", "date"]].head(EXAMPLE_ROWS)
        return [
            {name: None, "symbol": symbol, "date": date.isoformat()}
            for symbol, date in zip(rows["symbol"], rows["date"], strict=True)
        ]

    def _extremes_of(self, name: str) -> Extremes | None:
        """Return the extremes of a column of numbers; nothing for any other, and when no row holds one."""
        if name not in self._extremes:
            values = self.panel.raw(name)
            self._extremes[name] = None if values is None or not len(values) else _extremes(values)
        return self._extremes[name]


def _extremes(values: NDArray[Any]) -> Extremes | None:
    low, high = values.min(), values.max()  # a NaN anywhere is the smallest and the largest
    if values.dtype.kind != "f":
        return Extremes(low, high, 0)
    if not np.isnan(low):
        return Extremes(float(low), float(high), 0)
    there = values[~np.isnan(values)]
    return Extremes(float(there.min()), float(there.max()), len(values) - len(there)) if len(there) else None
