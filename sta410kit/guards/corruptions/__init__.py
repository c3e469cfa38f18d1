"""The corruptions that a suite is tested with: realistic, one at a time, of varying size and place."""

from sta410kit.guards.corruptions.corruption import Corruption
from sta410kit.guards.corruptions.model_output import FEATURES, FORECASTS, PREDICTIONS
from sta410kit.guards.corruptions.prices import BARS
from sta410kit.guards.corruptions.sessions import SESSIONS
from sta410kit.guards.corruptions.tables import TABLES
from sta410kit.guards.corruptions.volumes import VOLUMES

CATALOGUE: dict[str, list[Corruption]] = {
    "prices": [*TABLES, *SESSIONS, *BARS, *VOLUMES],
    "features": [*TABLES, *FEATURES],
    "training": [*TABLES, *FEATURES],
    "predictions": [*TABLES, *PREDICTIONS],
    "forecasts": [*TABLES, *FORECASTS],
}

__all__ = ["CATALOGUE", "Corruption"]
