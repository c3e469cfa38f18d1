"""How much of a result could be chance: the stationary bootstrap.

Politis and Romano (1994), "The stationary bootstrap", JASA 89: resample blocks of random, geometrically
distributed length, wrapped around the end, so that the resample is stationary and neighbours stay neighbours.
What is resampled are dates: all symbols of a date stay together, because they move together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError, DataValidationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 2000
_CELLS = 1_000_000  # values held at once; keeps memory flat however long the series


def block_length(sessions: int, horizon: int = 1) -> float:
    """Return the mean block length: the cube root of the sessions, and at least twice the horizon.

    The cube root is the rate of Politis and Romano; targets of neighbouring dates overlap over `horizon`
    sessions, and a block must span that overlap.
    """
    return max(float(sessions ** (1 / 3)), 2.0 * horizon, 1.0)


def stationary_indices(
    sessions: int, resamples: int, block: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the positions of `resamples` stationary bootstrap resamples, shape ``(resamples, sessions)``."""
    import numpy as np

    here = np.arange(sessions)
    begins = rng.random((resamples, sessions)) < 1 / block
    begins[:, 0] = True
    origin = np.maximum.accumulate(np.where(begins, here, 0), axis=1)  # where the current block began
    start = rng.integers(sessions, size=(resamples, sessions))  # which date each new block starts from
    return (np.take_along_axis(start, origin, axis=1) + here - origin) % sessions


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
    if not block >= 1 or resamples < 1:
        message = f"block is {block!r} and resamples {resamples!r}; both start at 1."
        raise ConfigurationError(message)
    sessions = len(table)
    rng = np.random.default_rng(seed)
    at_once = max(1, _CELLS // sessions)
    parts = [
        table[stationary_indices(sessions, min(at_once, resamples - done), block, rng)].mean(axis=1)
        for done in range(0, resamples, at_once)
    ]
    return np.concatenate(parts)
