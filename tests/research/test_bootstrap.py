"""The stationary bootstrap and Hansen's test against closed forms and the package arch."""

import numpy as np
import pytest
from arch.bootstrap import SPA, RealityCheck, optimal_block_length
from scipy.signal import lfilter

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research import bootstrap

pytestmark = pytest.mark.unit

SIZE, BLOCK, RESAMPLES = 250, 6, 300


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


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [[1.0], [np.inf]]])
def test_values_are_finite_numbers(values):
    """Nothing, gaps and infinities are refused."""
    with pytest.raises(DataValidationError):
        bootstrap.resampled_means(values, block=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"block": 0.5}, {"block": np.nan}, {"resamples": 0}, {"resamples": 1.5},
        {"seed": None}, {"seed": -1}, {"seed": "1"}, {"seed": True},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(wrong):
    """Blocks and resamples start at one, seeds are whole numbers."""
    with pytest.raises(ConfigurationError):
        bootstrap.resampled_means(np.ones(10), **{"block": 1, **wrong})


@pytest.mark.parametrize("memory", [0.0, 0.9, -0.5])
@pytest.mark.parametrize("scale", [1.0, 1e-6])
def test_the_block_length_is_automatic_on_any_scale(memory, scale):
    """Squared daily returns, of a size at which arch alone gives up, have the block length of their shape."""
    values = lfilter([1], [1, -memory], np.random.default_rng(0).standard_normal(700))
    expected = max(optimal_block_length(values)["stationary"].iloc[0], 1.0)
    assert bootstrap.optimal_block_length(scale * values) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("values", [[], [1.0], np.arange(9.0), np.ones(100)])
def test_few_values_and_constants_have_a_block_length_of_one(values):
    """There is no autocorrelation to estimate."""
    assert bootstrap.optimal_block_length(values) == 1.0


def gains(shift, models=4, seed=0):
    return np.random.default_rng(seed).standard_normal((SIZE, models)) + shift


def superiority(table, block=1.0, resamples=2000, **options):
    draws = bootstrap.resampled_means(table, block=block, resamples=resamples, seed=3)
    return bootstrap.superior_ability(table, draws, block=block, **options)


def without_the_sample_itself(p_value):
    """Return a p value as arch counts it: of the resamples only, not of the sample and the resamples."""
    return (p_value * (RESAMPLES + 1) - 1) / RESAMPLES


@pytest.mark.parametrize("shift", [0.0, 0.05, np.array([0.08, -0.9, 0.0, -0.02])])
def test_hansens_test_agrees_with_arch(shift):
    """The consistent and the upper p value are those of arch's SPA to 1e-8."""
    table = gains(shift)
    arch = SPA(np.zeros(SIZE), -table, block_size=BLOCK, reps=RESAMPLES, seed=3)
    arch.compute()
    found = superiority(table, BLOCK, RESAMPLES, studentise=False)
    ours = [without_the_sample_itself(value) for value in (found.p_value, found.p_upper)]
    assert ours == pytest.approx(arch.pvalues[["consistent", "upper"]].tolist(), abs=1e-8)


def test_the_reality_check_is_the_upper_p_value():
    """White's p value is that of arch's RealityCheck."""
    table = gains(np.array([0.08, -0.9, 0.0, -0.02]))
    arch = RealityCheck(np.zeros(SIZE), -table, block_size=BLOCK, reps=RESAMPLES, seed=3)
    arch.compute()
    found = superiority(table, BLOCK, RESAMPLES, studentise=False)
    assert without_the_sample_itself(found.p_upper) == pytest.approx(arch.pvalues["upper"], abs=1e-8)


def test_the_best_of_many_useless_models_is_not_significant():
    """Among 50 models of noise the best looks good alone, and is what the luckiest of 50 looks like."""
    table = gains(0.0, models=50, seed=1)
    best = int(np.argmax(table.mean(axis=0) / table.std(axis=0)))
    assert superiority(table[:, [best]]).p_value < 0.05
    among = superiority(table)
    assert among.best == best
    assert among.p_value > 0.2
    table[:, 7] += 0.4
    assert superiority(table).best == 7
    assert superiority(table).p_value < 0.01


def test_studentising_keeps_a_wild_model_from_drowning_the_others():
    """Divided by its standard error, noise on a large scale counts no more than other noise."""
    table = np.column_stack([gains(0.25, 1), 100 * gains(0.0, 1, seed=2)])
    assert superiority(table).p_value < 0.01
    assert superiority(table, studentise=False).p_value > 0.1


def test_a_model_that_equals_the_benchmark_is_never_better():
    """No gain and no error: p is 1, and nothing is divided by zero."""
    assert superiority(np.zeros((30, 1)), block=2, resamples=50).p_value == 1
