"""The gate judges any frame, names the rows, and never answers with a traceback."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames, range_indexes

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.guards.result import Check, GuardResult

pytestmark = pytest.mark.unit


def failed(result):
    """Return what failed as (expectation, column) pairs."""
    return {(failure.expectation, failure.column) for failure in result.critical}


def test_clean_prices_are_accepted(prices):
    """A clean frame passes with no failure and every check evaluated."""
    result = guards.validate(prices, "prices")
    assert result.passed
    assert result.failures == ()
    assert result.row_count == 6
    assert result.evaluated >= 39
    assert result.require() is result


def test_the_embedded_prices_are_accepted():
    """The crash of 2000-09-29 and the splits in the shipped prices are no reason to refuse them."""
    from sta410kit.market import load_prices

    result = guards.validate(load_prices(), "prices", symbols=["AAPL", "FB", "GOOG", "IBM", "MSFT"])
    assert result.failures == ()
    assert result.row_count == 12154


def test_a_high_below_its_low_is_named_with_symbol_and_date(prices):
    """The failure says which expectation, which row and which values."""
    prices.loc[4, "high"] = 1.0
    result = guards.validate(prices, "prices")
    assert ("expect_column_pair_values_a_to_be_greater_than_b", "high, low") in failed(result)
    failure = next(f for f in result.failures if f.column == "high, low")
    assert failure.count == 1
    assert failure.rows == ({"high": 1.0, "low": 20.0, "symbol": "BBB", "date": "2024-01-03"},)
    with pytest.raises(DataValidationError, match=r"high, low.*\[BBB 2024-01-03 \(high=1.0, low=20.0\)\]"):
        result.require()


def test_a_duplicated_session_is_named(prices):
    """Both rows of a session that appears twice are counted."""
    twice = pd.concat([prices, prices.iloc[[3]]], ignore_index=True)
    result = guards.validate(twice, "prices")
    (failure,) = [one for one in result.critical if one.expectation == "expect_compound_columns_to_be_unique"]
    assert failure.count == 2
    assert failure.rows[0] == {"symbol": "BBB", "date": "2024-01-02"}


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("open", 99.0),
        ("close", 0.5),
        ("open", -1.0),
        ("adj_close", 0.0),
        ("volume", -1),
        ("close", np.inf),
        ("volume", np.inf),
    ],
)
def test_one_wrong_value_is_refused(prices, name, broken):
    """An open above the high, a close below the low, a price not above zero, an infinite value."""
    prices[name] = prices[name].astype(float)
    prices.loc[1, name] = broken
    result = guards.validate(prices, "prices")
    assert not result.passed
    assert any(name in failure.column.split(", ") for failure in result.critical)
    assert all(failure.rows[0]["date"] == "2024-01-03" for failure in result.critical)


def test_counts_are_said_in_good_english():
    """One is singular."""
    late = Check("expect_x", severity="warning")
    result = GuardResult("prices", 1, (late, Check("expect_y", held=True, accepted=("one", "two"))))
    assert result.summary() == (
        "prices: accepted - 2 checks on 1 row, 0 critical, 1 warning, 2 accepted findings"
    )
    assert "2 checks on 1 row, 0 critical, 1 warning" in result._repr_html_()


def test_text_that_looks_like_a_number_is_shown_as_text(prices):
    """It stands in quotation marks, on the page too."""
    result = guards.validate(prices.assign(close=prices["close"].astype(str)), "prices")
    (failure,) = (one for one in result.critical if one.expectation.endswith("in_type_list"))
    assert f"(close='{prices['close'].iloc[0]}')" in str(failure)
    page = result._repr_html_()
    assert f"2024-01-02</span> (close=&#x27;{prices['close'].iloc[0]}&#x27;)<br>" in page


@pytest.mark.parametrize("suite", ["prices", "features", "training", "predictions", "forecasts"])
def test_a_frame_without_columns_fails_every_suite(suite):
    """Each suite refuses a frame that has nothing in it and says what is missing."""
    result = guards.validate(pd.DataFrame(), suite)
    assert ("expect_column_to_exist", "symbol") in failed(result)
    assert result.skipped


def test_a_missing_column_fails_once_and_clearly(prices):
    """What needs the missing column is listed as not asked instead of failing a dozen times."""
    result = guards.validate(prices.drop(columns="close"), "prices")
    assert failed(result) == {("expect_column_to_exist", "close")}
    assert any("no close" in text for text in result.skipped)


@pytest.mark.parametrize("name", ["symbol", "date", "open", "adj_close", "volume"])
def test_an_all_null_column_is_refused(prices, name):
    """A column that is empty throughout is refused by name."""
    result = guards.validate(prices.assign(**{name: None}), "prices")
    assert any(name in failure.column.split(", ") for failure in result.critical)


def own_suite(folder, kind, severity="critical", **kwargs):
    """Write a suite of one expectation and return its path."""
    path = folder / "mine.json"
    item = {"type": f"expect_{kind}", "kwargs": kwargs, "meta": {"severity": severity}}
    path.write_text(json.dumps({"name": "mine", "expectations": [item]}))
    return path


def test_every_gate_asks_for_rows_columns_and_finite_numbers(tmp_path, prices):
    """A suite of one open bound refuses emptiness, and infinity in a column it does not know, too."""
    path = own_suite(tmp_path, "column_values_to_be_between", column="close", min_value=0)
    assert guards.validate(prices, path).passed
    assert failed(guards.validate(prices.iloc[:0], path)) == {("expect_table_row_count_to_be_between", "")}
    assert failed(guards.validate(prices.assign(close=np.nan), path)) == {
        ("expect_column_values_to_not_be_null", "close")
    }
    assert failed(guards.validate(prices.drop(columns="close"), path)) == {
        ("expect_column_to_exist", "close")
    }
    assert not guards.validate(prices.assign(extra=[1.0, np.inf, 1, 1, 1, 1]), path).passed


BETWEEN, PRESENT = "column_values_to_be_between", "column_values_to_not_be_null"


@pytest.mark.parametrize(
    ("kind", "asked", "close"),
    [
        (PRESENT, {"severity": "warning"}, np.nan),
        (PRESENT, {"mostly": 0}, np.nan),
        (BETWEEN, {"min_value": 0}, np.inf),
        (BETWEEN, {"severity": "warning", "min_value": 0, "max_value": 9}, np.inf),
        (BETWEEN, {"min_value": 0, "max_value": 1e9, "mostly": 0.5}, [np.inf, 1, 1, 1, 1, 1]),
    ],
)
def test_a_weaker_expectation_of_the_suite_leaves_the_gates_own(tmp_path, prices, kind, asked, close):
    """A warning, a share or an open end in the suite does not replace the gate's critical check."""
    path = own_suite(tmp_path, kind, column="close", **asked)
    assert not guards.validate(prices.assign(close=close), path).passed


