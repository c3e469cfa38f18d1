"""Volatility estimators: daily, in log return, unit 1, not annualised."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sta410kit.research.features.registry import feature
from sta410kit.research.frames import log

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.research.features.history import History

_MONTH = 21


def _session(history: History) -> tuple[pd.Series[float], pd.Series[float], pd.Series[float]]:
    """Return the logs of high, low and close over the open of the session."""
    opened = log(history.prices["open"])
    high, low, close = (log(history.prices[name]) - opened for name in ("high", "low", "close"))
    return high, low, close


def _root(variance: pd.Series[float]) -> pd.Series[float]:
    """Return the square root; negative rounding errors count as zero."""
    return variance.clip(lower=0) ** 0.5


@feature
def volatility_21(history: History) -> pd.Series[float]:
    """Sample standard deviation of 21 daily log returns, from close to close; empty for 21."""
    return history.std(history.daily, _MONTH)


@feature
def range_1(history: History) -> pd.Series[float]:
    """Log of the session's high over its low; never empty."""
    return log(history.prices["high"]) - log(history.prices["low"])


@feature(default=False)
def parkinson_21(history: History) -> pd.Series[float]:
    """Volatility from the range of each session, without the nights; empty for 20.

    ``sqrt(mean(log(H/L)^2) / (4 log 2))`` over 21 sessions; Parkinson (1980).
    """
    return _root(history.mean(range_1(history) ** 2, _MONTH) / (4 * math.log(2)))


@feature(default=False)
def garman_klass_21(history: History) -> pd.Series[float]:
    """Volatility from open, high, low and close, without the nights; empty for 20.

    ``sqrt(mean(log(H/L)^2 / 2 - (2 log 2 - 1) log(C/O)^2))`` over 21 sessions; Garman and Klass (1980).
    """
    _, _, close = _session(history)
    each = range_1(history) ** 2 / 2 - (2 * math.log(2) - 1) * close**2
    return _root(history.mean(each, _MONTH))


@feature
def yang_zhang_21(history: History) -> pd.Series[float]:
    """Volatility from open, high, low and close, including nights, independent of drift; empty for 21.

    ``sqrt(V_night + k V_day + (1 - k) V_RS)`` over 21 sessions, with the sample variances of the returns
    from close to open and from open to close, the mean of Rogers and Satchell's (1991)
    ``h (h - c) + l (l - c)``, and ``k = 0.34 / (1.34 + 22 / 20)``; Yang and Zhang (2000).
    """
    high, low, close = _session(history)
    night = log(history.adjusted("open")) - history.lag(history.close, 1)
    rogers_satchell = history.mean(high * (high - close) + low * (low - close), _MONTH)
    k = 0.34 / (1.34 + (_MONTH + 1) / (_MONTH - 1))
    nights, days = history.std(night, _MONTH) ** 2, history.std(close, _MONTH) ** 2
    return _root(nights + k * days + (1 - k) * rogers_satchell)


@feature(default=False)
def atr_14(history: History) -> pd.Series[float]:
    """Average true range over the close, unit 1; empty for 13.

    Wilder's (1978) average over 14 sessions of ``max(H, C[t-1]) - min(L, C[t-1])``, adjusted.
    """
    before = history.lag(history.adjusted("close"), 1)
    high, low = history.adjusted("high"), history.adjusted("low")
    span = high.where(~(before > high), before) - low.where(~(before < low), before)
    return history.smoothed(span, 14) / history.adjusted("close")


@feature(default=False)
def bollinger_width_20(history: History) -> pd.Series[float]:
    """Width of Bollinger's (2001) bands over their middle, unit 1; empty for 19.

    ``4 s / m`` with mean and population standard deviation of the adjusted close over 20 sessions.
    """
    price = history.adjusted("close")
    return 4 * history.std(price, 20) * math.sqrt(19 / 20) / history.mean(price, 20)
