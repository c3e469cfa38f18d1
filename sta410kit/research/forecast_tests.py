"""Whether one forecast is better than another: the tests of Diebold and Mariano, and of Clark and West.

Both ask whether a series of one value a date has a mean above zero, and differ in the series. The variance of
the mean allows for targets that overlap: a target of *h* sessions shares information with *h* - 1 neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sta410kit.exceptions import DataValidationError
from sta410kit.research.bootstrap import autocovariances
from sta410kit.research.frames import require_horizon

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_FEWEST = 2


@dataclass(frozen=True)
class MeanTest:
    """A mean, its standard error, and the one-sided chance of a mean as high if the true one were zero."""

    mean: float
    standard_error: float
    statistic: float
    p_value: float


def diebold_mariano(benchmark_errors: ArrayLike, errors: ArrayLike, horizon: int = 1) -> MeanTest:
    """Return whether a forecast has smaller squared errors than a benchmark, beyond chance.

    Diebold and Mariano (1995), "Comparing predictive accuracy", JBES 13, with the correction for few outcomes
    and the t distribution of Harvey, Leybourne and Newbold (1997), "Testing the equality of prediction mean
    squared errors", International Journal of Forecasting 13. The mean of the result is the mean gain.

    Parameters
    ----------
    benchmark_errors, errors : array of shape (sessions,)
        Actual minus predicted, in time order, of the benchmark and of the forecast.
    horizon : int
        Sessions the target looks ahead.

    Raises
    ------
    DataValidationError
        If there are fewer than two errors, not as many of each, or one is not a finite number.
    """
    base, own = _same_length(benchmark_errors, errors)
    return gain_test(base**2 - own**2, horizon)


def clark_west(actual: ArrayLike, benchmark: ArrayLike, predicted: ArrayLike, horizon: int = 1) -> MeanTest:
    """Return whether a forecast holds information that a benchmark nested in it does not.

    Clark and West (2007), "Approximately normal tests for equal predictive accuracy in nested models",
    Journal of Econometrics 138. A model that estimates what is truly zero has larger errors than the
    benchmark that knows it is; adding the squared distance of the two forecasts takes that handicap away.

    Parameters
    ----------
    actual, benchmark, predicted : array of shape (sessions,)
        Outcomes and the two forecasts, in time order.
    horizon : int
        Sessions the target looks ahead.

    Raises
    ------
    DataValidationError
        As for `diebold_mariano`.
    """
    outcome, base = _same_length(actual, benchmark)
    outcome, own = _same_length(outcome, predicted)
    return information_test((outcome - base) ** 2 - (outcome - own) ** 2 + (base - own) ** 2, horizon)


def gain_test(gains: Floats, horizon: int = 1) -> MeanTest:
    """Return the test of Diebold and Mariano on the gain of each date, corrected for few outcomes."""
    from scipy.stats import t as student  # type: ignore[import-untyped,unused-ignore]

    size = len(gains)
    horizon = require_horizon(horizon)
    shrink = max((size + 1 - 2 * horizon + horizon * (horizon - 1) / size) / size, 0.0) ** 0.5
    mean, error = _mean_and_error(gains, horizon)
    statistic = _ratio(mean, error) * shrink
    return MeanTest(mean, error, statistic, float(student.sf(statistic, max(size - 1, 1))))


def information_test(adjusted: Floats, horizon: int = 1) -> MeanTest:
    """Return the test of Clark and West on the adjusted gain of each date."""
    from scipy.stats import norm  # type: ignore[import-untyped,unused-ignore]

    mean, error = _mean_and_error(adjusted, require_horizon(horizon))
    statistic = _ratio(mean, error)
    return MeanTest(mean, error, statistic, float(norm.sf(statistic)))


def _mean_and_error(values: Floats, horizon: int) -> tuple[float, float]:
    """Return the mean and its standard error over overlapping targets.

    Autocovariances up to lag *h* - 1 count in full, as in Diebold and Mariano; where their sum is not a
    variance (it can be negative), the weights of Bartlett up to lag 2 *h* are used, with which it always is.
    """
    import numpy as np

    size = len(values)
    covariance = autocovariances(values - values.mean())
    variance = covariance[0] + 2 * covariance[1:horizon].sum()
    if variance <= 0:
        lags = np.arange(1, min(2 * horizon, size))
        variance = covariance[0] + 2 * ((1 - lags / (2 * horizon)) @ covariance[lags])
    return float(values.mean()), float(max(variance, 0.0) / size) ** 0.5


def _ratio(mean: float, error: float) -> float:
    """Return the mean in standard errors; 0 where there is no error but rounding, and so no proof."""
    return mean / error if error > 1e-12 * abs(mean) else 0.0


def _same_length(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    import numpy as np

    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if one.ndim != 1 or one.shape != two.shape or len(one) < _FEWEST:
        message = (
            f"The test takes two series of one length, two values or more; got {one.shape} and {two.shape}."
        )
        raise DataValidationError(message)
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        message = "The test takes finite numbers only; drop the dates that have none."
        raise DataValidationError(message)
    return one, two