def test_what_the_suite_asks_already_is_asked_once(tmp_path, prices):
    """A bounded, critical expectation stands for the gate's own on that column."""
    bounded = own_suite(tmp_path, BETWEEN, column="close", min_value=0, max_value=1e9)
    with_it = guards.validate(prices, bounded).evaluated
    assert (
        guards.validate(prices, own_suite(tmp_path, BETWEEN, column="close", min_value=0)).evaluated
        == with_it + 1
    )


def test_a_suite_cannot_let_an_empty_frame_or_a_missing_symbol_through(tmp_path, prices):
    """Its own upper row count and its own set of symbols come beside those of the gate."""
    path = own_suite(tmp_path, "table_row_count_to_be_between", max_value=10)
    assert guards.validate(prices, path).passed
    assert not guards.validate(prices.iloc[:0], path).passed
    kind = "column_distinct_values_to_contain_set"
    path = own_suite(tmp_path, kind, column="symbol", value_set=["AAA"])
    assert guards.validate(prices, path, symbols=["AAA", "BBB"]).passed
    assert not guards.validate(prices, path, symbols=["AAA", "CCC"]).passed


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("close", ["1"] * 6),
        ("close", [None, "x", 1.0, 2.0, 3.0, 4.0]),
        ("symbol", [1] * 6),
        ("date", ["2024-01-02"] * 6),
        ("date", [20240102] * 6),
        ("date", pd.to_datetime(["2024-01-02"] * 6, utc=True)),
    ],
)
def test_a_wrong_dtype_is_refused(prices, name, values):
    """Text for numbers, numbers for symbols, text for dates: refused as a type, by column."""
    result = guards.validate(prices.assign(**{name: values}), "prices")
    assert ("expect_column_values_to_be_in_type_list", name) in failed(result)


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_other_layouts_of_the_same_values_are_accepted(prices, backend):
    """Nullable and Arrow columns hold the same numbers."""
    assert guards.validate(prices.convert_dtypes(dtype_backend=backend), "prices").passed
    assert guards.validate(prices.astype({"symbol": "category"}), "prices").passed


