"""Splits found and prices adjusted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.market import load_prices
from sta410kit.market.adjustment import SPLIT_RATIOS, find_splits

pytestmark = pytest.mark.unit


def made(closes, adjusted, symbol="A"):
    days = pd.date_range("2012-01-02", periods=len(closes), freq="B", unit="us")
    return pd.DataFrame({"symbol": symbol, "date": days, "close": closes, "adj_close": adjusted})


def test_the_sample_has_three_splits_and_no_other():
    """AAPL and MSFT split 2 for 1; a crash of 52 % and a special dividend of 3 dollars are no splits."""
    splits = find_splits(load_prices())
    assert [(row.symbol, f"{row.date:%Y-%m-%d}", row.ratio) for row in splits.itertuples()] == [
        ("AAPL", "2000-06-21", 2.0),
        ("AAPL", "2005-02-28", 2.0),
        ("MSFT", "2003-02-18", 2.0),
    ]


@given(st.sampled_from(SPLIT_RATIOS), st.floats(10, 500), st.floats(-0.2, 0.2))
def test_every_simple_ratio_is_found_at_any_move_of_the_price(ratio, price, move):
    """A split shows beside an ordinary move of the price, rounded to cents as published."""
    after = round(price * 100 * (1 + move), 2)  # large enough that cents do not blur the ratio
    before = round(price * 100 * ratio, 2)
    splits = find_splits(made([before, after], [before / ratio, after]))
    assert splits["ratio"].tolist() == [ratio]


@given(st.floats(0.3, 3.0), st.floats(0, 0.1))
def test_a_move_with_an_ordinary_dividend_is_no_split(move, dividend):
    """Neither a crash nor a dividend of up to a tenth of the price counts."""
    assert find_splits(made([100.0, 100.0 * move], [100.0 * (1 - dividend), 100.0 * move])).empty


def test_gaps_and_impossible_values_are_stepped_over():
    """A missing or zero close hides no split and makes none; refusing it is the gate's work."""
    prices = made([100.0, np.nan, 0.0, 51.0], [50.0, 50.0, 50.0, 51.0])
    assert find_splits(prices)[["date", "ratio"]].to_numpy().tolist() == [[pd.Timestamp("2012-01-05"), 2.0]]


def test_one_symbols_step_is_not_anothers():
    """The last row of one symbol and the first of the next are no neighbours."""
    prices = pd.concat([made([100.0], [100.0]), made([100.0], [50.0], symbol="B")], ignore_index=True)
    assert find_splits(prices).empty
