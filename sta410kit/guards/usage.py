"""Which names the cells of a notebook read: a parameter that none of them reads would change nothing.

When in doubt a name counts as read. To refuse a parameter that works would be worse than to let one through
that does not.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d]\w*")
# Ways to reach any variable by a name that need not stand in the code.
_REACHING_CALLS = {"locals", "globals", "vars", "dir", "eval", "exec", "run_cell", "ex", "ev"}
_REACHING_NAMES = {
    "__main__", "user_ns", "user_global_ns", "f_globals", "f_locals", "_getframe", "currentframe", "modules",
}  # fmt: skip
_REACHING_MAGIC = re.compile(r"run\b.*\s-\w*i\b|(?:who\w*|store|psearch|edit|macro)\b")


def names_read(cells: Iterable[str]) -> set[str] | None:
    """Return the names that the source of code cells reads, in whatever scope; ``None``: perhaps any.

    Parameters
    ----------
    cells : iterable of str
        Code cells as Python; magics and shell lines as the calls they stand for. What is no Python is taken
        for a text in which every word may be a name.
    """
    found: set[str] = set()
    for source in cells:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError):
            found |= set(_WORD.findall(source))
            continue
        if any(_reaches_any(node) for node in ast.walk(tree)):
            return None
        plain = _plain_texts(tree)
        for node in ast.walk(tree):
            found |= _names_in(node, plain)
    return found


def _names_in(node: ast.AST, plain: set[int]) -> set[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
        return {node.id}
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in plain:
        # `query("price > @limit")`, `%time f(x)`, `!run {x}`, `evaluate("a * 2")`: text that is code.
        return set(_WORD.findall(node.value))
    return set()


def _reaches_any(node: ast.AST) -> bool:
    """Tell whether a piece of code may read variables whose names it does not spell."""
    if isinstance(node, ast.Attribute):
        return node.attr in _REACHING_NAMES
    if isinstance(node, ast.Name):
        return node.id in _REACHING_NAMES
    if isinstance(node, ast.Import | ast.ImportFrom):
        return any(alias.name == "__main__" for alias in node.names) or (
            isinstance(node, ast.ImportFrom) and node.module == "__main__"
        )
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func).rpartition(".")[2]
    if called in {"run_line_magic", "run_cell_magic", "magic"}:
        texts = " ".join(part.value for part in node.args if _is_text(part))  # type: ignore[attr-defined]
        return bool(_REACHING_MAGIC.match(texts))
    return called in _REACHING_CALLS and not (called in {"vars", "dir"} and node.args)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _plain_texts(tree: ast.Module) -> set[int]:
    """Return the texts that are only texts: docstrings, what is printed, keys, and what is compared with."""
    plain: set[int] = set()
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Expr):
            parts = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            parts = [*node.args, *(part for arg in node.args for part in ast.iter_child_nodes(arg))]
        elif isinstance(node, ast.Subscript):
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple | ast.List) else [node.slice]  # type: ignore[assignment]
        elif isinstance(node, ast.Dict):
            parts = [key for key in node.keys if key is not None]
        elif isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        plain |= {id(part) for part in parts if _is_text(part)}
    return plain
