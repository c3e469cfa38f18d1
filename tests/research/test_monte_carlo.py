"""Monte Carlo paths by the stationary bootstrap."""

import numpy as np
import pytest

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research import bootstrap
from sta410kit.research.monte_carlo import monte_carlo

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def returns():
    return np.random.default_rng(0).normal(0.0005, 0.01, 600)


def test_paths_are_those_of_the_stationary_bootstrap(returns):
    """The figures of each path are those of the resample."""
    found = monte_carlo(returns, paths=20, block=5, seed=3)
    drawn = np.array(list(bootstrap.resampled_positions(600, block=5, resamples=20, seed=3)))
    equity = np.cumprod(1 + returns[drawn], axis=1)
    assert found.paths["total_return"].to_numpy() == pytest.approx(equity[:, -1] - 1)
    peaks = np.maximum(np.maximum.accumulate(equity, axis=1), 1)
    assert found.paths["max_drawdown"].to_numpy() == pytest.approx((equity / peaks - 1).min(axis=1))
    assert found.bands["session"].iloc[-1] == 600
    assert found.bands["50%"].iloc[-1] == pytest.approx(np.median(equity[:, -1]))


def test_bands_are_in_order_and_the_seed_decides(returns):
    """Quantiles do not cross; the same seed gives the same paths, another gives others."""
    first, again, other = (monte_carlo(returns, paths=200, seed=seed) for seed in (1, 1, 2))
    assert (first.bands.drop(columns="session").diff(axis=1).iloc[:, 1:] >= 0).all().all()
    assert first.paths.equals(again.paths)
    assert not first.paths.equals(other.paths)
    assert len(first.bands) == 250
    assert first.block == pytest.approx(600 ** (1 / 3))


def test_the_median_path_ends_near_the_history(returns):
    """Resampling keeps the mean: half the paths end below the history, half above."""
    found = monte_carlo(returns, paths=1000)
    below = (found.paths["total_return"] < np.prod(1 + returns) - 1).mean()
    assert 0.4 < below < 0.6


def test_literal_probabilities():
    """Returns that always lose 10 %: every path ends in loss, ruin and drawdown."""
    found = monte_carlo([-0.1] * 10, paths=5)
    assert found.probability_of_loss() == 1
    assert found.probability_of_ruin(0.5) == 1
    assert found.probability_of_ruin(0.9) == 0  # 0.9 ** 10 is 0.35
    assert found.probability_of_drawdown(0.6) == 1
    always_up = monte_carlo([0.1] * 10, paths=5)
    assert (always_up.probability_of_loss(), always_up.probability_of_drawdown(0.01)) == (0, 0)


def test_a_path_can_lose_everything():
    """A return of -1 ends the path at zero, without NaN."""
    found = monte_carlo([0.1, -1.0, 0.1, 0.1], paths=50)
    assert (found.paths["total_return"] == -1).any()
    assert found.paths.notna().all().all()


@pytest.mark.parametrize("returns", [[], [0.1], [[0.1, 0.2]], [0.1, np.nan], [0.1, -1.5]])
def test_returns_are_finite_numbers(returns):
    """Too few returns, gaps, and losses beyond 100 % are refused."""
    with pytest.raises(DataValidationError, match="two or more finite"):
        monte_carlo(returns)


def test_invalid_arguments_are_refused(returns):
    """Counts and seeds are whole numbers, blocks hold a session, paths fit into memory, losses are shares."""
    for wrong in ({"paths": 0}, {"block": 0.5}, {"block": np.inf}, {"paths": 10**9}):
        with pytest.raises(ConfigurationError, match="give at least 1 path"):
            monte_carlo(returns, **wrong)
    for wrong in ({"paths": 1.5}, {"seed": None}, {"seed": -1}, {"seed": "1"}):
        with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))} is"):
            monte_carlo([0.1, -0.1], **wrong)
    found = monte_carlo(returns, paths=2)
    for share in (0, -0.1, 1.1, np.nan):
        for probability in (found.probability_of_ruin, found.probability_of_drawdown):
            with pytest.raises(ConfigurationError, match="share above 0"):
                probability(share)
