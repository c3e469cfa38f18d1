"""What a function remembers from one call to the next.

A function that keeps the mean of the first prices it saw gives the same past on every later call, and a probe
that calls it twice learns nothing. So each run starts from the state before the first: variables and
containers that the function reaches, the attributes of objects and of classes are put back, caches are
emptied. A scaler of another package loses what it was fitted to; its own functions are not followed. A value
that was remembered before the probe began stays.
"""

from __future__ import annotations

import functools
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Function = types.FunctionType
_MISSING = object()
_DEEPEST = 6


class Memory:
    """The state that a function reaches, as it was when this was made."""

    def __init__(self, build: Callable[..., Any]) -> None:
        self._spaces: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._cells: list[tuple[types.CellType, Any]] = []
        self._containers: list[tuple[Any, Any]] = []
        self._classes: list[tuple[type, dict[str, Any]]] = []
        self._caches: list[Any] = []
        self._seen: set[int] = set()
        self._package = _package(build)
        self._look(build, 0)

    def restore(self) -> bool:
        """Put everything back; tell whether anything had changed."""
        moved = False
        for space, variables in self._spaces:
            moved |= _put_back(space, variables)
        for cell, value in self._cells:
            if _content(cell) is not value:
                moved = True
                cell.cell_contents = value
        for container, saved in self._containers:
            if not _same(container, saved):
                moved = True
                _refill(container, saved)
        for kind, attributes in self._classes:
            moved |= _reset(kind, attributes)
        for cache in self._caches:
            cache.cache_clear()
        return moved

    def _look(self, thing: object, depth: int) -> None:
        if id(thing) in self._seen or depth > _DEEPEST:
            return
        self._seen.add(id(thing))
        for part in self._parts(thing):
            self._look(part, depth + 1)

    def _parts(self, thing: Any) -> Iterator[Any]:  # noqa: ANN401 - whatever a function reaches
        """Save what can change of `thing` and yield what it leads to."""
        if hasattr(thing, "cache_clear") and hasattr(thing, "__wrapped__"):
            self._caches.append(thing)
            yield thing.__wrapped__
        elif isinstance(thing, functools.partial):
            yield from (thing.func, *thing.args, *thing.keywords.values())
        elif isinstance(thing, types.MethodType):
            yield from (thing.__func__, thing.__self__)
        elif isinstance(thing, _Function):
            if _package(thing) == self._package:
                yield from self._of_function(thing)
        elif isinstance(thing, dict | list | set):
            self._containers.append((thing, thing.copy()))
            yield from thing.values() if isinstance(thing, dict) else thing
        else:
            yield from self._of_object(thing)

    def _of_object(self, thing: Any) -> Iterator[Any]:  # noqa: ANN401 - whatever a function reaches
        """Save the attributes of an object or a class; those of other packages are not followed."""
        mine = _package(thing if isinstance(thing, type) else type(thing)) == self._package
        if isinstance(thing, type):
            if mine:
                self._classes.append((thing, dict(vars(thing))))
                yield from (getattr(value, "__func__", value) for value in vars(thing).values())
                yield from thing.__bases__
        elif hasattr(thing, "__dict__") and not isinstance(thing, types.ModuleType):
            self._containers.append((vars(thing), dict(vars(thing))))
            if mine:
                yield type(thing)
                yield from vars(thing).values()

    def _of_function(self, function: _Function) -> Iterator[Any]:
        names = _names(function.__code__)
        saved = {name: function.__globals__.get(name, _MISSING) for name in names}
        self._spaces.append((function.__globals__, saved))
        yield from (value for value in saved.values() if value is not _MISSING)
        self._containers.append((vars(function), dict(vars(function))))
        yield from vars(function).values()
        yield from function.__defaults__ or ()
        yield from (function.__kwdefaults__ or {}).values()
        for cell in function.__closure__ or ():
            value = _content(cell)
            if value is not _MISSING:
                self._cells.append((cell, value))
                yield value


def _package(thing: object) -> str:
    """Name the top package a function or class comes from; a function without one stands alone."""
    thing = getattr(thing, "func", thing)  # a partial
    module = getattr(thing, "__module__", None) or type(thing).__module__
    top = str(module).partition(".")[0]
    return "" if top in sys.stdlib_module_names and top != "__main__" else top


def _names(code: types.CodeType) -> set[str]:
    """Return the global names that a function or one inside it may use."""
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*(_names(const) for const in inner))


def _content(cell: types.CellType) -> Any:  # noqa: ANN401 - whatever a closure holds
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return _MISSING


def _same(container: Any, saved: Any) -> bool:  # noqa: ANN401 - a dict, list or set
    """Compare by identity of the members: comparing frames with == would give a frame."""
    if len(container) != len(saved):
        return False
    if isinstance(container, dict):
        return all(saved.get(key, _MISSING) is value for key, value in container.items())
    if isinstance(container, set):
        return bool(container == saved)
    return all(one is other for one, other in zip(container, saved, strict=True))


def _put_back(space: dict[str, Any], variables: dict[str, Any]) -> bool:
    """Give global variables their values back; tell whether any had changed."""
    changed = [name for name, value in variables.items() if space.get(name, _MISSING) is not value]
    for name in changed:
        if variables[name] is _MISSING:
            del space[name]
        else:
            space[name] = variables[name]
    return bool(changed)


def _reset(kind: type, attributes: dict[str, Any]) -> bool:
    """Give a class its attributes back; tell whether any had changed."""
    now = dict(vars(kind))
    changed = [
        name
        for name in now.keys() | attributes.keys()
        if now.get(name, _MISSING) is not attributes.get(name, _MISSING)
    ]
    for name in changed:
        if name in attributes:
            setattr(kind, name, attributes[name])
        else:
            delattr(kind, name)
    return bool(changed)


def _refill(container: Any, saved: Any) -> None:  # noqa: ANN401 - a dict, list or set
    container.clear()
    if isinstance(container, list):
        container.extend(saved)
    else:
        container.update(saved)
