"""ARIMA for what a symbol's own returns say, boosting for what the features say of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sta410kit.research.models.arima import ArimaBoostingRegressor


def make(seed: int) -> ArimaBoostingRegressor:
    """Return ARIMA(1, 1, 1) of the log price, a symbol at a time, and boosting on its residuals."""
    from sta410kit.research.models.arima import ArimaBoostingRegressor

    return ArimaBoostingRegressor(random_state=seed)
