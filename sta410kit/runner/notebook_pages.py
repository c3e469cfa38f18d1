"""An executed notebook as one HTML page: no network, and no script of its outputs runs.

A run writes the pages in children of the warm server, most of them while its last step is executed: nbconvert
takes longer to import than a page to be made.
"""

import base64
import re
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.pages import render
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.child import ChildFailedError, run_in_child
from sta410kit.runner.notebook import MARK, Node, read_notebook, tags_of
from sta410kit.runner.warm.identity import SLOW_GRAMMARS

_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/svg+xml")
# Removed with what is in them: of other elements that are not allowed the text remains.
_WITHOUT_TEXT = re.compile(r"<(style|script|template|iframe)\b.*?(</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_TAGS = [
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div", "dl", "dt",
    "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "s", "samp",
    "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "tt", "u", "ul",
]  # fmt: skip
_ATTRIBUTES = {"*": ["class", "id", "style", "title"], "a": ["href"], "td": ["colspan", "rowspan"],
               "th": ["colspan", "rowspan", "scope"]}  # fmt: skip
_STYLES = ["font-style", "font-weight", "text-align", "white-space"]  # no colours: they fit one theme


def page_of(notebook: Path) -> Path:
    """Return where the page of an executed notebook is."""
    return notebook.with_name(f"{notebook.name}.html")


def link_to(folder: Path, name: str) -> str:
    """Return the address of the page of the notebook `name` in `folder`; of itself where it has none."""
    page = page_of(folder / name)
    return quote(page.relative_to(folder).as_posix() if page.is_file() else name)


def write_pages(notebooks: Sequence[str]) -> None:
    """Write the pages of some executed notebooks; one that cannot be shown gets none."""
    for path in map(Path, notebooks):
        with suppress(OSError, ValueError, KeyError, ConfigurationError):
            write_text(page_of(path), notebook_html(path))


class Pages:
    """Writes the pages of a run's notebooks beside its other work."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._asked: set[Path] = set()

    def write(self, notebooks: Iterable[Path]) -> None:
        """Begin to write the pages that are not there, or older, and were not asked for before."""
        new = [path for path in notebooks if path not in self._asked and _lacks_page(path)]
        self._asked.update(new)
        if new:
            self._pool.submit(self._write, new)

    def finish(self) -> None:
        """Wait for the pages."""
        self._pool.shutdown()

    @staticmethod
    def _write(notebooks: list[Path]) -> None:
        with suppress(ChildFailedError, OSError):  # the notebook itself is there to look at
            run_in_child(f"{__name__}:write_pages", list(map(str, notebooks)), folder=notebooks[0].parent)


def _lacks_page(notebook: Path) -> bool:
    page = page_of(notebook)
    if not notebook.is_file():
        return False
    return not page.is_file() or page.stat().st_mtime < notebook.stat().st_mtime


def notebook_html(path: Path) -> str:
    """Return a page that shows the notebook in `path` with its outputs.

    Images in Markdown and HTML are left out, HTML is reduced to its harmless elements, and of an output in
    several forms the richest that needs no script is shown.
    """
    notebook = read_notebook(path)
    cells, heading, titled = [], path.stem, False
    for cell in notebook.cells:
        source = cell["source"]
        if cell["cell_type"] == "code":
            number = cell.get("execution_count")
            outputs = [shown for out in cell.get("outputs", []) if (shown := _output(out, heading))]
            code = _markup(_filters()["code"](source)) if source.strip() else ""
            shown_as = " " if number is None else number
            cells.append({"kind": "code", "number": shown_as, "source": code, "outputs": outputs})
        elif cell["cell_type"] == "markdown":
            titles = [line.lstrip("# ") for line in source.splitlines() if line.startswith("#")]
            heading = titles[-1] if titles else heading
            titled = titled or any(line.startswith("# ") for line in source.splitlines())
            html = source if MARK in tags_of(cell) else _filters()["markdown"](source)
            cells.append({"kind": "markdown", "body": _clean(html)})
        else:
            cells.append({"kind": "raw", "body": source})
    links = [("report", "report.html")] if (path.parent / "report.html").is_file() else []
    links.append(("notebook", quote(path.name)))
    return render("notebook.html", name=path.stem, cells=cells, titled=titled, links=links)


def _output(output: Node, heading: str) -> dict[str, Any] | None:
    """Return what the page shows of one output; nothing where a script would have to draw it."""
    if output["output_type"] == "stream":
        return {"kind": output.get("name", "stdout"), "body": _ansi(_text(output["text"]))}
    if output["output_type"] == "error":
        trace = "\n".join(output["traceback"]) or f"{output['ename']}: {output['evalue']}"
        return {"kind": "error", "body": _ansi(trace)}
    data = {name: _text(value) for name, value in output["data"].items() if isinstance(value, str | list)}
    for name in _IMAGES:
        if name in data:
            encoded = (
                data[name] if name != "image/svg+xml" else base64.b64encode(data[name].encode()).decode()
            )
            return {
                "kind": "figure",
                "body": f"data:{name};base64,{''.join(encoded.split())}",
                "caption": heading,
            }
    html = data.get("text/html") or _filters()["markdown"](data.get("text/markdown", ""))
    if html.strip():
        return {"kind": "html", "body": _clean(html)}
    text = data.get("text/latex") or data.get("text/plain")
    return {"kind": "result", "body": _ansi(text)} if text else None


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def _ansi(text: str) -> Any:  # noqa: ANN401 - Markup
    return _markup(_filters()["ansi"](text))


def _clean(html: str) -> Any:  # noqa: ANN401 - Markup
    clean = _filters()["clean"](_WITHOUT_TEXT.sub("", html))
    return _markup(clean.replace("<th></th>", "<td></td>"))  # a header without a name, as pandas writes it


def _markup(html: str) -> Any:  # noqa: ANN401 - Markup
    from markupsafe import Markup

    return Markup(html)  # noqa: S704 - made by a filter that escapes or cleans


@cache
def _filters() -> dict[str, Any]:
    """Return nbconvert's filters; its import is slow, and far slower with grammars that it does not need."""
    absent = {name: None for name in SLOW_GRAMMARS if name not in sys.modules}
    sys.modules.update(absent)  # type: ignore[arg-type] # None: not found
    try:
        from nbconvert.filters import ansi2html
        from nbconvert.filters.highlight import Highlight2HTML
        from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
        from nbconvert.preprocessors.sanitize import SanitizeHTML
    finally:
        for name in absent:
            del sys.modules[name]
    cleaner = SanitizeHTML(tags=_TAGS, attributes=_ATTRIBUTES, styles=_STYLES, strip=True)  # type: ignore[no-untyped-call]
    markdown = MarkdownWithMath(renderer=IPythonRenderer(escape=False, exclude_anchor_links=True))
    return {
        "code": Highlight2HTML(extra_formatter_options={"nowrap": True}),  # type: ignore[no-untyped-call]
        "markdown": markdown.render,
        "ansi": ansi2html,
        "clean": cleaner.sanitize_html_tags,
    }
