"""Outputs of a cell against those it had: tables, figures, streams, errors."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from sta410kit.runner.comparison.html import read_page
from sta410kit.runner.comparison.outputs import differences_of_outputs
from sta410kit.runner.comparison.tolerance import Tolerance

pytestmark = pytest.mark.unit


def shown(**data):
    """Make a rich output; two underscores in a name stand for the slash."""
    kinds = {name.replace("__", "/").replace("_xml", "+xml"): value for name, value in data.items()}
    return {"output_type": "display_data", "data": kinds, "metadata": {}}


def said(text, name="stdout"):
    """Make a stream."""
    return {"output_type": "stream", "name": name, "text": text}


def raised(name, value):
    """Make an error."""
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": [str(object())]}


def table(close, name="IBM", more=""):
    """Make the HTML of a small table, as pandas does."""
    return (
        "<style>.x{}</style><table border='1'><thead><tr><th></th><th>symbol</th><th>close</th></tr></thead>"
        f"<tbody><tr><th>0</th><td>{name}</td><td>{close}</td></tr>{more}</tbody></table><p>1 rows</p>"
    )


def picture(level, size=(40, 30)):
    """Make a PNG of one grey."""
    file = io.BytesIO()
    Image.fromarray(np.full((size[1], size[0]), level, dtype=np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def html(close, name="IBM", more=""):
    """Make an output that is a small table."""
    return shown(text__html=table(close, name, more))


def png(level, size=(40, 30)):
    """Make an output that is a figure."""
    return shown(image__png=picture(level, size))


def svg(drawing):
    """Make an output that is a drawing."""
    return shown(image__svg_xml=drawing)


def js(value):
    """Make an output that is JSON."""
    return shown(application__json=value)


def compare(one, other, **tolerance):
    """Compare two lists of outputs."""
    return differences_of_outputs(one, other, Tolerance(**tolerance))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([said("a"), said("b")], [said("ab")]),
        ([said("1.0000000001")], [said(["1.0"])]),
        ([html("1.5")], [html("1.50")]),
        (
            [shown(text__html=table("1.5"), text__plain="x")],
            [shown(text__html=table("1.5"), text__plain="y")],
        ),
        ([png(100)], [png(101)]),
        ([png(100)], [png(100, (41, 31))]),
        ([svg('<g id="a1"/>')], [svg('<g id="b2"/>')]),
        ([raised("KeyError", "'x'")], [raised("KeyError", "'x'")]),
        (
            [js({"a": [1, 2.0, "t"]})],
            [js({"a": [1, 2.0000000001, "t"]})],
        ),
        ([], []),
    ],
)
def test_what_agrees(one, other):
    """However it was cut into pieces, and within the tolerance."""
    assert compare(one, other) == []


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ([said("R2 1.5")], [said("R2 1.6")], ["stdout: expected 1.5, got 1.6"]),
        ([said("x", "stderr")], [], ["missing output: expected stderr 'x', got nothing"]),
        ([], [said("y" * 90)], [f"extra output: expected no stdout, got '{'y' * 80}...'"]),
        ([html("1.5")], [html("1.7")], ["row 0 of column close: expected 1.5, got 1.7"]),
        ([html("1.5")], [html("")], ["row 0 of column close: expected 1.5, got nothing"]),
        ([html("1.5")], [html("1.5", "MSFT")], ["row 0 of column symbol: expected IBM, got MSFT"]),
        (
            [html("1")],
            [html("1", more="<tr><th>1</th><td>a</td><td>2</td></tr>")],
            ["expected a table of 2 rows by 3 columns, got one of 3 rows by 3 columns"],
        ),
        ([html("1")], [shown(text__html="<p>1 rows</p>")], ["expected 1 tables, got 0"]),
        ([shown(text__html="<p>good</p>")], [shown(text__html="<p>bad</p>")], ["text differs:\n-good\n+bad"]),
        ([png(0)], [png(10)], ["the figure differs by an RMS of 10.00, 2 is allowed"]),
        ([png(0)], [png(0, (50, 30))], ["expected a figure of 40 x 30 pixels, got one of 50 x 30"]),
        ([png(0)], [shown(image__png="nonsense")], ["the new image cannot be read"]),
        (
            [png(0)],
            [shown(text__plain="Figure")],
            ["missing output: expected image/png, got none", "extra output: expected no text/plain, got one"],
        ),
        ([png(0)], [], ["missing output: expected image/png, got nothing"]),
        ([], [shown(text__plain="3")], ["extra output: expected nothing, got text"]),
        ([shown(text__plain="3")], [raised("KeyError", "'x'")], ["expected text, got KeyError: 'x'"]),
        ([svg('<path d="M 0 1"/>')], [svg('<path d="M 0 2"/>')], ["expected 1, got 2"]),
        ([js({"a": [1]})], [js({"a": [2]})], ["application/json.a[0]: expected 1, got 2"]),
        ([js({"a": [1]})], [js({"a": [1, 2]})], ["application/json.a: expected 1 items, got 2"]),
        (
            [js({"a": 1})],
            [js({"b": 1})],
            ["application/json: key a is on one side only", "application/json: key b is on one side only"],
        ),
        ([js(["x"])], [js(["y"])], ["application/json[0]: expected 'x', got 'y'"]),
        ([js([None])], [js([True])], ["application/json[0]: expected None, got True"]),
    ],
)
def test_what_differs_is_said_with_its_place(one, other, found):
    """Expected, got, and where."""
    assert compare(one, other) == found


def test_tolerances_reach_tables_and_figures():
    """As asked for."""
    assert compare([html("100")], [html("101")], rtol=0.02) == []
    assert compare([png(0)], [png(10)], figure_rms=11) == []


def test_several_tables_are_numbered():
    """So that a reader finds the one."""
    one, other = (shown(text__html=table("1") + table(close)) for close in ("1", "2"))
    assert compare([one], [other]) == ["table 2, row 0 of column close: expected 1, got 2"]


def test_a_broken_page_is_read_as_far_as_it_goes():
    """Cells outside rows, rows outside tables, scripts and styles."""
    page = read_page("<td>lost</td><table><td>1<td>2<tr><td>3</table><script>x</script></style>end")
    assert page.tables == [[["1", "2"], ["3"]]]
    assert page.words.split() == ["lostend"]
