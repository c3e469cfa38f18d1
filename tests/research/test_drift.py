"""Drift of live forecasts: coverage and skill of the newest outcomes."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.research.drift import drift_of

pytestmark = pytest.mark.unit


def log_of(actual, predicted=0.0, half=0.0164, **columns):
    """Return a log of forecasts of two symbols, with these outcomes by session."""
    sessions = len(actual)
    dates = pd.bdate_range("2024-01-01", periods=sessions)
    frame = pd.DataFrame({"date": np.repeat(dates, 2), "symbol": ["KO", "PG"] * sessions})
    frame = frame.assign(
        actual=np.ravel(actual), predicted=np.ravel(predicted) if np.ndim(predicted) else predicted
    )
    about = {"model": "ridge", "horizon": 1, "target": "close_to_close", "live": True, **columns}
    return frame.assign(lower=frame["predicted"] - half, upper=frame["predicted"] + half, **about)


def outcomes(sessions=100, scale=0.01):
    return np.random.default_rng(4).normal(scale=scale, size=(sessions, 2))


def test_forecasts_that_keep_their_promise_have_not_drifted():
    """90 % intervals of normal returns; the newest 120 sessions count."""
    (row,) = drift_of(log_of(outcomes(200)))
    assert (row["sessions"], row["drifted"]) == (120, [])
    assert 0.85 < row["coverage"] < 0.95


def test_intervals_that_are_too_narrow_are_named_with_the_statistic():
    """Volatility has doubled since."""
    (row,) = drift_of(log_of(outcomes(scale=0.02)))
    assert row["drifted"][0].startswith("intervals of ridge held ")
    assert "not 90 %, over the last 100 sessions (t = -" in row["drifted"][0]


def test_forecasts_worse_than_none_are_named():
    """They have the wrong sign each time."""
    actual = outcomes()
    (row,) = drift_of(log_of(actual, -actual, half=1.0))
    assert row["drifted"][-1].startswith("forecasts of ridge err more than those of no change: R² -300.00 % ")


def test_few_sessions_and_forecasts_made_afterwards_are_not_judged():
    """19 sessions are too few, and hindsight does not count."""
    assert drift_of(log_of(outcomes(19))) == []
    assert drift_of(log_of(outcomes(), live=False)) == []
