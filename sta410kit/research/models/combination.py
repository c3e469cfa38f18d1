"""Combinations of forecasts: a weighted mean of several models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone

from sta410kit.research.models import INVERSE_ERROR
from sta410kit.research.models.tuning import inner_splits, inputs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


class CombinedRegressor(MetaEstimatorMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """The mean of several models' predictions, equally weighted or by their inverse squared error.

    Equal weights are hard to beat (Timmermann 2006, Handbook of Economic Forecasting 1, chapter 4). Inverse
    errors are those of Bates and Granger (1969, Operational Research Quarterly 20) without correlations; they
    come from purged, out-of-sample predictions of later parts of the training window.

    Parameters
    ----------
    members : sequence of (str, regressor)
        The models by name.
    weighting : str
        ``"equal"`` or ``"inverse_error"``.
    horizon : int
        Sessions the target looks ahead; as many are purged before each part.

    Attributes
    ----------
    weights_ : ndarray of shape (members,)
        They sum to 1.
    members_ : list of regressors
        Fitted on the whole window.
    """

    needs_history = True

    def __init__(
        self,
        members: Sequence[tuple[str, RegressorMixin]],
        weighting: str = "equal",
        *,
        horizon: int = 1,
    ) -> None:
        self.members = members
        self.weighting = weighting
        self.horizon = horizon

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Fit each member, and its weight, on a frame indexed by symbol and date."""
        target = np.asarray(y, dtype=float)
        self.n_features_in_ = X.shape[1]
        self.weights_ = np.full(len(self.members), 1 / len(self.members))
        if self.weighting == INVERSE_ERROR:
            parts = inner_splits(X.index, self.horizon)
            losses = np.array([_squared_error(each, X, target, parts) for _, each in self.members])
            inverse = 1 / np.maximum(losses, np.finfo(float).tiny)
            self.weights_ = inverse / inverse.sum()
        self.members_ = [clone(each).fit(inputs_of(each, X), target) for _, each in self.members]
        return self

    def predict(self, X: pd.DataFrame) -> Floats:  # noqa: N803
        """Return the weighted mean of the members' predictions."""
        predicted: Floats = self.weights_ @ [each.predict(inputs_of(each, X)) for each in self.members_]
        return predicted


def _squared_error(
    estimator: RegressorMixin,
    frame: pd.DataFrame,
    target: Floats,
    parts: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
) -> float:
    """Return the mean squared error of out-of-sample predictions of the parts."""
    errors = []
    for train, test in parts:
        fitted = clone(estimator).fit(inputs_of(estimator, frame.iloc[train]), target[train])
        # A member that needs histories predicts from those up to the part.
        past = frame.iloc[: test.max() + 1]
        errors.append(target[test] - np.asarray(fitted.predict(inputs_of(fitted, past)))[test])
    return float(np.mean(np.concatenate(errors) ** 2))
