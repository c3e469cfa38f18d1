"""Prices for the leak probe."""

import pytest

from tests.guards.leakage.corpus.synthetic import synthetic_prices


@pytest.fixture(scope="session")
def walks():
    """Two symbols of a random walk, 300 sessions."""
    return synthetic_prices(seed=7)
