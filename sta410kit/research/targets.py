"""The target: the log return that models predict."""

from __future__ import annotations

import pandas as pd

from sta410kit.exceptions import FeatureEngineeringError
from sta410kit.research.frames import (
    is_member,
    log,
    require_horizon,
    require_prices,
    require_series,
    unbroken_runs,
)


def build_target(prices: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return the log return of the adjusted close from *t* to *t* + `horizon` sessions of the symbol.

    Parameters
    ----------
    prices : DataFrame
        A prices frame.
    horizon : int
        Sessions ahead, 1 or more.

    Returns
    -------
    DataFrame
        Columns ``symbol, date, target``, one row per price row, unit 1; NaN in the last `horizon` rows of
        each symbol, whose outcome is not known yet, where a gap lies between the two closes, and where the
        symbol is no member of the universe.

    Raises
    ------
    ConfigurationError
        If `horizon` is not a positive whole number.
    FeatureEngineeringError
        If the prices are not sorted, hold duplicates, or a price that is not a positive number.
    """
    horizon = require_horizon(horizon)
    require_prices(prices, FeatureEngineeringError)
    level, run = log(prices["adj_close"]), pd.Series(unbroken_runs(prices), index=prices.index)
    target = (level.shift(-horizon) - level).where(run == run.shift(-horizon)).where(is_member(prices))
    return prices[["symbol", "date"]].assign(target=target).reset_index(drop=True)


def realised_on(prices: pd.DataFrame, horizon: int) -> pd.Series[pd.Timestamp]:
    """Return, for each price row, the session at whose close its target is known; NaT while it is not.

    This is the symbol's own row *t* + `horizon`, gaps counted: where a symbol misses rows, it lies later than
    the calendar suggests, and purging by the calendar alone would leak.
    """
    horizon = require_horizon(horizon)
    require_series(prices, "prices", FeatureEngineeringError)
    return prices.groupby("symbol", sort=False)["date"].shift(-horizon).reset_index(drop=True)
