"""Intervals that learn from their misses, so that they hold when the market changes.

A quantile of past scores is right for as long as the future resembles the past. This widens it after a miss
and narrows it a little after every hit, each symbol for itself::

    width[t] = quantile[t] * exp(state[t])
    state[t + 1] = state[t] + step * (missed - (1 - level))      for each outcome known by then

It is adaptive conformal inference (Gibbs and Candes 2021, "Adaptive conformal inference under distribution
shift", NeurIPS 34) in the form of Angelopoulos, Candes and Tibshirani (2023, "Conformal PID control for time
series prediction", NeurIPS 36): the logarithm of the score is followed by a quantile tracker, with the
rolling quantile as its forecast of the score. On the logarithm a step is a percentage of the width, the same
for a calm and a wild symbol, and no interval is ever infinite, as those of the first form can be.

Summing the second line over time gives the share of misses minus the share promised: the change of the state
over ``step * outcomes``, whatever the market does. The state is kept between a fifth and five times the
quantile. While it does not get there, coverage over 2,500 outcomes at horizon 1 is within 2.2 points of the
promise; measured, it is within a few tenths.

The outcome of *t* teaches nothing before *t + horizon*, when it is known. No library serves here. MAPIE
(1.6.0), the best kept one with such a method, updates one series as if each outcome were known at once, wants
the model inside, and clips the level to 0 and 1, where its intervals are infinite. crepes (0.9.1) and puncc
(0.9.3) know no delayed feedback either.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# On the embedded prices a step of 0.03 brings each symbol within 0.2 points of 90 % at horizon 1 and costs
# less than 1 % of the mean interval score (Winkler 1972); 0.1 costs 2.5 %.
STEP = 0.03
_MOST = math.log(5)  # a symbol halted for months narrows to a fifth, not to nothing, and comes back in weeks


def step(horizon: int) -> float:
    """Return by how much a miss widens, as a share: 0.03 over the root of the horizon.

    Neighbouring outcomes overlap, so one surprise counts up to `horizon` times; dividing by the horizon
    itself learned too slowly in 13 years at a horizon of a month.
    """
    return STEP / math.sqrt(horizon)


def follow_misses(
    scored: pd.DataFrame, quantiles: pd.Series[float], horizon: int, level: float
) -> tuple[pd.Series[float], dict[str, float]]:
    """Return each row's width in units of its scale, and how much wider than the quantile each symbol ends.

    Parameters
    ----------
    scored : DataFrame
        Columns ``date`` (decision), ``known`` (session at whose close the outcome is known), ``score`` and
        ``symbol`` (one for all if it is not there), in any order.
    quantiles : Series
        From `conformal.rolling_quantiles`, on the index of `scored`; NaN in the burn-in, where nothing is
        learned.
    horizon : int
        Sessions from the decision to the outcome.
    level : float
        Share of outcomes that an interval should hold.

    Returns
    -------
    Series
        On the index of `scored`: a function of the outcomes known at the decision date; NaN in the burn-in.
    dict
        Factor of each symbol when all outcomes are known; 1.0 is the quantile itself.
    """
    import numpy as np
    import pandas as pd

    dates = scored["date"].to_numpy()
    days = np.unique(dates)
    made, heard = np.searchsorted(days, dates), np.searchsorted(days, scored["known"].to_numpy())
    names = scored["symbol"].astype(str) if "symbol" in scored else pd.Series("", index=scored.index)
    codes, symbols = pd.factorize(names)
    by_decision, decisions = _grouped(made, len(days))
    by_outcome, outcomes = _grouped(heard, len(days) + 1)
    score, quantile = scored["score"].to_numpy(dtype=float), quantiles.to_numpy(dtype=float)
    width, lesson = np.full(len(scored), np.nan), np.zeros(len(scored))
    state = np.zeros(len(symbols))
    for now in range(len(days) + 1):  # the last round has no decision left, only outcomes
        rows = by_outcome[outcomes[now] : outcomes[now + 1]]
        if len(rows):
            np.add.at(state, codes[rows], step(horizon) * lesson[rows])
            np.clip(state, -_MOST, _MOST, out=state)
        if now == len(days):
            break
        rows = by_decision[decisions[now] : decisions[now + 1]]
        width[rows] = quantile[rows] * np.exp(state[codes[rows]])
        missed = np.where(np.isnan(width[rows]), 1 - level, score[rows] > width[rows])
        lesson[rows] = missed - (1 - level)
    factors = {str(name): float(np.exp(value)) for name, value in zip(symbols, state, strict=True)}
    return pd.Series(width, index=scored.index), factors


def factors_after(predictions: pd.DataFrame, horizon: int, level: float) -> dict[str, float]:
    """Return the factor of each symbol after the outcomes of a predictions frame.

    The same as `follow_misses` ended with when it made the intervals, read off which outcomes they missed.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``symbol, date, actual, lower, upper``, all outcomes known, in any order.
    horizon, level
        As the intervals were made with.
    """
    import numpy as np

    ordered = predictions.sort_values(["symbol", "date"])
    missed = ~ordered["actual"].between(ordered["lower"], ordered["upper"])
    factors = {}
    for symbol, misses in missed.groupby(ordered["symbol"].astype(str), sort=True):
        state = 0.0
        for miss in misses:
            state = min(max(state + step(horizon) * (miss - (1 - level)), -_MOST), _MOST)
        factors[str(symbol)] = float(np.exp(state))
    return factors


def _grouped(numbers: NDArray[np.int64], groups: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows sorted by their number, and where each number begins; one more entry than groups."""
    import numpy as np

    order = np.argsort(numbers, kind="stable")
    return order, np.searchsorted(numbers[order], np.arange(groups + 1))
