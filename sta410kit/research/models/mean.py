"""The historical mean: the past's average return goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sklearn.dummy import DummyRegressor


def make(seed: int) -> DummyRegressor:  # noqa: ARG001 - every model takes a seed; this one has no chance in it
    """Return a regressor that predicts the mean target it was taught, over all symbols.

    The benchmark of Welch and Goyal (2008), hard to beat: a drift is there, and almost nothing else.
    """
    from sklearn.dummy import DummyRegressor

    return DummyRegressor(strategy="mean")
