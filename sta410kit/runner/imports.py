"""Which modules of the kit's and the user's own a notebook's code reaches, without importing any of them."""

from __future__ import annotations

import ast
import hashlib
import os
import tokenize
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sta410kit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sta410kit.runner.registry import Registry

KIT = Path(sta410kit.__file__).parent


def code_digest(source: str) -> str:
    """Return a digest of Python code that comments, blank lines and spacing do not change.

    Of what is no Python, or nested too deeply to be looked into, every character counts.
    """
    try:
        text = ast.dump(ast.parse(source))
    except (SyntaxError, RecursionError):
        text = source
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def own_modules(sources: Iterable[str], folders: Iterable[Path], registry: Registry) -> dict[str, str]:
    """Return a digest for each module that `sources` import, directly or through others.

    Parameters
    ----------
    sources : iterable of str
        Python code.
    folders : iterable of Path
        Where the user's own modules are looked for; the kit's are always found. Packages installed by others
        are not followed: their versions say what they are.
    registry : Registry
        Remembers files that have not changed.
    """
    places = [*dict.fromkeys(folders), KIT.parent]
    # Most names are of packages installed by others: those are told by their first part.
    first_parts = {KIT.name, *(item.stem for place in places[:-1] for item in place.iterdir())}
    waiting = [name for source in sources for name in imported_names(source)]
    found: dict[str, str] = {}
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name.partition(".")[0] not in first_parts:
            continue
        seen.add(name)
        path = registry.once((name, *map(str, places)), partial(_locate, name, places))
        if path is None:
            continue
        known = registry.remembered(path, read_module)
        found[name] = known["digest"]
        package = name if path.stem == "__init__" else name.rpartition(".")[0]
        waiting += [_absolute(imported, package) for imported in known["imports"]]
        if known["chooses"]:
            waiting += [f"{package}.{item.stem}" for item in path.parent.iterdir() if item.stem != "__init__"]
    return dict(sorted(found.items()))


def imported_names(source: str) -> list[str]:
    """Return every module name that `source` may import, relative ones with their dots, parents included."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, RecursionError):
        return []
    return sorted({name for node in _at_work(tree) for name in _names(node)})


def read_module(path: Path) -> dict[str, Any]:
    """Return the digest of a module's code and the names it imports."""
    try:
        with tokenize.open(path) as file:  # as Python does: a mark at the beginning, an encoding in a comment
            source = file.read()
    except (SyntaxError, UnicodeDecodeError):  # Python cannot read it either
        return {"digest": hashlib.sha256(path.read_bytes()).hexdigest(), "imports": [], "chooses": False}
    return {
        "digest": code_digest(source),
        "imports": imported_names(source),
        "chooses": _chooses(source),
    }


def _chooses(source: str) -> bool:
    """Tell whether a module picks what it imports by name: then any neighbour of it may be meant."""
    return "import_module(" in source or "__import__(" in source


def _at_work(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node but those that only a type checker sees."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        unseen = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        waiting += node.orelse if unseen else ast.iter_child_nodes(node)  # type: ignore[attr-defined]


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _with_parents(alias.name)
    elif isinstance(node, ast.ImportFrom):
        base = "." * node.level + (node.module or "")
        yield from _with_parents(base)
        for alias in node.names:  # `from package import module` names a module too
            yield f"{base}.{alias.name}" if node.module else f"{base}{alias.name}"


def _with_parents(name: str) -> Iterator[str]:
    dots = len(name) - len(name.lstrip("."))
    parts = name[dots:].split(".")
    for end in range(1, len(parts) + 1):
        yield name[:dots] + ".".join(parts[:end])


def _absolute(name: str, package: str) -> str:
    dots = len(name) - len(name.lstrip("."))
    if not dots:
        return name
    above = package.split(".")[: len(package.split(".")) - dots + 1]
    return ".".join([*above, name[dots:]]).strip(".")


def _locate(name: str, places: Iterable[Path]) -> Path | None:
    inside = name.replace(".", "/")
    for place in places:
        if place == KIT.parent and name.partition(".")[0] != KIT.name:
            continue  # the folder the kit is installed in holds everybody's packages
        for path in (f"{place}/{inside}.py", f"{place}/{inside}/__init__.py"):
            if os.path.isfile(path):  # noqa: PTH113 - asked a thousand times a run; pathlib takes five times as long
                return Path(path)
    return None
