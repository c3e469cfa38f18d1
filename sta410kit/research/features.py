"""Features: what was known at the close of *t*, one function each.

A new feature is a function of `History` with the decorator `feature`; its name becomes the column. All of
them are computed from adjusted prices and are free of units: ratios do not change when a later split or
dividend rescales the adjusted history, so today's value of an old feature is the value one would have
computed then.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from sta410kit.exceptions import FeatureEngineeringError
from sta410kit.research.frames import log, require_prices

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    Feature = Callable[["History"], "pd.Series[float]"]

FEATURES: dict[str, Feature] = {}
KEYS = ("symbol", "date")


def feature(function: Feature) -> Feature:
    """Register a function of `History` as a feature column of the same name."""
    FEATURES[function.__name__] = function
    return function


class History:
    """Prices with the operations that look backwards only, each within its symbol.

    Parameters
    ----------
    prices : DataFrame
        A prices frame, sorted, with finite positive prices.
    """

    def __init__(self, prices: pd.DataFrame) -> None:
        self.prices = prices
        self._symbol = prices["symbol"]

    @cached_property
    def close(self) -> pd.Series[float]:
        """Log of the adjusted close."""
        return log(self.prices["adj_close"])

    @cached_property
    def daily(self) -> pd.Series[float]:
        """Log return from the session before."""
        return self.close - self.lag(self.close, 1)

    def lag(self, values: pd.Series[float], sessions: int) -> pd.Series[float]:
        """Return the values as they were `sessions` sessions earlier."""
        if sessions < 1:
            message = f"A feature may look back only; lag {sessions} would look at the present or ahead."
            raise FeatureEngineeringError(message)
        return values.groupby(self._symbol, sort=False).shift(sessions)

    def mean(self, values: pd.Series[float], sessions: int) -> pd.Series[float]:
        """Return the mean of the last `sessions` values, this one included."""
        return values.groupby(self._symbol, sort=False).rolling(sessions).mean().droplevel(0)

    def std(self, values: pd.Series[float], sessions: int) -> pd.Series[float]:
        """Return the sample standard deviation of the last `sessions` values, this one included."""
        return values.groupby(self._symbol, sort=False).rolling(sessions).std().droplevel(0)

    def smoothed(self, values: pd.Series[float], sessions: int) -> pd.Series[float]:
        """Return Wilder's moving average, in which each new value has the weight 1 / `sessions`."""
        groups = values.groupby(self._symbol, sort=False)
        return groups.ewm(alpha=1 / sessions, adjust=False, min_periods=sessions).mean().droplevel(0)


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    """Return the features frame: ``symbol, date`` and one float column a feature, one row a price row.

    A value at *t* uses only what was known at the close of *t*. The first rows of a symbol are NaN where a
    feature needs more past than there is (50 sessions at most); they are kept, so that nothing is hidden.

    Parameters
    ----------
    prices : DataFrame
        A prices frame; it is left as it is.

    Raises
    ------
    FeatureEngineeringError
        If columns are missing, rows are not sorted or there twice, or a price is not a positive number.
    """
    import numpy as np
    import pandas as pd

    require_prices(prices, FeatureEngineeringError)
    ordered = prices.reset_index(drop=True)
    history = History(ordered)
    columns = {name: function(history).astype("float64") for name, function in FEATURES.items()}
    for name, values in columns.items():
        infinite = np.isinf(values.to_numpy())
        if infinite.any():
            row = ordered[infinite].iloc[0]
            place = f"{row['symbol']} {row['date']:%Y-%m-%d}"
            message = f"The feature {name} is infinite for {place}; check its prices."
            raise FeatureEngineeringError(message)
    return pd.concat([ordered[list(KEYS)], pd.DataFrame(columns)], axis=1)


def feature_names(frame: pd.DataFrame) -> list[str]:
    """Return the columns of a features frame or training table that are features, in their order."""
    return [str(name) for name in frame.columns if name not in {*KEYS, "target"}]


@feature
def return_1(history: History) -> pd.Series[float]:
    """Log return over one session."""
    return history.daily


@feature
def return_5(history: History) -> pd.Series[float]:
    """Log return over five sessions, about a week."""
    return history.close - history.lag(history.close, 5)


@feature
def return_21(history: History) -> pd.Series[float]:
    """Log return over 21 sessions, about a month."""
    return history.close - history.lag(history.close, 21)


def _above_average(history: History, sessions: int) -> pd.Series[float]:
    return history.close - log(history.mean(history.prices["adj_close"].astype("float64"), sessions))


@feature
def ma_ratio_7(history: History) -> pd.Series[float]:
    """Log of the adjusted close over its mean of seven sessions."""
    return _above_average(history, 7)


@feature
def ma_ratio_21(history: History) -> pd.Series[float]:
    """Log of the adjusted close over its mean of 21 sessions."""
    return _above_average(history, 21)


@feature
def ma_ratio_50(history: History) -> pd.Series[float]:
    """Log of the adjusted close over its mean of 50 sessions."""
    return _above_average(history, 50)


@feature
def volatility_21(history: History) -> pd.Series[float]:
    """Sample standard deviation of 21 daily log returns; a daily figure, not annualised."""
    return history.std(history.daily, 21)


@feature
def rsi_14(history: History) -> pd.Series[float]:
    """Relative strength index after Wilder (1978), 0 to 100; 50 when the price has not moved at all.

    The averages start from the first return instead of a simple mean of 14, which fades within weeks.
    """
    gain = history.smoothed(history.daily.clip(lower=0), 14)
    loss = history.smoothed((-history.daily).clip(lower=0), 14)
    moved = gain + loss
    return (100 * gain / moved.where(moved > 0)).where(moved.isna() | (moved > 0), 50.0)


@feature
def range_1(history: History) -> pd.Series[float]:
    """Log of the session's high over its low."""
    return log(history.prices["high"]) - log(history.prices["low"])


@feature
def dollar_volume_z_21(history: History) -> pd.Series[float]:
    """How unusual the money traded is: log of price times volume, standardised over 21 sessions.

    Price times shares is the same before and after a split, where volume alone would jump. 0 when the 21
    values are all the same.
    """
    traded = history.prices["close"].astype("float64") * history.prices["volume"].astype("float64")
    money = log(1 + traded)  # a session without trade is 0, not minus infinity
    spread = history.std(money, 21)
    score = (money - history.mean(money, 21)) / spread.where(spread > 0)
    return score.where(spread.isna() | (spread > 0), 0.0)
