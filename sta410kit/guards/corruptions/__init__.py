"""The corruptions that a suite is tested with: realistic, one at a time, of varying size and place.

To add one, name it in the table of its subject, with what goes wrong, as the report has them.
"""

from sta410kit.guards.corruptions import bars, model_output, sessions, tables, volumes
from sta410kit.guards.corruptions.corruption import Corruption

_FEATURES = [*tables.CORRUPTIONS, *model_output.FEATURES]
CATALOGUE: dict[str, list[Corruption]] = {
    "prices": [*tables.CORRUPTIONS, *sessions.CORRUPTIONS, *bars.CORRUPTIONS, *volumes.CORRUPTIONS],
    "features": _FEATURES,
    "training": _FEATURES,
    "predictions": [*tables.CORRUPTIONS, *model_output.PREDICTIONS],
    "forecasts": [*tables.CORRUPTIONS, *model_output.FORECASTS],
}

__all__ = ["CATALOGUE", "Corruption"]
