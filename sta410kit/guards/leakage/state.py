"""What a function remembers from one call to the next, saved and restored.

A function that keeps the mean of the first prices it saw returns the same past on every later call, and a
probe that calls it again learns nothing. So each run starts from the state before the first: variables and
containers that the function can reach and attributes of objects and classes are restored, caches are emptied.
Objects of other packages, such as a scaler, lose what they were fitted to, but are not followed further.
"""

from __future__ import annotations

import functools
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Content = dict[Any, Any]

_DEEPEST = 6


class State:
    """The state that a function can reach, as it was when this object was made."""

    def __init__(self, build: Callable[..., Any]) -> None:
        # How to read the members of something that can change, how to write them, and what they were.
        self._saved: list[tuple[Callable[[], Content], Callable[[Content], None], Content]] = []
        self._caches: list[Any] = []
        self._seen: set[int] = set()
        self._package = _package(getattr(build, "func", build))
        self._visit(build, 0)

    def restore(self) -> bool:
        """Restore everything; return whether anything had changed."""
        moved = False
        for read, write, saved in self._saved:
            now = read()
            if now.keys() != saved.keys() or any(now[key] is not saved[key] for key in saved):
                moved = True
                write(saved)
        for cache in self._caches:
            cache.cache_clear()
        return moved

    def _save(self, read: Callable[[], Content], write: Callable[[Content], None]) -> Content:
        saved = read()
        self._saved.append((read, write, saved))
        return saved

    def _visit(self, thing: object, depth: int) -> None:
        if id(thing) not in self._seen and depth <= _DEEPEST:
            self._seen.add(id(thing))
            for part in self._parts(thing):
                self._visit(part, depth + 1)

    def _parts(self, thing: Any) -> Iterator[Any]:  # noqa: ANN401, C901 - one branch for each kind of object
        """Save what can change in `thing` and yield what it leads to."""
        if hasattr(thing, "cache_clear") and hasattr(thing, "__wrapped__"):
            self._caches.append(thing)
            yield thing.__wrapped__
        elif isinstance(thing, functools.partial):
            yield from (thing.func, *thing.args, *thing.keywords.values())
        elif isinstance(thing, types.MethodType):
            yield from (thing.__func__, thing.__self__)
        elif isinstance(thing, types.FunctionType):
            if _package(thing) == self._package:
                yield from self._parts_of_function(thing)
        elif isinstance(thing, dict):
            yield from self._save_mapping(thing)
        elif isinstance(thing, list):
            yield from self._save(
                lambda: dict(enumerate(thing)), lambda old: thing.__setitem__(slice(None), old.values())
            ).values()
        elif isinstance(thing, set):
            yield from self._save(lambda: dict.fromkeys(thing), lambda old: _refill(thing, old))
        elif isinstance(thing, type):
            if _package(thing) == self._package:
                attributes = self._save(lambda: dict(vars(thing)), lambda old: _reset_class(thing, old))
                yield from (getattr(value, "__func__", value) for value in attributes.values())
                yield from thing.__bases__
        elif hasattr(thing, "__dict__") and not isinstance(thing, types.ModuleType):
            members = self._save_mapping(vars(thing))
            if _package(type(thing)) == self._package:
                yield type(thing)
                yield from members

    def _parts_of_function(self, function: types.FunctionType) -> Iterator[Any]:
        space, names = function.__globals__, _names(function.__code__)

        def write(old: Content) -> None:
            for name in names - old.keys():
                space.pop(name, None)
            space.update(old)

        yield from self._save(lambda: {n: space[n] for n in names if n in space}, write).values()
        yield from self._save_mapping(vars(function))
        yield from function.__defaults__ or ()
        yield from (function.__kwdefaults__ or {}).values()
        for cell in function.__closure__ or ():
            if _content(cell):
                yield from self._save(
                    functools.partial(_content, cell), functools.partial(_fill, cell)
                ).values()

    def _save_mapping(self, mapping: Content) -> Iterator[Any]:
        return iter(self._save(mapping.copy, lambda old: _refill(mapping, old)).values())


def _package(thing: object) -> str:
    """Name the top package that a function or a class comes from; "" for the standard library."""
    module = getattr(thing, "__module__", None) or type(thing).__module__
    top = str(module).partition(".")[0]
    return "" if top in sys.stdlib_module_names and top != "__main__" else top


def _names(code: types.CodeType) -> set[str]:
    """Return the global names that a function, or one inside it, may use."""
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*(_names(const) for const in inner))


def _content(cell: types.CellType) -> Content:
    try:
        return {"": cell.cell_contents}
    except ValueError:  # not bound yet
        return {}


def _fill(cell: types.CellType, old: Content) -> None:
    cell.cell_contents = old[""]


def _refill(container: Any, old: Content) -> None:  # noqa: ANN401 - a dict or a set
    container.clear()
    container.update(old)


def _reset_class(kind: type, old: Content) -> None:
    for name in vars(kind).keys() - old.keys():
        delattr(kind, name)
    for name, value in old.items():
        if vars(kind).get(name) is not value:
            setattr(kind, name, value)
