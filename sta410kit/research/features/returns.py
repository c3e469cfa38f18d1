"""Log returns of the adjusted close, unit 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.research.features.registry import feature
from sta410kit.research.frames import log

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.research.features.history import History


def _over(history: History, sessions: int) -> pd.Series[float]:
    return history.close - history.lag(history.close, sessions)


@feature
def return_1(history: History) -> pd.Series[float]:
    """Log return over one session: ``log(C[t] / C[t-1])``; empty for 1 session."""
    return history.daily


@feature
def return_5(history: History) -> pd.Series[float]:
    """Log return over five sessions, about a week; empty for 5."""
    return _over(history, 5)


@feature
def return_21(history: History) -> pd.Series[float]:
    """Log return over 21 sessions, about a month (Jegadeesh 1990: last month's tends to reverse)."""
    return _over(history, 21)


@feature(default=False)
def return_63(history: History) -> pd.Series[float]:
    """Log return over 63 sessions, about a quarter; empty for 63."""
    return _over(history, 63)


@feature(default=False)
def return_252(history: History) -> pd.Series[float]:
    """Log return over 252 sessions, about a year; empty for 252."""
    return _over(history, 252)


@feature(default=False)
def momentum_252_21(history: History) -> pd.Series[float]:
    """Log return over the year that ended a month ago: ``log(C[t-21] / C[t-252])``; empty for 252.

    The momentum of Jegadeesh and Titman (1993), without the last month, which tends to reverse.
    """
    return history.lag(history.close, 21) - history.lag(history.close, 252)


@feature(default=False)
def overnight_1(history: History) -> pd.Series[float]:
    """Log return from the close before to the open, both adjusted; empty for 1."""
    return log(history.adjusted("open")) - history.lag(history.close, 1)


@feature(default=False)
def intraday_1(history: History) -> pd.Series[float]:
    """Log return from the open to the close of the session; never empty."""
    return log(history.prices["close"]) - log(history.prices["open"])
