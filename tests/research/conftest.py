"""Prices, features, predictions and a model shared by many tests, which must not modify them."""

import matplotlib as mpl
import pytest

from sta410kit.market import load_prices
from sta410kit.research.features import build_features
from sta410kit.research.forecasting import fit_final
from sta410kit.research.ledger import Ledger
from sta410kit.research.walk_forward import walk_forward
from tests.research.simulated import simulate


@pytest.fixture(scope="session")
def sample():
    """Return the embedded prices."""
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


@pytest.fixture(scope="session")
def fitted(walks, walk_features, walk_predictions):
    """Return ridge, fitted on all simulated prices."""
    return fit_final(walk_features, walks, walk_predictions, model="ridge")


@pytest.fixture
def ledger(tmp_path):
    """Return an empty trials ledger in a folder that does not exist yet."""
    return Ledger(tmp_path / "new" / "trials.sqlite")


@pytest.fixture
def headless(monkeypatch):
    """Draw without a screen."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    mpl.use("agg")
