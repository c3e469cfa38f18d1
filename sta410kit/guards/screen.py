"""Generic expectations that plainly hold, proven from a column's extremes instead of row by row.

The screen never says that something fails: what it cannot prove is evaluated by Great Expectations.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sta410kit.guards.panel import Panel

_PIECE = 1 << 18


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
        self._extremes: dict[str, tuple[float, float] | None] = {}
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
        return {
            "element_count": len(self.frame),
            "unexpected_count": 0,
            "unexpected_percent": 0.0,
            "partial_unexpected_list": [],
            "partial_unexpected_counts": [],
            "partial_unexpected_index_list": [],
        }

    def _row_count(self, kwargs: dict[str, Any]) -> bool:
        least, most = kwargs.pop("min_value", None), kwargs.pop("max_value", None)
        return (least is None or len(self.frame) >= least) and (most is None or len(self.frame) <= most)

    def _exists(self, kwargs: dict[str, Any]) -> bool:
        return kwargs.pop("column") in self.frame.columns

    def _not_null(self, kwargs: dict[str, Any]) -> bool:
        kwargs.pop("mostly", None)
        name = kwargs.pop("column")
        if name in {"symbol", "date"} and self.panel.ready:
            return self.panel.complete
        extremes = self._extremes_of(name)
        if extremes is not None:
            return not np.isnan(extremes[0])
        return bool(self.frame[name].notna().all())

    def _type(self, kwargs: dict[str, Any]) -> bool:
        dtype, kinds = self.frame[kwargs.pop("column")].dtype, kwargs.pop("type_list")
        text = isinstance(dtype, pd.StringDtype) and "str" in kinds
        return text or (isinstance(dtype, np.dtype) and dtype.kind != "O" and dtype.name in kinds)

    def _between(self, kwargs: dict[str, Any]) -> bool:
        kwargs.pop("mostly", None)
        extremes = self._extremes_of(kwargs.pop("column"))
        least, most = kwargs.pop("min_value", None), kwargs.pop("max_value", None)
        above, below = kwargs.pop("strict_min", False), kwargs.pop("strict_max", False)
        if extremes is None or np.isnan(extremes[0]):
            return False
        low, high = extremes
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

    def _extremes_of(self, name: str) -> tuple[float, float] | None:
        """Return smallest and largest value, both NaN when any is missing; nothing for other than numbers."""
        if name not in self._extremes:
            values = self.panel.raw(name)
            self._extremes[name] = None if values is None or not len(values) else _extremes(values)
        return self._extremes[name]


def _extremes(values: NDArray[Any]) -> tuple[float, float]:
    if values.dtype.kind != "f":
        return values.min(), values.max()
    low, high = float(values.min()), float(values.max())  # a NaN anywhere is the smallest and the largest
    return low, high
