"""Prediction intervals from the errors of earlier predictions: adaptive, locally weighted split conformal.

Split conformal prediction (Vovk, Gammerman and Shafer 2005; Lei, G'Sell, Rinaldo, Tibshirani and Wasserman
2018, JASA 113), locally weighted: a score is the absolute error divided by the volatility known when the
prediction was made. The guarantee holds for exchangeable scores, which those of returns are not, so scores
come from a rolling window, and each symbol's width follows its misses::

    width[t] = quantile[t] * exp(state[t])
    state[t + 1] = state[t] + step * (missed - (1 - level))      for each outcome known by then

This is adaptive conformal inference (Gibbs and Candes 2021, NeurIPS 34) as a quantile tracker on the log
score (Angelopoulos, Candes and Tibshirani 2023, "Conformal PID control", NeurIPS 36). On the logarithm a step
is a percentage of the width, the same for calm and wild symbols, and no interval is infinite.

The outcome of *t* is only used from *t + horizon* on. MAPIE (1.6.0), crepes (0.9.1) and puncc (0.9.3) know no
such delay. Coverage is measured in `docs/intervals.md`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.exceptions import ConfigurationError, DataValidationError, FeatureEngineeringError
from sta410kit.research.frames import (
    is_gap,
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
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

LEVEL = 0.9
# Sessions of past scores that a quantile looks back on, and that the first interval needs. Overlapping
# targets say little more than one, so for long horizons both are counted in horizons: with 25 and 10 of them
# 89 % to 90 % of the outcomes of long random walks lie inside at horizons of 5, 21 and 63; with 252 sessions
# at a horizon of 63, 84 % to 88 %.
_WINDOW, _BURN_IN = 252, 63
_WINDOW_SPANS, _BURN_IN_SPANS = 25, 10
_DECAY = 0.94  # of squared daily returns: J.P. Morgan, RiskMetrics Technical Document, 1996
_FIRST = 21  # returns before the volatility is known
# A step of 0.03 brings each symbol of the sample prices within 0.2 points of 90 % at horizon 1, and costs
# less than 1 % of the mean interval score (Winkler 1972); 0.1 costs 2.5 %.
_STEP = 0.03
_MOST = math.log(5)  # a halted symbol narrows to a fifth at most, and recovers within weeks


def trailing_scale(prices: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return the volatility known at each close, scaled to `horizon` sessions.

    The root of the exponentially weighted mean of squared daily log returns, times the root of the horizon. A
    gap has no returns to or from it; older ones decay over it as over any session.

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
    require_prices(prices, FeatureEngineeringError, ("adj_close",))
    squared = log(prices["adj_close"]).groupby(prices["symbol"], sort=False).diff() ** 2
    groups = squared.groupby(prices["symbol"], sort=False)
    variance = groups.ewm(alpha=1 - _DECAY, min_periods=_FIRST).mean().droplevel(0)
    scale = ((variance * horizon) ** 0.5).clip(lower=1e-8).where(~is_gap(prices))
    return prices[["symbol", "date"]].assign(scale=scale).reset_index(drop=True)


def quantile(scores: Floats, level: float = LEVEL) -> float:
    """Return the conformal quantile: the score that a new one stays below with probability `level`.

    The ``ceil((n + 1) * level)``-th smallest of `n` scores; infinite while there are too few.
    """
    _require_level(level)
    rank = math.ceil((len(scores) + 1) * level - 1e-9)  # guards against products like 9.000000000000002
    if rank > len(scores):
        return math.inf
    return float(np.partition(scores, rank - 1)[rank - 1])


def window(horizon: int, level: float = LEVEL) -> int:
    """Return the number of sessions of known scores a quantile uses: 252, or 25 horizons if longer."""
    return max(_WINDOW, _WINDOW_SPANS * horizon, burn_in(horizon, level))


def burn_in(horizon: int, level: float = LEVEL) -> int:
    """Return the number of sessions of known scores before the first interval: 63, or 10 horizons if longer.

    Above 90 %, as many non-overlapping targets as a quantile of that level needs.
    """
    _require_level(level)
    fewest = math.ceil(level / (1 - level) - 1e-9)  # 9 at 90 %, 99 at 99 %
    return max(_BURN_IN, max(_BURN_IN_SPANS, fewest) * horizon)


def rolling_quantiles(scored: pd.DataFrame, horizon: int, level: float = LEVEL) -> pd.Series[float]:
    """Return for each row of `date, known, score` the quantile known at its date; NaN in the burn-in."""
    days = np.sort(scored["date"].unique())
    session = np.searchsorted(days, scored["date"].to_numpy())
    order, begin = _grouped(session, len(days))
    scores, known, sessions = (
        scored["score"].to_numpy()[order],
        scored["known"].to_numpy()[order],
        session[order],
    )
    value = np.full(len(days), np.nan)
    for now, day in enumerate(days):
        newest = now - horizon + 1  # later decisions cannot be known yet
        past = slice(begin[max(0, newest - window(horizon, level))], begin[now])
        usable = known[past] <= day
        value[now] = _quantile_after_burn_in(scores[past][usable], sessions[past][usable], horizon, level)
    value[~np.isfinite(value)] = np.nan
    return pd.Series(value[session], index=scored.index)


def latest_quantile(scored: pd.DataFrame, horizon: int, level: float = LEVEL) -> float:
    """Return the quantile of the last scores by `date`; infinite with fewer than `burn_in` sessions."""
    days = np.sort(scored["date"].unique())
    recent = scored[scored["date"].isin(days[-window(horizon, level) :])].sort_values("date")
    return _quantile_after_burn_in(recent["score"].to_numpy(), recent["date"].to_numpy(), horizon, level)


def follow_misses(
    scored: pd.DataFrame, quantiles: pd.Series[float], horizon: int, level: float = LEVEL
) -> tuple[pd.Series[float], dict[str, float]]:
    """Return each row's half width in units of its scale, and the factor at which each symbol ends.

    Parameters
    ----------
    scored : DataFrame
        As for `rolling_quantiles`, with a column ``symbol``.
    quantiles : Series
        From `rolling_quantiles`, on the index of `scored`.
    horizon, level
        See `rolling_quantiles`.

    Returns
    -------
    Series
        On the index of `scored`; a function of the outcomes known at the decision date; NaN in the burn-in.
    dict
        What each symbol's quantile is multiplied with when all outcomes are known; 1.0 is no correction.
    """
    dates = scored["date"].to_numpy()
    days = np.unique(dates)
    made, heard = np.searchsorted(days, dates), np.searchsorted(days, scored["known"].to_numpy())
    codes, symbols = pd.factorize(scored["symbol"].astype(str))
    by_decision, decisions = _grouped(made, len(days))
    by_outcome, outcomes = _grouped(heard, len(days) + 1)
    score, base = scored["score"].to_numpy(dtype=float), quantiles.to_numpy(dtype=float)
    width, lesson, state = np.full(len(scored), np.nan), np.zeros(len(scored)), np.zeros(len(symbols))
    for now in range(len(days) + 1):  # the last round has outcomes only
        rows = by_outcome[outcomes[now] : outcomes[now + 1]]
        np.add.at(state, codes[rows], _step(horizon) * lesson[rows])
        np.clip(state, -_MOST, _MOST, out=state)
        if now < len(days):
            rows = by_decision[decisions[now] : decisions[now + 1]]
            width[rows] = base[rows] * np.exp(state[codes[rows]])
            missed = np.where(np.isnan(width[rows]), 1 - level, score[rows] > width[rows])
            lesson[rows] = missed - (1 - level)
    factors = {str(name): float(np.exp(value)) for name, value in zip(symbols, state, strict=True)}
    return pd.Series(width, index=scored.index), factors


def add_intervals(
    predicted: pd.DataFrame,
    prices: pd.DataFrame,
    horizon: int,
    level: float = LEVEL,
    *,
    scale: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the predictions with an interval each, without those of the burn-in.

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
    scale : DataFrame, optional
        `symbol, date, scale` of the errors, known at the date; `trailing_scale` by default.

    Returns
    -------
    DataFrame
        Sorted by symbol and date, with finite ``scale``, ``lower`` and ``upper``.

    Raises
    ------
    DataValidationError
        If the predictions lack a column, hold duplicates or values that are not finite, or do not match the
        prices.
    FeatureEngineeringError
        As `trailing_scale`.
    """
    columns = ("symbol", "date", "known", "predicted", "target")
    require_columns(predicted, columns, "predictions", DataValidationError)
    require_once(predicted, ("symbol", "date"), "predictions")
    require_series(prices, "prices", FeatureEngineeringError)
    require_rows_of(predicted, prices, "predictions", DataValidationError)
    target, middle = (numbers_of(predicted, name, "predictions") for name in ("target", "predicted"))
    found = predicted.drop(columns=["scale", "lower", "upper"], errors="ignore").assign(
        error=np.abs(target - middle)
    )
    scale = trailing_scale(prices, horizon) if scale is None else scale
    found = found.merge(scale, on=["symbol", "date"], how="left")
    found = found.dropna(subset=["scale"])
    found["score"] = found["error"] / found["scale"]
    widths, _ = follow_misses(found, rolling_quantiles(found, horizon, level), horizon, level)
    half = widths * found["scale"]
    found = found.assign(lower=found["predicted"] - half, upper=found["predicted"] + half)
    found = found.dropna(subset=["lower"]).drop(columns=["error", "score"])
    return found.sort_values(["symbol", "date"], ignore_index=True)


def _step(horizon: int) -> float:
    """Return the step for overlapping outcomes; dividing by the horizon itself learned too slowly."""
    return _STEP / math.sqrt(horizon)


def _quantile_after_burn_in(
    scores: Floats, sessions: NDArray[np.generic], horizon: int, level: float
) -> float:
    """Return the quantile of scores with sorted `sessions`; infinite in the burn-in."""
    distinct = np.count_nonzero(sessions[1:] != sessions[:-1]) + (len(sessions) > 0)
    return quantile(scores, level) if distinct >= burn_in(horizon, level) else math.inf


def _grouped(numbers: Integers, groups: int) -> tuple[Integers, Integers]:
    """Return the row order by number, and where each number begins in it, plus the end."""
    order = np.argsort(numbers, kind="stable")
    return order, np.searchsorted(numbers[order], np.arange(groups + 1))


def _require_level(level: float) -> None:
    if not isinstance(level, int | float) or not 0 < level < 1:
        message = f"level is {level!r}; give the share of outcomes an interval should hold, between 0 and 1."
        raise ConfigurationError(message)
