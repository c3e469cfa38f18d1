"""Warm-up and revisions are told on request, and never part of the verdict."""

import pytest

from sta410kit.guards import probe_leaks

pytestmark = pytest.mark.unit

KEYS = ["symbol", "date"]


def build(prices):
    """Return a window of 20, an expanding mean, an exponential one, and nothing of the past."""
    close = prices.groupby("symbol")["close"]
    return prices[KEYS].assign(
        window=close.transform(lambda s: s.rolling(20).mean()),
        expanding=close.transform(lambda s: s.expanding().mean()),
        exponential=close.transform(lambda s: s.ewm(span=5).mean()),
        range=prices["high"] / prices["low"],
    )


def test_warm_up_is_measured(walks):
    """In sessions until the start no longer shows; None when it always does."""
    report = probe_leaks(build, walks, 4, warmup=True)
    found = {one.column: one.sessions for one in report.warmup}
    assert report.passed
    assert found["window"] == 19
    assert found["expanding"] is None
    assert 20 < found["exponential"] < 60
    assert "range" not in found
    assert str(report.warmup[0]) == "window: depends for the first 19 sessions on where the history starts"
    assert "Warm-up (no leak)" in report._repr_html_()


def test_warm_up_of_a_function_that_needs_the_whole_history(walks):
    """It raises on what is left; that is noted, and nothing is said of the warm-up."""

    def long(prices):
        if prices["date"].min() > walks["date"].min():
            message = "no start"
            raise ValueError(message)
        return build(prices)

    report = probe_leaks(long, walks, 4, warmup=True)
    assert report.warmup == ()
    assert "no start" in report.notes[0]


def test_the_level_of_adj_close_is_told_from_its_returns(walks):
    """A later split rescales the level; ratios stay."""

    def both(prices):
        adjusted = prices.groupby("symbol")["adj_close"]
        return prices[KEYS].assign(level=prices["adj_close"], ratio=adjusted.pct_change())

    report = probe_leaks(both, walks, 4, revisions=True)
    assert report.passed
    assert [one.column for one in report.revisions] == ["level"]
    assert "every later split or dividend rescales" in str(report.revisions[0])
    assert probe_leaks(build, walks.drop(columns="adj_close"), 4, revisions=True).revisions == ()


def test_nothing_is_told_unasked(walks):
    """Both are empty by default."""
    report = probe_leaks(build, walks, 4)
    assert (report.warmup, report.revisions) == ((), ())


def test_revisions_of_a_function_that_refuses_them(walks):
    """A function may check adj_close against close; then there is nothing to tell."""

    def strict(prices):
        if (prices["adj_close"] < prices["close"] / 2).all():
            message = "not my prices"
            raise ValueError(message)
        return build(prices)

    seen = probe_leaks(strict, walks, 4, 1, revisions=True)
    assert seen.revisions == ()
