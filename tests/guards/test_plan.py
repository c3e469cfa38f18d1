"""What every gate asks besides its suite, unless the suite asks as much by itself."""

import pandas as pd
import pytest

from sta410kit.guards.plan import columns_of, plan_checks, with_run

pytestmark = pytest.mark.unit

BETWEEN, PRESENT = "expect_column_values_to_be_between", "expect_column_values_to_not_be_null"
ROWS = "expect_table_row_count_to_be_between"


def asks(kind, severity="critical", **kwargs):
    return {"type": kind, "meta": {"severity": severity}, "kwargs": kwargs}


def added(plan, kind):
    return [item for item in plan if item["type"] == kind and item["meta"].get("added_by") == "gate"]


@pytest.mark.parametrize(
    ("own", "enough"),
    [
        (asks(BETWEEN, column="value", min_value=-1, max_value=1), True),
        (asks(BETWEEN, column="value", min_value=-1, max_value=1, mostly=0.9), False),
        (asks(BETWEEN, column="value", min_value=-1), False),
        (asks(BETWEEN, "warning", column="value", min_value=-1, max_value=1), False),
        (asks(BETWEEN, column="value", min_value=-1, max_value=1, row_condition="value > 0"), False),
        (asks(PRESENT, column="value"), True),
        (asks(PRESENT, column="value", mostly=0.5), True),
        (asks(PRESENT, column="value", mostly=0), False),
        (asks(PRESENT, "info", column="value"), False),
        (asks(ROWS, min_value=100), True),
        (asks(ROWS, max_value=100), False),
        (asks(ROWS, "warning", min_value=100), False),
        (asks("expect_column_to_exist", column="value"), True),
    ],
)
def test_only_a_check_that_asks_as_much_replaces_that_of_the_gate(own, enough):
    """One that only warns, looks at some rows or has one bound leaves the hole that the gate closes."""
    plan, skipped = plan_checks([own], pd.DataFrame({"value": [1.0]}), None)
    assert (added(plan, own["type"]) == []) is enough
    assert skipped == []


def test_a_missing_column_is_asked_for_and_nothing_else_of_it():
    """What cannot be asked is named, with the column it lacks."""
    pair = asks("expect_column_pair_values_a_to_be_greater_than_b", column_A="high", column_B="low")
    plan, skipped = plan_checks([pair], pd.DataFrame({"high": [1.0]}), None)
    assert skipped == [f"{pair['type']}(high, low): no low", f"{PRESENT}(low): no low"]
    assert [item["kwargs"]["column"] for item in added(plan, "expect_column_to_exist")] == ["high", "low"]
    assert columns_of(pair["kwargs"]) == ["high", "low"]


def test_columns_the_suite_does_not_know_must_be_finite_too():
    """Such as a feature that a user has added; text is left alone."""
    plan, _ = plan_checks([], pd.DataFrame({"mine": [1.0], "count": [1], "name": ["a"]}), None)
    assert [item["kwargs"]["column"] for item in added(plan, BETWEEN)] == ["mine", "count"]


def test_symbols_that_were_asked_for_must_have_rows():
    """Each once, in order."""
    plan, _ = plan_checks([], pd.DataFrame({"symbol": ["A"]}), ["MSFT", "IBM", "IBM"])
    (item,) = added(plan, "expect_column_distinct_values_to_contain_set")
    assert item["kwargs"] == {"column": "symbol", "value_set": ["IBM", "MSFT"]}


def test_what_only_a_run_knows_is_filled_in_or_added():
    """A suite that asks already keeps its words and severity."""
    mine = asks("expect_last_session_to_be_recent", "warning", max_age=None)
    filled = with_run([mine], "kept.parquet", 3)
    assert filled[0] == {**mine, "kwargs": {"max_age": 3}}
    assert [item["type"] for item in filled[1:]] == ["expect_history_unrevised", "expect_schema_unchanged"]
    assert {item["kwargs"]["snapshot"] for item in filled[1:]} == {"kept.parquet"}
    assert with_run([mine], None, None) == [mine]
