"""Prediction intervals from the errors of earlier predictions: adaptive, locally weighted split conformal.

Split conformal prediction (Vovk, Gammerman and Shafer 2005; Lei, G'Sell, Rinaldo, Tibshirani and Wasserman
2018, JASA 113), locally weighted: a score is the error divided by the volatility expected over the horizon
when the prediction was made (see `volatility`). Each tail has its own quantile (Romano, Patterson and Candes
2019, NeurIPS 32), so that each misses half of what the interval may miss, also where returns are skewed. The
guarantee holds for exchangeable scores, which those of returns are not, so scores come from a rolling window,
and each symbol's tails follow their misses::

    width[t] = quantile[t] * exp(state[t])
    state[t + 1] = state[t] + step * (missed - (1 - level) / 2)      for each outcome known by then

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
    numbers_of,
    require_columns,
    require_once,
    require_rows_of,
    require_series,
)
from sta410kit.research.volatility import trailing_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

LEVEL = 0.9
TAILS = ("lower", "upper")
# Sessions of past scores that a quantile looks back on, and that the first interval needs. Overlapping
# targets say little more than one, so for long horizons both are counted in horizons. A window of one year
# follows volatility once more and makes intervals too wide after turbulence, too narrow after calm.
_WINDOW, _BURN_IN = 1260, 63
_WINDOW_SPANS, _BURN_IN_SPANS = 25, 10
_RENEWED = 5  # sessions a quantile is used for: that of five years hardly moves in a week
_STEP = 0.02  # a miss of a tail widens it by 1.9 %, a hit narrows it by 0.1 %
_MOST = math.log(5)  # a halted symbol narrows to a fifth at most, and recovers within weeks
_NARROWEST = 0.01  # volatilities between a prediction and either end, however biased the predictions


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
    """Return the number of sessions of known scores a quantile uses: 1260, or 25 horizons if longer."""
    return max(_WINDOW, _WINDOW_SPANS * horizon, burn_in(horizon, level))


def burn_in(horizon: int, level: float = LEVEL) -> int:
    """Return the number of sessions of known scores before the first interval: 63, or 10 horizons if longer.

    Above 90 %, as many non-overlapping targets as a quantile of that level needs, and as many sessions as the
    quantile of one tail does.
    """
    _require_level(level)
    fewest = math.ceil(level / (1 - level) - 1e-9)  # 9 at 90 %, 99 at 99 %
    tail = math.ceil((1 + level) / (1 - level) - 1e-9)  # 19 at 90 %, 199 at 99 %
    return max(_BURN_IN, max(_BURN_IN_SPANS, fewest) * horizon, tail)


def rolling_quantiles(scored: pd.DataFrame, horizon: int, level: float = LEVEL) -> pd.DataFrame:
    """Return the quantiles of both tails known at the date of each row of `date, known, score`.

    Parameters
    ----------
    scored : DataFrame
        ``score`` is the error in units of the scale, positive where the outcome lay above the prediction.
    horizon, level
        See `add_intervals`.

    Returns
    -------
    DataFrame
        Columns ``lower, upper`` on the index of `scored`: how far below and above a prediction the interval
        reaches, in units of the scale; NaN in the burn-in. Renewed every five sessions.
    """
    days = np.sort(scored["date"].unique())
    session = np.searchsorted(days, scored["date"].to_numpy())
    order, begin = _grouped(session, len(days))
    scores, known, sessions = (
        scored["score"].to_numpy()[order],
        scored["known"].to_numpy()[order],
        session[order],
    )
    value = np.full((len(days), 2), np.nan)
    for now, day in enumerate(days):
        if now % _RENEWED and np.isfinite(value[now - 1]).all():
            value[now] = value[now - 1]
            continue
        newest = now - horizon + 1  # later decisions cannot be known yet
        past = slice(begin[max(0, newest - window(horizon, level))], begin[now])
        usable = known[past] <= day
        value[now] = _quantiles_after_burn_in(scores[past][usable], sessions[past][usable], horizon, level)
    value[~np.isfinite(value).all(axis=1)] = np.nan
    return pd.DataFrame(value[session], index=scored.index, columns=list(TAILS))


def latest_quantiles(scored: pd.DataFrame, horizon: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the quantiles of both tails of the last scores by `date`; infinite in the burn-in."""
    days = np.sort(scored["date"].unique())
    recent = scored[scored["date"].isin(days[-window(horizon, level) :])].sort_values("date")
    return _quantiles_after_burn_in(recent["score"].to_numpy(), recent["date"].to_numpy(), horizon, level)


