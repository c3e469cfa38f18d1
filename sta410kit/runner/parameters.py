"""Parameters of a notebook: what its parameters cell declares, and given values in the declared types.

Reading a declaration executes nothing: names, annotations and defaults are source text. Only on the way to a
run, where values are given, is the cell evaluated: in a child process, for all notebooks at once.
"""

import ast
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError

TAG = "parameters"
CONTAINERS = (list, tuple, set, frozenset)
_MEANT_AS_TEXT = (str, PurePath, date, time, timedelta, Decimal, UUID)
_PATIENCE = 120.0  # seconds for the parameters cells of a chain; they may import a lot
# Types of the kit whose choices are known without evaluating anything of a notebook.
_KIT_TYPES = {
    "ModelName": "sta410kit.research.models",
    "SourceName": "sta410kit.market",
    "WeightingName": "sta410kit.research.weights",
    "TargetName": "sta410kit.research.target_names",
}


@dataclass(frozen=True)
class Parameter:
    """A parameter as its notebook declares it."""

    name: str
    annotation: str
    default: str
    help: str = ""  # the comment at the end of its line
    read: bool = True  # whether another cell of the notebook reads it
    cell: str = field(default="", repr=False)  # source of the whole parameters cell, as plain Python

    @property
    def type(self) -> str:
        """The annotation, or the type of a literal default; empty where that takes evaluation."""
        if self.annotation:
            return self.annotation
        try:
            return type(ast.literal_eval(self.default)).__name__
        except (ValueError, SyntaxError):
            return ""

    @property
    def choices(self) -> list[str]:
        """The values of a ``Literal`` in the annotation, as text, and those of the kit's own types."""
        try:
            tree = ast.parse(self.annotation or "None", mode="eval")
        except SyntaxError:
            return []
        return [str(value) for node in ast.walk(tree) for value in self._choices_at(node)]

    def _choices_at(self, node: ast.AST) -> Iterator[Any]:
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).rpartition(".")[2] == "Literal":
            choices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            yield from (choice.value for choice in choices if isinstance(choice, ast.Constant))
        elif isinstance(node, ast.Name) and node.id in _KIT_TYPES:
            module = _KIT_TYPES[node.id]
            if f"from {module} import {node.id}" in self.cell:
                yield from _literals(module, node.id)


def _literals(module: str, name: str) -> Iterator[Any]:
    from importlib import import_module
    from typing import Literal, get_args, get_origin

    kinds = [getattr(import_module(module), name)]
    for kind in kinds:  # grows
        if get_origin(kind) is Literal:
            yield from get_args(kind)
        else:
            kinds += get_args(kind)


@dataclass(frozen=True)
class TypedValue:
    """A value that JSON cannot hold, as the source that builds it in the notebook."""

    plain: Any  # how manifests and tables write it
    source: str  # an expression of pydantic's `TypeAdapter`, behind the cell that declares the type
    paths: tuple[Path, ...] = ()  # files and folders it names


@dataclass(frozen=True)
class Asked:
    """The values given for the parameters of one notebook; several of each where they are swept."""

    notebook: Path
    declared: Sequence[Parameter]
    values: Mapping[str, Sequence[Any]]


def declared_parameters(source: str) -> list[Parameter]:
    """Return the parameters that a parameters cell, given as plain Python, declares; in order."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        message = f"the parameters cell, line {error.lineno}, is not Python: {error.msg}"
        raise ConfigurationError(message) from error
    lines = source.splitlines()
    found: dict[str, Parameter] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        # The syntax tree counts columns in bytes.
        rest = lines[(node.end_lineno or 1) - 1].encode()[node.end_col_offset or 0 :].decode()
        comment = rest.strip().removeprefix("#").strip()
        annotation = _unquoted(node.annotation) if isinstance(node, ast.AnnAssign) else ""
        targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
        for target in targets:
            for name, value in _assigned(target, node.value):
                default = ast.unparse(value) if value is not None else ""
                found[name] = Parameter(name, annotation, default, comment, cell=source)
    return list(found.values())


def _assigned(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the names that an assignment binds, each with its part of the value where that is known."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple | ast.List):
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        whole = [value] * len(target.elts)
        for one, part in zip(target.elts, parts if len(parts) == len(whole) else whole, strict=True):
            yield from _assigned(one, part)


def _unquoted(annotation: ast.expr) -> str:
    """Return the source of an annotation; a quoted one means what its text says."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return ast.unparse(annotation)


