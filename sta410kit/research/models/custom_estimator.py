"""A custom estimator, named ``module:Class``."""

from __future__ import annotations

from importlib.util import find_spec
from inspect import isclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.project import project_folder
from sta410kit._internal.project_modules import add_project_to_path, import_from_project
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from sklearn.base import RegressorMixin


def is_custom(name: str) -> bool:
    """Return whether a model's name has the form ``module:Class``."""
    module, colon, kind = name.partition(":")
    return bool(colon) and kind.isidentifier() and all(part.isidentifier() for part in module.split("."))


def make_custom(name: str, seed: int) -> RegressorMixin:
    """Return a fresh estimator of the class that ``module:Class`` names, constructed without arguments."""
    from sklearn.base import is_regressor

    module_name, _, class_name = name.partition(":")
    module = import_from_project(module_name)
    kind: Any = getattr(module, class_name, None)
    if not isclass(kind):
        classes = [here for here, value in vars(module).items() if isclass(value)]
        message = f"{module_name} has no class {class_name!r}.{did_you_mean(class_name, classes)}"
        raise ConfigurationError(message)
    derive = "derive it from sklearn.base.RegressorMixin and BaseEstimator"
    absent = [each for each in ("fit", "predict", "get_params", "set_params") if not hasattr(kind, each)]
    if absent:
        message = f"{name} has no {', '.join(absent)}; {derive}."
        raise ConfigurationError(message)
    try:
        estimator: RegressorMixin = kind()
    except TypeError as error:
        message = f"{name} cannot be constructed without arguments ({error}); give its parameters defaults."
        raise ConfigurationError(message) from error
    if not is_regressor(estimator):
        message = f"{name} is no regressor; {derive}."
        raise ConfigurationError(message)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=seed)
    return estimator


def belongs_to_project(name: str) -> bool:
    """Return whether the module of ``module:Class`` is a file in the project's folder; imports nothing."""
    add_project_to_path()
    try:
        spec = find_spec(name.partition(":")[0].partition(".")[0])
    except (ImportError, ValueError):
        return False
    places = [spec.origin, *(spec.submodule_search_locations or [])] if spec else []
    folder = project_folder()
    inside = [Path(place).resolve() for place in places if place and Path(place).exists()]
    return any(
        place.is_relative_to(folder) and "site-packages" not in place.relative_to(folder).parts
        for place in inside
    )
