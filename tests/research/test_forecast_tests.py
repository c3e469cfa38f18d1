"""Diebold-Mariano and Clark-West against regressions on a constant with robust errors."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from sta410kit.exceptions import DataValidationError
from sta410kit.research.forecast_tests import clark_west, diebold_mariano

pytestmark = pytest.mark.unit


def forecasts(size=400, horizon=5, seed=0):
    """Return overlapping outcomes and a forecast that knows a little of them."""
    rng = np.random.default_rng(seed)
    actual = np.convolve(rng.standard_normal(size + horizon - 1), np.ones(horizon), mode="valid")
    return actual, 0.3 * actual + rng.standard_normal(size)


def regression(values, horizon):
    """Return the mean and its error by statsmodels: HAC with full weight up to lag h - 1."""
    how = {"maxlags": horizon - 1, "kernel": "uniform", "use_correction": False}
    return sm.OLS(values, np.ones(len(values))).fit(cov_type="HAC", cov_kwds=how)


@pytest.mark.parametrize("horizon", [1, 2, 5])
def test_diebold_mariano_is_the_regression_with_the_correction_of_harvey(horizon):
    """Statistic and p value agree with statsmodels and the published formula to 1e-8."""
    actual, predicted = forecasts(horizon=horizon)
    found = diebold_mariano(actual, actual - predicted, horizon)
    fitted = regression(actual**2 - (actual - predicted) ** 2, horizon)
    size = len(actual)
    correction = np.sqrt((size + 1 - 2 * horizon + horizon * (horizon - 1) / size) / size)
    assert found.mean == pytest.approx(fitted.params[0], abs=1e-8)
    assert found.standard_error == pytest.approx(fitted.bse[0], abs=1e-8)
    assert found.statistic == pytest.approx(fitted.tvalues[0] * correction, abs=1e-8)
    assert found.p_value == pytest.approx(stats.t.sf(fitted.tvalues[0] * correction, size - 1), abs=1e-8)


@pytest.mark.parametrize("horizon", [1, 2, 5])
def test_clark_west_is_the_regression_of_the_adjusted_gain(horizon):
    """Statistic and p value agree with statsmodels to 1e-8."""
    actual, predicted = forecasts(horizon=horizon)
    benchmark = np.full(len(actual), 0.1)
    found = clark_west(actual, benchmark, predicted, horizon)
    adjusted = (actual - benchmark) ** 2 - (actual - predicted) ** 2 + (benchmark - predicted) ** 2
    fitted = regression(adjusted, horizon)
    assert found.statistic == pytest.approx(fitted.tvalues[0], abs=1e-8)
    assert found.p_value == pytest.approx(fitted.pvalues[0] / 2, abs=1e-8)


def test_a_variance_that_would_be_negative_is_replaced():
    """Where full weights give no variance, those of Bartlett up to lag 2 h do, as in statsmodels."""
    gains = np.tile([1.0, -1.0], 50) + 0.01
    found = diebold_mariano(np.sqrt(gains + 2), np.full(100, np.sqrt(2.0)), horizon=2)
    how = {"maxlags": 3, "kernel": "bartlett", "use_correction": False}
    fitted = sm.OLS(gains, np.ones(100)).fit(cov_type="HAC", cov_kwds=how)
    assert found.standard_error == pytest.approx(fitted.bse[0], abs=1e-8)


def test_an_estimated_model_is_not_punished_by_clark_and_west():
    """A noisy but informed forecast has larger errors than zero, and holds information all the same."""
    rng = np.random.default_rng(1)
    signal = rng.standard_normal(1000)
    actual = 0.2 * signal + rng.standard_normal(1000)
    predicted = 0.5 * signal
    assert diebold_mariano(actual, actual - predicted).p_value > 0.5
    assert clark_west(actual, np.zeros(1000), predicted).p_value < 1e-6


def test_a_gain_that_is_always_the_same_proves_nothing():
    """What rounding leaves of its variance is none: no statistic of 1e16."""
    first, second = np.full(300, 0.3) ** 2, np.full(300, 0.1) ** 2
    assert diebold_mariano(first, second).statistic == 0.0


def test_the_same_forecast_twice_proves_nothing():
    """Without any difference the statistic is 0 and the p value one half."""
    same = np.arange(10.0)
    assert diebold_mariano(same, same).statistic == 0
    assert diebold_mariano(same, same).p_value == 0.5


@pytest.mark.parametrize(
    ("one", "two", "words"),
    [
        ([1.0], [1.0], "two values or more"),
        ([1.0, 2.0], [1.0], r"got \(2,\) and \(1,\)"),
        ([1.0, np.nan], [1.0, 2.0], "finite numbers only"),
    ],
)
def test_what_cannot_be_tested_is_refused(one, two, words):
    """Too few, not as many, and gaps."""
    with pytest.raises(DataValidationError, match=words):
        diebold_mariano(one, two)
