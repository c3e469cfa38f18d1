"""Tests of forecasts against regressions with robust errors and the package arch."""

import numpy as np
import pytest
import statsmodels.api as sm
from arch.bootstrap import SPA, RealityCheck
from scipy import stats

from sta410kit.research.bootstrap import resampled_means
from sta410kit.research.forecast_tests import (
    accuracy_p_value,
    at_least_once,
    information_p_value,
    superior_ability,
)

pytestmark = pytest.mark.unit

SIZE, BLOCK, RESAMPLES = 250, 6, 300


def overlapping(size=400, horizon=5, seed=0):
    """Return overlapping outcomes and a weakly informed forecast."""
    rng = np.random.default_rng(seed)
    actual = np.convolve(rng.standard_normal(size + horizon - 1), np.ones(horizon), mode="valid")
    return actual, 0.3 * actual + rng.standard_normal(size)


def regression(values, lags, kernel="uniform"):
    """Return the regression on a constant by statsmodels, with robust errors."""
    how = {"maxlags": lags, "kernel": kernel, "use_correction": False}
    return sm.OLS(values, np.ones(len(values))).fit(cov_type="HAC", cov_kwds=how)


@pytest.mark.parametrize("horizon", [1, 2, 5])
def test_the_p_values_are_those_of_regressions(horizon):
    """Diebold and Mariano with Harvey's correction, and Clark and West, agree with statsmodels to 1e-8."""
    actual, predicted = overlapping(horizon=horizon)
    gains, size = actual**2 - (actual - predicted) ** 2, len(actual)
    correction = np.sqrt((size + 1 - 2 * horizon + horizon * (horizon - 1) / size) / size)
    fitted = regression(gains, horizon - 1)
    expected = stats.t.sf(fitted.tvalues[0] * correction, size - 1)
    assert accuracy_p_value(gains, horizon) == pytest.approx(expected, abs=1e-8)
    adjusted = gains + predicted**2
    expected = regression(adjusted, horizon - 1).pvalues[0] / 2
    assert information_p_value(adjusted, horizon) == pytest.approx(expected, abs=1e-8)


def test_a_variance_that_would_be_negative_is_replaced():
    """Where full weights give no variance, those of Bartlett up to lag 2 h do, as in statsmodels."""
    gains = np.tile([1.0, -1.0], 50) + 0.01
    expected = regression(gains, 3, "bartlett").pvalues[0] / 2
    assert information_p_value(gains, 2) == pytest.approx(expected, abs=1e-8)


def test_clark_and_west_do_not_punish_an_estimated_model():
    """A noisy but informed forecast has larger errors than zero, and holds information all the same."""
    rng = np.random.default_rng(1)
    signal = rng.standard_normal(1000)
    actual, predicted = 0.2 * signal + rng.standard_normal(1000), 0.5 * signal
    gains = actual**2 - (actual - predicted) ** 2
    assert accuracy_p_value(gains) > 0.5
    assert information_p_value(gains + predicted**2) < 1e-6


@pytest.mark.parametrize("gains", [np.zeros(300), np.full(300, 0.3) ** 2 - np.full(300, 0.1) ** 2])
def test_a_constant_gain_proves_nothing(gains):
    """What rounding leaves of its variance is none: p is one half, not zero."""
    assert accuracy_p_value(gains) == information_p_value(gains) == 0.5


def test_the_chance_that_one_of_many_passes():
    """1 - 0.99 ** 10 by hand, and a certain one stays certain."""
    assert at_least_once(0.01, 10) == pytest.approx(1 - 0.99**10)
    assert at_least_once(1.0, 1) == pytest.approx(1.0)
    assert at_least_once(1e-20, 1) == pytest.approx(1e-20)


def gains(shift, models=4, seed=0):
    return np.random.default_rng(seed).standard_normal((SIZE, models)) + shift


def superiority(table, block=1.0, resamples=2000, **options):
    draws = resampled_means(table, block=block, resamples=resamples, seed=3)
    return superior_ability(table, draws, block=block, **options)


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
