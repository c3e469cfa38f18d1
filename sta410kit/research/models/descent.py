"""Ways down: minimise a quadratic with an elastic-net penalty."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg  # type: ignore[import-untyped,unused-ignore]

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_FORGET = 0.9  # share of the old mean of squared gradients that RMSProp keeps
_GROWTH = 1.02  # by which RMSProp's steps recover after a halving
_TINY = 1e-12
_HALVINGS = 40
_DEPENDENT = 1e-10  # columns nearer to dependent than this differ by rounding


@dataclass(frozen=True)
class Problem:
    """``half_square - pull u + u gram u / 2 + sum(l1 |u|) + sum(l2 u^2) / 2``."""

    gram: Array
    pull: Array
    half_square: float
    l1: Array
    l2: Array

    def loss(self, u: Array) -> float:
        """Return the objective at `u`."""
        smooth = self.half_square - self.pull @ u + u @ (self.gram @ u) / 2
        return float(smooth + self.l1 @ np.abs(u) + self.l2 @ u**2 / 2)

    def gradient(self, u: Array) -> Array:
        """Return the gradient of all but the L1 part."""
        slope: Array = self.gram @ u - self.pull + self.l2 * u
        return slope

    def slope(self, u: Array, gradient: Array) -> Array:
        """Return the steepest one-sided slope of each coordinate; all zero at the minimum only."""
        at_zero = np.sign(gradient) * np.maximum(np.abs(gradient) - self.l1, 0)
        steepest: Array = np.where(u != 0, gradient + self.l1 * np.sign(u), at_zero)
        return steepest

    @property
    def curvature(self) -> Array:
        """Return the second derivative along each coordinate; 1 where nothing varies."""
        diagonal = np.diag(self.gram)
        return np.where(diagonal > 0, diagonal, 1.0) + self.l2

    def is_lowest(self, u: Array, tol: float) -> bool:
        """Tell whether no coordinate, alone, would still move by more than `tol`."""
        moves = self.slope(u, self.gradient(u)) / self.curvature
        return bool(np.max(np.abs(moves), initial=0.0) <= tol)


@dataclass(frozen=True)
class Limits:
    """When to stop: at the bottom but for `tol`, after so many steps, or by the rows held out."""

    tol: float
    max_iter: int
    patience: int
    held_out: tuple[Array, Array] | None = None


@dataclass
class Descent:
    """How a descent went."""

    point: Array
    losses: list[float]
    converged: bool = False
    steps: int = 0


@dataclass
class _Watch:
    """Says when to stop, and keeps the point that predicts the rows held out best."""

    limits: Limits
    best: float = float("inf")
    point: Array = field(default_factory=lambda: np.zeros(0))
    waited: int = 0

    def goes_on(self, found: Descent) -> bool:
        if self.limits.held_out is not None:
            x, y = self.limits.held_out
            error = float(((y - x @ found.point) ** 2).mean())
            better = error < self.best
            if better:
                self.best, self.point = error, found.point.copy()
            self.waited = 0 if better else self.waited + 1
        return (
            not found.converged and found.steps < self.limits.max_iter and self.waited < self.limits.patience
        )

    def pick(self, found: Descent) -> Descent:
        """Return the descent ended at the best point; stopping early is an end, not a failure."""
        if self.limits.held_out is not None:
            found.point, found.converged = self.point, True
        return found


def start_from_qr(x: Array, y: Array, l2: Array) -> Array:
    """Return the minimum without the L1 part by QR; the shortest one where there are many.

    The squared penalty is least squares too, of rows ``sqrt(n l2)`` beside the data (Golub and Van Loan 2013,
    section 6.1.4).
    """
    tall = np.vstack([x, np.diag(np.sqrt(len(x) * l2))])
    target = np.concatenate([y, np.zeros(len(l2))])
    q, r = linalg.qr(tall, mode="economic", check_finite=False)
    size = np.abs(np.diag(r))
    if size.min() > _DEPENDENT * size.max():
        return np.asarray(linalg.solve_triangular(r, q.T @ target, check_finite=False))
    return np.asarray(np.linalg.lstsq(tall, target, rcond=_DEPENDENT)[0])


def descend(  # noqa: PLR0913 - the ways to step, by keyword
    problem: Problem,
    begin: Array,
    limits: Limits,
    *,
    rate: float,
    momentum: float,
    adaptive: bool,
) -> Descent:
    """Take proximal gradient steps with momentum, of one length or adapted to each coordinate (RMSProp).

    Each coordinate is measured in its own curvature, ``1 + l2`` after standardising. Whether a step went too
    far is read from the slope behind it: losses near the minimum differ by less than rounding.
    """
    curvature = problem.curvature
    root = np.sqrt(curvature)
    hessian = problem.gram + np.diag(problem.l2)
    steepest = float(np.linalg.eigvalsh(hessian / np.outer(root, root))[-1])
    rate = longest = rate if adaptive else min(rate, 1 / steepest)
    squares = np.zeros_like(begin)
    velocity = np.zeros_like(begin)
    found = Descent(begin.copy(), [problem.loss(begin)], problem.is_lowest(begin, limits.tol))
    watch = _Watch(limits)
    while watch.goes_on(found):
        gradient = problem.gradient(found.point)
        if velocity @ problem.slope(found.point, gradient) > 0:  # the last step went past the valley
            velocity = np.zeros_like(velocity)
            rate = rate / 2 if adaptive else rate
        length = rate / curvature
        if adaptive:
            # Corrected for the start from zero as in Kingma and Ba (2015), or the first steps would be long.
            squares = _FORGET * squares + (1 - _FORGET) * (gradient / curvature) ** 2
            size = np.sqrt(squares / (1 - _FORGET ** (found.steps + 1)))
            length = length / (size + _TINY)
            rate = min(rate * _GROWTH, longest)
        ahead = found.point + momentum * velocity - length * gradient
        point = np.sign(ahead) * np.maximum(np.abs(ahead) - length * problem.l1, 0)
        velocity, found.point = point - found.point, point
        found.steps += 1
        found.losses.append(problem.loss(point))
        found.converged = problem.is_lowest(point, limits.tol)
    return watch.pick(found)


def newton(problem: Problem, begin: Array, limits: Limits) -> Descent:
    """Solve for the coordinates that are free to move, staying in the orthant of the steepest descent."""
    hessian = problem.gram + np.diag(problem.l2)
    found = Descent(begin.copy(), [problem.loss(begin)], problem.is_lowest(begin, limits.tol))
    watch = _Watch(limits)
    while watch.goes_on(found):
        u = found.point
        slope = problem.slope(u, problem.gradient(u))
        orthant = np.where(u != 0, np.sign(u), -np.sign(slope))
        free = orthant != 0
        found.steps += 1
        step = np.zeros_like(u)
        step[free] = -np.linalg.lstsq(hessian[np.ix_(free, free)], slope[free], rcond=1e-12)[0]
        found.point = _downhill(problem, u, step, orthant, found.losses[-1])
        found.losses.append(problem.loss(found.point))
        found.converged = problem.is_lowest(found.point, limits.tol)
    return watch.pick(found)


def _downhill(problem: Problem, u: Array, step: Array, orthant: Array, loss: float) -> Array:
    """Return the point after the longest halving of the step that does not raise the objective."""
    length = 1.0
    for _ in range(_HALVINGS):
        point = u + length * step
        point = np.where(np.sign(point) == orthant, point, 0.0)
        if problem.loss(point) <= loss:
            return np.asarray(point, dtype=float)
        length /= 2
    return u
