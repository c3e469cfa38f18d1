"""Stationary bootstrap over dates.

Politis and Romano (1994), "The stationary bootstrap", JASA 89. Dates are resampled, so all symbols of a date
stay together. Block lengths and resamples are those of the package `arch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sta410kit._internal.argument_checks import require_whole
from sta410kit.exceptions import ConfigurationError, DataValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 2000
_FEWEST = 10  # values below which autocorrelation cannot be estimated


def optimal_block_length(values: ArrayLike) -> float:
    """Return the mean block length of Politis and White (2004), as Patton et al. (2009) correct it."""
    series = np.asarray(values, dtype=float)
    if len(series) < _FEWEST or not np.ptp(series) > 0:
        return 1.0
    from arch.bootstrap import optimal_block_length as automatic

    # Scaled, because arch stops at variances below 1e-17, where squared returns live.
    with np.errstate(divide="ignore", invalid="ignore"):  # of stretches that do not move
        best = float(automatic(series / np.abs(series).max())["stationary"].iloc[0])
    return max(best, 1.0) if np.isfinite(best) else 1.0


def resampled_positions(
    sessions: int, *, block: float, resamples: int, seed: int
) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of each resample, shape (sessions,)."""
    if not 1 <= block < np.inf or require_whole("resamples", resamples, 0) < 1:
        message = f"block is {block!r} and resamples {resamples!r}; both start at 1."
        raise ConfigurationError(message)
    seed = require_whole("seed", seed, 0)
    from arch.bootstrap import StationaryBootstrap

    # arch accepts fractional mean block lengths, against its annotation.
    sampler = StationaryBootstrap(block, np.arange(sessions), seed=seed)  # type: ignore[arg-type]
    for (drawn,), _ in sampler.bootstrap(resamples):
        yield np.asarray(drawn)


def resampled_means(values: ArrayLike, *, block: float, resamples: int = RESAMPLES, seed: int = 42) -> Floats:
    """Return the column means of each resample of dates, shape (resamples, k)."""
    table = np.asarray(values, dtype=float)
    table = table[:, None] if table.ndim == 1 else table
    if table.size == 0 or not np.isfinite(table).all():
        message = f"The bootstrap needs finite numbers; got shape {table.shape}, empty or with gaps."
        raise DataValidationError(message)
    sessions = len(table)
    drawn = resampled_positions(sessions, block=block, resamples=resamples, seed=seed)
    # With counts of how often each date is drawn, the means of all columns are one product.
    return np.array([np.bincount(each, minlength=sessions) @ table for each in drawn]) / sessions
