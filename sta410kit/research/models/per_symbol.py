"""One fit per symbol instead of one for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

from sta410kit.exceptions import ModelTrainingError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


class PerSymbolRegressor(MetaEstimatorMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Fit a clone of a regressor per symbol, and one to all rows for symbols with few rows.

    Parameters
    ----------
    estimator : regressor
        The regressor to clone; not one that needs history.
    least : int
        Rows a symbol needs for its own fit.

    Attributes
    ----------
    pooled_ : regressor
        Fitted to all rows.
    estimators_ : dict of str to regressor
        The fits of symbols with enough rows.
    """

    needs_history = True

    def __init__(self, estimator: RegressorMixin, *, least: int = 252) -> None:
        self.estimator = estimator
        self.least = least

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Fit to a frame indexed by symbol and date."""
        target, x = np.asarray(y, dtype=float), X.to_numpy()
        self.n_features_in_ = x.shape[1]
        self.pooled_ = clone(self.estimator).fit(x, target)
        self.estimators_ = {
            symbol: clone(self.estimator).fit(x[rows], target[rows])
            for symbol, rows in _rows_by_symbol(X).items()
            if len(rows) >= self.least
        }
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:  # noqa: N803
        """Return the prediction of each row's own symbol, or of the pooled fit."""
        check_is_fitted(self)
        x = X.to_numpy()
        predicted = np.empty(len(x))
        for symbol, rows in _rows_by_symbol(X).items():
            predicted[rows] = self.estimators_.get(symbol, self.pooled_).predict(x[rows])
        return predicted


def _rows_by_symbol(frame: pd.DataFrame) -> dict[str, NDArray[np.intp]]:
    if "symbol" not in frame.index.names:
        message = "A fit per symbol needs a frame with the level 'symbol' in its index."
        raise ModelTrainingError(message)
    indices = frame.groupby(level="symbol", sort=True).indices
    return {str(symbol): np.asarray(rows) for symbol, rows in indices.items()}
