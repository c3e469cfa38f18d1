"""Linear regression by gradient descent, with an elastic-net penalty."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from sta410kit.exceptions import ConfigurationError
from sta410kit.research.models.descent import Limits, Problem, descend, newton, start_from_qr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

SOLVERS = ("momentum", "rmsprop", "newton")
STARTS = ("qr", "zeros")


class GradientDescentRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Elastic net, minimised by descent.

    The objective is scikit-learn's: ``|y - Xw - b|^2 / (2 n) + alpha (l1_ratio |w|_1 + (1 - l1_ratio)
    |w|_2^2 / 2)``, so without L1 the solution is that of `Ridge` with ``n * alpha``, without a penalty that
    of least squares. Columns and target are standardised inside, the penalty is not: a learning rate means
    the same on any data, and the answer does not depend on it.

    Parameters
    ----------
    alpha : float
        Strength of the penalty, 0 or more.
    l1_ratio : float
        Share of it that is L1, 0 to 1.
    learning_rate : float
        Length of a step, above 0; capped where a longer one could not converge (one over the curvature).
    momentum : float
        Share of the last step carried into the next, 0 to below 1 (Polyak 1964). It is dropped whenever the
        objective rises (O'Donoghue and Candes 2015).
    max_iter : int
        Steps at most.
    solver : {"momentum", "rmsprop", "newton"}
        ``momentum`` takes proximal gradient steps; ``rmsprop`` divides each coordinate's step by the root of
        its recent squared gradient (Tieleman and Hinton 2012), and halves all steps when the objective rises;
        ``newton`` solves for the coefficients that are not zero (orthant-wise, Andrew and Gao 2007), which
        takes a handful of steps and uses neither rate nor momentum.
    initial : {"qr", "zeros"}
        Where to start: at the solution without L1, by a QR decomposition, or at zero.
    tol : float
        Converged once no coordinate's slope, in standardised units, exceeds this.
    early_stopping : bool
        Hold out the last rows, which are the newest in a walk, and keep the coefficients that predict them
        best. They are then no longer those of the closed form.
    validation_fraction : float
        Share of the rows to hold out, above 0 and below 1.
    n_iter_no_change : int
        Steps without improvement on them before stopping.
    fit_intercept : bool
        Whether to fit an intercept, which is never penalised.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    n_iter_ : int
        Steps taken.
    loss_curve_ : ndarray
        The objective at the start and after each step, in units of the target's variance.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn's form: every choice is a parameter
        self,
        alpha: float = 0.01,
        *,
        l1_ratio: float = 0.01,
        learning_rate: float = 0.05,
        momentum: float = 0.9,
        max_iter: int = 1000,
        solver: Literal["momentum", "rmsprop", "newton"] = "momentum",
        initial: Literal["qr", "zeros"] = "qr",
        tol: float = 1e-6,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        fit_intercept: bool = True,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.max_iter = max_iter
        self.solver = solver
        self.initial = initial
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.fit_intercept = fit_intercept

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Fit to rows in order of time.

        Raises
        ------
        ConfigurationError
            If a parameter is out of its range.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` steps were not enough; the coefficients are those of the last one.
        """
        self._check_parameters()
        x, target = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        target = target.astype(np.float64)
        split = len(x)
        if self.early_stopping:
            split = max(1, len(x) - max(1, round(self.validation_fraction * len(x))))
        scales = _Scales.of(x[:split], target[:split], intercept=self.fit_intercept)
        z, t = scales.apply(x[:split], target[:split])
        problem = Problem(
            gram=z.T @ z / len(z),
            pull=z.T @ t / len(z),
            half_square=float(t @ t) / (2 * len(z)),
            l1=self.alpha * self.l1_ratio / (scales.columns * scales.target),
            l2=self.alpha * (1 - self.l1_ratio) / scales.columns**2,
        )
        begin = start_from_qr(z, t, problem.l2) if self.initial == "qr" else np.zeros(z.shape[1])
        held_out = scales.apply(x[split:], target[split:]) if split < len(x) else None
        limits = Limits(self.tol, self.max_iter, self.n_iter_no_change, held_out)
        if self.solver == "newton":
            found = newton(problem, begin, limits)
        else:
            rate, momentum, adaptive = self.learning_rate, self.momentum, self.solver == "rmsprop"
            found = descend(problem, begin, limits, rate=rate, momentum=momentum, adaptive=adaptive)
        self.coef_ = found.point * scales.target / scales.columns
        self.intercept_ = float(scales.target_mean - scales.means @ self.coef_)
        self.n_iter_ = max(1, found.steps)  # where the start is the solution, looking at it counts
        self.loss_curve_ = np.array(found.losses)
        if not found.converged:
            message = (
                f"{self.max_iter} steps were not enough for tol={self.tol:g}; raise max_iter (GD_ITERATIONS) "
                "or take solver='newton'."
            )
            warnings.warn(message, ConvergenceWarning, stacklevel=2)
        return self

    def predict(self, X: ArrayLike) -> Array:  # noqa: N803
        """Return ``X @ coef_ + intercept_``."""
        check_is_fitted(self)
        x = validate_data(self, X, reset=False, dtype=np.float64)
        predicted: Array = x @ self.coef_ + self.intercept_
        return predicted

    def _check_parameters(self) -> None:
        ranges = {
            "alpha": (self.alpha >= 0, "a number from 0"),
            "l1_ratio": (0 <= self.l1_ratio <= 1, "a number from 0 to 1"),
            "learning_rate": (self.learning_rate > 0, "a number above 0"),
            "momentum": (0 <= self.momentum < 1, "a number from 0 to below 1"),
            "max_iter": (self.max_iter >= 1, "a whole number from 1"),
            "solver": (self.solver in SOLVERS, " or ".join(SOLVERS)),
            "initial": (self.initial in STARTS, " or ".join(STARTS)),
            "tol": (self.tol > 0, "a number above 0"),
            "validation_fraction": (0 < self.validation_fraction < 1, "a number above 0 and below 1"),
            "n_iter_no_change": (self.n_iter_no_change >= 1, "a whole number from 1"),
        }
        wrong = [
            f"{name} is {getattr(self, name)!r}; give {takes}."
            for name, (good, takes) in ranges.items()
            if not good
        ]
        if wrong:
            raise ConfigurationError(" ".join(wrong))


@dataclass(frozen=True)
class _Scales:
    """Means and standard deviations of the columns and the target; 1 where nothing varies."""

    means: Array
    columns: Array
    target_mean: float
    target: float

    @classmethod
    def of(cls, x: Array, y: Array, *, intercept: bool) -> _Scales:
        means = x.mean(axis=0) if intercept else np.zeros(x.shape[1])
        target_mean = float(y.mean()) if intercept else 0.0
        columns = np.sqrt(((x - means) ** 2).mean(axis=0))
        # A column that varies by rounding alone holds nothing to learn from.
        columns[columns <= 1e-14 * np.abs(means)] = 0.0
        target = float(np.sqrt(((y - target_mean) ** 2).mean()))
        return cls(means, np.where(columns > 0, columns, 1.0), target_mean, target if target > 0 else 1.0)

    def apply(self, x: Array, y: Array) -> tuple[Array, Array]:
        return (x - self.means) / self.columns, (y - self.target_mean) / self.target
