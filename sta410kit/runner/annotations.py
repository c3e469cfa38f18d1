"""What an annotation in a ``parameters`` cell means, found out without running the notebook's code.

The annotation is source text. It is read with `ast`, and only what types are made of is ever evaluated: names
of types, subscripts, choices, and the few calls that state a range, such as ``Ge(1)`` or ``Field(ge=1)``.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic import TypeAdapter

_TYPE_MODULES = {
    "annotated_types",
    "datetime",
    "decimal",
    "pathlib",
    "pydantic",
    "sta410kit",
    "typing",
    "uuid",
}
Import = tuple[str, str, str]


def type_imports(tree: ast.Module) -> tuple[Import, ...]:
    """Return what a cell imports from modules trusted to hold types; others are never imported here.

    Returns
    -------
    tuple of tuple of str
        Module, name there (empty for the module itself), and name here.
    """
    found: list[Import] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and _is_trusted(node.module):
            found += [(node.module, alias.name, alias.asname or alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [
                (alias.name, "", alias.asname or alias.name)
                for alias in node.names
                if _is_trusted(alias.name) and (alias.asname or "." not in alias.name)
            ]
    return tuple(found)


def _is_trusted(module: str) -> bool:
    return module.partition(".")[0] in _TYPE_MODULES


def type_of_default(default: str) -> str:
    """Return the annotation that a default value, given as source text, stands for."""
    try:
        value = ast.literal_eval(default)
    except (ValueError, SyntaxError):
        return "int | float" if _is_arithmetic(ast.parse(default or "None", mode="eval").body) else "str"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int | float"
    if isinstance(value, list | tuple) and value and all(isinstance(item, str) for item in value):
        return "list[str]"
    return {float: "float", list: "list", tuple: "list", dict: "dict", type(None): "str | None"}.get(
        type(value), "str"
    )


def _is_arithmetic(node: ast.AST) -> bool:
    """Tell whether an expression is made of nothing but numbers, such as ``60 * 60``."""
    if isinstance(node, ast.BinOp):
        return _is_arithmetic(node.left) and _is_arithmetic(node.right)
    if isinstance(node, ast.UnaryOp):
        return _is_arithmetic(node.operand)
    return isinstance(node, ast.Constant) and type(node.value) in {int, float}


@lru_cache(maxsize=256)
def read_annotation(
    annotation: str, imports: tuple[Import, ...], name: str
) -> tuple[TypeAdapter[Any], dict[str, Any]]:
    """Return pydantic's reader of the type an annotation names, and that type's JSON schema.

    Nothing but types is known while the annotation is read, and little can be called.

    Parameters
    ----------
    annotation : str
        Its source text.
    imports : tuple
        What the cell imports, see `type_imports`.
    name : str
        The parameter's, for the error.

    Raises
    ------
    ConfigurationError
        It is not made of types the kit knows.
    """
    from pydantic import TypeAdapter

    try:
        tree = ast.parse(annotation, mode="eval")
        names = _known_names(imports)
        _refuse_code(tree.body, names)
        kind = eval(compile(tree, "<annotation>", "eval"), {"__builtins__": {}}, names)  # noqa: S307 - see _refuse_code
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        return adapter, adapter.json_schema()
    except Exception as error:
        message = f"parameter '{name}' has an annotation the kit cannot read: {annotation}"
        raise ConfigurationError(message) from error


def kinds_of(schema: Mapping[str, Any]) -> set[str]:
    """Return the JSON kinds at the top of a schema, with ``path`` and ``date`` where one may stand."""
    kinds: set[str] = set()
    for part in schema.get("anyOf", [schema]):
        kinds.add(str(part.get("type", "")))
        if part.get("format") in {"path", "file-path", "directory-path"}:
            kinds.add("path")
        if part.get("format") in {"date", "date-time"}:
            kinds.add("date")
    return kinds


def choices_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the literal values a schema allows, as text."""
    return [str(value) for value in _literals(schema)]


