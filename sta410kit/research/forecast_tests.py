"""Forecast tests: Diebold-Mariano, Clark-West, Hansen's SPA and White's reality check.

All work on one value per date: the squared error that a forecast saves against the benchmark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def at_least_once(p_value: float, trials: int) -> float:
    """Return the chance that one of `trials` independent tests has such a p value (Šidák 1967, JASA 62)."""
    return float(-np.expm1(trials * np.log1p(-min(p_value, 1 - 1e-12))))


def accuracy_p_value(gains: Floats, horizon: int = 1) -> float:
    """Return the one-sided p value of Diebold and Mariano (1995, JBES 13) for the gain per date.

    With the small-sample correction of Harvey, Leybourne and Newbold (1997, Int. J. Forecasting 13).
    """
    from scipy.stats import t as student  # type: ignore[import-untyped,unused-ignore]

    size = len(gains)
    shrink = max((size + 1 - 2 * horizon + horizon * (horizon - 1) / size) / size, 0.0) ** 0.5
    return float(student.sf(t_ratio(gains, horizon) * shrink, max(size - 1, 1)))


def information_p_value(adjusted: Floats, horizon: int = 1) -> float:
    """Return the one-sided p value of Clark and West (2007, J. Econometrics 138) for the adjusted gains.

    A model that estimates what is truly zero has larger errors than the benchmark that knows it is; adding
    the squared distance of the two forecasts to the gain removes that handicap.
    """
    from scipy.stats import norm  # type: ignore[import-untyped,unused-ignore]

    return float(norm.sf(t_ratio(adjusted, horizon)))


def t_ratio(values: Floats, horizon: int) -> float:
    """Return the mean over its standard error, given targets that overlap over `horizon` dates.

    Autocovariances up to lag *h* - 1 count in full, as in Diebold and Mariano; where their sum is negative,
    Bartlett weights up to lag 2 *h* replace them. 0 where nothing but rounding varies.
    """
    size, mean = len(values), float(values.mean())
    covariance = autocovariances(values - mean)
    variance = covariance[0] + 2 * covariance[1:horizon].sum()
    if variance <= 0:
        lags = np.arange(1, min(2 * horizon, size))
        variance = covariance[0] + 2 * ((1 - lags / (2 * horizon)) @ covariance[lags])
    error = float(max(variance, 0.0) / size) ** 0.5
    return mean / error if error > 1e-12 * abs(mean) else 0.0


class SuperiorAbility(NamedTuple):
    """Chance that the best of several useless models looks as good as the best (or chosen) one does.

    ``p_value`` is Hansen's consistent p value; unstudentised, ``p_upper`` is White's reality check.
    """

    best: int
    p_value: float
    p_upper: float


def superior_ability(
    gains: Floats, draws: Floats, *, block: float, studentise: bool = True, chosen: int | None = None
) -> SuperiorAbility:
    """Return Hansen's test for superior predictive ability from bootstrap draws of the mean gains.

    Hansen (2005), "A test for superior predictive ability", JBES 23; White (2000), "A reality check for data
    snooping", Econometrica 68. `arch.bootstrap.SPA` draws resamples of its own; here four tests and all
    intervals of a verdict share one set.

    Parameters
    ----------
    gains : array of shape (sessions, models)
        What each model saves against the benchmark on each date, in time order.
    draws : array of shape (resamples, models)
        Their means from `resampled_means`.
    block : float
        Mean block length of the draws.
    studentise : bool
        Divide each mean gain by its standard error.
    chosen : int, optional
        The model to test; the best by default.
    """
    size, means = len(gains), gains.mean(axis=0)
    deviation = np.sqrt(_long_run_variance(gains, block))
    scale = deviation if studentise else np.ones_like(means)
    moving = scale > 0  # a model that always equals the benchmark has neither gain nor error

    def statistic(values: Floats) -> Floats:
        return np.where(moving, values / np.where(moving, scale, 1), 0.0)

    seen = statistic(means)
    best = int(np.argmax(seen)) if chosen is None else chosen
    # Models too far behind to be the best are not centred at zero (Hansen, eq. 9).
    hopeless = means < -deviation * np.sqrt(2 * np.log(np.log(max(size, 3))) / size)
    p_value, p_upper = (
        (1 + int((statistic(draws - centre).max(axis=1) >= seen[best]).sum())) / (1 + len(draws))
        for centre in (np.where(hopeless, 0.0, means), means)
    )
    return SuperiorAbility(best, p_value, p_upper)


def autocovariances(values: Floats) -> Floats:
    """Return the autocovariances of centred values at lags 0, 1, ... along axis 0, by FFT."""
    size = len(values)
    padded = 2 ** int(np.ceil(np.log2(2 * size)))
    spectrum = np.abs(np.fft.rfft(values, padded, axis=0)) ** 2
    found: Floats = np.fft.irfft(spectrum, padded, axis=0)[:size] / size
    return found


def _long_run_variance(gains: Floats, block: float) -> Floats:
    """Return the variance of sqrt(sessions) x mean under the stationary bootstrap (1994, lemma 1)."""
    size = len(gains)
    covariance = autocovariances(gains - gains.mean(axis=0))
    lags = np.arange(1, size)
    stay = 1 - 1 / block
    weights = (1 - lags / size) * stay**lags + lags / size * stay ** (size - lags)
    variance: Floats = np.maximum(covariance[0] + 2 * weights @ covariance[1:], 0.0)
    return variance
