"""Import a user's function by its name ``module:function``."""

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError


def import_function(target: str, folders: Iterable[Path]) -> Callable[..., Any]:
    """Import a function by its name, ``module:function`` or ``folder/file.py:function``.

    The folders are searched before the installed packages. They stay on ``sys.path``, because a function may
    import when it is called.
    """
    module, path = _parts(target)
    if "/" in module or module.endswith(".py"):
        file = Path(module.removesuffix(".py") + ".py").resolve()
        if not file.is_file():
            message = f"there is no file {file}; type module:function, e.g. my_features:build"
            raise ConfigurationError(message)
        module, folders = file.stem, (file.parent, *folders)
    for folder in reversed([str(folder.resolve()) for folder in folders]):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    try:
        found: Any = import_module(module)
    except (Exception, SystemExit) as error:  # a module may also call sys.exit
        message = f"importing {module} failed: {type(error).__name__}: {error}"
        if isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]:
            message = f"there is no module {error.name!r} in the current folder, the project or the packages"
        raise ConfigurationError(message) from error
    try:
        found = attrgetter(path)(found)
    except AttributeError as error:
        known = [name for name in dir(error.obj) if not name.startswith("_")]
        message = f"{module} has no {path!r}.{did_you_mean(error.name, known)}"
        raise ConfigurationError(message) from error
    if not callable(found):
        message = f"{target} is {type(found).__name__} and no function"
        raise ConfigurationError(message)
    return found  # type: ignore[no-any-return] # callable, as just seen


def _parts(target: str) -> tuple[str, str]:
    module, _, path = target.partition(":")
    if not module or not path.strip(":"):
        message = f"{target!r} names no function; type module:function, e.g. my_features:build"
        raise ConfigurationError(message)
    return module, path.lstrip(":")  # pytest's form has two colons
