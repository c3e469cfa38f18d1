"""A drafted suite loads, accepts the data it was drafted from, and refuses what is far from them."""

import json

import numpy as np
import pandas as pd
import pytest

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError, DataLoadingError, DataValidationError
from sta410kit.guards.suite_profiler import draft_suite
from sta410kit.guards.suites import read_suite
from sta410kit.runner.frames import read_any_frame, read_frame

pytestmark = pytest.mark.unit


def drafted(frame, folder, name="mine"):
    """Write the draft and return its path."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(draft_suite(frame, name)))
    return path


def test_a_draft_for_prices_knows_markets_and_accepts_them(crisis, tmp_path):
    """The kit's own expectations are in it, with the first sessions of these symbols."""
    path = drafted(crisis, tmp_path)
    assert guards.validate(crisis, path).failures == ()
    content = json.loads(path.read_text())
    calendar = next(e for e in content["expectations"] if e["type"] == "expect_sessions_to_match_calendar")
    assert calendar["kwargs"]["starts"] == {"FB": "2012-05-18"}
    assert not guards.validate(crisis.assign(close=crisis["close"] * 100), path).passed
    assert "Drafted from" in content["notes"]


def test_prices_are_recognised_under_other_names_of_their_columns(make_walk, tmp_path):
    """A vendor's table with its own names and further columns gets the price rules, and is judged by them."""
    file = tmp_path / "wiki.csv"
    vendor = make_walk(rows=60).rename(columns={"symbol": "ticker"}).assign(split_ratio=1.0)
    vendor.sort_values("date", ascending=False).to_csv(file, index=False)
    path = drafted(read_any_frame(file), tmp_path)
    kinds = {item["type"] for item in json.loads(path.read_text())["expectations"]}
    assert {"expect_jumps_to_be_explained", "expect_sessions_to_match_calendar"} <= kinds
    assert read_suite(path).judges_prices
    assert guards.validate(read_frame(file, prices=True), path).passed
    other = tmp_path / "other.csv"
    other.write_text("name,size\na,1\n")
    assert list(read_any_frame(other).columns) == ["name", "size"]
    other.write_text("date,open,high,low,close,volume\n2024-01-02,1,x,1,1,1\n")  # prices, but refused
    with pytest.raises(DataLoadingError, match="high is 'x', which is not a number"):
        read_any_frame(other)


def test_what_the_data_do_not_meet_is_left_out_and_named(make_walk, tmp_path):
    """Prices with fractional volume get a draft that says so."""
    prices = make_walk(rows=60)
    prices["volume"] = prices["volume"] + 0.5
    path = drafted(prices, tmp_path)
    assert guards.validate(prices, path).passed
    assert "Left out" in json.loads(path.read_text())["notes"]
    assert "Volume is a whole number of shares." in json.loads(path.read_text())["notes"]


def test_any_table_gets_bounds_with_a_margin(tmp_path):
    """A column of other data is bounded beyond its extremes; gaps are allowed as often as they were seen."""
    frame = pd.DataFrame({"name": ["a", "b", None, "d"], "size": [1.0, 2.0, 3.0, np.nan], "flag": [True] * 4})
    path = drafted(frame, tmp_path)
    assert guards.validate(frame, path).passed
    assert guards.validate(frame.assign(size=[1.1, 3.3, 0.9, np.nan]), path).passed
    assert not guards.validate(frame.assign(size=[1.0, 300.0, 3.0, np.nan]), path).passed
    assert not guards.validate(frame.drop(columns="name"), path).passed


@pytest.mark.parametrize(
    "frame", [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame([[1, 2]], columns=["a", "a"])]
)
def test_nothing_can_be_learned_from_nothing(frame):
    """No rows, no columns, names that stand twice."""
    with pytest.raises(DataValidationError, match="no suite can be drafted"):
        draft_suite(frame, "mine")


def test_a_name_that_no_file_can_bear_is_refused(make_walk):
    """The name is a file's name as well."""
    with pytest.raises(ConfigurationError, match="cannot be the name of a suite"):
        draft_suite(make_walk(rows=20), "../mine")


def test_an_empty_column_is_left_out_so_that_the_draft_accepts_its_data(prices, tmp_path):
    """Every gate refuses an empty column its suite speaks of; the notes name it instead."""
    frame = prices.assign(note=None)
    path = drafted(frame, tmp_path)
    assert guards.validate(frame, path).passed
    assert "empty throughout: note." in json.loads(path.read_text())["notes"]
