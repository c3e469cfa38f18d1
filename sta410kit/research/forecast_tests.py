"""Forecast tests: Diebold-Mariano, Clark-West, Hansen's SPA and White's reality check.

All work on one value per date: the squared error that a forecast saves against the benchmark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_TRIMMED = 0.15  # share of the dates at either end that no break lies in
_DECLINE = 2.68  # the root of 7.17, for which a two-sided test has 10 %
_LEFT = 0.10
_FREQUENCIES = 0.4  # times size to the power 2/3, as its authors recommend


def accuracy_p_value(gains: Floats, horizon: int = 1) -> float:
    """Return the one-sided p value of Diebold and Mariano (1995, JBES 13) for the gain per date."""
    return t_test(gains, horizon).p_value


def information_p_value(adjusted: Floats, overlap: float = 1.0) -> float:
    """Return the one-sided p value of Clark and West (2007, J. Econometrics 138) for the adjusted gains.

    A model that estimates what is truly zero has larger errors than the benchmark that knows it is; adding
    the squared distance of the two forecasts to the gain removes that handicap.

    Parameters
    ----------
    adjusted : array of shape (dates,)
        Twice the product of prediction and outcome, averaged over the symbols of each date.
    overlap : float
        From `overlap_of`: dates that count as one. Student's t has as many degrees of freedom as are left.
    """
    from scipy.stats import t as student  # type: ignore[import-untyped,unused-ignore]

    degrees = max(len(adjusted) / overlap - 1, 1.0)
    ratio = _ratio(float(adjusted.mean()), float(adjusted.var()) / degrees)
    return float(student.sf(ratio, degrees))


def overlap_of(predicted: Floats, horizon: int) -> float:
    """Return by how much overlapping targets inflate the variance of a mean product with the predictions.

    If outcomes are unpredictable, products *j* dates apart covary as the predictions do, times the share
    1 - *j* / *h* that their targets have in common. Imposing that (as Hodrick 1992, Rev. Financial Studies 5,
    does) keeps the size where the predictor is nearly a random walk and covariances estimated from
    the products do not.

    Parameters
    ----------
    predicted : array of shape (dates, symbols)
        In time order; 0 where there is no prediction.
    horizon : int
        Sessions that each target spans.

    Returns
    -------
    float
        Between 1, where predictions on different dates have nothing in common, and `horizon`.
    """
    covariance = autocovariances(predicted)[:horizon].sum(axis=1)
    if covariance[0] <= 0:
        return float(horizon)
    weights = 1 - np.arange(1, len(covariance)) / horizon
    return float(np.clip(1 + 2 * weights @ covariance[1:] / covariance[0], 1.0, horizon))


def last_of_fading(adjusted: Floats, overlap: float = 1.0) -> int | None:
    """Return the last date on which there was information, where there is none since.

    The mean before a date is compared with the mean after it, over all dates but the first and last 15 %; the
    date of the largest decline counts if the decline is significant at 5 % over all of them (Giacomini and
    Rossi 2010, J. Applied Econometrics 25, test of a one-time reversal; quantile of Andrews 1993,
    Econometrica 61) and no information is left after it at 10 %.

    Parameters
    ----------
    adjusted, overlap
        As in `information_p_value`.

    Returns
    -------
    int or None
        Its position; None where information has not ended, or never was.
    """
    size = len(adjusted)
    breaks = np.arange(int(_TRIMMED * size), size - int(_TRIMMED * size))
    if size * _TRIMMED < overlap or not len(breaks) or breaks[0] < 1:
        return None
    total, squares = np.cumsum(adjusted), np.cumsum(adjusted**2)
    before, after = total[breaks - 1] / breaks, (total[-1] - total[breaks - 1]) / (size - breaks)
    variance = np.maximum(squares[-1] - breaks * before**2 - (size - breaks) * after**2, 0) / size
    error = np.sqrt(variance * overlap * (1 / breaks + 1 / (size - breaks)))
    decline = np.divide(before - after, error, out=np.zeros(len(breaks)), where=error > 0)
    place = int(decline.argmax())
    ended = decline[place] > _DECLINE and information_p_value(adjusted[breaks[place] :], overlap) > _LEFT
    return int(breaks[place]) - 1 if ended else None


class MeanTest(NamedTuple):
    """A mean over its standard error, its degrees of freedom, the one-sided p value, and the error."""

    ratio: float
    degrees: float
    p_value: float
    error: float

    def half_width(self, level: float = 0.95) -> float:
        """Return half the width of the interval of the mean."""
        from scipy.stats import t as student  # type: ignore[import-untyped,unused-ignore]

        return float(student.isf((1 - level) / 2, self.degrees)) * self.error


def t_test(values: Floats, horizon: int) -> MeanTest:
    """Test whether a mean over dates is above zero, given targets that overlap over `horizon` dates.

    Without overlap the variance is that of the sample. With it the long-run variance is estimated from the
    lowest cosine frequencies, equally weighted, and Student's t has as many degrees of freedom as there are
    frequencies (Lazarus, Lewis, Stock and Watson 2018, JBES 36). At most one frequency per two spans of the
    target is used, below which its spectrum is nearly flat. Autocovariances up to lag *h* - 1 with normal
    quantiles, as in Hansen and Hodrick, reject a true null of 20 overlapping sessions three times too often.

    Parameters
    ----------
    values : array of shape (dates,)
        In time order.
    horizon : int
        Sessions that each target spans.

    Returns
    -------
    MeanTest
        A ratio of 0 and a p value of 0.5 where nothing but rounding varies.
    """
    from scipy.stats import t as student  # type: ignore[import-untyped,unused-ignore]

    size, mean = len(values), float(values.mean())
    if horizon == 1:
        degrees = max(size - 1, 1)
        variance = float(values.var()) * size / degrees
    else:
        degrees = max(int(min(_FREQUENCIES * size ** (2 / 3), size / (2 * horizon))), 1)
        angles = np.pi * np.outer(np.arange(1, degrees + 1), np.arange(size) + 0.5) / size
        variance = float(np.mean((np.cos(angles) @ (values - mean)) ** 2) * 2 / size)
    ratio = _ratio(mean, variance / size)
    return MeanTest(ratio, degrees, float(student.sf(ratio, degrees)), (variance / size) ** 0.5)


def _ratio(mean: float, variance: float) -> float:
    """Return a mean over its standard error; 0 where nothing but rounding varies."""
    error: float = variance**0.5
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