@pytest.mark.parametrize(
    "frame",
    [
        None,
        [1, 2],
        "prices.csv",
        pd.Series([1.0]),
        pd.DataFrame(np.ones((2, 2))),
        pd.DataFrame(np.ones((2, 2)), columns=pd.MultiIndex.from_product([["a"], ["b", "c"]])),
        pd.DataFrame([[1, 2]], columns=["close", "close"]),
        pd.DataFrame({"symbol": [[1], {"a": 1}], "date": [object(), 1j]}),
        pd.DataFrame({"symbol": ["A"], "close": [1j]}),
    ],
    ids=["none", "list", "text", "series", "numbered", "levels", "twice", "objects", "complex"],
)
def test_whatever_comes_is_refused_without_a_traceback(frame):
    """Any object in, evidence out; its HTML form and its dictionary can always be made."""
    result = guards.validate(frame, "prices")
    assert not result.passed
    assert "<b>rejected</b>" in result._repr_html_()
    json.dumps(result.to_dict())


@given(
    data_frames(
        columns=[
            column("symbol", elements=st.one_of(st.text(max_size=3), st.none(), st.integers()), dtype=object),
            column("close", elements=st.one_of(st.floats(), st.text(max_size=2)), dtype=object),
            column("high", dtype=float),
            column("volume", dtype=int),
        ],
        index=range_indexes(max_size=4),
    )
)
def test_random_frames_never_raise(frame):
    """A frame of anything is refused, since date and other columns are missing, and never raises."""
    assert not guards.validate(frame, "prices").passed


def test_symbols_that_were_asked_for_must_be_there(prices):
    """A symbol without a row is named."""
    result = guards.validate(prices, "prices", symbols=["AAA", "ZZZ"])
    assert [failure.message for failure in result.critical] == [
        "Every symbol asked for has rows. Found: no ZZZ."
    ]
    assert guards.validate(prices, "prices", symbols=["AAA"]).passed


def test_the_frame_is_left_as_it_was(prices):
    """Judging changes neither values nor index."""
    before = prices.copy(deep=True)
    guards.validate(prices, "prices")
    pd.testing.assert_frame_equal(prices, before)


def test_a_warning_does_not_stop_but_is_shown(prices):
    """An open above the high by a cent is reported and let through."""
    prices.loc[0, "open"] = 11.01
    result = guards.validate(prices, "prices")
    assert result.passed
    assert [(f.severity, f.column, f.count) for f in result.warnings] == [("warning", "high, open", 1)]
    assert result.require() is result


def test_an_unknown_suite_is_refused_with_a_suggestion(prices):
    """The error names the suites there are."""
    with pytest.raises(ConfigurationError, match=r"no suite called 'price'. Did you mean 'prices'\?"):
        guards.validate(prices, "price")
