"""Bounded oscillators of the price within its recent range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.research.features.registry import feature

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.research.features.history import History


@feature
def rsi_14(history: History) -> pd.Series[float]:
    """Relative strength index after Wilder (1978), 0 to 100; 50 without any movement.

    ``100 G / (G + L)`` with Wilder's averages of gains and losses of the adjusted close over 14 sessions;
    empty for 14.
    """
    price = history.adjusted("close")
    change = price - history.lag(price, 1)
    gain = history.smoothed(change.clip(lower=0), 14)
    loss = history.smoothed((-change).clip(lower=0), 14)
    moved = gain + loss
    index = (100 * gain / moved.where(moved > 0)).clip(0, 100)  # rounding may exceed the bounds
    return index.where(moved.isna() | (moved > 0), 50.0)


@feature
def williams_r_14(history: History) -> pd.Series[float]:
    """Williams %R (1973) over 14 sessions, -100 (at the low) to 0 (at the high); -50 without any range.

    ``-100 (H - C) / (H - L)`` with the highest high and the lowest low, adjusted; empty for 13.
    """
    high = history.highest(history.adjusted("high"), 14)
    low = history.lowest(history.adjusted("low"), 14)
    span = high - low
    score = (-100 * (high - history.adjusted("close")) / span.where(span > 0)).clip(-100, 0)
    return score.where(span.isna() | (span > 0), -50.0)
