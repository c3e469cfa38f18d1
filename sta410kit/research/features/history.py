"""Prices with operations that only look backwards, each within its symbol and not across a gap.

Rows of a symbol between two gaps are contiguous, so a window is a pair of row numbers that never reaches
before the first of them, and pandas' compiled kernels run once over the whole column, not once per symbol.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pandas.api.indexers import BaseIndexer

from sta410kit.exceptions import FeatureEngineeringError
from sta410kit.research.frames import is_member, log, unbroken_runs

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas.api.typing import Rolling


class History:
    """The argument of every feature.

    Parameters
    ----------
    prices : DataFrame
        A prices frame, sorted, with finite positive prices or gaps, and the index 0, 1, 2, ...

    Notes
    -----
    Operations take and return a Series on the index of ``prices``; incomplete windows give NaN. After a gap
    each begins anew, as at the first session of the symbol.
    """

    def __init__(self, prices: pd.DataFrame) -> None:
        self.prices = prices
        symbols = prices["symbol"]
        self._symbol = np.cumsum((symbols != symbols.shift()).to_numpy()) - 1  # number of the row's symbol
        self._run = unbroken_runs(prices)
        self._first = np.flatnonzero(np.diff(self._run, prepend=-1))[self._run]  # row in which the run begins

    @cached_property
    def close(self) -> pd.Series[float]:
        """Log of the adjusted close."""
        return log(self.prices["adj_close"])

    @cached_property
    def daily(self) -> pd.Series[float]:
        """Log return from the previous session."""
        return self.close - self.lag(self.close, 1)

    @cached_property
    def traded(self) -> pd.Series[float]:
        """Dollar volume: close times volume, in quote currency; unaffected by splits."""
        return self.prices["close"].astype("float64") * self.prices["volume"].astype("float64")

    def adjusted(self, column: str) -> pd.Series[float]:
        """Return ``open``, ``high``, ``low`` or ``close``, adjusted as `adj_close` is."""
        close = self.prices["adj_close"].astype("float64")
        return close if column == "close" else self.prices[column] * (close / self.prices["close"])

    def lag(self, values: pd.Series[float], sessions: int) -> pd.Series[float]:
        """Return the values of `sessions` sessions earlier; NaN where a gap lies between."""
        if sessions < 1:
            message = f"A lag of {sessions} does not look back; features may only use earlier sessions."
            raise FeatureEngineeringError(message)
        return values.shift(sessions).where(np.arange(len(values)) - self._first >= sessions)

    def mean(self, values: pd.Series[float], sessions: int) -> pd.Series[float]:
        """Return the mean of the last `sessions` values, this one included."""
        return self._rolling(values, sessions).mean()

    def std(self, values: pd.Series[float], sessions: int) -> pd.Series[float]:
        """Return the sample standard deviation of the last `sessions` values, this one included."""
        return self._rolling(values, sessions).std()

    def highest(self, values: pd.Series[float], sessions: int) -> pd.Series[float]:
        """Return the largest of the last `sessions` values, this one included."""
        return self._rolling(values, sessions).max()

    def lowest(self, values: pd.Series[float], sessions: int) -> pd.Series[float]:
        """Return the smallest of the last `sessions` values, this one included."""
        return self._rolling(values, sessions).min()

    def smoothed(self, values: pd.Series[float], sessions: int) -> pd.Series[float]:
        """Return Wilder's moving average, in which a new value weighs 1 / `sessions`.

        It starts from the first value instead of the mean of the first `sessions`; the difference fades
        within weeks.
        """
        return self._weighted(values, 1 / sessions, sessions)

    def exponential(self, values: pd.Series[float], sessions: int) -> pd.Series[float]:
        """Return the exponential moving average, in which a new value weighs 2 / (sessions + 1)."""
        return self._weighted(values, 2 / (sessions + 1), sessions)

    def rank(self, values: pd.Series[float]) -> pd.Series[float]:
        """Return the rank among the symbols of the session, from -0.5 (lowest) to 0.5.

        ``(rank - 1/2) / n - 1/2`` with the mean rank for ties, over the symbols that have a value.
        """
        table = pd.DataFrame(self._by_session(values))
        share = (table.rank(axis=1) - 0.5).div(table.notna().sum(axis=1), axis=0) - 0.5
        return pd.Series(share.to_numpy()[self._day, self._symbol], index=values.index)

    def market(self, values: pd.Series[float]) -> pd.Series[float]:
        """Return the equal-weighted mean over the symbols that have a value in the session."""
        table = self._by_session(values)
        there = ~np.isnan(table)
        count = there.sum(axis=1)
        total = np.where(there, table, 0.0).sum(axis=1)
        mean = np.divide(total, count, out=np.full(len(table), np.nan), where=count > 0)
        return pd.Series(mean[self._day], index=values.index)

    @cached_property
    def _day(self) -> NDArray[np.intp]:
        return np.unique(self.prices["date"].to_numpy(), return_inverse=True)[1]

    def _weighted(self, values: pd.Series[float], alpha: float, least: int) -> pd.Series[float]:
        runs = values.groupby(self._run, sort=False)
        return runs.ewm(alpha=alpha, adjust=False, min_periods=least).mean().droplevel(0)

    def _rolling(self, values: pd.Series[float], sessions: int) -> Rolling[pd.Series[float]]:
        return values.rolling(_Window(self._first, sessions), min_periods=sessions)

    def _by_session(self, values: pd.Series[float]) -> NDArray[np.float64]:
        """Return the values by session and symbol: one row and one column each, NaN where it has none.

        Only members of the universe have values to compare.
        """
        table = np.full((int(self._day.max()) + 1, int(self._symbol[-1]) + 1), np.nan, order="F")
        table[self._day, self._symbol] = values.where(is_member(self.prices)).to_numpy()
        return table


class _Window(BaseIndexer):
    """The last `sessions` rows up to each row, truncated where its run begins."""

    def __init__(self, first: NDArray[np.intp], sessions: int) -> None:
        super().__init__()
        self.sessions = sessions
        self.first = first

    def get_window_bounds(
        self,
        num_values: int = 0,
        min_periods: int | None = None,  # noqa: ARG002 - the signature is pandas'
        center: bool | None = None,  # noqa: ARG002, FBT001
        closed: str | None = None,  # noqa: ARG002
        step: int | None = None,  # noqa: ARG002
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        end = np.arange(1, num_values + 1, dtype=np.int64)
        return np.maximum(end - self.sessions, self.first).astype(np.int64), end