def follow_misses(
    scored: pd.DataFrame, quantiles: pd.DataFrame, horizon: int, level: float = LEVEL
) -> tuple[pd.DataFrame, dict[str, tuple[float, float]]]:
    """Return each row's widths in units of its scale, and the factors at which each symbol ends.

    Parameters
    ----------
    scored : DataFrame
        As for `rolling_quantiles`, with a column ``symbol``.
    quantiles : DataFrame
        From `rolling_quantiles`, on the index of `scored`.
    horizon, level
        See `add_intervals`.

    Returns
    -------
    DataFrame
        Columns ``lower, upper`` on the index of `scored`; a function of the outcomes known at the decision
        date; NaN in the burn-in.
    dict
        What each symbol's quantiles of the lower and the upper tail are multiplied with when all outcomes
        are known; 1.0 is no correction.
    """
    dates = scored["date"].to_numpy()
    days = np.unique(dates)
    made, heard = np.searchsorted(days, dates), np.searchsorted(days, scored["known"].to_numpy())
    codes, symbols = pd.factorize(scored["symbol"].astype(str))
    by_decision, decisions = _grouped(made, len(days))
    by_outcome, outcomes = _grouped(heard, len(days) + 1)
    signed, allowed = scored["score"].to_numpy(dtype=float), (1 - level) / 2
    score, base = np.column_stack([-signed, signed]), quantiles[list(TAILS)].to_numpy(dtype=float)
    width, lesson, state = np.full(base.shape, np.nan), np.zeros(base.shape), np.zeros((len(symbols), 2))
    for now in range(len(days) + 1):  # the last round has outcomes only
        rows = by_outcome[outcomes[now] : outcomes[now + 1]]
        np.add.at(state, codes[rows], _step(horizon) * lesson[rows])
        np.clip(state, -_MOST, _MOST, out=state)
        if now < len(days):
            rows = by_decision[decisions[now] : decisions[now + 1]]
            width[rows] = base[rows] * np.exp(state[codes[rows]])
            missed = np.where(np.isnan(width[rows]), allowed, score[rows] > width[rows])
            lesson[rows] = missed - allowed
    factors = {
        str(name): (float(low), float(high)) for name, (low, high) in zip(symbols, np.exp(state), strict=True)
    }
    return pd.DataFrame(width, index=scored.index, columns=list(TAILS)), factors


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
        Share of outcomes that an interval should hold; half of the others should lie on either side.
    scale : DataFrame, optional
        `symbol, date, scale` of the errors, known at the date; `volatility.trailing_scale` by default.

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
    found = predicted.drop(columns=["scale", *TAILS], errors="ignore").assign(error=target - middle)
    scale = trailing_scale(prices, horizon) if scale is None else scale
    found = found.merge(scale, on=["symbol", "date"], how="left")
    found = found.dropna(subset=["scale"])
    found["score"] = found["error"] / found["scale"]
    widths, _ = follow_misses(found, rolling_quantiles(found, horizon, level), horizon, level)
    widths = widths.mul(found["scale"], axis=0)
    found = found.assign(
        lower=found["predicted"] - widths["lower"], upper=found["predicted"] + widths["upper"]
    )
    found = found.dropna(subset=["lower"]).drop(columns=["error", "score"])
    return found.sort_values(["symbol", "date"], ignore_index=True)


def _step(horizon: int) -> float:
    """Return the step for overlapping outcomes; dividing by the horizon itself learned too slowly."""
    return _STEP / math.sqrt(horizon)


def _quantiles_after_burn_in(
    scores: Floats, sessions: NDArray[np.generic], horizon: int, level: float
) -> tuple[float, float]:
    """Return the quantiles of both tails of scores with sorted `sessions`; infinite in the burn-in."""
    distinct = np.count_nonzero(sessions[1:] != sessions[:-1]) + (len(sessions) > 0)
    if distinct < burn_in(horizon, level):
        return math.inf, math.inf
    tail = (1 + level) / 2
    return max(quantile(-scores, tail), _NARROWEST), max(quantile(scores, tail), _NARROWEST)


def _grouped(numbers: Integers, groups: int) -> tuple[Integers, Integers]:
    """Return the row order by number, and where each number begins in it, plus the end."""
    order = np.argsort(numbers, kind="stable")
    return order, np.searchsorted(numbers[order], np.arange(groups + 1))


def _require_level(level: float) -> None:
    if not isinstance(level, int | float) or not 0 < level < 1:
        message = f"level is {level!r}; give the share of outcomes an interval should hold, between 0 and 1."
        raise ConfigurationError(message)
