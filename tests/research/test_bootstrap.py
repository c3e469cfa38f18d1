"""The stationary bootstrap against closed forms and the package arch."""

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length
from scipy.signal import lfilter

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research import bootstrap

pytestmark = pytest.mark.unit


def test_blocks_have_the_mean_length_asked_for():
    """Positions run on by one, around the end, except one in `block` that starts anew."""
    positions = np.array(list(bootstrap.resampled_positions(1000, block=10.0, resamples=300, seed=0)))
    assert positions.shape == (300, 1000)
    assert ((np.diff(positions, axis=1) % 1000) == 1).mean() == pytest.approx(0.9, abs=0.005)
    counts = np.bincount(positions.ravel(), minlength=1000)
    assert counts.mean() == 300
    assert counts.std() < 60  # no position is favoured


def test_a_block_of_one_is_the_ordinary_bootstrap():
    """On independent values the spread of the mean is the textbook standard error."""
    values = np.random.default_rng(1).standard_normal(500)
    means = bootstrap.resampled_means(values, block=1.0, resamples=4000)[:, 0]
    assert means.mean() == pytest.approx(values.mean(), abs=0.01)
    assert means.std() == pytest.approx(values.std() / np.sqrt(500), rel=0.05)


def test_the_variance_is_that_of_politis_and_romano():
    """For blocks the variance of the mean has a closed form (their lemma 1)."""
    rng = np.random.default_rng(2)
    values = np.convolve(rng.standard_normal(420), np.ones(8), mode="valid")[:400]
    size, block = len(values), 12.0
    centred = values - values.mean()
    circular = [np.mean(centred * np.roll(centred, -lag)) for lag in range(size)]
    # A pair `lag` apart stays together with probability (1 - 1/block) ** lag; there are size - lag pairs.
    weights = [(1 - lag / size) * (1 - 1 / block) ** lag for lag in range(1, size)]
    exact = (circular[0] + 2 * np.dot(weights, circular[1:])) / size
    draws = bootstrap.resampled_means(values, block=block, resamples=10_000)[:, 0]
    assert draws.var() == pytest.approx(exact, rel=0.05)


def test_columns_are_resampled_together_and_the_seed_decides():
    """A doubled column has twice the mean in every resample; another seed gives other resamples."""
    values = np.random.default_rng(3).standard_normal(100)
    means = bootstrap.resampled_means(np.column_stack([values, 2 * values]), block=5, resamples=50)
    assert means[:, 1] == pytest.approx(2 * means[:, 0])
    one, two, other = (bootstrap.resampled_means(values, block=4, resamples=50, seed=s) for s in (1, 1, 2))
    assert (one == two).all()
    assert (one != other).any()


def test_invalid_arguments_are_refused():
    """Values are finite, blocks and resamples start at 1, seeds are whole numbers."""
    for values in ([], [1.0, np.nan], [[1.0], [np.inf]]):
        with pytest.raises(DataValidationError):
            bootstrap.resampled_means(values, block=1)
    for name, wrong in {
        "block": (0.5, np.nan), "resamples": (0, 1.5), "seed": (None, -1, "1", True),
    }.items():  # fmt: skip
        for value in wrong:
            with pytest.raises(ConfigurationError, match=f"{name} "):
                bootstrap.resampled_means(np.ones(10), **{"block": 1, name: value})


@pytest.mark.parametrize("memory", [0.0, 0.9, -0.5])
@pytest.mark.parametrize("scale", [1.0, 1e-6])
def test_the_block_length_is_automatic_on_any_scale(memory, scale):
    """The block length does not depend on the scale, also where arch alone fails."""
    values = lfilter([1], [1, -memory], np.random.default_rng(0).standard_normal(700))
    expected = max(optimal_block_length(values)["stationary"].iloc[0], 1.0)
    assert bootstrap.optimal_block_length(scale * values) == pytest.approx(expected, abs=1e-8)
    for short in ([], [1.0], np.arange(9.0), np.ones(100)):  # no autocorrelation to estimate
        assert bootstrap.optimal_block_length(short) == 1.0


def test_an_interval_without_overlap_is_that_of_the_percentiles():
    """With blocks of one date and many dates nothing is widened but by Student's t."""
    draws = np.linspace(-1, 1, 2001)
    assert bootstrap.interval(0.0, draws, sessions=100_000, block=1.0, span=1) == pytest.approx(
        (-0.95, 0.95), abs=1e-4
    )


@pytest.mark.slow
def test_intervals_hold_the_truth_where_targets_overlap():
    """Of 200 means of returns over 20 sessions, 1,250 of them, at least 91 % of nominal 95 % hold it."""
    held = []
    for seed in range(200):
        steps = np.random.default_rng(seed).standard_normal(1269)
        values = np.convolve(steps, np.ones(20), mode="valid")
        draws = bootstrap.resampled_means(values, block=40.0, resamples=400, seed=seed)[:, 0]
        low, high = bootstrap.interval(float(values.mean()), draws, sessions=1250, block=40.0, span=20)
        held.append(low <= 0 <= high)
    assert np.mean(held) >= 0.91
