"""Prices, features and predictions that many tests read and none may change."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.market import load_prices
from sta410kit.research.features import build_features
from sta410kit.research.walk_forward import walk_forward


def simulate(sessions, symbols=2, seed=0, volatility=0.01):
    """Return prices of independent random walks without drift; `volatility` is a number or one a session."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2000-01-03", periods=sessions, unit="us")
    parts = []
    for number in range(symbols):
        close = 100 * np.exp(np.cumsum(volatility * rng.standard_normal(sessions)))
        opened = close * np.exp(0.002 * rng.standard_normal(sessions))
        parts.append(
            pd.DataFrame(
                {
                    "symbol": f"S{number}",
                    "date": days,
                    "open": opened,
                    "high": np.maximum(opened, close) * 1.002,
                    "low": np.minimum(opened, close) * 0.998,
                    "close": close,
                    "adj_close": close,
                    "volume": rng.integers(1_000, 2_000, sessions),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="session")
def sample():
    return load_prices()


@pytest.fixture(scope="session")
def sample_features(sample):
    return build_features(sample)


@pytest.fixture(scope="session")
def sample_predictions(sample, sample_features):
    return walk_forward(sample_features, sample, model="ridge")


@pytest.fixture(scope="session")
def walks():
    """Prices of two simulated symbols over 600 sessions."""
    return simulate(600)


@pytest.fixture(scope="session")
def walk_features(walks):
    return build_features(walks)


@pytest.fixture(scope="session")
def walk_predictions(walks, walk_features):
    return walk_forward(walk_features, walks, model="ridge")


@pytest.fixture(name="simulate", scope="session")
def simulate_fixture():
    return simulate
