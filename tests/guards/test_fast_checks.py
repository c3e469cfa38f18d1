"""What is proven at a glance reads as if Great Expectations had looked at every row."""

import json

import great_expectations as gx
import numpy as np
import pandas as pd
import pytest

from sta410kit.guards import fast_checks
from sta410kit.guards.contracts import evaluate
from sta410kit.guards.panel import Panel

pytestmark = pytest.mark.integration

BETWEEN = {"type": "expect_column_values_to_be_between", "meta": {}}
PRESENT = {"type": "expect_column_values_to_not_be_null", "meta": {}}


@pytest.fixture
def warm_up():
    """Return a frame whose feature begins late: 30 of 120 rows hold nothing."""
    days = pd.bdate_range("2024-01-02", periods=60, unit="us")
    value = np.linspace(-1, 1, 120)
    value[:25], value[60:65] = np.nan, np.nan
    return pd.DataFrame({"symbol": ["A"] * 60 + ["B"] * 60, "date": [*days, *days], "value": value})


def bare(items, frame):
    """Return what Great Expectations says by itself, in the order of the question."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = (
        context.data_sources.add_pandas("bare")
        .add_dataframe_asset("frame")
        .add_batch_definition_whole_dataframe("whole")
        .get_batch({"dataframe": frame.astype({"symbol": object})})
    )
    form = {
        "result_format": "SUMMARY",
        "partial_unexpected_count": 20,
        "unexpected_index_column_names": ["symbol", "date"],
    }
    for item in items:
        suite = gx.ExpectationSuite("bare", expectations=[{k: item[k] for k in ("type", "kwargs", "meta")}])
        yield batch.validate(suite, result_format=form).to_json_dict()["results"][0]


@pytest.mark.parametrize(
    ("item", "proven"),
    [
        (BETWEEN | {"kwargs": {"column": "value", "min_value": -1, "max_value": 1}}, True),
        (BETWEEN | {"kwargs": {"column": "value", "min_value": -1, "max_value": 0.5}}, False),
        (BETWEEN | {"kwargs": {"column": "value", "max_value": 1, "strict_max": True}}, False),
        (PRESENT | {"kwargs": {"column": "value", "mostly": 0.75}}, True),
        (PRESENT | {"kwargs": {"column": "value", "mostly": 0.76}}, False),
        (PRESENT | {"kwargs": {"column": "value"}}, False),
    ],
)
def test_missing_values_are_counted_and_named_as_great_expectations_does(warm_up, item, proven):
    """The verdict, the counts and the rows that are named; and what does not hold is not proven."""
    assert fast_checks.Screen(warm_up, Panel(warm_up)).proves(item) is proven
    (own,) = evaluate("mine", [item], warm_up)["results"]
    (other,) = bare([item], warm_up)
    assert own["success"] is other["success"]
    own, other = json.loads(json.dumps(own["result"], default=str)), other["result"]
    assert {name: other[name] for name in own} == own
    assert own["unexpected_count"] == other["unexpected_count"]
    assert own.get("missing_count", 0) == other.get("missing_count", 0)


def test_a_column_without_any_number_is_not_proven(warm_up):
    """There is no smallest of none; Great Expectations decides."""
    empty = warm_up.assign(value=np.nan)
    seen = fast_checks.Screen(empty, Panel(empty))
    assert seen.proves(BETWEEN | {"kwargs": {"column": "value", "min_value": 0}}) is False
    assert seen.proves(PRESENT | {"kwargs": {"column": "value", "mostly": 0.1}}) is False


def test_rows_without_a_symbol_are_not_named_at_a_glance(warm_up):
    """A row that cannot be named is left to Great Expectations."""
    warm_up.loc[3, "symbol"] = None
    seen = fast_checks.Screen(warm_up, Panel(warm_up))
    assert seen.proves(PRESENT | {"kwargs": {"column": "value", "mostly": 0.5}}) is False


def asks(kind, **kwargs):
    return {"type": f"expect_{kind}", "meta": {}, "kwargs": kwargs}


@pytest.mark.parametrize(
    ("item", "proven"),
    [
        (asks("column_values_to_be_between", column="less", min_value=0, strict_min=True), False),
        (asks("column_values_to_be_between", column="less", min_value=0, allow_cross_type=True), False),
        (asks("column_values_to_be_between", column="value", min_value={"$PARAMETER": "low"}), False),
        (asks("column_values_to_match_regex", column="symbol", regex="[AB]"), True),
        (asks("column_values_to_match_regex", column="symbol", regex="A"), False),
        (asks("column_pair_values_a_to_be_greater_than_b", column_A="more", column_B="less"), False),
        (
            asks(
                "column_pair_values_a_to_be_greater_than_b", column_A="more", column_B="less", or_equal=True
            ),
            True,
        ),
        (asks("compound_columns_to_be_unique", column_list=["symbol", "date"]), True),
        (asks("compound_columns_to_be_unique", column_list=["symbol", "more"]), False),
        (asks("column_distinct_values_to_contain_set", column="symbol", value_set=["A", "C"]), False),
        (asks("table_row_count_to_be_between", min_value=121), False),
        (asks("nothing_the_kit_knows", column="value"), False),
    ],
)
def test_only_what_holds_in_every_row_is_proven(warm_up, item, proven):
    """A bound that is met where it may not be, a name that does not match, an argument nobody looked at."""
    frame = warm_up.assign(less=0.0, more=np.where(np.arange(120) == 60, 0.0, 1.0))
    assert fast_checks.Screen(frame, Panel(frame)).proves(item) is proven
