"""How unusual the trading is, and how far it moves the price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.research.features.registry import feature
from sta410kit.research.frames import log

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.research.features.history import History

_MILLION = 1e6
_LEAST = 1e-12  # return a million: below any market, so that a price which never moved has a logarithm


def _z_score(history: History, values: pd.Series[float], sessions: int) -> pd.Series[float]:
    """Return how many standard deviations the last value lies from the mean; 0 when all are the same."""
    spread = history.std(values, sessions)
    score = (values - history.mean(values, sessions)) / spread.where(spread > 0)
    return score.where(spread.isna() | (spread > 0), 0.0)


@feature
def dollar_volume_z_21(history: History) -> pd.Series[float]:
    """How unusual the money traded is: log of price times volume, standardised over 21 sessions.

    Price times shares is the same before and after a split, where volume alone would jump. 0 when the 21
    values are all the same; a session without trade counts as one unit of money. Empty for 20.
    """
    return _z_score(history, log(1 + history.traded), 21)


def _shares(history: History) -> pd.Series[float]:
    """Return the log of the shares traded, in shares of one size: volume times close over adjusted close."""
    return log(1 + history.traded / history.adjusted("close"))


@feature(default=False)
def volume_z_21(history: History) -> pd.Series[float]:
    """How unusual the number of shares is: its log, adjusted for splits, standardised over 21 sessions."""
    return _z_score(history, _shares(history), 21)


@feature(default=False)
def volume_z_63(history: History) -> pd.Series[float]:
    """How unusual the number of shares is: its log, adjusted for splits, standardised over 63 sessions."""
    return _z_score(history, _shares(history), 63)


@feature(default=False)
def amihud_21(history: History) -> pd.Series[float]:
    """Illiquidity after Amihud (2002): log of the mean of ``|r| / money`` over 21 sessions; empty for 21.

    Money in millions of quote currency, so ``exp`` of it is the return that a million moves. A level that
    differs between symbols and drifts over the years.
    """
    moved = history.daily.abs() / ((1 + history.traded) / _MILLION)
    return log(history.mean(moved, 21).clip(lower=_LEAST))
