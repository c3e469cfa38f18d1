"""The forecast that costs nothing: tomorrow's price is today's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sklearn.dummy import DummyRegressor


def make(seed: int) -> DummyRegressor:  # noqa: ARG001 - every model takes a seed; this one has no chance in it
    """Return a regressor that predicts a log return of zero, whatever it is shown."""
    from sklearn.dummy import DummyRegressor

    return DummyRegressor(strategy="constant", constant=0.0)
