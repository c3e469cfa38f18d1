"""An interval around every prediction, from how wrong earlier predictions turned out to be.

Split conformal prediction (Vovk, Gammerman and Shafer 2005, *Algorithmic Learning in a Random World*; Lei,
G'Sell, Rinaldo, Tibshirani and Wasserman 2018, "Distribution-free predictive inference for regression", JASA
113), in its locally weighted form: a score is the absolute error divided by the volatility known when the
prediction was made, so intervals widen in rough markets and narrow in calm ones. The guarantee is exact for
exchangeable scores. Returns are not, so the scores come from a rolling window, `adaptive` corrects what the
window gets wrong, symbol by symbol, and the coverage is measured, not assumed (`docs/intervals.md`).

Targets that look *h* sessions ahead overlap, and *h* neighbouring scores say little more than one. The window
therefore grows with the horizon: 252 sessions hold only four quarters, and the 90 % quantile of four is too
low (measured on random walks at a horizon of 63: 84 % to 88 % of outcomes inside instead of 90 %).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError, DataValidationError, FeatureEngineeringError
from sta410kit.research.adaptive import follow_misses
from sta410kit.research.frames import (
    log,
    numbers_of,
    require_columns,
    require_horizon,
    require_once,
    require_prices,
    require_rows_of,
    require_series,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    # Volatility known at each close over a horizon: prices and horizon in, `symbol, date, scale` out.
    Scale = Callable[[pd.DataFrame, int], pd.DataFrame]

LEVEL = 0.9
_WINDOW = 252  # sessions of past scores, about a year
_BURN_IN = 63  # sessions of past scores before the first interval, about a quarter
# The same in targets that do not overlap, for long horizons: with a window of 25 and a first interval after
# 10, 89 % to 90 % of the outcomes of long random walks lie inside at horizons of 5, 21 and 63.
_WINDOW_SPANS, _BURN_IN_SPANS = 25, 10
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

    Raises
    ------
    FeatureEngineeringError
        If the prices are not sorted, hold a session twice, or hold a price that is not a positive number.
    """
    horizon = require_horizon(horizon)
    require_prices(prices, FeatureEngineeringError, ("adj_close",))
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

    _require_level(level)
    rank = math.ceil((len(scores) + 1) * level - 1e-9)  # 10 * 0.9 is 9.000000000000002 in some products
    if rank > len(scores):
        return math.inf
    return float(np.partition(scores, rank - 1)[rank - 1])


def window(horizon: int, level: float = LEVEL) -> int:
    """Return how many sessions of known scores an interval looks back on: 252, or 25 horizons if longer."""
    return max(_WINDOW, _WINDOW_SPANS * horizon, burn_in(horizon, level))


def burn_in(horizon: int, level: float = LEVEL) -> int:
    """Return how many sessions of known scores the first interval takes: 63, or 10 horizons if longer.

    A level above 90 % takes more: as many targets that do not overlap as have a quantile of that level.
    """
    _require_level(level)
    fewest = math.ceil(level / (1 - level) - 1e-9)  # 9 at 90 %, 99 at 99 %
    return max(_BURN_IN, max(_BURN_IN_SPANS, fewest) * horizon)


