"""Stretches that come from elsewhere, told by their volumes where rounding hides the prices."""

import numpy as np
import pytest

from sta410kit import guards

pytestmark = pytest.mark.integration
BAR = ["open", "high", "low", "close"]


def pasted(prices, length, *, volume=True):
    """Give IBM bars of MSFT, multiplied to fit and rounded to cents."""
    source = np.flatnonzero(prices["symbol"] == "MSFT")[100 : 100 + length]
    rows = np.flatnonzero(prices["symbol"] == "IBM")[700 : 700 + length]
    frame = prices.copy()
    factor = prices["close"].iloc[rows[0] - 1] / prices["open"].iloc[source[0]]
    adjusted = (prices["adj_close"] / prices["close"]).to_numpy()[rows]
    frame.loc[rows, BAR] = (prices.loc[source, BAR] * factor).round(2).to_numpy()
    frame.loc[rows, "adj_close"] = frame.loc[rows, "close"] * adjusted
    if volume:
        frame.loc[rows, "volume"] = prices.loc[source, "volume"].to_numpy()
    return frame


def test_a_rounded_stretch_is_told_by_its_volumes(crisis):
    """Ten bars, whose volumes nobody changed: both copies are named."""
    result = guards.validate(pasted(crisis, 10), "prices")
    found = {failure.expectation: failure for failure in result.critical}["expect_no_pasted_bars"]
    assert found.count == 20
    assert "the bars of IBM up to" in found.message
    assert "are those of MSFT up to" in found.message


def test_the_volume_of_a_whole_exchange_may_stand_in_two_of_its_indices(make_walk):
    """Two symbols with the same volume in every session are no pasted stretch."""
    prices = make_walk(symbols=2, rows=300)
    rows = prices.groupby("symbol").indices
    one, other = rows.values()
    prices.loc[other, "volume"] = prices.loc[one, "volume"].to_numpy()
    assert guards.validate(prices, "prices").passed


def test_round_and_small_volumes_that_come_again_are_chance(make_walk):
    """Volumes of 100 to 2,000 shares in hundreds repeat each other all the time."""
    prices = make_walk(symbols=2, rows=1500, price=20.0)
    prices["volume"] = 100 * np.random.default_rng(5).integers(10, 20, len(prices))
    failed = {failure.expectation for failure in guards.validate(prices, "prices").critical}
    assert "expect_no_pasted_bars" not in failed
