"""What is asked of the probe, read and refused where it makes no sense."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sta410kit._internal.argument_checks import require_whole
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

_TARGET = "target"
_LIKE_TARGETS = ("y", "label")
_PREFIXES = ("target_", "label_", "fwd_", "forward_", "future_")


def horizons_of(horizon: int | Mapping[str, int], columns: list[str]) -> dict[str, int]:
    """Return how far ahead each column may look."""
    declared = dict(horizon) if isinstance(horizon, Mapping) else {}
    unknown = [name for name in declared if name not in columns]
    if unknown:
        message = f"horizon names the column {unknown[0]!r}, which the function does not return."
        raise ConfigurationError(message + did_you_mean(unknown[0], columns))
    if not isinstance(horizon, Mapping):
        ahead = require_whole("horizon", horizon, 0, of="sessions")
        declared = dict.fromkeys(targets(columns) or columns, ahead)
    return {name: require_whole("horizon", declared.get(name, 0), 0, of="sessions") for name in columns}


def targets(columns: list[str]) -> list[str]:
    """Return the columns whose names say that they are targets; of a dict, its keys say it too."""
    parts = {name: name.casefold().split(".") for name in columns}
    return [name for name in columns if _TARGET in parts[name]] or [
        name for name in columns if any(p in _LIKE_TARGETS or p.startswith(_PREFIXES) for p in parts[name])
    ]


def require(build: object, seed: object, execution: object, tolerance: object) -> None:
    """Raise when what is probed, or how, makes no sense; the other arguments need the prices to be judged."""
    from sta410kit.guards.leakage.perturbations import EXECUTIONS

    if not callable(build):
        message = f"the leak probe needs a function of prices, not {type(build).__name__}"
        raise ConfigurationError(message)
    _require_one_argument(build)
    require_whole("seed", seed, 0)
    if execution not in list(EXECUTIONS):
        message = f"execution is {execution!r}; it takes {', '.join(EXECUTIONS)}."
        raise ConfigurationError(message + did_you_mean(execution, EXECUTIONS))
    if not isinstance(tolerance, int | float) or not 0 <= tolerance < 1:
        message = f"tolerance is {tolerance!r}; give a share between 0 and 1"
        raise ConfigurationError(message)


def _require_one_argument(build: Callable[..., Any]) -> None:
    """Raise when `build` cannot be called with the prices alone, or does not answer at once."""
    name = getattr(build, "__qualname__", type(build).__name__)
    if inspect.iscoroutinefunction(build):
        message = f"{name} is async; the leak probe needs a plain function of prices"
        raise ConfigurationError(message)
    try:
        signature = inspect.signature(build)
    except (TypeError, ValueError):  # some functions written in C do not tell
        return
    try:
        signature.bind(None)
    except TypeError as error:
        message = (
            f"{name} cannot be called with the prices alone: {error}; let it take the prices, and bind what "
            "else it takes with functools.partial"
        )
        raise ConfigurationError(message) from error
