"""What a gate asks of a frame: the suite's expectations, and those without which it would pass in silence.

Great Expectations passes every row check on an empty frame, raises inside a check whose column is missing,
and calls an all-null column fine unless told otherwise. Every gate therefore also asks that there are rows,
that each column the suite speaks of exists and holds something, and that no number is infinite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sta410kit.guards.result import CRITICAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

LARGEST = 1e300  # anything beyond is infinite for all practical purposes
_SINCE_SNAPSHOT = ("expect_history_unrevised", "expect_schema_unchanged")
_DESCRIPTIONS = {
    "expect_history_unrevised": "Sessions accepted before have the values they had then.",
    "expect_schema_unchanged": "Columns are those of the last accepted snapshot.",
    "expect_last_session_to_be_recent": "The last row of each symbol is recent.",
}
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
    added += _finite_numbers(frame)
    if symbols is not None:
        added.append(_coverage(symbols))
    every = [*expectations, *(item for item in added if not any(_covers(own, item) for own in expectations))]
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


def with_run(
    expectations: Sequence[dict[str, Any]], snapshot: str | Path | None, max_age: int | None
) -> list[dict[str, Any]]:
    """Return the expectations with what only this run knows filled in; what the suite lacks is added."""
    filled = list(expectations)
    wanted: dict[str, tuple[str, object]] = {}
    if snapshot is not None:
        wanted |= dict.fromkeys(_SINCE_SNAPSHOT, ("snapshot", str(snapshot)))
    if max_age is not None:
        wanted["expect_last_session_to_be_recent"] = ("max_age", max_age)
    for kind, (key, value) in wanted.items():
        places = [number for number, item in enumerate(filled) if item["type"] == kind]
        if not places:
            filled.append(_check(kind, _DESCRIPTIONS[kind], **{key: value}))
        for number in places:
            filled[number] = {**filled[number], "kwargs": {**filled[number]["kwargs"], key: value}}
    return filled


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


def _finite_numbers(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Ask that numbers are finite, in columns the suite does not know too, such as a feature a user added."""
    return [
        _check(
            "expect_column_values_to_be_between",
            f"Column {name} is finite.",
            column=str(name),
            min_value=-LARGEST,
            max_value=LARGEST,
        )
        for name in frame.select_dtypes("number").columns
    ]


def _covers(own: Mapping[str, Any], added: Mapping[str, Any]) -> bool:
    """Tell whether an expectation of the suite already asks at least what the gate would add."""
    asks, wants = own["kwargs"], added["kwargs"]
    if (
        own["type"] != added["type"]
        or own["meta"]["severity"] != CRITICAL
        or asks.get("row_condition")
        or asks.get("column") != wants.get("column")
    ):
        return False
    if own["type"] == "expect_table_row_count_to_be_between":
        return _at_least(asks.get("min_value"), 1)
    if own["type"] == "expect_column_values_to_not_be_null":
        return _at_least(asks.get("mostly", 1), _ALMOST_NONE)
    if own["type"] == "expect_column_values_to_be_between":
        bounded = None not in (asks.get("min_value"), asks.get("max_value"))
        return bounded and _at_least(asks.get("mostly", 1), 1)
    return bool(own["type"] == "expect_column_to_exist")


def _at_least(asked: object, bound: float) -> bool:
    return isinstance(asked, int | float) and asked >= bound


def _coverage(symbols: Iterable[str]) -> dict[str, Any]:
    return _check(
        "expect_column_distinct_values_to_contain_set",
        "Every symbol asked for has rows.",
        column="symbol",
        value_set=sorted({str(symbol) for symbol in symbols}),
    )


def _check(kind: str, description: str, **kwargs: object) -> dict[str, Any]:
    return {
        "type": kind,
        "kwargs": kwargs,
        "meta": {"severity": CRITICAL, "added_by": "gate"},
        "description": description,
    }
