"""Import a user's function by its name ``module:function``."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def import_function(target: str, folders: Iterable[Path]) -> Callable[..., Any]:
    """Import a function by its name, ``module:function``."""
    module_name, _, path = target.partition(":")
    path = path.lstrip(":")  # pytest's form has two colons
    if not module_name or not path:
        message = f"{target!r} names no function; type module:function, e.g. my_features:build"
        raise ConfigurationError(message)
    if "/" in module_name or module_name.startswith(".") or module_name.endswith(".py"):
        file = Path(module_name.removesuffix(".py") + ".py").resolve()
        if not file.is_file():
            message = f"there is no file {file}; type module:function, e.g. my_features:build"
            raise ConfigurationError(message)
        module_name, folders = file.stem, (file.parent, *folders)
    for folder in reversed([str(folder.resolve()) for folder in folders]):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    found: Any = _module(module_name)
    for part in path.split("."):
        known = [name for name in dir(found) if not name.startswith("_")]
        if not hasattr(found, part):
            message = f"{module_name} has no {path!r}.{did_you_mean(part, known)}"
            raise ConfigurationError(message)
        found = getattr(found, part)
    if not callable(found):
        message = f"{target} is {type(found).__name__} and no function"
        raise ConfigurationError(message)
    return found  # type: ignore[no-any-return] # callable, as just seen


def _module(name: str) -> Any:  # noqa: ANN401 - a module
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(f"{missing}."):
            message = (
                f"there is no module {missing!r} in the current folder, the project or the installed "
                f"packages; for a file {missing}.py, type its folder first: cd FOLDER"
            )
        else:
            message = f"importing {name} failed: it needs {missing!r}, which is not installed"
        raise ConfigurationError(message) from error
    except (Exception, SystemExit) as error:  # a module may also call sys.exit
        message = f"importing {name} failed: {type(error).__name__}: {error}"
        raise ConfigurationError(message) from error
