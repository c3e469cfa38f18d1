"""Convert parameters from text to the types a notebook declares, by evaluating its parameters cell.

Everything here runs in a child process (see `sta410kit.runner.child`): evaluating an annotation or a default
runs code of the notebook. `sta410kit.runner.parameters` is the side that asks.
"""

import ast
import builtins
import datetime as dt
import json
import math
import os
import re
import sys
import types
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePath
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError

from sta410kit._internal.argument_checks import shown
from sta410kit._internal.text import did_you_mean
from sta410kit.runner.parameters import CONTAINERS, literal, single_values

NONE_WORDS = {"none", "None", "null"}
# As a path, an empty text is the current folder; most likely a shell variable is not set.
_EMPTY = "it is empty; leave it out, or write . for this folder"
_DATE = "a date is written 2012-01-31"
_LIST = """a list is written A,B or, as JSON, '["A", "B"]'"""
_FORMS = {  # how a value is written, by pydantic's types of errors
    "date_from_datetime_inexact": _DATE,
    "time_delta_parsing": "a duration is written 02:30:00 or, in days, P5D",
    "dict_type": """a dictionary is written as JSON, '{"A": 1}'""",
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), _LIST),
}
_BARE_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
_SCALAR = bool | int | float | str | None  # what a default of None may become
_PLAIN = {str, int, float, bool, type(None)}
# A subclass, such as NumPy's float or pandas' Timestamp, is a type of its own.
_TOLD_BY_DEFAULT = {str, float, bool, dict, dt.date, dt.datetime, dt.time, dt.timedelta, Decimal, UUID}


