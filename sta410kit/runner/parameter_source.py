"""Write a parameter's value as JSON, and as the Python source that builds it in the notebook."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sta410kit.runner.parameters import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEXT_FORMS = (PurePath, dt.date, dt.time, dt.timedelta, Decimal, UUID)  # one text each, read back as it is
_CONTAINERS = (list, tuple, set, frozenset)


def encode(value: Any, names: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - any parameter
    """Return a value as JSON, with the source that builds it where JSON cannot hold it."""
    if _is_plain(value):
        return {"plain": value}
    imports: list[str] = []
    source = _source(value, names, imports)
    paths = [str(part) for part in parts_of(value) if isinstance(part, Path)]
    return {"plain": _plain(value), "source": source, "imports": imports, "paths": paths}


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(type(key) is str and _is_plain(item) for key, item in value.items())
    if type(value) is list:
        return all(map(_is_plain, value))
    return value is None or type(value) in {str, int, float, bool}


def _plain(value: Any) -> Any:  # noqa: ANN401 - any parameter
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=repr)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value if value is None or type(value) in {str, int, float, bool} else str(value)


def _source(value: Any, names: dict[str, Any], imports: list[str]) -> str:  # noqa: ANN401 - any parameter
    """Return the Python expression of a value; what it needs is added to `imports`."""

    def written(items: Iterable[object]) -> list[str]:
        return [_source(item, names, imports) for item in items]

    if isinstance(value, Enum):
        return f"{_reference(type(value), names, imports)}({written([value.value])[0]})"
    if type(value) is dict:
        pairs = zip(written(value), written(value.values()), strict=True)
        return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
    if type(value) in _CONTAINERS:
        items = written(sorted(value, key=repr) if isinstance(value, set | frozenset) else value)
        listed = f"[{', '.join(items)}]"
        return listed if type(value) is list else f"{type(value).__name__}({listed})"
    if isinstance(value, TEXT_FORMS):
        return _text_form(value, names, imports)
    if _is_plain(value):
        return literal(value)
    message = f"a {type(value).__name__} cannot be written into a notebook as source"
    raise ValueError(message)


def _text_form(value: Any, names: dict[str, Any], imports: list[str]) -> str:  # noqa: ANN401 - one of TEXT_FORMS
    kind = Path if isinstance(value, Path) else type(value)
    reference = _reference(kind, names, imports)
    if isinstance(value, dt.datetime | dt.time):
        return f"{reference}.fromisoformat({literal(value.isoformat())})"
    if isinstance(value, dt.date | dt.timedelta):
        return reference + repr(value).removeprefix(f"datetime.{kind.__name__}")
    return f"{reference}({literal(str(value))})"


def _reference(kind: type, names: dict[str, Any], imports: list[str]) -> str:
    """Return the name of a class in the cell, imported there if need be."""
    bound = [name for name, found in names.items() if found is kind and not name.startswith("_")]
    if bound:
        return kind.__name__ if kind.__name__ in bound else bound[0]
    first, _, rest = kind.__qualname__.partition(".")
    alias = f"_{first}" if first in names and rest == "" else first
    if first not in names or not rest:
        module = kind.__module__.partition("._")[0]  # pathlib._local is where Python 3.13 keeps Path
        line = f"from {module} import {first}" + (f" as {alias}" if alias != first else "")
        if line not in imports:
            imports.append(line)
    return f"{alias}.{rest}" if rest else alias


def parts_of(value: object) -> Iterator[object]:
    """Yield the single values in nested containers, the keys of dictionaries too."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, _CONTAINERS):
        for item in value:
            yield from parts_of(item)
    else:
        yield value
