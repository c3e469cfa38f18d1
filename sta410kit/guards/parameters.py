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
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError
from sta410kit.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import TypeAdapter

TAG = "parameters"
_NONE_WORDS = {"None", "null"}
_TYPE_MODULES = {"annotated_types", "datetime", "decimal", "pathlib", "pydantic", "sta410kit", "typing"}


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
    """

    name: str
    annotation: str
    default: str
    help: str = ""
    imports: tuple[tuple[str, str, str], ...] = ()


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
    imports = _type_imports(tree)
    found: dict[str, Parameter] = {}
    for node in tree.body:
        annotation, value = "", getattr(node, "value", None)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names, annotation = [node.target.id], ast.unparse(node.annotation)
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


def _type_imports(tree: ast.Module) -> tuple[tuple[str, str, str], ...]:
    """Return the names a cell imports from modules trusted to hold types; others are never imported here."""
    return tuple(
        (node.module, alias.name, alias.asname or alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in _TYPE_MODULES
        for alias in node.names
    )


def check_parameters(
    given: Mapping[str, str], declared: Sequence[Parameter], notebook: str
) -> dict[str, Any]:
    """Return `given` as values of the declared types, paths made absolute against the current folder.

    Raises
    ------
    ConfigurationError
        Names every parameter that is not declared (with a suggestion) or does not fit its type, all at once.
    """
    known = {parameter.name: parameter for parameter in declared}
    values, problems = {}, []
    for name, text in given.items():
        if name not in known:
            problems.append(unknown_parameter(name, known, notebook))
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


def convert(text: str, parameter: Parameter) -> Any:  # noqa: ANN401 - whatever type the notebook declares
    """Return the value that `text`, as typed on a command line, has in the type of `parameter`.

    A comma-separated text is a list where a list is declared; ``None`` is none where that is allowed; text
    stays text where text is declared (``000001``, ``NAN``). Paths become absolute.
    """
    from pydantic import ValidationError

    annotation = parameter.annotation or _type_of_default(parameter.default)
    adapter, schema = _adapter(annotation, parameter)
    kinds = _kinds(schema)
    candidates, problem = [], "it is written as JSON"
    if text in _NONE_WORDS and "null" in kinds:
        return None
    if kinds & {"array", "object"}:
        candidates += _as_json(text)
    if "array" in kinds:
        candidates.append([item.strip() for item in text.split(",") if item.strip()])
    if kinds - {"array", "object", "null"}:
        candidates.append(_path(text) if "path" in kinds else text)
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
            problem = "; ".join(
                item["msg"].removeprefix("Value error, ") for item in error.errors(include_url=False)[:3]
            )
    hint = did_you_mean(text, _choices(schema))
    message = f"parameter '{parameter.name}' takes {annotation}, got {text!r}: {problem}{hint and '.'}{hint}"
    raise ConfigurationError(message)


def _choices(schema: dict[str, Any]) -> list[str]:
    """Return the literal values a schema allows, as text."""
    parts = schema.get("anyOf", [schema])
    return [
        str(value) for part in parts for value in part.get("enum", [part["const"]] if "const" in part else [])
    ]


def _adapter(annotation: str, parameter: Parameter) -> tuple[TypeAdapter[Any], dict[str, Any]]:
    """Return pydantic's reader of the type an annotation names, and that type's JSON schema.

    Nothing but types is known while the annotation is read, and little can be called.
    """
    from pydantic import TypeAdapter

    try:
        tree = ast.parse(annotation, mode="eval")
        _refuse_code(tree.body)
        imported = {here: getattr(import_module(module), there) for module, there, here in parameter.imports}
        # What the kit knows comes last: no import may give another meaning to the names that can be called.
        names = imported | _known_types()
        kind = eval(compile(tree, "<annotation>", "eval"), {"__builtins__": {}}, names)  # noqa: S307 - see _refuse_code
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        return adapter, adapter.json_schema()
    except Exception as error:
        message = f"parameter '{parameter.name}' has an annotation the kit cannot read: {annotation}"
        raise ConfigurationError(message) from error


def _known_types() -> dict[str, Any]:
    """Return the names an annotation may use without importing them; a forgotten import does no harm."""
    import datetime as dt
    import decimal
    import typing

    import pydantic
    from annotated_types import Ge, Gt, Interval, Le, Lt

    names: dict[str, Any] = {
        item.__name__: item
        for item in (str, int, float, bool, list, dict, tuple, set, Path, Ge, Gt, Interval, Le, Lt)
    }
    names |= {name: getattr(typing, name) for name in ("Any", "Annotated", "Literal", "Optional", "Union")}
    names |= {"List": list, "Dict": dict, "Tuple": tuple, "Set": set, "typing": typing, "datetime": dt}
    names |= {"date": dt.date, "Decimal": decimal.Decimal, "Sequence": list, "Iterable": list}
    names |= {
        name: getattr(pydantic, name)
        for name in (
            "DirectoryPath", "Field", "FilePath", "NonNegativeFloat", "NonNegativeInt", "PositiveFloat",
            "PositiveInt",
        )
    }  # fmt: skip
    return names


_CALLABLE = {"Field", "Ge", "Gt", "Le", "Lt", "Interval"}
_PARTS = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.Constant, ast.BinOp, ast.BitOr,
    ast.UnaryOp, ast.USub, ast.Load, ast.Call, ast.keyword,
)  # fmt: skip


def _refuse_code(node: ast.AST, *, text: bool = False) -> None:
    """Allow what annotations are made of, and nothing that could run code of the notebook's.

    Text is allowed only where it stays text: elsewhere pydantic would evaluate it as a forward reference.
    """
    complaint = ""
    if not isinstance(node, _PARTS):
        complaint = type(node).__name__
    elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
        complaint = "private attribute"
    elif isinstance(node, ast.Call) and ast.unparse(node.func) not in _CALLABLE:
        complaint = "call"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and not text:
        complaint = "text"
    if complaint:
        message = f"{complaint} in an annotation"
        raise TypeError(message)
    kind = ast.unparse(node.value).rpartition(".")[2] if isinstance(node, ast.Subscript) else ""
    if isinstance(node, ast.Subscript) and kind == "Annotated" and isinstance(node.slice, ast.Tuple):
        _refuse_code(node.slice.elts[0])
        for described in node.slice.elts[1:]:
            _refuse_code(described, text=True)
        return
    for child in ast.iter_child_nodes(node):
        _refuse_code(child, text=text or kind == "Literal" or isinstance(node, ast.Call))


def _type_of_default(default: str) -> str:
    """Return the annotation that a default value stands for."""
    try:
        value = ast.literal_eval(default)
    except (ValueError, SyntaxError):
        return "str"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int | float"
    if isinstance(value, list | tuple) and value and all(isinstance(item, str) for item in value):
        return "list[str]"
    return {float: "float", list: "list", tuple: "list", dict: "dict", type(None): "str | None"}.get(
        type(value), "str"
    )


def _kinds(schema: dict[str, Any]) -> set[str]:
    """Return the JSON kinds at the top of a schema, with ``path`` and ``date`` where one may stand."""
    kinds: set[str] = set()
    for part in schema.get("anyOf", [schema]):
        kinds.add(str(part.get("type", "")))
        if part.get("format") in {"path", "file-path", "directory-path"}:
            kinds.add("path")
        if part.get("format") in {"date", "date-time"}:
            kinds.add("date")
    return kinds


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
