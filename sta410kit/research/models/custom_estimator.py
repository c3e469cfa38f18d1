"""A user's own estimator, named ``module:Class``."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from inspect import isclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.project import project_folder
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from sklearn.base import RegressorMixin


def is_own(name: str) -> bool:
    """Tell whether a model's name is of the form ``module:Class``."""
    module, colon, kind = name.partition(":")
    return bool(colon) and kind.isidentifier() and all(part.isidentifier() for part in module.split("."))


def make_own(name: str, seed: int) -> RegressorMixin:
    """Return a fresh estimator of the class that ``module:Class`` names, made without arguments.

    The module is looked for among what is installed, then in the project's folder. A parameter
    ``random_state`` is set to the seed.

    Raises
    ------
    ConfigurationError
        If there is no such module or class, importing it fails, or it is no scikit-learn regressor.
    """
    module_name, _, class_name = name.partition(":")
    module = _import(module_name)
    kind: Any = getattr(module, class_name, None)
    if not isclass(kind):
        classes = [here for here, value in vars(module).items() if isclass(value)]
        message = f"{module_name} has no class {class_name!r}.{did_you_mean(class_name, classes)}"
        raise ConfigurationError(message)
    absent = [each for each in ("fit", "predict", "get_params", "set_params") if not hasattr(kind, each)]
    if absent:
        message = (
            f"{name} has no {', '.join(absent)}; "
            "derive it from sklearn.base.RegressorMixin and BaseEstimator."
        )
        raise ConfigurationError(message)
    try:
        estimator: RegressorMixin = kind()
    except TypeError as error:
        message = f"{name} cannot be made without arguments ({error}); give its parameters defaults."
        raise ConfigurationError(message) from error
    _require_regressor(name, estimator)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=seed)
    return estimator


def belongs_to_project(name: str) -> bool:
    """Tell whether the module of ``module:Class`` is a file in the project's folder; nothing is imported."""
    top = name.partition(":")[0].partition(".")[0]
    _look_in_project()
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return False
    places = [spec.origin, *(spec.submodule_search_locations or [])] if spec else []
    folder = project_folder()
    inside = [Path(place).resolve() for place in places if place and Path(place).exists()]
    return any(
        place.is_relative_to(folder) and "site-packages" not in place.relative_to(folder).parts
        for place in inside
    )


def _import(module: str) -> object:
    _look_in_project()
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not (module == error.name or module.startswith(f"{error.name}.")):
            raise _failed(module, error) from error
        message = (
            f"There is no module {module!r}, neither installed nor in {project_folder()}; "
            f"put {module.replace('.', '/')}.py there."
        )
        raise ConfigurationError(message) from error
    except Exception as error:  # the module is the user's, so anything may happen in it
        raise _failed(module, error) from error


def _failed(module: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(f"Importing {module} failed: {type(error).__name__}: {error}")


def _look_in_project() -> None:
    """Let modules of the project be found, after everything that is installed."""
    folder = str(project_folder())
    if folder not in sys.path:
        sys.path.append(folder)


def _require_regressor(name: str, estimator: object) -> None:
    from sklearn.base import is_regressor

    if not is_regressor(estimator):
        message = f"{name} is no regressor; derive it from sklearn.base.RegressorMixin and BaseEstimator."
        raise ConfigurationError(message)
