"""Linear regression, shrunk hard towards the mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

# Set once, from what is known about daily returns, and not tuned on them: an R2 near 0.001 leaves so little
# signal that a few thousand rows deserve about as much weight as the belief that there is none.
ALPHA = 3000.0


def make(seed: int) -> Pipeline:  # noqa: ARG001 - every model takes a seed; the solution is unique
    """Return a ridge regression on standardised features, so that the penalty treats them alike."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), Ridge(alpha=ALPHA))
