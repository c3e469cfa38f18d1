"""Which sessions each symbol has, and which it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.market import columns

if TYPE_CHECKING:
    import pandas as pd


def coverage(prices: pd.DataFrame) -> pd.DataFrame:
    """Return how much of the calendar each symbol covers.

    A day on which any symbol traded is a session, and a row without a close counts as missing. A holiday of
    one exchange therefore counts as missing for its symbols if another exchange was open.

    Returns
    -------
    DataFrame
        One row per symbol, with columns ``symbol, first, last, sessions, missing``; `missing` counts the
        sessions between the symbol's first and last on which another symbol traded and this one did not.

    Raises
    ------
    DataValidationError
        `prices` lacks ``symbol``, ``date`` or ``close``.
    """
    import numpy as np
    import pandas as pd

    columns.require(prices, "symbol", "date", "close")
    days = prices.dropna(subset=["date", "close"])
    calendar = np.sort(days["date"].unique())
    table = days.groupby("symbol")["date"].agg(first="min", last="max", sessions="nunique").reset_index()
    begin = np.searchsorted(calendar, table["first"].to_numpy())
    finish = np.searchsorted(calendar, table["last"].to_numpy(), side="right")
    return table.assign(missing=pd.Series(finish - begin, dtype="int64") - table["sessions"])
