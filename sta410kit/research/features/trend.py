"""The adjusted close against its moving averages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.research.features.registry import feature
from sta410kit.research.frames import log

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.research.features.history import History


def _above_average(history: History, sessions: int) -> pd.Series[float]:
    return history.close - log(history.mean(history.adjusted("close"), sessions))


@feature
def ma_ratio_7(history: History) -> pd.Series[float]:
    """Log of the adjusted close over its mean of seven sessions; empty for 6."""
    return _above_average(history, 7)


@feature
def ma_ratio_21(history: History) -> pd.Series[float]:
    """Log of the adjusted close over its mean of 21 sessions; empty for 20."""
    return _above_average(history, 21)


@feature
def ma_ratio_50(history: History) -> pd.Series[float]:
    """Log of the adjusted close over its mean of 50 sessions; empty for 49."""
    return _above_average(history, 50)


@feature(default=False)
def ma_ratio_200(history: History) -> pd.Series[float]:
    """Log of the adjusted close over its mean of 200 sessions; empty for 199."""
    return _above_average(history, 200)


def _macd(history: History) -> pd.Series[float]:
    """Return the difference of the averages of 12 and 26 sessions, in units of the adjusted price."""
    price = history.adjusted("close")
    return history.exponential(price, 12) - history.exponential(price, 26)


@feature(default=False)
def macd(history: History) -> pd.Series[float]:
    """Distance of two averages over the close, MACD: ``(EMA12 - EMA26) / C``, unit 1; empty for 25.

    Moving average convergence divergence, Appel (1979), divided by the price to compare across symbols.
    """
    return _macd(history) / history.adjusted("close")


@feature
def macd_histogram(history: History) -> pd.Series[float]:
    """Distance of the MACD from its average of nine sessions, over the close, unit 1; empty for 33."""
    line = _macd(history)
    return (line - history.exponential(line, 9)) / history.adjusted("close")
