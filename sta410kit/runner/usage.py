"""Which names the cells of a notebook read: a parameter that no cell reads would change nothing.

When in doubt a name counts as read, because refusing a parameter that works is worse than accepting one that
does nothing.
"""

import ast
import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d]\w*")
# Ways to reach a variable by a name that the code does not spell.
_NAMESPACES = {
    "locals", "globals", "vars", "dir", "eval", "exec", "run_cell", "ex", "ev", "__main__", "user_ns",
    "user_global_ns", "f_globals", "f_locals", "_getframe", "currentframe", "modules",
}  # fmt: skip
_MAGICS = re.compile(r"run\b.*\s-\w*i\b|(?:who\w*|store|psearch|edit|macro)\b")


def names_read(cells: Iterable[str]) -> set[str] | None:
    """Return the names that code cells read, in any scope; None if they may read any name."""
    found: set[str] = set()
    for source in cells:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError):
            found |= set(_WORD.findall(source))
            continue
        plain = {id(text) for node in ast.walk(tree) for text in _plain_texts(node)}
        for node in ast.walk(tree):
            if _reaches_any_name(node):
                return None
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in plain:
                # `query("price > @limit")`, `%time f(x)`, `!run {x}`, `evaluate("a * 2")`: text that is code.
                found |= set(_WORD.findall(node.value))
    return found


def _reaches_any_name(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id in _NAMESPACES
    if isinstance(node, ast.Attribute):
        return node.attr in _NAMESPACES
    if isinstance(node, ast.Import | ast.ImportFrom):
        return "__main__" in {getattr(node, "module", None), *(alias.name for alias in node.names)}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and "magic" in node.func.attr:
        line = " ".join(str(part.value) for part in node.args if isinstance(part, ast.Constant))
        return bool(_MAGICS.match(line))
    return False


def _plain_texts(node: ast.AST) -> list[ast.AST]:
    """Return the texts below a node that are no code: docstrings, printed text, keys and compared values."""
    if isinstance(node, ast.Expr):
        return [node.value]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
        return [*node.args, *(part for arg in node.args for part in ast.iter_child_nodes(arg))]
    if isinstance(node, ast.Subscript):
        return [*node.slice.elts] if isinstance(node.slice, ast.Tuple | ast.List) else [node.slice]
    if isinstance(node, ast.Dict):
        return [key for key in node.keys if key is not None]
    return [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
