"""Calendar features, from the date alone: which sessions follow is not known at *t*."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.research.features.registry import feature

if TYPE_CHECKING:
    from sta410kit.research.features.history import History

_FRIDAY = 4
_FIRST_DAYS = 3


def _day_of_week(history: History) -> pd.Series[float]:
    days: pd.Series[float] = history.prices["date"].dt.day_of_week.astype("float64")
    return days


@feature(default=False)
def day_of_week(history: History) -> pd.Series[float]:
    """Day of the week of *t*, 0 for Monday to 6 for Sunday."""
    return _day_of_week(history)


@feature(default=False)
def monday(history: History) -> pd.Series[float]:
    """1 on a Monday, else 0; French (1980) found its returns lower."""
    return (_day_of_week(history) == 0).astype("float64")


@feature(default=False)
def friday(history: History) -> pd.Series[float]:
    """1 on a Friday, else 0: the return from here spans the weekend."""
    return (_day_of_week(history) == _FRIDAY).astype("float64")


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
