"""What predicts the target, one file a model.

================  ================================================================================
`naive`           always zero return: the one to beat
`mean`            the historical mean
`ridge`           linear, strongly shrunk
`elastic_net`     linear, few features
`gd`              linear, by gradient descent with the `GD_*` settings
`boosting`        shallow gradient-boosted trees
`arima_boosting`  ARIMA of each symbol's returns, boosting on the residuals
`regime`          a mean that switches with the state of the market
``module:Class``  an estimator of your own, in the project's folder or installed
================  ================================================================================

All are scikit-learn regressors: `fit(X, y)`, `predict(X)`. `X` is an array with a row a decision; for an
estimator whose `needs_history` is true it is a frame with the same columns, indexed by symbol and date, and
`predict` is given whole histories. A parameter called `horizon` or `random_state` is set for the model.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import AfterValidator

from sta410kit._internal.argument_checks import require_whole
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.research.models.custom_estimator import is_own, make_own

if TYPE_CHECKING:
    from sklearn.base import RegressorMixin

# A model is a module of this package with `make(seed) -> regressor`; a new one is a new file and its name
# here.
_Known = Literal["naive", "mean", "ridge", "elastic_net", "gd", "boosting", "arima_boosting", "regime"]


def _require_own(name: str) -> str:
    if not is_own(name):
        message = "or module:Class for an estimator of your own"
        raise ValueError(message)
    return name


_Own = Annotated[str, AfterValidator(_require_own)]
ModelName = _Known | _Own
"""What `model` takes; notebooks annotate their parameter with it."""

MODELS: tuple[str, ...] = get_args(_Known)


def make_model(name: str, seed: int = 42, horizon: int = 1) -> RegressorMixin:
    """Return a fresh, unfitted scikit-learn regressor.

    Parameters
    ----------
    name : str
        One of `MODELS`, or ``module:Class`` for an estimator of your own.
    seed : int
        Seed of whatever chance the model uses, 0 to 2**32 - 1.
    horizon : int
        Sessions the target looks ahead, for the models that forecast session by session.

    Raises
    ------
    ConfigurationError
        If no model has that name, or the seed is not one that scikit-learn takes.
    """
    if not isinstance(name, str) or (name not in MODELS and not is_own(name)):
        message = (
            f"Unknown model {name!r}.{did_you_mean(name, MODELS)} Known: {', '.join(MODELS)}, "
            "or module:Class for an estimator of your own."
        )
        raise ConfigurationError(message)
    seed = require_whole("seed", seed, 0)
    if seed >= 2**32:
        message = f"seed is {seed!r}; give a whole number from 0 to {2**32 - 1}."
        raise ConfigurationError(message)
    estimator = make_own(name, seed) if is_own(name) else import_module(f"{__name__}.{name}").make(seed)
    if "horizon" in estimator.get_params(deep=False):
        estimator.set_params(horizon=horizon)
    return estimator
