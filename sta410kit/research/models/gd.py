"""Gradient descent with an elastic-net penalty, set by the `GD_*` settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sklearn.compose import TransformedTargetRegressor


def make(seed: int) -> TransformedTargetRegressor:  # noqa: ARG001 - every model takes a seed; the minimum is unique
    """Return gradient descent on standardised features and target, so that the penalty treats all alike.

    The settings are those of `get_config`: ``GD_LR``, ``GD_ITERATIONS``, ``GD_MOMENTUM``, ``GD_L2_REG`` (the
    strength of the whole penalty) and ``GD_L1_RATIO`` (the share of it that is L1).
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from sta410kit.config import get_config
    from sta410kit.research.models.gradient_descent import GradientDescentRegressor

    chosen = get_config().model
    descent = GradientDescentRegressor(
        alpha=chosen.gd_l2_reg,
        l1_ratio=chosen.gd_l1_ratio,
        learning_rate=chosen.gd_learning_rate,
        momentum=chosen.gd_momentum,
        max_iter=chosen.gd_iterations,
        tol=1e-4,  # of a standard deviation of the target: below what years of data can tell
    )
    return TransformedTargetRegressor(make_pipeline(StandardScaler(), descent), transformer=StandardScaler())
