"""Calendar features of the session after *t*, the first that a prediction made at *t* earns.

It is taken to be the next weekday: which sessions follow is not in the prices yet, so a holiday is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.research.features.registry import feature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.research.features.history import History

_FIRST_DAYS = 3


@feature(default=False)
def day_of_week(history: History) -> pd.Series[float]:
    """Day of the week of the next weekday, 0 for Monday to 4 for Friday."""
    days, place = _next_weekdays(history)
    weekday = (days.astype(np.int64) + 3) % 7  # 1 January 1970 was a Thursday
    return pd.Series(weekday.astype("float64")[place], index=history.prices.index)


@feature
def turn_of_month(history: History) -> pd.Series[float]:
    """1 if the next weekday is the last of a month or one of the first three, else 0.

    Lakonishok and Smidt (1988), Review of Financial Studies 1.
    """
    days, place = _next_weekdays(history)
    month = days.astype("datetime64[M]")
    so_far = np.busday_count(month.astype("datetime64[D]"), days + 1)  # weekdays up to this one
    left = np.busday_count(days + 1, (month + 1).astype("datetime64[D]"))
    turn = (so_far <= _FIRST_DAYS) | (left == 0)
    return pd.Series(turn.astype("float64")[place], index=history.prices.index)


def _next_weekdays(history: History) -> tuple[NDArray[np.datetime64], NDArray[np.intp]]:
    """Return the weekday after each distinct date, and the position of each row's."""
    days, place = np.unique(history.prices["date"].to_numpy().astype("datetime64[D]"), return_inverse=True)
    return np.busday_offset(days, 1, roll="backward"), place
