"""Notebook parameters: what a notebook declares, and whether what was typed fits, before anything runs.

The cell tagged ``parameters`` is read with `ast`, never executed. Its annotations are the types, judged by
pydantic: ``list[str]``, ``int | None``, ``Literal[...]``, ``date``, ``Path``, ``FilePath``, ranges by
``Annotated[int, Field(ge=1)]``. Without an annotation the default value says the type.
"""

from __future__ import annotations

import ast
import json
import math
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sta410kit._internal.argument_checks import shown
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.annotations import (
    as_chosen,
    choices_of,
    items_of,
    kinds_of,
    read_annotation,
    type_imports,
    type_of_default,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import ValidationError

    from sta410kit.runner.annotations import Import

TAG = "parameters"
_NONE_WORDS = {"None", "null"}
_MEANT_AS_TEXT = (str, PurePath, date, time, timedelta, Decimal, UUID)


@dataclass(frozen=True)
class Parameter:
    """One parameter as its notebook declares it.

    Attributes
    ----------
    name : str
        Its name.
    annotation : str
        The annotation's source text; empty when there is none.
    default : str
        The default's source text.
    help : str
        The comment behind it on its line.
    imports : tuple of tuple of str
        What the cell imports from modules that declare types: module, name there, name here.
    read : bool
        Whether some other cell of the notebook reads it.
    """

    name: str
    annotation: str
    default: str
    help: str = ""
    imports: tuple[Import, ...] = ()
    read: bool = True

    @property
    def type(self) -> str:
        """Its annotation, or the one its default stands for."""
        return self.annotation or type_of_default(self.default)


def declared_parameters(source: str) -> list[Parameter]:
    """Return the parameters that the source of a ``parameters`` cell declares, in order.

    Raises
    ------
    ConfigurationError
        The cell is not Python.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        message = f"the parameters cell, line {error.lineno}, is not Python: {error.msg}"
        raise ConfigurationError(message) from error
    lines = source.splitlines()
    imports = type_imports(tree)
    found: dict[str, Parameter] = {}
    for node in tree.body:
        annotation, value = "", getattr(node, "value", None)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names, annotation = [node.target.id], _unquoted(node.annotation)
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        else:
            continue
        default = ast.unparse(value) if value is not None else ""
        # The syntax tree counts columns in bytes.
        behind = lines[(node.end_lineno or 1) - 1].encode()[node.end_col_offset or 0 :].decode()
        comment = behind.strip().removeprefix("#").strip()
        for name in names:
            found[name] = Parameter(name, annotation, default, comment, imports)
    return list(found.values())


def _unquoted(annotation: ast.expr) -> str:
    """Return an annotation's source; one written as text means what the text says."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return ast.unparse(annotation)


def check_parameters(
    given: Mapping[str, Any], declared: Sequence[Parameter], notebook: str
) -> dict[str, Any]:
    """Return `given` as values of the declared types, paths made absolute against the current folder.

    What is given is text as typed on a command line, or a value of Python's, JSON's or TOML's.

    Raises
    ------
    ConfigurationError
        Names every parameter that is not declared (with a suggestion), that no cell reads, or that does not
        fit its type, all at once.
    """
    known = {parameter.name: parameter for parameter in declared}
    values, problems = {}, []
    for name, value in given.items():
        if name not in known:
            problems.append(unknown_parameter(name, known, notebook))
            continue
        if not known[name].read:
            problems.append(unread_parameter(name, declared, notebook))
            continue
        try:
            values[name] = _kept(value, convert(as_typed(value), known[name]), known[name])
        except ConfigurationError as error:
            problems.append(f"{notebook}: {error}")
    if problems:
        raise ConfigurationError("\n".join(problems))
    return values


def as_typed(value: Any) -> str:  # noqa: ANN401 - whatever JSON, TOML or Python holds
    """Return a parameter's value as it would be typed after ``-p NAME=``."""
    if isinstance(value, str):
        return value
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)  # the same set is the same parameter
    if isinstance(value, list | tuple | dict | bool | int | float):
        return json.dumps(value, default=str)
    return str(value)


def all_as_typed(given: Mapping[str, Any]) -> dict[str, str]:
    """Return every parameter as it would be typed: how runs write them down, and read them again."""
    return {name: as_typed(value) for name, value in given.items()}


def _kept(given: object, value: Any, parameter: Parameter) -> Any:  # noqa: ANN401 - see `convert`
    """Return `value`, unless it is the text of something that was none, such as None or 5."""
    if isinstance(value, str) and not isinstance(given, _MEANT_AS_TEXT):
        message = (
            f"parameter '{parameter.name}' takes {parameter.type}, got {shown(given)}, which would reach the "
            f"notebook as the text {shown(value)}: give text, or declare the type that is meant"
        )
        raise ConfigurationError(message)
    return value


