"""What models of a return series have in common: one series a symbol, forecast from its own past.

Such a model is a scikit-learn regressor whose `needs_history` is true. It is given frames indexed by symbol
and date instead of bare arrays, and predicts for whole histories: the value of a row depends on the rows of
its symbol up to there, never on later ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from sta410kit.exceptions import ModelTrainingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Parameters = dict[str, Array]

ALONE = "series"  # the symbol of rows that name none


class SeriesRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """The base: fits and forecasts each symbol's daily log returns.

    Rows are in order of time within their symbol. A frame holds the daily return in the column `returns`; of
    a bare array it is the first column, and all rows are one series.

    Parameters
    ----------
    horizon : int
        Sessions over which the forecast returns are summed.
    returns : str
        Name of the column with the daily log return known at *t*.
    least : int
        Returns a symbol must have for parameters of its own; with fewer its forecast is the mean return over
        all symbols, as for one that was not there.

    Attributes
    ----------
    parameters_ : dict of str to ndarray
        A symbol's parameters.
    mean_ : float
        Mean daily return over all symbols.
    """

    needs_history = True

    def __init__(self, horizon: int = 1, *, returns: str = "return_1", least: int = 126) -> None:
        self.horizon = horizon
        self.returns = returns
        self.least = least

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Estimate the parameters of each symbol's series; `y` is checked, and not needed."""
        frame = self._framed(X)
        validate_data(self, X, y, y_numeric=True)
        self._fit_series(frame)
        return self

    def predict(self, X: ArrayLike) -> Array:  # noqa: N803
        """Return for each row the expected log return over the next `horizon` sessions, unit 1."""
        check_is_fitted(self)
        frame = self._framed(X)
        validate_data(self, X, reset=False)
        return self._forecast(frame)

    def estimate(self, series: Array, start: Array | None) -> Array:
        """Return the parameters of one series; `start` holds those of an earlier fit of a shorter one."""
        raise NotImplementedError

    def forecasts(self, series: Array, parameters: Array) -> Array:
        """Return for each place of the series the forecast from there, `horizon` sessions summed."""
        raise NotImplementedError

    def _fit_series(self, frame: pd.DataFrame) -> None:
        before: Parameters = getattr(self, "parameters_", {}) if getattr(self, "warm_start", False) else {}
        self.mean_ = float(frame[self.returns].mean())
        self.parameters_: Parameters = {}
        for symbol, rows in self._series(frame):
            values = frame[self.returns].to_numpy(dtype=float)[rows]
            if len(values) >= self.least and np.ptp(values) > 0:
                self.parameters_[symbol] = self.estimate(values, before.get(symbol))

    def _forecast(self, frame: pd.DataFrame) -> Array:
        predicted = np.full(len(frame), self.horizon * self.mean_)
        for symbol, rows in self._series(frame):
            if symbol in self.parameters_:
                values = frame[self.returns].to_numpy(dtype=float)[rows]
                predicted[rows] = self.forecasts(values, self.parameters_[symbol])
        return predicted

    def _framed(self, x: ArrayLike) -> pd.DataFrame:
        frame = x if isinstance(x, pd.DataFrame) else pd.DataFrame(np.asarray(x))
        if not isinstance(x, pd.DataFrame) and frame.shape[1]:
            frame = frame.rename(columns={0: self.returns})
        if self.returns not in frame:
            message = (
                f"{type(self).__name__} needs the feature {self.returns}, the series it forecasts; "
                "build the features with it, or take another model."
            )
            raise ModelTrainingError(message)
        return frame

    @staticmethod
    def _series(frame: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.intp]]]:
        """Yield each symbol and the rows of it, in their order."""
        if "symbol" not in frame.index.names:
            yield ALONE, np.arange(len(frame))
            return
        codes, symbols = pd.factorize(frame.index.get_level_values("symbol"))
        order = np.argsort(codes, kind="stable")
        yield from zip(map(str, symbols), np.split(order, np.cumsum(np.bincount(codes))[:-1]), strict=True)
