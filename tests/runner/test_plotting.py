"""Which cells draw, by their code, and which show a picture, by their outputs."""

import pytest
from nbformat import from_dict

from sta410kit.runner.plotting import draws, pictures_missing, shows_picture

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plt.plot([1, 2])", True),
        ("plt.hist(x)", True),
        ("fig, ax = plt.subplots()", True),
        ("frame.plot()", True),
        ("frame.close.plot.line()", True),
        ("plots.plot_prices(prices)", True),
        ("axes = sns.lineplot(x)", True),
        ("for s in names:\n    ax.plot(s)", True),
        ("with style:\n    plot_acf(x)", True),
        ("plt.close('all')", False),
        ("plt.style.use('x')", False),
        ("def draw():\n    plt.plot([1])", False),
        ("draw = lambda: plt.plot([1])", False),
        ("plt.plot([1])\nplt.savefig('x.png')\nplt.close()", False),
        ("counts = np.hist(x)", False),
        ("splot = 3", False),
        ("%matplotlib inline", False),
        ("", False),
    ],
)
def test_drawing_is_read_from_the_code(source, expected):
    """What runs with the cell counts; what stands in a function, or goes to a file, does not."""
    assert draws(source) is expected


def cell(source="1", tags=(), data=None, count=1, kind="code"):
    """Make a cell with one output."""
    outputs = [{"output_type": "display_data", "data": data, "metadata": {}}] if data else []
    fields = {"cell_type": kind, "source": source, "metadata": {"tags": list(tags)}, "id": "x"}
    return from_dict({**fields, "outputs": outputs, "execution_count": count})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"image/png": "iVBOR"}, True),
        ({"image/svg+xml": "<svg/>"}, True),
        ({"application/vnd.plotly.v1+json": {}}, True),
        ({"application/vnd.vegalite.v5+json": {}}, True),
        ({"text/html": ["<div><img src='x'></div>"]}, True),
        ({"text/html": "<table></table>"}, False),
        ({"text/plain": "<Figure size 640x480 with 0 Axes>"}, False),
        (None, False),
    ],
)
def test_a_picture_is_any_kind_that_a_notebook_shows(data, expected):
    """Images, and the outputs of the usual libraries."""
    assert shows_picture(cell(data=data)) is expected


def test_missing_pictures_are_those_of_cells_that_ran_and_should_draw():
    """A tag demands a picture or forgives that there is none."""
    cells = [
        cell("plt.plot(x)"),
        cell("plt.plot(x)", data={"image/png": "iVBOR"}),
        cell("plt.plot(x)", tags=["no-figure"]),
        cell("1", tags=["figure"]),
        cell("plt.plot(x)", count=None),
        cell("plt.plot(x)", kind="markdown"),
    ]
    assert pictures_missing(from_dict({"cells": cells})) == [0, 3]