def convert_all(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Convert the values given for several notebooks.

    Parameters
    ----------
    requests : list of dict
        For each notebook: ``folder`` it runs in, ``cell`` (source), ``here`` (paths are relative to it) and
        ``parameters``, each with ``name``, ``annotation`` and ``values``: pairs of a text, and whether it was
        given as text.

    Returns
    -------
    list of dict
        For each notebook ``values``, encoded by parameter name, and ``problems``.
    """
    return [_convert_one(request) for request in requests]


def _convert_one(request: dict[str, Any]) -> dict[str, Any]:
    names, failures = run_cell(request["cell"], request["folder"])
    os.chdir(request["here"])
    values: dict[str, list[Any]] = {}
    problems: list[str] = []
    for parameter in request["parameters"]:
        name, annotation = parameter["name"], parameter["annotation"]
        values[name] = []
        try:
            kind = _type_of(name, annotation, names)
            adapter: TypeAdapter[Any] = TypeAdapter(kind)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - code of the notebook
            trouble = f" (the parameters cell, {failures[0]})" if failures else ""
            problems.append(f"parameter '{name}': {_reason(error, annotation)}{trouble}")
            continue
        what = annotation or f"{_spelled(kind)}, as its default"
        for text, is_text in parameter["values"]:
            try:
                value = convert(text, kind, adapter)
                if type(value) is str and not is_text:
                    message = (
                        "it would reach the notebook as text; give text, or declare the type that is meant"
                    )
                    raise ValueError(message)  # noqa: TRY301 - reported like what cannot be converted
                values[name].append(_encode(value, adapter, annotation or f"type({name})"))
            except ValueError as error:
                problems.append(f"parameter '{name}' takes {what}, got {shown(text)}: {error}")
    return {"values": values, "problems": problems}


def run_cell(source: str, folder: str) -> tuple[dict[str, Any], list[str]]:
    """Return the names that a parameters cell defines, and which of its statements failed.

    Bare expressions, magics among them, declare nothing and are left out.
    """
    os.chdir(folder)
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)
    names: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}
    failures = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Expr):
            continue
        try:
            exec(compile(ast.Module([node], []), "<parameters cell>", "exec", dont_inherit=True), names)  # noqa: S102 - what this child is for
        except (Exception, SystemExit) as error:  # noqa: BLE001 - code of the notebook
            failures.append(f"line {node.lineno} raised {type(error).__name__}: {error}")
    return names, failures


def _type_of(name: str, annotation: str, names: dict[str, Any]) -> Any:  # noqa: ANN401 - a type
    if annotation:
        return eval(compile(annotation, name, "eval", dont_inherit=True), names)  # noqa: S307 - what this child is for
    if name not in names:
        message = "it has no annotation, and its default could not be evaluated"
        raise _UntypedDefaultError(message)
    return _implied_type(names[name])


def _reason(error: BaseException, annotation: str) -> str:
    if isinstance(error, _UntypedDefaultError):
        return str(error)
    if isinstance(error, PydanticSchemaGenerationError):
        return f"its type {annotation} cannot be given as text; declare one such as date, float or list[str]"
    first = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"its annotation {annotation} cannot be evaluated: {first}"


class _UntypedDefaultError(TypeError):
    """An unannotated parameter does not tell its type."""


def _implied_type(default: object) -> Any:  # noqa: ANN401 - a type
    """Return the type that an unannotated parameter takes, from its evaluated default."""
    kind = type(default)
    if default is None:
        return _SCALAR
    if kind is int:
        return int | float
    if isinstance(default, Path):
        return Path
    if kind in _TOLD_BY_DEFAULT or isinstance(default, Enum):
        return kind
    if isinstance(default, list | tuple | set | frozenset) and default and kind in CONTAINERS:
        items = Union[tuple(dict.fromkeys(map(_implied_type, default)))]  # type: ignore[valid-type] # noqa: UP007 - of a computed tuple
        return types.GenericAlias(kind, (items, ...) if kind is tuple else (items,))
    message = f"its default of type {kind.__name__} does not tell what it takes; annotate the parameter"
    raise _UntypedDefaultError(message)


def convert(text: str, kind: Any, adapter: TypeAdapter[Any]) -> Any:  # noqa: ANN401 - any declared type
    """Return the value that a text typed on a command line has in the type `kind`.

    A comma-separated text is a list where a list is declared; other containers are JSON. ``none``, ``None``
    and ``null`` are None where the type allows it and they are not among its choices. Paths become absolute.

    Raises
    ------
    ValueError
        It has none; the text says why.
    """
    if kind is _SCALAR and "," in text:
        message = "its default, None, does not tell whether this is a list; annotate the parameter"
        raise ValueError(message)
    choices = [str(choice) for choice in _choices(kind)]
    if text in NONE_WORDS and text not in choices:
        with suppress(ValidationError):
            return adapter.validate_python(None)
    problem, depth = "", -1
    candidates = list(_candidates(text))
    if _takes_text_or_number(kind) and isinstance(_json(text), bool | int | float):
        candidates.sort(key=lambda candidate: isinstance(candidate, str))  # 5 is a number, auto is text
    for candidate in candidates:
        try:
            value = adapter.validate_python(candidate)
        except ValidationError as error:
            deepest = max(len(one["loc"]) for one in error.errors(include_url=False, include_context=False))
            if deepest > depth:  # the reading that came furthest explains most
                problem, depth = _explained(candidate, error), deepest
            continue
        _object_to(value, text)
        return _absolute(value)
    hint = did_you_mean(text, choices)
    message = f"{problem}{hint and '.'}{hint}"
    raise ValueError(message)


def _encode(value: Any, adapter: TypeAdapter[Any], spelled: str) -> dict[str, Any]:  # noqa: ANN401 - any parameter
    """Return a value as JSON, with the source that builds it where JSON cannot hold it."""
    plain = adapter.dump_python(value, mode="json")
    if _is_plain(value):
        return {"plain": value}
    if adapter.validate_python(plain) != value:
        message = f"a {type(value).__name__} cannot be written into a notebook"
        raise ValueError(message)
    paths = [str(part) for part in single_values(value) if isinstance(part, Path)]
    plain = sorted(plain, key=repr) if isinstance(value, set | frozenset) else plain
    return {
        "plain": plain,
        "source": f"TypeAdapter({spelled}).validate_python({literal(plain)})",
        "paths": paths,
    }


def _is_plain(value: object) -> bool:
    if type(value) is dict:
        return all(type(key) is str and _is_plain(item) for key, item in value.items())
    return all(map(_is_plain, value)) if type(value) is list else type(value) in _PLAIN


def _takes_text_or_number(kind: Any) -> bool:  # noqa: ANN401 - a type
    parts = set(get_args(kind)) if get_origin(kind) in {Union, types.UnionType} else set()
    return str in parts and bool(parts & {bool, int, float})


def _candidates(text: str) -> Iterator[Any]:
    """Yield what a text may mean; the first reading that fits the type counts."""
    if text.startswith("~"):
        with suppress(RuntimeError):  # there is no such user
            yield Path(text).expanduser()
    yield text
    found = _json(text)
    if found is not None:
        yield found
    if not text.lstrip().startswith(("[", "{")):
        items = [item.strip() for item in text.split(",") if item.strip()]
        yield items
        yield [item if _json(item) is None else _json(item) for item in items]


def _json(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _explained(candidate: object, error: ValidationError) -> str:
    errors = error.errors(include_url=False, include_context=False)
    kinds = {one["type"] for one in errors}
    if kinds & {"path_not_file", "path_not_directory"} and not Path(str(candidate)).exists():
        found = f"there is no such file or folder (looked in {Path.cwd()})"
        return found if str(candidate).strip() else _EMPTY
    if kinds == {"int_parsing", "float_parsing"}:
        return "Input should be a valid number"
    forms = [form for kind, form in _FORMS.items() if kind in kinds]
    if forms:
        return forms[0]
    return "; ".join(dict.fromkeys(one["msg"].removeprefix("Value error, ") for one in errors[:3]))


def _object_to(value: object, text: str) -> None:
    """Refuse what fits the type and is hardly ever meant."""
    parts = list(single_values(value))
    message = ""
    if any(isinstance(part, float) and not math.isfinite(part) for part in parts):
        message = "numbers must be finite"
    elif any(isinstance(part, dt.date) for part in parts):
        if any(_BARE_NUMBER.fullmatch(item.strip()) for item in text.strip("[]").split(",")):
            message = _DATE  # pydantic reads a bare number as seconds since 1970
    elif not text.strip() and any(isinstance(part, PurePath) for part in parts):
        message = _EMPTY
    try:
        "".join(str(part) for part in parts if isinstance(part, str | PurePath)).encode()
    except UnicodeEncodeError:
        message = "it is not text in UTF-8"
    if message:
        raise ValueError(message)


def _choices(kind: Any) -> Iterator[Any]:  # noqa: ANN401 - a type
    """Yield the values of all literals and enumerations in a type."""
    if get_origin(kind) is Literal:
        yield from get_args(kind)
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield from (member.value for member in kind)
    else:
        for part in get_args(kind):
            yield from _choices(part)


def _spelled(kind: Any) -> str:  # noqa: ANN401 - a type
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)


def _absolute(value: Any) -> Any:  # noqa: ANN401 - passes any value on
    if isinstance(value, Path):
        with suppress(RuntimeError):  # a tilde before no user's name
            value = value.expanduser()
        return Path.cwd() / value
    if isinstance(value, CONTAINERS):
        return type(value)(_absolute(item) for item in value)
    return value
