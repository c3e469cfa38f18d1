"""The corruptions that a suite is tested with: realistic, one at a time, of varying size and place.

To add one, write a function in the module of its subject: its name and docstring are those in the report.
"""

from sta410kit.guards.corruptions import bars, model_output, sessions, tables, volumes
from sta410kit.guards.corruptions.corruption import Corruption

_TABLES = tables.catalogue.corruptions
_FEATURES = [*_TABLES, *model_output.features.corruptions]
CATALOGUE: dict[str, list[Corruption]] = {
    "prices": [*_TABLES, *(one for part in (sessions, bars, volumes) for one in part.catalogue.corruptions)],
    "features": _FEATURES,
    "training": _FEATURES,
    "predictions": [*_TABLES, *model_output.predictions.corruptions],
    "forecasts": [*_TABLES, *model_output.forecasts.corruptions],
}

__all__ = ["CATALOGUE", "Corruption"]
