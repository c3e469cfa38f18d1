"""Executed notebooks as HTML pages."""

import json
from pathlib import Path

from sta410kit.runner.notebook_pages import notebook_html


def _page(folder: Path, *outputs: dict[str, object], text: str = "# A title\n\nA *word*.") -> str:
    code = {
        "cell_type": "code",
        "source": "x = '<b>'",
        "metadata": {},
        "execution_count": 3,
        "outputs": outputs,
    }
    cells = [{"cell_type": "markdown", "source": text, "metadata": {}}, code]
    path = folder / "mine.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    return notebook_html(path)


def _shown(**data: str) -> dict[str, object]:
    forms = {name.replace("_", "/"): value for name, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": forms}


def test_a_page_shows_text_and_code_and_needs_no_network(tmp_path):
    """Markdown is rendered, code is escaped; nothing is loaded from anywhere."""
    page = _page(tmp_path)
    assert "<title>mine</title>" in page
    assert "<h1" in page
    assert "<em>word</em>" in page
    assert "In [3]" in page
    assert "&lt;b&gt;" in page
    assert "default-src &#39;none&#39;" in page
    assert "http" not in page.replace("http-equiv", "")


def test_scripts_styles_and_handlers_of_outputs_are_removed(tmp_path):
    """What is in an output cannot act in the page: scripts, handlers, addresses that are scripts, frames."""
    evil = (
        "<b onclick='go()'>kept</b><script>go()</script><style>b {}</style><iframe src='https://a.example'></iframe>"
        "<a href='javascript:go()'>link</a><img src='https://a.example/x.png'>"
    )
    page = _page(tmp_path, _shown(text_html=evil), text=f"# A title\n\n{evil}")
    for gone in ("go()", "onclick", "<script", "b {}", "<iframe", "a.example"):
        assert gone not in page
    assert page.count("<b>kept</b>") == 2


def test_colours_of_a_traceback_are_kept(tmp_path):
    """The escape sequences of a terminal become classes that have a colour in both themes."""
    error = {"output_type": "error", "ename": "E", "evalue": "no", "traceback": ["\x1b[31mE\x1b[0m: <no>"]}
    page = _page(tmp_path, error)
    assert '<span class="ansi-red-fg">E</span>: &lt;no&gt;' in page
    assert "\x1b" not in page


def test_an_image_is_embedded_and_has_the_heading_above_it_as_its_text(tmp_path):
    """An SVG is an image too, in which no script runs."""
    drawing = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"image/svg+xml": "<svg/>", "text/plain": "x"},
    }
    page = _page(tmp_path, _shown(image_png="aGVs\nbG8="), drawing)
    assert '<img src="data:image/png;base64,aGVsbG8=" alt="Figure: A title">' in page
    assert '<img src="data:image/svg+xml;base64,PHN2Zy8+"' in page


def test_an_output_that_needs_a_script_shows_its_text(tmp_path):
    """A widget or plot without another form is left out."""
    page = _page(
        tmp_path,
        _shown(application_javascript="go()", text_plain="A widget"),
        _shown(application_javascript="go()"),
    )
    assert "<pre>A widget</pre>" in page
    assert "go()" not in page


def test_a_formula_is_shown_as_it_was_written(tmp_path):
    """MathJax would be a script; and a price in dollars may look like a formula."""
    page = _page(tmp_path, text="$r_t = \\log p_t$\n\ncosts $5 and $6 *more*")
    assert r"<p>$r_t = \log p_t$</p>" in page
    assert "<p>costs $5 and $6 <em>more</em></p>" in page
