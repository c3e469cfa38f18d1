"""What predicts the target, one file a model.

============  ====================================================================
`naive`       always zero return: the one to beat
`ridge`       linear, strongly shrunk
`boosting`    shallow gradient-boosted trees
============  ====================================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal, get_args

from sta410kit.exceptions import ConfigurationError
from sta410kit.suggest import did_you_mean

if TYPE_CHECKING:
    from sklearn.base import RegressorMixin

# A model is a module of this package with `make(seed) -> regressor`; a new one is a new file and its name
# here.
ModelName = Literal["naive", "ridge", "boosting"]
"""What `model` takes; notebooks annotate their parameter with it."""

MODELS: tuple[str, ...] = get_args(ModelName)


def make_model(name: str, seed: int = 42) -> RegressorMixin:
    """Return a fresh, unfitted scikit-learn regressor.

    Parameters
    ----------
    name : str
        One of `MODELS`.
    seed : int
        Seed of whatever chance the model uses, 0 to 2**32 - 1.

    Raises
    ------
    ConfigurationError
        If no model has that name, or the seed is not one that scikit-learn takes.
    """
    if name not in MODELS:
        message = f"Unknown model {name!r}.{did_you_mean(name, MODELS)} Known: {', '.join(MODELS)}."
        raise ConfigurationError(message)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        message = f"seed is {seed!r}; give a whole number from 0 to {2**32 - 1}."
        raise ConfigurationError(message)
    return import_module(f"{__name__}.{name}").make(seed)
