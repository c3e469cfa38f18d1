"""What a gate evaluates: the suite's expectations, and those without which a gate would pass emptiness.

Great Expectations passes every row check on an empty frame, raises inside a check whose column is missing,
and accepts an all-null column. Every gate therefore also checks that there are rows, that each column the
suite names exists and holds something, and that no number is infinite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sta410kit.guards.result import CRITICAL
from sta410kit.guards.suites import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from sta410kit._internal.universe import Universe

LARGEST = 1e300  # anything beyond is infinite for all practical purposes
_ALMOST_NONE = 1e-9  # `mostly` at this share fails only when every value is null
_ROWS, _EXISTS = "expect_table_row_count_to_be_between", "expect_column_to_exist"
_PRESENT, _BETWEEN = "expect_column_values_to_not_be_null", "expect_column_values_to_be_between"
_OF_EXCHANGES = ("expect_sessions_to_match_calendar", "expect_last_session_to_be_recent")
_OF_A_RUN = {
    "expect_history_unrevised": "Sessions accepted before have the values they had then.",
    "expect_schema_unchanged": "Columns are those of the last accepted snapshot.",
    "expect_last_session_to_be_recent": "The last row of each symbol is recent.",
}


def plan_checks(
    expectations: Sequence[dict[str, Any]], frame: pd.DataFrame, symbols: Iterable[str] | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the expectations to evaluate on `frame`, and names of those a missing column rules out.

    The suite's own come first; what every gate adds follows, and never repeats what the suite already has.
    """
    columns = list(dict.fromkeys(name for item in expectations for name in columns_of(item["kwargs"])))
    added = [_added(_ROWS, "The frame holds at least one row.", min_value=1)]
    for name in columns:
        added.append(_added(_EXISTS, f"There is a column {name}.", column=name))
        words = f"Column {name} is not empty throughout."
        added.append(_added(_PRESENT, words, column=name, mostly=_ALMOST_NONE))
    for name in map(str, frame.select_dtypes("number").columns):  # a feature that a user added, too
        words = f"Column {name} is finite."
        added.append(_added(_BETWEEN, words, column=name, min_value=-LARGEST, max_value=LARGEST))
    if symbols is not None:
        wanted = sorted({str(symbol) for symbol in symbols})
        kind = "expect_column_distinct_values_to_contain_set"
        added.append(_added(kind, "Every symbol asked for has rows.", column="symbol", value_set=wanted))
    every = [*expectations, *(item for item in added if not any(_covers(own, item) for own in expectations))]
    possible, skipped = [], []
    for item in every:
        named = columns_of(item["kwargs"])
        missing = [name for name in named if name not in frame.columns]
        if missing and item["type"] != _EXISTS:
            skipped.append(f"{item['type']}({', '.join(named)}): no {', '.join(missing)}")
        else:
            possible.append(item)
    return possible, skipped


def with_run(  # noqa: PLR0913, PLR0917 - what only a run knows
    expectations: Sequence[dict[str, Any]],
    snapshot: str | Path | None,
    max_age: int | None,
    exchange: str | None = None,
    prices: pd.DataFrame | None = None,
    universe: Universe | None = None,
) -> list[dict[str, Any]]:
    """Return the expectations with what only this run knows filled in; what the suite lacks is added."""
    market: dict[str, Any] = {"calendar": exchange, "calendars": {}} if exchange else {}
    if universe:
        market["members"] = {
            symbol: [[f"{first}", f"{last}"] for first, last in periods]
            for symbol, periods in universe.periods.items()
        }
    filled = [
        {**item, "kwargs": {**item["kwargs"], **market}} if item["type"] in _OF_EXCHANGES else item
        for item in expectations
    ]
    values: dict[str, tuple[str, Any]] = {
        "expect_history_unrevised": ("snapshot", snapshot and str(snapshot)),
        "expect_schema_unchanged": ("snapshot", snapshot and str(snapshot)),
        "expect_last_session_to_be_recent": ("max_age", max_age),
        "expect_missing_only_in_warm_up": ("gaps", None if prices is None else gaps_of(prices)),
    }
    for kind, (name, value) in values.items():
        if value is None:
            continue
        places = [number for number, item in enumerate(filled) if item["type"] == kind]
        if not places and kind in _OF_A_RUN:
            filled.append(_added(kind, _OF_A_RUN[kind], **{name: value}))
        for number in places:
            filled[number] = {**filled[number], "kwargs": {**filled[number]["kwargs"], name: value}}
    return filled


def gaps_of(prices: pd.DataFrame) -> dict[str, list[str]]:
    """Return the sessions without a close, by symbol."""
    gaps = prices.loc[prices["close"].isna(), ["symbol", "date"]]
    days = gaps["date"].dt.strftime("%Y-%m-%d")
    return {
        str(symbol): days[rows].tolist()
        for symbol, rows in gaps.groupby("symbol", observed=True).groups.items()
    }


def _covers(own: Mapping[str, Any], added: Mapping[str, Any]) -> bool:
    """Return whether an expectation of the suite already demands at least what the gate would add."""
    asks, wants = own["kwargs"], added["kwargs"]
    if own["type"] != added["type"] or own["meta"]["severity"] != CRITICAL or asks.get("row_condition"):
        return False
    if own["type"] == _ROWS:
        return _at_least(asks.get("min_value"), 1)
    if asks.get("column") != wants.get("column"):
        return False
    if own["type"] == _PRESENT:
        return _at_least(asks.get("mostly", 1), _ALMOST_NONE)
    if own["type"] == _BETWEEN:
        bounded = None not in (asks.get("min_value"), asks.get("max_value"))
        return bounded and _at_least(asks.get("mostly", 1), 1)
    return bool(own["type"] == _EXISTS)


def _at_least(asked: object, bound: float) -> bool:
    return isinstance(asked, int | float) and asked >= bound


def _added(kind: str, description: str, **kwargs: object) -> dict[str, Any]:
    meta = {"severity": CRITICAL, "added_by": "gate"}
    return {"type": kind, "kwargs": kwargs, "meta": meta, "description": description}
