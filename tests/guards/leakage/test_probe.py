"""The leak probe finds functions that look ahead and leaves honest ones alone."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError, LeakageError
from sta410kit.guards import probe_leaks

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def walk():
    """Two symbols of a random walk, 60 sessions."""
    rng = np.random.default_rng(7)
    dates = pd.bdate_range("2024-01-01", periods=60)
    frames = []
    for symbol in ("AAA", "BBB"):
        close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 60)))
        frames.append(
            pd.DataFrame(
                {
                    "symbol": symbol,
                    "date": dates,
                    "open": close,
                    "high": close * 1.01,
                    "low": close * 0.99,
                    "close": close,
                    "adj_close": close,
                    "volume": 1000.0,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def feature(function):
    """Return a builder that computes one column `x` from each symbol's close."""

    def build(prices):
        x = prices.groupby("symbol")["close"].transform(function)
        return prices[["symbol", "date"]].assign(x=x)

    return build


@pytest.mark.parametrize(
    "function",
    [
        lambda close: close.shift(-1),
        lambda close: close.shift(-5),
        lambda close: close.rolling(5, center=True).mean(),
        lambda close: (close - close.mean()) / close.std(),
        lambda close: close.rank(pct=True),
        lambda close: close.where(close.index % 3 == 0).bfill(),
    ],
    ids=["shift", "far shift", "centred", "full-sample scale", "full-sample rank", "back-fill"],
)
def test_looking_ahead_is_found(walk, function):
    """Each way of using tomorrow is found, with column, symbol and date."""
    report = probe_leaks(feature(function), walk)
    assert not report.passed
    assert report.findings[0].column == "x"
    assert report.findings[0].symbol in {"AAA", "BBB"}
    with pytest.raises(LeakageError, match="x: the value of"):
        report.require()
    assert "LEAK" in report._repr_html_()


@pytest.mark.parametrize(
    "function",
    [
        lambda close: close.pct_change(),
        lambda close: close.rolling(10).mean(),
        lambda close: close.expanding().std(),
        lambda close: close.ewm(span=5).mean(),
        lambda close: close.expanding().rank(pct=True),
    ],
    ids=["return", "rolling", "expanding", "exponential", "expanding rank"],
)
def test_honest_features_are_left_alone(walk, function):
    """Warm-up NaN included, what uses only the past passes."""
    report = probe_leaks(feature(function), walk)
    assert report.passed
    assert report.require() is report


def test_the_offset_of_a_shift_is_named(walk):
    """A value at the cutoff that changes uses at least t+1."""
    finding = probe_leaks(feature(lambda close: close.shift(-1)), walk, cutoffs=["2024-02-15"]).findings[0]
    assert str(finding) == "x: the value of AAA on 2024-02-15 depends on prices after 2024-02-15 (uses t+1)"


def test_the_kits_own_features_do_not_leak(walk):
    """The features the notebooks use pass the probe."""
    from sta410kit.research.features import build_features

    assert probe_leaks(build_features, walk).passed


def test_too_little_history_is_refused(walk):
    """There must be a past and a future."""
    with pytest.raises(ConfigurationError, match="at least 10 sessions"):
        probe_leaks(feature(lambda close: close), walk.groupby("symbol").head(5))
    with pytest.raises(ConfigurationError, match="at least one cutoff"):
        probe_leaks(feature(lambda close: close), walk, cutoffs=0)
