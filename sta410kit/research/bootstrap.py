"""How much of a result could be chance: the stationary bootstrap.

Politis and Romano (1994), "The stationary bootstrap", JASA 89: resample blocks of random, geometrically
distributed length, wrapped around the end, so that the resample is stationary and neighbours stay neighbours.
What is resampled are dates: all symbols of a date stay together, because they move together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit._internal.argument_checks import require_whole
from sta410kit.exceptions import ConfigurationError, DataValidationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 2000
_CELLS = 1_000_000  # values held at once; keeps memory flat however long the series
_FEWEST = 10  # values below which there is no autocorrelation to speak of


def block_length(sessions: int, horizon: int = 1) -> float:
    """Return the mean block length: the cube root of the sessions, and at least twice the horizon.

    The cube root is the rate of Politis and Romano; targets of neighbouring dates overlap over `horizon`
    sessions, and a block must span that overlap.
    """
    return max(float(sessions ** (1 / 3)), 2.0 * horizon, 1.0)


def optimal_block_length(values: ArrayLike) -> float:
    """Return the mean block length that estimates the variance of the mean best, from the data.

    Politis and White (2004), "Automatic block-length selection for the dependent bootstrap", Econometric
    Reviews 23, as corrected by Patton, Politis and White (2009), Econometric Reviews 28: grows with the
    strength and the reach of the autocorrelation, and with the cube root of the sessions.

    Parameters
    ----------
    values : array of shape (sessions,)
        In time order.

    Returns
    -------
    float
        In sessions, 1 or more, at most three times the root of the sessions; 1 for a constant, and for fewer
        than ten values.
    """
    import numpy as np

    series = np.asarray(values, dtype=float)
    size = len(series)
    centred = series - series.mean() if size else series
    if size < _FEWEST or not np.ptp(series) > 0:
        return 1.0
    covariance = autocovariances(centred)
    reach = _reach(centred, covariance)
    lags = np.arange(1, reach + 1)
    # The flat-top window: full weight up to half the reach, then falling to nothing.
    weights = np.minimum(1.0, 2 * (1 - lags / reach)) * covariance[lags]
    slope, long_run = 2 * (weights @ lags), covariance[0] + 2 * weights.sum()
    if long_run == 0:
        return 1.0
    best = (slope**2 / long_run**2 * size) ** (1 / 3)
    return float(np.clip(best, 1.0, np.ceil(min(3 * np.sqrt(size), size / 3))))


def autocovariances(values: Floats) -> Floats:
    """Return the autocovariances at lags 0, 1, ... of centred values, divided by their number, along axis 0.

    By fast Fourier transform, so that all lags cost hardly more than one.
    """
    import numpy as np

    size = len(values)
    padded = 2 ** int(np.ceil(np.log2(2 * size)))
    spectrum = np.abs(np.fft.rfft(values, padded, axis=0)) ** 2
    found: Floats = np.fft.irfft(spectrum, padded, axis=0)[:size] / size
    return found


def _reach(centred: Floats, covariance: Floats) -> int:
    """Return up to which lag autocorrelations count: twice the last one before a run that is negligible."""
    import numpy as np

    size = len(centred)
    run = max(5, int(np.log10(size)))
    most = min(int(np.ceil(np.sqrt(size))) + run, size - 2)
    squares = np.concatenate([[0.0], np.cumsum(centred**2)])
    lags = np.arange(1, most + 1)
    later, earlier = squares[-1] - squares[lags + 1], squares[size - lags - 1]
    scale = np.sqrt(later * earlier)
    relative = np.divide(np.abs(size * covariance[lags]), scale, out=np.ones(most), where=scale > 0)
    small = np.concatenate([[False], relative < 2 * np.sqrt(np.log10(size) / size)])
    runs = np.convolve(small, np.ones(run, dtype=int), mode="valid") == run  # lags k to k + run - 1 are small
    begins = np.flatnonzero(runs[: most - run + 1])
    return most if begins.size == 0 else min(2 * max(int(begins[0]), 1), most)


def stationary_indices(
    sessions: int, resamples: int, block: float, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Return the positions of `resamples` stationary bootstrap resamples, shape ``(resamples, sessions)``."""
    import numpy as np

    here = np.arange(sessions, dtype=np.int32)
    begins = rng.random((resamples, sessions), dtype=np.float32) < 1 / block
    begins[:, 0] = True
    origin = np.maximum.accumulate(here * begins, axis=1)  # where the current block began
    start = rng.integers(sessions, size=(resamples, sessions), dtype=np.int32)  # which date each starts from
    positions = np.take_along_axis(start, origin, axis=1) + (here - origin)
    positions -= sessions * (positions >= sessions)  # around the end
    return positions


def resampled_means(values: ArrayLike, *, block: float, resamples: int = RESAMPLES, seed: int = 42) -> Floats:
    """Return the column means of each resample.

    Parameters
    ----------
    values : array of shape (sessions,) or (sessions, k)
        One row a date, in time order; columns are resampled together.
    block : float
        Mean block length in sessions, 1 or more.
    resamples : int
        How many resamples.
    seed : int
        The same seed gives the same resamples.

    Returns
    -------
    array of shape (resamples, k)

    Raises
    ------
    DataValidationError
        If there are no values, or one is not a finite number.
    ConfigurationError
        If the block is shorter than one session, or there is no resample.
    """
    import numpy as np

    table = np.asarray(values, dtype=float)
    table = table[:, None] if table.ndim == 1 else table
    if table.size == 0 or not np.isfinite(table).all():
        message = (
            f"The bootstrap takes finite numbers; got an array of shape {table.shape} with none or with gaps."
        )
        raise DataValidationError(message)
    if not block >= 1 or require_whole("resamples", resamples, 0) < 1:
        message = f"block is {block!r} and resamples {resamples!r}; both start at 1."
        raise ConfigurationError(message)
    sessions = len(table)
    rng = np.random.default_rng(require_whole("seed", seed, 0))
    at_once = max(1, _CELLS // sessions)
    parts = []
    for done in range(0, resamples, at_once):
        positions = stationary_indices(sessions, min(at_once, resamples - done), block, rng)
        parts.append(how_often(positions) @ table / sessions)
    return np.concatenate(parts)


def how_often(positions: NDArray[np.int32]) -> Floats:
    """Return how often each date occurs in each resample, shape ``(resamples, sessions)``.

    Sums over a resample are this times the values: one product of matrices for any number of columns.
    """
    import numpy as np

    resamples, sessions = positions.shape
    flat = positions + sessions * np.arange(resamples, dtype=np.int32)[:, None]  # below 2**31: see _CELLS
    counts = np.bincount(flat.ravel(), minlength=resamples * sessions)
    return counts.reshape(resamples, sessions).astype(float)
