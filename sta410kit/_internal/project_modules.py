"""A project's own modules: where they are found, and those that its ``pipeline.toml`` declares.

``modules = ["my_features"]`` there imports a module wherever features are built, so a feature is declared
once. ``[sources]`` names classes of price sources: ``polygon = "my_sources:Polygon"``.
"""

from __future__ import annotations

import sys
import tomllib
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sta410kit._internal.project import MARKER, find_project, project_folder
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from types import ModuleType


def import_from_project(module: str) -> ModuleType:
    """Import a module that is installed or lies in the project's folder.

    Raises
    ------
    ConfigurationError
        There is no such module, or importing it fails.
    """
    add_project_to_path()
    failure = f"Importing {module} failed"
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not (module == error.name or module.startswith(f"{error.name}.")):
            message = f"{failure}: {type(error).__name__}: {error}"
        else:
            message = (
                f"There is no module {module!r}, neither installed nor in {project_folder()}; "
                f"put {module.replace('.', '/')}.py there."
            )
        raise ConfigurationError(message) from error
    except Exception as error:  # anything may happen in a user's module
        message = f"{failure}: {type(error).__name__}: {error}"
        raise ConfigurationError(message) from error


def add_project_to_path() -> None:
    """Make modules of the project importable, after everything installed."""
    folder = str(project_folder())
    if folder not in sys.path:
        sys.path.append(folder)


def import_declared_modules() -> None:
    """Import the modules that the project of the current folder declares; once each."""
    for module in _declared("modules", list):
        if module not in sys.modules:
            import_from_project(module)


def declared_sources() -> dict[str, str]:
    """Return the price sources that the project declares, by name, as ``module:class``."""
    return dict(_declared("sources", dict))


def _declared(name: str, kind: type) -> Any:  # noqa: ANN401 - of that kind
    """Return a list or table of names in the project's ``pipeline.toml``; empty outside a project."""
    project = find_project()
    if project is None:
        return kind()
    path = project / MARKER
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get(name, kind())
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read: {error}"
        raise ConfigurationError(message) from error
    names = found.values() if isinstance(found, dict) else found
    if not isinstance(found, kind) or not all(isinstance(one, str) for one in names):
        form = '["my_features"]' if kind is list else 'a table such as polygon = "my_sources:Polygon"'
        message = f"{path}: {name} is {found!r}; write {form}"
        raise ConfigurationError(message)
    return found
