"""Warm-up and revisions are measured on request, and never part of the verdict."""

import pytest

from sta410kit.guards import probe_leaks

pytestmark = pytest.mark.unit

KEYS = ["symbol", "date"]


def build(prices):
    """Return a window of 20, an expanding mean, an exponential one, and a range without warm-up."""
    close = prices.groupby("symbol")["close"]
    return prices[KEYS].assign(
        window=close.transform(lambda s: s.rolling(20).mean()),
        expanding=close.transform(lambda s: s.expanding().mean()),
        exponential=close.transform(lambda s: s.ewm(span=5).mean()),
        range=prices["high"] / prices["low"],
    )


def test_warm_up_is_measured_in_sessions(walks):
    """A window of 20 settles after 19 sessions, an exponential mean later, an expanding mean never."""
    report = probe_leaks(build, walks, 4, warmup=True)
    assert report.passed
    assert report.warmup["window"] == 19
    assert report.warmup["expanding"] is None
    assert 20 < report.warmup["exponential"] < 60
    assert "range" not in report.warmup
    assert (
        report.remarks()[0] == "warm-up: window depends for the first 19 sessions on where the history starts"
    )
    assert "warm-up: window" in report._repr_html_()


def test_the_level_of_adj_close_is_distinguished_from_its_returns(walks):
    """A later split rescales the level; ratios stay."""

    def both(prices):
        adjusted = prices.groupby("symbol")["adj_close"]
        return prices[KEYS].assign(level=prices["adj_close"], ratio=adjusted.pct_change())

    report = probe_leaks(both, walks, 4, revisions=True)
    assert report.passed
    assert report.revisions == ("level",)
    assert "every later split or dividend rescales" in report.remarks()[0]
    assert probe_leaks(build, walks.drop(columns="adj_close"), 4, revisions=True).revisions == ()


def test_a_function_that_refuses_the_changed_prices_gets_a_note(walks):
    """Neither a shorter history nor a rescaled adj_close can be tried then."""

    def strict(prices):
        if prices["date"].min() > walks["date"].min() or (prices["adj_close"] < prices["close"] / 2).all():
            message = "not my prices"
            raise ValueError(message)
        return build(prices)

    report = probe_leaks(strict, walks, 4, 1, warmup=True, revisions=True)
    assert (report.warmup, report.revisions) == ({}, ())
    assert "not my prices" in report.notes[0]
