"""Trading volume, and how far it moves the price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.research.features.registry import feature
from sta410kit.research.frames import log

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.research.features.history import History

_MILLION = 1e6
_LEAST = 1e-12  # return per million: keeps the logarithm of a price that never moved finite


def _z_score(history: History, values: pd.Series[float], sessions: int) -> pd.Series[float]:
    """Return how many standard deviations the last value lies from the mean; 0 when all are the same."""
    spread = history.std(values, sessions)
    score = (values - history.mean(values, sessions)) / spread.where(spread > 0)
    return score.where(spread.isna() | (spread > 0), 0.0)


@feature
def dollar_volume_z_21(history: History) -> pd.Series[float]:
    """Log dollar volume, standardised over 21 sessions; 0 when all are the same; empty for 20."""
    return _z_score(history, log(1 + history.traded), 21)


@feature(default=False)
def volume_z_21(history: History) -> pd.Series[float]:
    """Log volume, split-adjusted, standardised over 21 sessions; empty for 20."""
    return _z_score(history, log(1 + history.traded / history.adjusted("close")), 21)


@feature(default=False)
def amihud_21(history: History) -> pd.Series[float]:
    """Illiquidity of Amihud (2002): log of the mean absolute return per million traded over 21 sessions.

    Empty for 21.
    """
    moved = history.daily.abs() / ((1 + history.traded) / _MILLION)
    return log(history.mean(moved, 21).clip(lower=_LEAST))