def check_parameters(
    given: Mapping[str, Any], declared: Sequence[Parameter], notebook: Path
) -> dict[str, Any]:
    """Return the values of `given` in the declared types; paths absolute."""
    asked = Asked(notebook, declared, {name: [value] for name, value in given.items()})
    return {name: values[0] for name, values in typed_values([asked])[0].items()}


def typed_values(asked: Sequence[Asked], problems: Sequence[str] = ()) -> list[dict[str, list[Any]]]:
    """Return the values given for several notebooks in the declared types; see `check_parameters`."""
    problems = list(problems)
    requests = [_request(one, problems) for one in asked]
    answers = _evaluated(asked, requests) if any(one["parameters"] for one in requests) else []
    for one, answer in zip(asked, answers, strict=False):
        problems += [f"{one.notebook.name}: {problem}" for problem in answer["problems"]]
    if problems:
        raise ConfigurationError("\n".join(dict.fromkeys(problems)))
    return [
        {name: [_decoded(value) for value in values] for name, values in answer["values"].items()}
        for answer in answers
    ] or [{} for _ in asked]


def _request(asked: Asked, problems: list[str]) -> dict[str, Any]:
    """Return what the child is asked about one notebook; what needs no evaluation is refused here."""
    known = {parameter.name: parameter for parameter in asked.declared}
    parameters = []
    for name, values in asked.values.items():
        if name not in known:
            problems.append(unknown_parameter(name, known, asked.notebook.name))
        elif not known[name].read:
            problems.append(unread_parameter(name, asked.declared, asked.notebook.name))
        else:
            given = [(as_typed(value), isinstance(value, _MEANT_AS_TEXT)) for value in values]
            parameters.append({"name": name, "annotation": known[name].annotation, "values": given})
    cell = next((parameter.cell for parameter in asked.declared), "")
    folder = str(asked.notebook.absolute().parent)
    return {"folder": folder, "cell": cell, "here": str(Path.cwd()), "parameters": parameters}


def _evaluated(asked: Sequence[Asked], requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from sta410kit.runner.child import ChildFailedError, run_in_child

    function, folder = "sta410kit.runner.parameter_types:convert_all", asked[0].notebook.absolute().parent
    try:
        answers: list[dict[str, Any]] = run_in_child(function, requests, folder=folder, timeout=_PATIENCE)
    except ChildFailedError as error:
        names = ", ".join(one.notebook.name for one in asked)
        message = f"the parameters cell of {names} could not be evaluated: {error}"
        raise ConfigurationError(message) from error
    return answers


def _decoded(answer: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON or a TypedValue
    if "source" not in answer:
        return answer["plain"]
    paths = tuple(map(Path, answer["paths"]))
    return TypedValue(answer["plain"], answer["source"], paths)


def plain(value: Any) -> Any:  # noqa: ANN401 - any parameter
    """Return a parameter's value as JSON holds it, for manifests, metadata and tables."""
    if isinstance(value, TypedValue):
        return value.plain
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else str(value)


def single_values(value: object) -> Iterator[object]:
    """Yield the single values in nested containers, the keys of dictionaries too."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, CONTAINERS):
        for item in value:
            yield from single_values(item)
    else:
        yield value


def literal(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """Return the source of a plain value, as papermill spells it."""
    if isinstance(value, str):
        return '"' + value.encode("unicode_escape").decode().replace('"', r"\"") + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(str(key))}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return str(value)


def as_typed(value: Any) -> str:  # noqa: ANN401 - a value from JSON, TOML or Python
    """Return a parameter's value as it would be typed after ``-p NAME=``."""
    if isinstance(value, str):
        return value
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)  # the same set is the same parameter
    if isinstance(value, list | tuple | dict | bool | int | float):
        return json.dumps(value, default=str)
    return str(value)


def all_as_typed(given: Mapping[str, Any]) -> dict[str, str]:
    """Return every parameter as it would be typed: how runs record and reload them."""
    return {name: as_typed(value) for name, value in given.items()}


def unknown_parameter(name: str, known: Iterable[str], notebook: str) -> str:
    """Return the message that refuses an undeclared parameter, with a suggestion."""
    names = sorted(known)
    listing = f" It takes: {', '.join(names)}." if names else " It takes no parameters."
    return f"{notebook} does not declare a parameter '{name}'.{did_you_mean(name, names)}{listing}"


def unread_parameter(name: str, declared: Iterable[Parameter], notebook: str) -> str:
    """Return the message that refuses a parameter which would change nothing."""
    others = [parameter.name for parameter in declared if parameter.read and parameter.name != name]
    return (
        f"{notebook} declares a parameter '{name}' that none of its cells reads, so it would change nothing."
        f"{did_you_mean(name, others)}"
    )
