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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.annotations import (
    as_chosen,
    choices_of,
    items_of,
    kinds_of,
    read_annotation,
    type_imports,
    type_of_default,
)
from sta410kit.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import ValidationError

    from sta410kit.guards.annotations import Import

TAG = "parameters"
_NONE_WORDS = {"None", "null"}


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
    given: Mapping[str, str], declared: Sequence[Parameter], notebook: str
) -> dict[str, Any]:
    """Return `given` as values of the declared types, paths made absolute against the current folder.

    Raises
    ------
    ConfigurationError
        Names every parameter that is not declared (with a suggestion), that no cell reads, or that does not
        fit its type, all at once.
    """
    known = {parameter.name: parameter for parameter in declared}
    values, problems = {}, []
    for name, text in given.items():
        if name not in known:
            problems.append(unknown_parameter(name, known, notebook))
            continue
        if not known[name].read:
            problems.append(unread_parameter(name, declared, notebook))
            continue
        try:
            values[name] = convert(text, known[name])
        except ConfigurationError as error:
            problems.append(f"{notebook}: {error}")
    if problems:
        raise ConfigurationError("\n".join(problems))
    return values


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
    kinds = kinds_of(schema)
    candidates, problem = [], "it is written as JSON"
    if text in _NONE_WORDS and "null" in kinds:
        return None
    if kinds & {"array", "object"}:
        candidates += _as_json(text)
    if "array" in kinds and text.lstrip().startswith(("[", "{")):
        # Never words that happen to begin with a bracket.
        problem = """a list is written A,B or, as JSON, '["A", "B"]'"""
    elif "array" in kinds:
        items = [item.strip() for item in text.split(",") if item.strip()]
        candidates.append([as_chosen(item, items_of(schema)) for item in items])
    if kinds - {"array", "object", "null"}:
        candidates.append(_path(text) if "path" in kinds else as_chosen(text, schema))
    if "date" in kinds and text.strip().lstrip("+-").replace(".", "", 1).isdigit():
        # pydantic would take a bare number for seconds since 1970
        candidates, problem = [], "a date is written 2012-01-31"
    for candidate in candidates:
        try:
            value = adapter.validate_python(candidate)
            if not _finite(value):
                problem = "numbers must be finite"
                continue
            return _absolute(value)
        except ValidationError as error:
            problem = _told(candidate, error)
    hint = did_you_mean(text, choices_of(schema))
    message = f"parameter '{parameter.name}' takes {annotation}, got {text!r}: {problem}{hint and '.'}{hint}"
    raise ConfigurationError(message)


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


def _finite(value: object) -> bool:
    """Tell whether every number in a value is finite: no parameter means anything by another."""
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, list | tuple | set):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _absolute(value: Any) -> Any:  # noqa: ANN401 - passes any value on
    if isinstance(value, Path):
        return Path.cwd() / value
    if isinstance(value, list):
        return [_absolute(item) for item in value]
    return value
