"""The volatility to expect over the next sessions, from closes alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.exceptions import FeatureEngineeringError
from sta410kit.research.frames import is_gap, log, require_horizon, require_prices, unbroken_runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Decay of absolute daily returns; the half-lives are four and eleven sessions, and sixteen months.
_FAST, _MEDIUM, _SLOW = 0.85, 0.94, 1 - 1 / 504
_FIRST = 21  # returns before the volatility is known
# The first guess of both slopes, its weight in squared log ratios. Where volatility has never changed, the
# ratios are noise and slopes of zero fit best, which would miss the first change for weeks.
_GUESS, _PRIOR = (0.3, 0.6), 100.0
_SMALLEST = 0.05  # volatilities: smaller moves count as this much, because zero has no logarithm


def trailing_scale(
    prices: pd.DataFrame, horizon: int, slopes: tuple[float, float] | None = None
) -> pd.DataFrame:
    """Return the volatility expected at each close over the next `horizon` sessions.

    Volatility reverts to its mean, the more so the longer the horizon. With *f*, *m* and *s* the fast, medium
    and slow exponentially weighted means of absolute daily log returns, times the root of pi / 2::

        log scale = log s + b1 * log(f / s) + b2 * log(m / s) + log(horizon) / 2

    b1 and b2 are those of the regression of the log absolute return over the horizon on the same ratios, over
    all symbols and the outcomes known by then: an autoregression of log volatility at three speeds (Corsi
    2009, J. Financial Econometrics 7). A gap has no returns to or from it; older ones decay over it as over
    any session.

    Parameters
    ----------
    prices : DataFrame
        A prices frame.
    horizon : int
        Sessions ahead.
    slopes : tuple of float, optional
        b1 and b2 from `latest_slopes`, to be used on all rows instead of what these prices tell.

    Returns
    -------
    DataFrame
        Columns ``symbol, date, scale``, at least 1e-8; NaN at a gap and until 21 returns are known.

    Raises
    ------
    FeatureEngineeringError
        If the prices are not sorted, hold duplicates, or a price that is not a positive number.
    """
    horizon = require_horizon(horizon)
    slow, ratios = _volatilities(prices)
    used = _known_slopes(prices, horizon, slow, ratios) if slopes is None else np.asarray(slopes)
    scale = np.exp(slow + (used * ratios).sum(axis=1)) * math.sqrt(horizon)
    scale = np.where(is_gap(prices), np.nan, np.maximum(scale, 1e-8))
    return prices[["symbol", "date"]].assign(scale=scale).reset_index(drop=True)


def latest_slopes(prices: pd.DataFrame, horizon: int) -> tuple[float, float]:
    """Return the slopes of `trailing_scale` that are known at the last session."""
    found = _known_slopes(prices, require_horizon(horizon), *_volatilities(prices))
    fast, medium = found[int(prices["date"].to_numpy().argmax())]
    return float(fast), float(medium)


def _volatilities(prices: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the log of the slow volatility, and the logs of the fast and the medium one relative to it."""
    require_prices(prices, FeatureEngineeringError, ("adj_close",))
    moves = log(prices["adj_close"]).groupby(prices["symbol"], sort=False).diff().abs()
    groups = moves.groupby(prices["symbol"], sort=False)
    means = [
        groups.ewm(alpha=1 - decay, min_periods=_FIRST).mean().to_numpy() for decay in (_FAST, _MEDIUM, _SLOW)
    ]
    fast, medium, slow = np.log(np.maximum(math.sqrt(math.pi / 2) * np.array(means), 1e-8))
    return slow, np.column_stack([fast - slow, medium - slow])


def _known_slopes(prices: pd.DataFrame, horizon: int, slow: Floats, ratios: Floats) -> Floats:
    """Return for each row the slopes of the regression on the rows whose outcome is known by its date."""
    level, run = log(prices["adj_close"]), pd.Series(unbroken_runs(prices), index=prices.index)
    outcome = (level.shift(-horizon) - level).where(run == run.shift(-horizon)).to_numpy()
    move = np.abs(outcome) / math.sqrt(horizon)
    response = np.log(np.maximum(move, _SMALLEST * np.exp(slow))) - slow
    known = prices.groupby("symbol", sort=False)["date"].shift(-horizon).to_numpy()
    usable = np.isfinite(ratios).all(axis=1) & np.isfinite(response) & ~np.isnat(known)
    days = np.sort(prices["date"].unique())
    x = np.column_stack([np.ones(len(ratios)), ratios])[usable]
    products = np.zeros((len(days), 3, 4))
    each = x[:, :, None] * np.column_stack([x, response[usable]])[:, None, :]
    np.add.at(products, np.searchsorted(days, known[usable]), each)
    total = products.cumsum(axis=0)
    prior = np.diag([1e-9, _PRIOR, _PRIOR])
    guess = prior @ np.append(0.0, _GUESS)
    found = np.linalg.solve(total[:, :, :3] + prior, total[:, :, 3:] + guess[:, None])[:, 1:, 0]
    slopes: Floats = found[np.searchsorted(days, prices["date"].to_numpy())]
    return slopes
