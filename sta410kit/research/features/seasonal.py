"""Calendar features, from the date alone: which sessions follow is not known at *t*."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.research.features.registry import feature

if TYPE_CHECKING:
    from sta410kit.research.features.history import History

_FIRST_DAYS = 3


@feature(default=False)
def day_of_week(history: History) -> pd.Series[float]:
    """Day of the week of *t*, 0 for Monday to 6 for Sunday."""
    days: pd.Series[float] = history.prices["date"].dt.day_of_week.astype("float64")
    return days


@feature
def turn_of_month(history: History) -> pd.Series[float]:
    """1 on the last weekday of a month and the first three, else 0 (Lakonishok and Smidt 1988).

    Weekdays are used instead of sessions, because later holidays are not in the prices yet.
    """
    days, place = np.unique(history.prices["date"].to_numpy().astype("datetime64[D]"), return_inverse=True)
    month = days.astype("datetime64[M]")
    so_far = np.busday_count(month.astype("datetime64[D]"), days + 1)  # weekdays up to this one
    left = np.busday_count(days + 1, (month + 1).astype("datetime64[D]"))
    turn = (so_far <= _FIRST_DAYS) | (left == 0)
    return pd.Series(turn.astype("float64")[place], index=history.prices.index)
