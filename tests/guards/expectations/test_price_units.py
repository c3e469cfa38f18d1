"""Factors of ten near the ends of a history, and splits that must pass."""

import numpy as np
import pytest

from sta410kit import guards
from sta410kit.guards.corruptions.corruption import changed

pytestmark = pytest.mark.integration
BAR = ["open", "high", "low", "close"]


def times(prices, symbol, part, factor, columns):
    """Multiply columns in a part of a symbol's rows."""
    return changed(prices, np.flatnonzero(prices["symbol"] == symbol)[part], columns, factor)


def caught(frame):
    """Return the critical expectations that fail."""
    return {failure.expectation for failure in guards.validate(frame, "prices").critical}


@pytest.mark.parametrize(
    ("symbol", "part", "factor"),
    [
        ("MSFT", slice(-26, None), 10),
        ("IBM", slice(-36, None), 10),
        ("AAPL", slice(0, 57), 0.1),
        ("MSFT", slice(400, 1400), 0.1),
        ("IBM", slice(400, 1300), 10),
    ],
)
def test_a_factor_of_ten_that_adj_close_does_not_share_is_refused(crisis, symbol, part, factor):
    """Near an end, or for years; it would be a split on paper, but the money traded steps as well."""
    assert "expect_prices_in_one_unit" in caught(times(crisis, symbol, part, factor, BAR))


def test_a_split_of_ten_for_one_passes_with_its_volume(crisis):
    """The close falls to a tenth, shares traded rise tenfold, adj_close goes on."""
    for begin in (600, -20):
        frame = times(crisis, "AAPL", slice(begin, None), 0.1, BAR)
        frame = times(frame, "AAPL", slice(begin, None), 10, ["volume"])
        assert caught(frame) == set()


def test_a_column_in_other_units_for_a_stretch_is_refused(crisis):
    """A hundred highs in cents, or lows a tenth of what they were, are no usual range of the symbol."""
    assert "expect_no_extreme_wicks" in caught(times(crisis, "GOOG", slice(130, 230), 100, ["high"]))
    assert "expect_no_extreme_wicks" in caught(times(crisis, "GOOG", slice(130, 230), 0.1, ["low"]))


def test_one_session_without_volume_at_the_last_close_is_stale_in_a_busy_symbol(crisis):
    """FB never had such a session; where little is traded, one is nothing odd."""
    rows = np.flatnonzero(crisis["symbol"] == "FB")
    frame = crisis.copy()
    frame.loc[rows[65], BAR] = crisis["close"].iloc[rows[64]]
    frame.loc[rows[65], ["adj_close", "volume"]] = [crisis["adj_close"].iloc[rows[64]], 0]
    assert "expect_no_stale_bars" in caught(frame)
    thin = frame[frame["symbol"] == "FB"].assign(volume=lambda fb: (fb["volume"] // 20_000).astype(int))
    assert "expect_no_stale_bars" not in caught(thin)
