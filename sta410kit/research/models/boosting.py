"""Gradient-boosted trees, kept small because returns are mostly noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor


def boosting(seed: int) -> HistGradientBoostingRegressor:
    """Histogram gradient boosting with few, shallow trees of large leaves.

    No early stopping: scikit-learn would hold out random rows, which overlapping targets and several symbols
    a day leak into the rest.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        learning_rate=0.03,
        max_iter=60,
        max_leaf_nodes=6,
        min_samples_leaf=200,
        l2_regularization=10.0,
        max_bins=63,
        early_stopping=False,
        random_state=seed,
    )
