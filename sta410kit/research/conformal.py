"""An interval around every prediction, from how wrong earlier predictions turned out to be.

Split conformal prediction (Vovk, Gammerman and Shafer 2005, *Algorithmic Learning in a Random World*; Lei,
G'Sell, Rinaldo, Tibshirani and Wasserman 2018, "Distribution-free predictive inference for regression", JASA
113), in its locally weighted form: a score is the absolute error divided by the volatility known when the
prediction was made, so intervals widen in rough markets and narrow in calm ones. The guarantee is exact for
exchangeable scores; returns are not quite, so the scores come from a rolling window and the coverage is
measured, not assumed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError
from sta410kit.research.frames import log, require_horizon

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

LEVEL = 0.9
WINDOW = 252  # sessions of past scores, about a year
BURN_IN = 63  # sessions of past scores before the first interval, about a quarter
_DECAY = 0.94  # daily decay of squared returns: J.P. Morgan, RiskMetrics Technical Document, 1996
_FIRST = 21  # returns before the scale is trusted


def trailing_scale(prices: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return the volatility known at each close, scaled to `horizon` sessions.

    Exponentially weighted mean of squared daily log returns, square root, times the square root of the
    horizon.

    Returns
    -------
    DataFrame
        Columns ``symbol, date, scale``; NaN in the first 21 rows of a symbol. A symbol whose price has not
        moved gets a tiny positive scale, so that nothing is divided by zero.
    """
    horizon = require_horizon(horizon)
    level = log(prices["adj_close"])
    squared = level.groupby(prices["symbol"], sort=False).diff() ** 2
    groups = squared.groupby(prices["symbol"], sort=False)
    variance = groups.ewm(alpha=1 - _DECAY, min_periods=_FIRST).mean().droplevel(0)
    scale = ((variance * horizon) ** 0.5).clip(lower=1e-8)
    return prices[["symbol", "date"]].assign(scale=scale).reset_index(drop=True)


def quantile(scores: NDArray[np.float64], level: float = LEVEL) -> float:
    """Return the score that a new one stays below with probability `level` or more.

    The ``ceil((n + 1) * level)``-th smallest of `n` scores: one more than the plain quantile, because the new
    score is one of the ``n + 1`` that are exchangeable. Infinite while there are too few scores to say.
    """
    import numpy as np

    if not 0 < level < 1:
        message = f"level is {level!r}; give the share of outcomes an interval should hold, between 0 and 1."
        raise ConfigurationError(message)
    rank = math.ceil((len(scores) + 1) * level - 1e-9)  # 10 * 0.9 is 9.000000000000002 in some products
    if rank > len(scores):
        return math.inf
    return float(np.partition(scores, rank - 1)[rank - 1])


def rolling_quantiles(scored: pd.DataFrame, level: float = LEVEL) -> pd.Series[float]:
    """Return, for each row, the score quantile that was known at its decision date.

    Parameters
    ----------
    scored : DataFrame
        Columns ``date`` (decision), ``known`` (session at whose close the outcome is known) and ``score``,
        sorted in any way.
    level : float
        Share of outcomes that an interval should hold.

    Returns
    -------
    Series
        On the index of `scored`: the quantile over the scores of the last 252 decision sessions whose outcome
        was known by then, all symbols together; NaN in the burn-in, while there are fewer than 63 such
        sessions.
    """
    import numpy as np
    import pandas as pd

    days = np.sort(scored["date"].unique())
    session = np.searchsorted(days, scored["date"].to_numpy())  # number of the decision session
    order = np.argsort(session, kind="stable")
    scores, known, sessions = (
        scored["score"].to_numpy()[order],
        scored["known"].to_numpy()[order],
        session[order],
    )
    begin = np.searchsorted(sessions, np.arange(len(days) + 1))
    value = np.full(len(days), np.nan)
    for now, day in enumerate(days):
        since = max(0, now - WINDOW)
        window = slice(begin[since], begin[now])
        usable = known[window] <= day
        if len(np.unique(sessions[window][usable])) >= BURN_IN:
            value[now] = quantile(scores[window][usable], level)
    value[~np.isfinite(value)] = np.nan
    return pd.Series(value[session], index=scored.index)


def latest_quantile(scored: pd.DataFrame, level: float = LEVEL) -> float:
    """Return the score quantile for the next prediction, from the last 252 sessions of known outcomes."""
    import numpy as np

    days = np.sort(scored["date"].unique())[-WINDOW:]
    return quantile(scored.loc[scored["date"] >= days[0], "score"].to_numpy(), level)