def as_chosen(text: str, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever can be chosen
    """Return the literal that a text spells, such as the number 5 of ``Literal[1, 5]``; else the text."""
    return next((value for value in _literals(schema) if text == str(value)), text)


def items_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of the items of the list that a schema allows."""
    items = (part.get("items") for part in schema.get("anyOf", [schema]))
    return next((found for found in items if isinstance(found, dict)), {})


def _literals(schema: Mapping[str, Any]) -> list[Any]:
    parts = schema.get("anyOf", [schema])
    return [value for part in parts for value in part.get("enum", [part["const"]] if "const" in part else [])]


_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "a multiple of {}",
    "minLength": "length at least {}",
    "maxLength": "length at most {}",
    "minItems": "length at least {}",
    "maxItems": "length at most {}",
    "minProperties": "length at least {}",
    "maxProperties": "length at most {}",
    "pattern": "like {}",
}
_FORMATS = {"file-path": "an existing file", "directory-path": "an existing folder"}


def limits_of(schema: Mapping[str, Any]) -> str:
    """Return in words what a schema allows beyond its type: choices, bounds, lengths; empty when all goes."""
    if choices := choices_of(schema):
        return ", ".join(choices)
    said = []
    for part in schema.get("anyOf", [schema]):
        said += [words.format(part[key]) for key, words in _BOUNDS.items() if key in part]
        if part.get("format") in _FORMATS:
            said.append(_FORMATS[part["format"]])
        inner = limits_of(part["items"]) if isinstance(part.get("items"), dict) else ""
        if inner:
            said.append(f"each {inner}")
    return ", ".join(said)


def _callables() -> dict[str, Any]:
    """Return what an annotation may call: what states a range, and what its bounds are made of."""
    import annotated_types as at
    import pydantic

    names = ("Ge", "Gt", "Interval", "Le", "Len", "Lt", "MaxLen", "MinLen", "MultipleOf")
    return {name: getattr(at, name) for name in names} | {"Field": pydantic.Field}


def _bounds() -> list[Callable[..., Any]]:
    import datetime as dt
    import decimal

    return [dt.date, dt.datetime, dt.time, dt.timedelta, decimal.Decimal]


def _known_names(imports: Sequence[Import]) -> dict[str, Any]:
    """Return the names an annotation may use; a forgotten import does no harm.

    What can be called comes last: no import may give another meaning to it.
    """
    import datetime as dt
    import decimal
    import typing

    import pydantic

    names: dict[str, Any] = {
        item.__name__: item for item in (str, int, float, bool, list, dict, tuple, set, Path)
    }
    names |= {name: getattr(typing, name) for name in ("Any", "Annotated", "Literal", "Optional", "Union")}
    names |= {"List": list, "Dict": dict, "Tuple": tuple, "Set": set, "typing": typing, "datetime": dt}
    names |= {"date": dt.date, "Decimal": decimal.Decimal, "Sequence": list, "Iterable": list}
    names |= {
        name: getattr(pydantic, name)
        for name in (
            "DirectoryPath", "FilePath", "NonNegativeFloat", "NonNegativeInt", "PositiveFloat", "PositiveInt",
        )
    }  # fmt: skip
    for module, there, here in imports:
        found = import_module(module)
        names[here] = getattr(found, there) if there else found
    return names | _callables()


_PARTS = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.Constant, ast.BinOp, ast.BitOr,
    ast.UnaryOp, ast.USub, ast.Load, ast.Call, ast.keyword,
)  # fmt: skip


def _refuse_code(node: ast.AST, names: Mapping[str, Any], *, text: bool = False) -> None:
    """Allow what annotations are made of, and nothing that could run code of the notebook's.

    Text is allowed only where it stays text: elsewhere pydantic would evaluate it as a forward reference.
    """
    complaint = ""
    if not isinstance(node, _PARTS):
        complaint = type(node).__name__
    elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
        complaint = "private attribute"
    elif isinstance(node, ast.Call) and not _may_be_called(node.func, names):
        complaint = "call"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and not text:
        complaint = "text"
    if complaint:
        message = f"{complaint} in an annotation"
        raise TypeError(message)
    kind = ast.unparse(node.value).rpartition(".")[2] if isinstance(node, ast.Subscript) else ""
    if isinstance(node, ast.Subscript) and kind == "Annotated" and isinstance(node.slice, ast.Tuple):
        _refuse_code(node.slice.elts[0], names)
        for described in node.slice.elts[1:]:
            _refuse_code(described, names, text=True)
        return
    for child in ast.iter_child_nodes(node):
        _refuse_code(child, names, text=text or kind == "Literal" or isinstance(node, ast.Call))


def _may_be_called(function: ast.AST, names: Mapping[str, Any]) -> bool:
    """Tell whether a name, dotted or not, stands for one of the things that an annotation may call."""
    parts = ast.unparse(function).split(".")
    found = names.get(parts[0])
    for part in parts[1:]:
        found = getattr(found, part, None)
    return any(found is allowed for allowed in (*_callables().values(), *_bounds()))
