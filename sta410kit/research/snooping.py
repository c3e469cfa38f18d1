"""Whether the best of several models is better than the benchmark, or only the luckiest of them.

White (2000), "A reality check for data snooping", Econometrica 68, and Hansen (2005), "A test for superior
predictive ability", JBES 23. The best of many models without any skill looks skilled; how much is read off
resamples in which no model has any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sta410kit.research.bootstrap import autocovariances, resampled_means

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SuperiorAbility:
    """The chance that the best of the models looks as good as it does although none beats the benchmark.

    ``p_value`` is Hansen's consistent one; ``p_lower`` and ``p_upper`` bound it. Unstudentised, ``p_upper``
    is White's reality check.
    """

    best: int
    p_lower: float
    p_value: float
    p_upper: float


def superior_ability(
    gains: ArrayLike, *, block: float, resamples: int = 2000, seed: int = 42, studentise: bool = True
) -> SuperiorAbility:
    """Return Hansen's test of the models' gains over the benchmark.

    Parameters
    ----------
    gains : array of shape (sessions, models)
        What each model saves against the benchmark on each date, in time order.
    block : float
        Mean block length of the stationary bootstrap, in sessions.
    resamples, seed : int
        Of the bootstrap.
    studentise : bool
        Divide each mean gain by its standard error, so that a wild model does not drown the others.

    Raises
    ------
    DataValidationError
        If there are no gains, or one is not a finite number.
    """
    import numpy as np

    table = np.asarray(gains, dtype=float)
    table = table[:, None] if table.ndim == 1 else table
    draws = resampled_means(table, block=block, resamples=resamples, seed=seed)
    return from_draws(table, draws, block=block, studentise=studentise)


def reality_check(gains: ArrayLike, *, block: float, resamples: int = 2000, seed: int = 42) -> float:
    """Return the p value of White's reality check for the best of the models; arguments as above."""
    return superior_ability(gains, block=block, resamples=resamples, seed=seed, studentise=False).p_upper


def from_draws(
    gains: Floats, draws: Floats, *, block: float, studentise: bool = True, chosen: int | None = None
) -> SuperiorAbility:
    """Return the test from resampled mean gains that are there already.

    With a model `chosen` (its column), the p values are the chance that any of the models looks as good as
    that one does; without, the one that looks best is.
    """
    import numpy as np

    size, means = len(gains), gains.mean(axis=0)
    deviation = np.sqrt(long_run_variance(gains, block))
    scale = deviation if studentise else np.ones_like(means)
    moving = scale > 0  # a model that always equals the benchmark gains nothing, and has no error either
    seen = np.where(moving, means / np.where(moving, scale, 1), 0.0)
    best = int(np.argmax(seen)) if chosen is None else chosen
    # Models so far behind that they cannot be the best are not lifted to a mean of zero (Hansen, eq. 9).
    hopeless = means < -deviation * np.sqrt(2 * np.log(np.log(max(size, 3))) / size)
    centres = np.maximum(means, 0), np.where(hopeless, 0.0, means), means
    chances = []
    for centre in centres:
        simulated = np.where(moving, (draws - centre) / np.where(moving, scale, 1), 0.0).max(axis=1)
        exceeded = int((simulated >= seen[best]).sum())
        chances.append((1 + exceeded) / (1 + len(draws)))
    return SuperiorAbility(best, *chances)


def long_run_variance(gains: Floats, block: float) -> Floats:
    """Return the variance of the root of the sessions times each mean, under the stationary bootstrap.

    Its exact value (Politis and Romano 1994, lemma 1): autocovariances weighted by the chance that two dates
    stay together, around the end included.
    """
    import numpy as np

    size = len(gains)
    covariance = autocovariances(gains - gains.mean(axis=0))
    lags = np.arange(1, size)
    stay = 1 - 1 / block
    weights = (1 - lags / size) * stay**lags + lags / size * stay ** (size - lags)
    variance: Floats = np.maximum(covariance[0] + 2 * weights @ covariance[1:], 0.0)
    return variance
