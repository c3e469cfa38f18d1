"""Made-up prices for the leak probe, and the line about the corpus at the end of the run."""

import pytest

from sta410kit.guards.leakage.corpus.synthetic import synthetic_prices

MEASURED = pytest.StashKey[list]()


def pytest_configure(config):
    """Keep a place for what the corpus tests measured."""
    config.stash.setdefault(MEASURED, [])


@pytest.fixture(scope="session")
def walks():
    """Two symbols of a random walk, 300 sessions."""
    return synthetic_prices(seed=7)


@pytest.fixture
def tell(request):
    """Give a function that has a line printed below the results."""
    return request.config.stash.setdefault(MEASURED, []).append


def pytest_terminal_summary(terminalreporter, config):
    """Print recall and false alarms of the leak corpus."""
    for line in config.stash.get(MEASURED, []):
        terminalreporter.write_line(line)