def unknown_parameter(name: str, known: Iterable[str], notebook: str) -> str:
    """Return the sentence that refuses a parameter nobody declares, with what was perhaps meant."""
    names = sorted(known)
    listing = f" It takes: {', '.join(names)}." if names else " It takes no parameters."
    return f"{notebook} does not declare a parameter '{name}'.{did_you_mean(name, names)}{listing}"


def unread_parameter(name: str, declared: Iterable[Parameter], notebook: str) -> str:
    """Return the sentence that refuses a parameter which would change nothing."""
    others = [parameter.name for parameter in declared if parameter.read and parameter.name != name]
    return (
        f"{notebook} declares a parameter '{name}' that none of its cells reads, so it would change nothing."
        f"{did_you_mean(name, others)}"
    )


def convert(text: str, parameter: Parameter) -> Any:  # noqa: ANN401 - whatever type the notebook declares
    """Return the value that `text`, as typed on a command line, has in the type of `parameter`.

    A comma-separated text is a list where a list is declared; ``None`` is none where that is allowed; text
    stays text where text is declared (``000001``, ``NAN``). Paths become absolute.
    """
    from pydantic import ValidationError

    annotation = parameter.type
    adapter, schema = read_annotation(annotation, parameter.imports, parameter.name)
    if text in _NONE_WORDS and "null" in kinds_of(schema):
        return None
    candidates, problem = _candidates(text, schema)
    for candidate in candidates:
        try:
            value = adapter.validate_python(candidate)
        except ValidationError as error:
            problem = _told(candidate, error)
            continue
        problem = _objection(value)
        if not problem:
            return _absolute(value)
    hint = did_you_mean(text, choices_of(schema))
    message = (
        f"parameter '{parameter.name}' takes {annotation}, got {shown(text)}: {problem}{hint and '.'}{hint}"
    )
    raise ConfigurationError(message)


def _candidates(text: str, schema: Mapping[str, Any]) -> tuple[list[Any], str]:
    """Return what a text may mean, the likeliest first, and what to say where it means nothing."""
    kinds = kinds_of(schema)
    if "date" in kinds and text.strip().lstrip("+-").replace(".", "", 1).isdigit():
        # pydantic would take a bare number for seconds since 1970
        return [], "a date is written 2012-01-31"
    if "path" in kinds and not text.strip():
        # It would be the current folder; most likely a shell's variable that is not set.
        return [], "it is empty; leave it out, or write . for this folder"
    found, problem = [], "it is written as JSON"
    if kinds & {"array", "object"}:
        found += _as_json(text)
    if "array" in kinds and text.lstrip().startswith(("[", "{")):
        # Never words that happen to begin with a bracket.
        problem = """a list is written A,B or, as JSON, '["A", "B"]'"""
    elif "array" in kinds:
        items = [item.strip() for item in text.split(",") if item.strip()]
        found.append([as_chosen(item, items_of(schema)) for item in items])
    if kinds - {"array", "object", "null"}:
        found.append(_path(text) if "path" in kinds else as_chosen(text, schema))
    return found, problem


def _told(candidate: object, error: ValidationError) -> str:
    if isinstance(candidate, Path) and not candidate.exists():
        return f"there is no such file or folder (looked in {Path.cwd()})"
    return "; ".join(
        item["msg"].removeprefix("Value error, ") for item in error.errors(include_url=False)[:3]
    )


def _as_json(text: str) -> list[Any]:
    try:
        return [json.loads(text)]
    except ValueError:
        return []


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # the tilde stands before no user's name
        return Path(text)


def _objection(value: object) -> str:
    """Return why a value of the right type cannot be handed to a notebook as it is; empty when it can."""
    parts: Iterable[object] = ()
    if isinstance(value, float) and not math.isfinite(value):
        return "numbers must be finite"  # no parameter means anything by another
    if isinstance(value, str | PurePath) and not _is_unicode(str(value)):
        return "it is no text in UTF-8"
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            return "the names in a dictionary reach the notebook as text; declare dict[str, ...]"
        parts = [*value, *value.values()]
    elif isinstance(value, list | tuple | set):
        parts = value
    return next(filter(None, map(_objection, parts)), "")


def _is_unicode(text: str) -> bool:
    """Tell whether a text can be written down; bytes of another encoding on a command line cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _absolute(value: Any) -> Any:  # noqa: ANN401 - passes any value on
    if isinstance(value, Path):
        return Path.cwd() / value
    if isinstance(value, list):
        return [_absolute(item) for item in value]
    return value
