"""The stationary bootstrap against what is known of it."""

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length
from scipy.signal import lfilter

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research import bootstrap

pytestmark = pytest.mark.unit


def test_blocks_have_the_mean_length_asked_for():
    """Positions run on by one, around the end, but for one in `block` that starts anew."""
    positions = bootstrap.stationary_indices(1000, 300, 10.0, np.random.default_rng(0))
    assert positions.shape == (300, 1000)
    runs_on = (np.diff(positions, axis=1) % 1000) == 1
    assert runs_on.mean() == pytest.approx(0.9, abs=0.005)
    counts = np.bincount(positions.ravel(), minlength=1000)
    assert counts.mean() == 300
    assert counts.std() < 60  # no position is favoured, the ends neither


def test_a_block_of_one_is_the_ordinary_bootstrap():
    """On independent values the spread of the mean is the textbook standard error."""
    values = np.random.default_rng(1).standard_normal(500)
    means = bootstrap.resampled_means(values, block=1.0, resamples=4000)[:, 0]
    assert means.mean() == pytest.approx(values.mean(), abs=0.01)
    assert means.std() == pytest.approx(values.std() / np.sqrt(500), rel=0.05)


def test_the_variance_is_that_of_politis_and_romano():
    """For blocks the variance of the mean has a closed form (their lemma 1), computed here on its own."""
    rng = np.random.default_rng(2)
    values = np.convolve(rng.standard_normal(420), np.ones(8), mode="valid")[:400]
    size, block = len(values), 12.0
    centred = values - values.mean()
    circular = [np.mean(centred * np.roll(centred, -lag)) for lag in range(size)]
    stay = 1 - 1 / block
    # a pair `lag` apart stays together with probability stay ** lag, and there are size - lag such pairs
    weights = [(1 - lag / size) * stay**lag for lag in range(1, size)]
    exact = (circular[0] + 2 * np.dot(weights, circular[1:])) / size
    draws = bootstrap.resampled_means(values, block=block, resamples=20_000)[:, 0]
    assert draws.var() == pytest.approx(exact, rel=0.05)


def test_columns_are_resampled_together():
    """Two copies of a column have the same mean in every resample."""
    values = np.random.default_rng(3).standard_normal(100)
    means = bootstrap.resampled_means(np.column_stack([values, 2 * values]), block=5, resamples=50)
    assert means[:, 1] == pytest.approx(2 * means[:, 0])


def test_the_seed_decides():
    """The same seed gives the same resamples, another one others."""
    values = np.random.default_rng(4).standard_normal(100)
    one, two, other = (bootstrap.resampled_means(values, block=4, seed=seed) for seed in (1, 1, 2))
    assert (one == two).all()
    assert (one != other).any()


def test_the_block_spans_the_overlap():
    """The cube root of the sessions, or twice the horizon where that is longer."""
    assert bootstrap.block_length(1000) == pytest.approx(10)
    assert bootstrap.block_length(1000, horizon=21) == 42


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [[1.0], [np.inf]]])
def test_values_are_finite_numbers(values):
    """Nothing, gaps and infinities are refused."""
    with pytest.raises(DataValidationError):
        bootstrap.resampled_means(values, block=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"block": 0.5},
        {"block": np.nan},
        {"resamples": 0},
        {"resamples": 1.5},
        {"seed": None},
        {"seed": -1},
        {"seed": "1"},
        {"seed": True},
    ],
)
def test_settings_make_sense(wrong):
    """Blocks and resamples start at one."""
    with pytest.raises(ConfigurationError):
        bootstrap.resampled_means(np.ones(10), **{"block": 1, **wrong})


@pytest.mark.parametrize("memory", [0.0, 0.3, 0.9, -0.5])
@pytest.mark.parametrize("size", [12, 60, 700])
def test_the_automatic_block_length_is_that_of_arch(memory, size):
    """Politis and White with Patton's correction agrees with arch to 1e-8, but for a floor of one."""
    values = lfilter([1], [1, -memory], np.random.default_rng(size).standard_normal(size))
    expected = max(optimal_block_length(values)["stationary"].iloc[0], 1.0)
    assert bootstrap.optimal_block_length(values) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("values", [[], [1.0], np.arange(9.0), np.ones(100)])
def test_without_autocorrelation_to_speak_of_blocks_are_single_sessions(values):
    """Few values and constants have a block length of one."""
    assert bootstrap.optimal_block_length(values) == 1.0


def test_counts_stand_for_positions():
    """How often each date was drawn gives the same mean as drawing it."""
    positions = bootstrap.stationary_indices(50, 20, 4.0, np.random.default_rng(0))
    values = np.random.default_rng(1).standard_normal(50)
    assert bootstrap.how_often(positions) @ values / 50 == pytest.approx(values[positions].mean(axis=1))
