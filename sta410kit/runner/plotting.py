"""Which cells draw, read from their code, and which show a picture, read from their outputs."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIGURE, NO_FIGURE = "figure", "no-figure"  # tags: this cell must show a picture; this one need not

# plot, plot_prices, lineplot, subplots: whichever library they come from, by the habit of the field.
_DRAWS = re.compile(r"(plot(_\w+)?|\w*plots?)")
_PYPLOT = {
    "bar", "barh", "contour", "contourf", "errorbar", "fill_between", "hexbin", "hist", "hist2d", "imshow",
    "matshow", "pcolormesh", "pie", "scatter", "specgram", "stairs", "stem", "step",
}  # fmt: skip
_TO_A_FILE = {"savefig", "write_html", "write_image"}
_RICH = {"application/vnd.plotly.v1+json", "application/vnd.bokehjs_exec.v0+json", "application/pdf"}
_VEGA = "application/vnd.vega"
_IN_HTML = re.compile(r"<(img|svg|canvas)\b|plotly|bokeh|vega", re.IGNORECASE)


def draws(source: str) -> bool:
    """Tell whether executing a cell draws a figure for its reader.

    What stands in a function does not run with the cell. A cell that writes its figure to a file is not
    expected to show it too.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, RecursionError):  # magics: what they draw is their affair
        return False
    called = [name for node in _executed(tree) if isinstance(node, ast.Call) for name in [_called(node)]]
    if any(name.rpartition(".")[2] in _TO_A_FILE for name in called):
        return False
    return any(_is_drawing(name) for name in called)


def shows_picture(cell: Mapping[str, Any]) -> bool:
    """Tell whether a cell's outputs hold a picture of any kind that a notebook can show."""
    return any(
        kind.startswith(("image/", _VEGA))
        or kind in _RICH
        or (kind == "text/html" and _IN_HTML.search("".join(content)) is not None)
        for output in cell.get("outputs", [])
        for kind, content in output.get("data", {}).items()
    )


def pictures_missing(notebook: Mapping[str, Any]) -> list[int]:
    """Return the positions (from 0) of the cells that draw, or are tagged ``figure``, and show nothing."""
    missing = []
    for position, cell in enumerate(notebook["cells"]):
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] != "code" or cell.get("execution_count") is None or NO_FIGURE in tags:
            continue
        if (FIGURE in tags or draws(cell["source"])) and not shows_picture(cell):
            missing.append(position)
    return missing


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when their cell runs: not the bodies of functions."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            waiting += ast.iter_child_nodes(node)


def _called(node: ast.Call) -> str:
    """Return the last two parts of the name that is called, such as ``plt.hist`` or ``plot.line``."""
    function = node.func
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute):
        owner = function.value
        before = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
        return f"{before}.{function.attr}"
    return ""


def _is_drawing(name: str) -> bool:
    owner, _, last = name.rpartition(".")
    if owner in {"plt", "pyplot"} and last in _PYPLOT:
        return True
    return _DRAWS.fullmatch(last) is not None or owner == "plot"  # frame.plot.line(...)
