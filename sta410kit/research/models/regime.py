"""Regime switching: the mean return depends on the state of the market, which is inferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sta410kit.research.models.markov import RegimeSwitchingRegressor


def make(seed: int) -> RegimeSwitchingRegressor:  # noqa: ARG001 - every model takes a seed; the fit has no chance in it
    """Return a Markov-switching mean and variance with two regimes, a symbol at a time."""
    from sta410kit.research.models.markov import RegimeSwitchingRegressor

    return RegimeSwitchingRegressor()
