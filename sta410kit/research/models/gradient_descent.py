"""Linear regression with an elastic-net penalty, minimised by proximal gradient descent."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_DEPENDENT = 1e-10  # relative size of a pivot below which columns are linearly dependent
_CONSTANT = 1e-14  # relative deviation below which a column only varies by rounding


class GradientDescentRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Elastic net fitted by proximal gradient descent with momentum, started from the ridge solution.

    The objective is scikit-learn's: ``|y - Xw - b|^2 / (2 n) + alpha (l1_ratio |w|_1 + (1 - l1_ratio)
    |w|_2^2 / 2)``; the intercept is not penalised. Columns and target are standardised internally, the
    penalty is not, so the learning rate means the same on any data and does not change the solution.

    Parameters
    ----------
    alpha : float
        Strength of the penalty, 0 or more.
    l1_ratio : float
        Share of the penalty that is L1, 0 to 1.
    learning_rate : float
        Step length, above 0; capped at one over the largest curvature, beyond which steps diverge.
    momentum : float
        Share of the last step carried into the next, 0 to below 1 (Polyak 1964); reset when a step overshoots
        (O'Donoghue and Candes 2015).
    max_iter : int
        Maximum number of steps.
    tol : float
        Convergence tolerance: the largest remaining move of a coordinate, in standardised units.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    n_iter_ : int
        Number of steps.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn's convention: every choice is a parameter
        self,
        alpha: float = 0.01,
        *,
        l1_ratio: float = 0.01,
        learning_rate: float = 0.05,
        momentum: float = 0.9,
        max_iter: int = 1000,
        tol: float = 1e-6,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Fit to rows of features and targets.

        Raises
        ------
        ConfigurationError
            If a parameter is out of range.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` steps were not enough.
        """
        self._check_parameters()
        x, target = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        target = target.astype(np.float64)
        means, mean = x.mean(axis=0), float(target.mean())
        columns = np.sqrt(((x - means) ** 2).mean(axis=0))
        columns = np.where(columns > _CONSTANT * np.abs(means), columns, 1.0)
        scale = float(target.std()) or 1.0
        z, t = (x - means) / columns, (target - mean) / scale
        l1 = self.alpha * self.l1_ratio / (columns * scale)
        l2 = self.alpha * (1 - self.l1_ratio) / columns**2
        point, self.n_iter_, converged = self._descend(z, t, l1, l2)
        self.coef_ = point * scale / columns
        self.intercept_ = mean - float(means @ self.coef_)
        if not converged:
            message = f"{self.max_iter} steps were not enough for tol={self.tol:g}; raise GD_ITERATIONS."
            warnings.warn(message, ConvergenceWarning, stacklevel=2)
        return self

    def predict(self, X: ArrayLike) -> Array:  # noqa: N803
        """Return ``X @ coef_ + intercept_``."""
        check_is_fitted(self)
        x = validate_data(self, X, reset=False, dtype=np.float64)
        predicted: Array = x @ self.coef_ + self.intercept_
        return predicted

    def _descend(self, x: Array, y: Array, l1: Array, l2: Array) -> tuple[Array, int, bool]:
        """Return the minimum for standardised data, the number of steps and whether it converged."""
        gram, pull = x.T @ x / len(x), x.T @ y / len(x)
        diagonal = np.diag(gram)
        curvature = np.where(diagonal > 0, diagonal, 1.0) + l2
        root = np.sqrt(curvature)
        steepest = float(np.linalg.eigvalsh((gram + np.diag(l2)) / np.outer(root, root))[-1])
        length = min(self.learning_rate, 1 / steepest) / curvature
        point, velocity = _ridge_by_qr(x, y, l2), np.zeros(len(l2))
        for step in range(self.max_iter + 1):
            gradient = gram @ point - pull + l2 * point
            at_zero = np.sign(gradient) * np.maximum(np.abs(gradient) - l1, 0)
            slope = np.where(point != 0, gradient + l1 * np.sign(point), at_zero)
            if np.max(np.abs(slope / curvature), initial=0.0) <= self.tol:
                return point, max(1, step), True
            if velocity @ slope > 0:
                velocity = np.zeros_like(velocity)
            ahead = point + self.momentum * velocity - length * gradient
            moved = np.sign(ahead) * np.maximum(np.abs(ahead) - length * l1, 0)
            velocity, point = moved - point, moved
        return point, self.max_iter, False

    def _check_parameters(self) -> None:
        ranges = {
            "alpha": (self.alpha >= 0, "a number from 0"),
            "l1_ratio": (0 <= self.l1_ratio <= 1, "a number from 0 to 1"),
            "learning_rate": (self.learning_rate > 0, "a number above 0"),
            "momentum": (0 <= self.momentum < 1, "a number from 0 to below 1"),
            "max_iter": (self.max_iter >= 1, "a whole number from 1"),
            "tol": (self.tol > 0, "a number above 0"),
        }
        wrong = [
            f"{name} is {getattr(self, name)!r}; give {allowed}."
            for name, (valid, allowed) in ranges.items()
            if not valid
        ]
        if wrong:
            raise ConfigurationError(" ".join(wrong))


def _ridge_by_qr(x: Array, y: Array, l2: Array) -> Array:
    """Return the minimum without the L1 part by QR, the shortest one if it is not unique."""
    from scipy import linalg  # type: ignore[import-untyped,unused-ignore]

    tall = np.vstack([x, np.diag(np.sqrt(len(x) * l2))])
    target = np.concatenate([y, np.zeros(len(l2))])
    q, r = linalg.qr(tall, mode="economic", check_finite=False)
    size = np.abs(np.diag(r))
    if size.min() > _DEPENDENT * size.max():
        return np.asarray(linalg.solve_triangular(r, q.T @ target, check_finite=False))
    return np.asarray(np.linalg.lstsq(tall, target, rcond=_DEPENDENT)[0])