def rolling_quantiles(scored: pd.DataFrame, horizon: int, level: float = LEVEL) -> pd.Series[float]:
    """Return, for each row, the score quantile that was known at its decision date.

    Parameters
    ----------
    scored : DataFrame
        Columns ``date`` (decision), ``known`` (session at whose close the outcome is known) and ``score``,
        sorted in any way.
    horizon : int
        Sessions from the decision to the outcome.
    level : float
        Share of outcomes that an interval should hold.

    Returns
    -------
    Series
        On the index of `scored`: the quantile over the scores of the last `window` decision sessions whose
        outcome was known by then, all symbols together; NaN in the burn-in, while there are fewer than
        `burn_in` such sessions.
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
        newest = now - horizon + 1  # sessions before this one can be known, if their symbol missed none since
        past = slice(begin[max(0, newest - window(horizon, level))], begin[now])
        usable = known[past] <= day
        value[now] = _quantile_after_burn_in(scores[past][usable], sessions[past][usable], horizon, level)
    value[~np.isfinite(value)] = np.nan
    return pd.Series(value[session], index=scored.index)


def adaptive_quantiles(scored: pd.DataFrame, horizon: int, level: float = LEVEL) -> pd.Series[float]:
    """Return, for each row, the width of its interval in units of its scale: `rolling_quantiles`, corrected.

    Parameters and NaN as there; with a column ``symbol`` each symbol is corrected for itself.
    """
    return follow_misses(scored, rolling_quantiles(scored, horizon, level), horizon, level)[0]


def add_intervals(
    predicted: pd.DataFrame,
    prices: pd.DataFrame,
    horizon: int,
    level: float = LEVEL,
    *,
    scale: Scale | None = None,
) -> pd.DataFrame:
    """Return the predictions with an interval each, those of the burn-in left out.

    Parameters
    ----------
    predicted : DataFrame
        Columns ``symbol, date``, ``known`` (session at whose close the outcome is known, see
        `targets.realised_on`), ``predicted`` and ``target`` (log return), out of sample, of any model.
    prices : DataFrame
        The prices frame they were made from.
    horizon : int
        Sessions from the decision to the outcome.
    level : float
        Share of outcomes that an interval should hold.
    scale : callable, optional
        ``scale(prices, horizon)`` returns ``symbol, date, scale``: a volatility over the horizon that is
        known at the close of the date, positive, NaN while it is not known; `trailing_scale` when omitted.

    Returns
    -------
    DataFrame
        The rows from the end of the burn-in on, sorted by symbol and date, with ``scale``, ``lower`` and
        ``upper``, which are finite. Columns of these names that are there already are replaced.

    Raises
    ------
    DataValidationError
        If the predictions lack a column, hold a row twice or a value that is no number, or are of a symbol
        or session that the prices do not have.
    FeatureEngineeringError
        As `trailing_scale`.
    """
    import numpy as np

    columns = ("symbol", "date", "known", "predicted", "target")
    require_columns(predicted, columns, "predictions", DataValidationError)
    require_once(predicted, ("symbol", "date"), "predictions")
    require_series(prices, "prices", FeatureEngineeringError)
    require_rows_of(predicted, prices, "predictions", DataValidationError)
    error = np.abs(
        numbers_of(predicted, "target", "predictions") - numbers_of(predicted, "predicted", "predictions")
    )
    found = predicted.drop(columns=["scale", "lower", "upper"], errors="ignore")
    found = found.merge(scales_of(scale, prices, horizon), on=["symbol", "date"], how="left")
    known = found["scale"].notna().to_numpy()
    found = found[known]
    scored = found[["symbol", "date", "known"]].assign(score=error[known] / found["scale"])
    half = adaptive_quantiles(scored, horizon, level) * found["scale"]
    found = found.assign(lower=found["predicted"] - half, upper=found["predicted"] + half)
    return found.dropna(subset=["lower"]).sort_values(["symbol", "date"], ignore_index=True)


def scales_of(scale: Scale | None, prices: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return ``symbol, date, scale`` of a scale, of `trailing_scale` if it is None.

    Raises
    ------
    DataValidationError
        If what a scale of the user's own returns is no such frame, or holds a scale that is not positive.
    """
    import numpy as np

    found = (trailing_scale if scale is None else scale)(prices, horizon)
    require_columns(found, ("symbol", "date", "scale"), "scales", DataValidationError)
    require_once(found, ("symbol", "date"), "scales")
    bad = (found["scale"] <= 0) | np.isinf(found["scale"])
    if bad.any():
        message = f"The scales hold {found['scale'][bad].iloc[0]}; a volatility is a positive number or NaN."
        raise DataValidationError(message)
    return found[["symbol", "date", "scale"]]


def latest_quantile(scored: pd.DataFrame, horizon: int, level: float = LEVEL) -> float:
    """Return the score quantile for the next prediction, by the same rule from scores that are all known.

    Parameters
    ----------
    scored : DataFrame
        Columns ``date`` (decision) and ``score``, sorted in any way.
    horizon, level
        See `rolling_quantiles`.

    Returns
    -------
    float
        Infinite while there are fewer than `burn_in` sessions.
    """
    import numpy as np

    days = np.sort(scored["date"].unique())
    recent = scored[scored["date"].isin(days[-window(horizon, level) :])].sort_values("date")
    return _quantile_after_burn_in(recent["score"].to_numpy(), recent["date"].to_numpy(), horizon, level)


def _quantile_after_burn_in(
    scores: NDArray[np.float64], sessions: NDArray[np.generic], horizon: int, level: float
) -> float:
    """Return the quantile of scores whose `sessions` are sorted, infinite in the burn-in."""
    import numpy as np

    distinct = np.count_nonzero(sessions[1:] != sessions[:-1]) + (len(sessions) > 0)
    return quantile(scores, level) if distinct >= burn_in(horizon, level) else math.inf


def _require_level(level: float) -> None:
    if not isinstance(level, int | float) or not 0 < level < 1:
        message = f"level is {level!r}; give the share of outcomes an interval should hold, between 0 and 1."
        raise ConfigurationError(message)
