"""What a gate asks of a frame: the suite's expectations, and those without which it would pass in silence.

Great Expectations passes every row check on an empty frame, raises inside a check whose column is missing,
and calls an all-null column fine unless told otherwise. Every gate therefore also asks that there are rows,
that each column the suite speaks of exists and holds something, and that no number is infinite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

LARGEST = 1e300  # anything beyond is infinite for all practical purposes
_ALMOST_NONE = 1e-9  # `mostly` at this share fails only when every value is null


def columns_of(kwargs: Mapping[str, Any]) -> list[str]:
    """Return the columns an expectation speaks of, in order."""
    named = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    for key in ("column_list", "column_set"):
        named += kwargs.get(key) or []
    return list(dict.fromkeys(str(name) for name in named))


def plan_checks(
    expectations: Sequence[dict[str, Any]], frame: pd.DataFrame, symbols: Iterable[str] | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the expectations to evaluate on `frame`, and names of those a missing column rules out.

    The suite's own come first; what every gate adds follows, and never repeats what the suite already asks.
    """
    spoken_of = list(dict.fromkeys(name for item in expectations for name in columns_of(item["kwargs"])))
    added = _rows_and_columns(spoken_of)
    added += _unmentioned_numbers(frame, spoken_of)
    if symbols is not None:
        added.append(_coverage(symbols))
    asked = {(item["type"], item["kwargs"].get("column")) for item in expectations}
    every = [
        *expectations,
        *(item for item in added if (item["type"], item["kwargs"].get("column")) not in asked),
    ]
    there = {str(name) for name in frame.columns}
    possible, skipped = [], []
    for item in every:
        missing = [name for name in columns_of(item["kwargs"]) if name not in there]
        if missing and item["type"] != "expect_column_to_exist":
            skipped.append(
                f"{item['type']}({', '.join(columns_of(item['kwargs']))}): no {', '.join(missing)}"
            )
        else:
            possible.append(item)
    return possible, skipped


def _rows_and_columns(columns: Iterable[str]) -> list[dict[str, Any]]:
    checks = [
        _check("expect_table_row_count_to_be_between", "The frame holds at least one row.", min_value=1)
    ]
    for name in columns:
        checks.append(_check("expect_column_to_exist", f"There is a column {name}.", column=name))
        checks.append(
            _check(
                "expect_column_values_to_not_be_null",
                f"Column {name} is not empty throughout.",
                column=name,
                mostly=_ALMOST_NONE,
            )
        )
    return checks


def _unmentioned_numbers(frame: pd.DataFrame, mentioned: Iterable[str]) -> list[dict[str, Any]]:
    """Numeric columns the suite does not know, such as a feature a user added, must be finite too."""
    numeric = [str(name) for name in frame.select_dtypes("number").columns]
    return [
        _check(
            "expect_column_values_to_be_between",
            f"Column {name} is finite.",
            column=name,
            min_value=-LARGEST,
            max_value=LARGEST,
        )
        for name in numeric
        if name not in set(mentioned)
    ]


def _coverage(symbols: Iterable[str]) -> dict[str, Any]:
    return _check(
        "expect_column_distinct_values_to_contain_set",
        "Every symbol asked for has rows.",
        column="symbol",
        value_set=sorted(set(symbols)),
    )


def _check(kind: str, description: str, **kwargs: object) -> dict[str, Any]:
    return {
        "type": kind,
        "kwargs": kwargs,
        "meta": {"severity": "critical", "added_by": "gate"},
        "description": description,
    }
