"""The target: the log return that models predict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import FeatureEngineeringError
from sta410kit.research.frames import log, require_horizon, require_prices, require_series

if TYPE_CHECKING:
    import pandas as pd


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
        each symbol, whose outcome is not known yet.

    Raises
    ------
    ConfigurationError
        If `horizon` is not a positive whole number.
    FeatureEngineeringError
        If the prices are not sorted, hold duplicates, or a price that is not a positive number.
    """
    horizon = require_horizon(horizon)
    require_prices(prices, FeatureEngineeringError)
    level = log(prices["adj_close"])
    later = level.groupby(prices["symbol"], sort=False).shift(-horizon)
    return prices[["symbol", "date"]].assign(target=later - level).reset_index(drop=True)


def realised_on(prices: pd.DataFrame, horizon: int) -> pd.Series[pd.Timestamp]:
    """Return, for each price row, the session at whose close its target is known; NaT while it is not.

    This is the symbol's own session *t* + `horizon`: where a symbol misses sessions, it lies later than the
    calendar suggests, and purging by the calendar alone would leak.
    """
    horizon = require_horizon(horizon)
    require_series(prices, "prices", FeatureEngineeringError)
    return prices.groupby("symbol", sort=False)["date"].shift(-horizon).reset_index(drop=True)
