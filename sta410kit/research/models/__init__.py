"""The models: scikit-learn regressors by name.

================  ===================================================================
`naive`           always zero return: the benchmark
`mean`            the historical mean
`ridge`           linear, strongly shrunk
`elastic_net`     linear, few features
`gd`              the same by gradient descent with the `GD_*` settings
`boosting`        shallow gradient-boosted trees
`arima_boosting`  ARIMA of each symbol's returns, boosting on the residuals
`regime`          Markov-switching mean and variance
``module:Class``  a custom estimator, in the project's folder or installed
``ridge+gd``      the mean of several of these; ``ridge+gd@inverse_error`` by past error
================  ===================================================================

`X` is an array with one row per decision date. For an estimator with a true `needs_history` it is a frame
with the same columns, indexed by symbol and date, and `predict` gets whole histories. The parameters
`horizon` and `random_state` are set where an estimator has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import AfterValidator

from sta410kit._internal.argument_checks import require_whole
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.research.models.custom_estimator import is_custom, make_custom

if TYPE_CHECKING:
    from sklearn.base import RegressorMixin

_Named = Literal["naive", "mean", "ridge", "elastic_net", "gd", "boosting", "arima_boosting", "regime"]


EQUAL, INVERSE_ERROR = "equal", "inverse_error"


def _require_known(name: str) -> str:
    members, _ = members_of(name)
    if not all(each in MODELS or is_custom(each) for each in members):
        message = "or module:Class for a custom estimator, or several joined by +"
        raise ValueError(message)
    return name


ModelName = _Named | Annotated[str, AfterValidator(_require_known)]
"""The type of `model` in the notebooks' parameters."""

MODELS: tuple[str, ...] = get_args(_Named)


def members_of(name: str) -> tuple[tuple[str, ...], str]:
    """Return the models that a name combines and their weighting: ``"a+b"`` or ``"a+b@inverse_error"``.

    Raises
    ------
    ConfigurationError
        If the weighting is unknown, or a member appears twice.
    """
    joined, at, weighting = name.partition("@")
    members = tuple(joined.split("+"))
    if at and (weighting != INVERSE_ERROR or len(members) == 1):
        message = f"Model {name!r}: a combination is a+b, or a+b@{INVERSE_ERROR}."
        raise ConfigurationError(message)
    if len(set(members)) < len(members):
        message = f"Model {name!r} names a model twice; join different ones."
        raise ConfigurationError(message)
    return members, weighting or EQUAL


def make_model(name: str, seed: int = 42, horizon: int = 1) -> RegressorMixin:
    """Return a fresh, unfitted scikit-learn regressor.

    Parameters
    ----------
    name : str
        One of `MODELS`, or ``module:Class`` for a custom estimator.
    seed : int
        Random seed, 0 to 2**32 - 1.
    horizon : int
        Sessions the target looks ahead, for models that forecast session by session.

    Raises
    ------
    ConfigurationError
        If the model is unknown or the seed out of range.
    """
    if not isinstance(name, str) or (name not in MODELS and not is_custom(name)):
        message = (
            f"Unknown model {name!r}.{did_you_mean(name, MODELS)} Known: {', '.join(MODELS)}, "
            "or module:Class for a custom estimator."
        )
        raise ConfigurationError(message)
    seed = require_whole("seed", seed, 0)
    if seed >= 2**32:
        message = f"seed is {seed!r}; give a whole number from 0 to {2**32 - 1}."
        raise ConfigurationError(message)
    if is_custom(name):
        estimator = make_custom(name, seed)
    else:
        from sta410kit.research.models import catalogue

        estimator = getattr(catalogue, name)(seed)
    if "horizon" in estimator.get_params(deep=False):
        estimator.set_params(horizon=horizon)
    return estimator
