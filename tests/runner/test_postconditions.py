"""A notebook that raises nothing and still has not done its work does not pass."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from nbformat import from_dict

from sta410kit._internal.redaction import register
from sta410kit.runner.execute import execute
from sta410kit.runner.postconditions import gate_outcome, refused_gates, remarks, shows_picture

pytestmark = pytest.mark.integration

DRAW = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
CASES = Path(__file__).parents[1] / "cases"


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (
            ["1", "import sys\nsys.exit(0)", "print('never')"],
            "never executed: In [3]; In [2] (import",
        ),
        (["import sys\nsys.exit()", "2", "3"], "never executed: In [2], In [3]; In [1]"),
        (["1", "exit()", "2"], "Kernel died with exit code 0"),
        (["1", "import os\nos._exit(0)", "2"], "Kernel died with exit code 0"),
        (["import os\nos._exit(0)"], "Kernel died with exit code 0"),
        (["import os\nos.kill(os.getpid(), 9)", "2"], "Kernel died by SIGKILL"),
        ([f"{DRAW}plt.close()"], "figure is not shown: In [1] (import matplotlib.pyplot as plt)"),
        (["import matplotlib\nmatplotlib.use('agg')", f"{DRAW}plt.show()"], "figure is not shown: In [2]"),
        ([("1", "figure")], "figure is not shown: In [1] (1)"),
        (["%no_such_magic 1"], "In [1]: UsageError: Line magic function `%no_such_magic` not found."),
    ],
)
def test_a_success_that_is_none_fails_and_is_marked(tmp_path, write_notebook, cells, text):
    """Exit code 4, the cell that is to blame, and a mark above it in the saved notebook."""
    result = execute(write_notebook(tmp_path / "x.ipynb", *cells), tmp_path / "out" / "x.ipynb", {})
    assert result.outcome == "NOTEBOOK_FAILED"
    assert text in result.message
    saved = nbformat.read(tmp_path / "out" / "x.ipynb", as_version=4).cells
    assert any("papermill-error-cell-tag" in cell.metadata.get("tags", []) for cell in saved)


@pytest.mark.parametrize(
    ("cells", "warnings"),
    [
        ([DRAW], ()),
        ([f"{DRAW}plt.savefig('x.png')\nplt.close()"], ()),
        ([(f"{DRAW}plt.close()", "no-figure")], ()),
        (["import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\nplt.close()"], ()),
        (
            [
                "import matplotlib.pyplot as plt\nwith plt.ioff():\n    figure = plt.figure()",
                "figure.subplots().plot([1, 2])",
                "figure",
            ],
            (),
        ),
        (["# only a remark", "", "#! text", "1"], ()),
        (["1", "exit()"], ()),
        (["#! text", ""], ("it has no code that was executed",)),
        (["1", "import sys\nsys.exit(0)"], ("In [2] ended with SystemExit before its end",)),
        (
            [("1 / 0", "skip-execution"), "1"],
            ("In [1] is tagged 'skip-execution' and was not executed",),
        ),
        ([("1 / 0", "raises-exception"), "1"], ()),
        (
            ["import warnings\nwarnings.warn('odd')\nwarnings.warn('odd')"],
            ("In [1] warned: odd",),
        ),
        (
            ["1", "from sta410kit.logging import setup_logger\nsetup_logger('x').warning('few rows')"],
            ("In [2] warned: few rows",),
        ),
        (["import sys\nprint('WARNING: only text', file=sys.stderr)"], ()),
        (
            ["import threading as t\none = t.Thread(None, lambda: 1 / 0, 'feed')\none.start()\none.join()"],
            ("In [1] warned: Exception in thread feed: ZeroDivisionError: division by zero",),
        ),
    ],
)
def test_an_honest_notebook_passes(tmp_path, write_notebook, cells, warnings):
    """What was left out on purpose is said, and no more."""
    result = execute(write_notebook(tmp_path / "x.ipynb", *cells), tmp_path / "out" / "x.ipynb", {})
    assert (result.outcome, result.message) == ("PASSED", "")
    assert result.warnings == list(warnings)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1", "it ran but did not write a.parquet, b.parquet"),
        (
            "open('a.parquet', 'w').close()\nopen('b.parquet', 'w').write('x')",
            "it ran but left a.parquet empty",
        ),
    ],
)
def test_an_artifact_must_be_there_and_hold_something(tmp_path, write_notebook, source, text):
    """A file of no bytes is no result."""
    made = tuple(tmp_path / name for name in ("a.parquet", "b.parquet"))
    notebook = write_notebook(tmp_path / "x.ipynb", source)
    result = execute(notebook, tmp_path / "out" / "x.ipynb", {}, artifacts=made)
    assert (result.outcome, result.message) == ("NOTEBOOK_FAILED", text)


def page(docs, suite, step, moment, *, passed):
    """Write the summary that data docs keep of a validation."""
    import json

    place = docs / "validations" / suite / step / f"{moment:%Y%m%dT%H%M%S%fZ}"
    place.mkdir(parents=True)
    entry = {"suite": suite, "step": step, "passed": passed, "page": f"{place.relative_to(docs)}/index.html"}
    (place / "summary.json").write_text(json.dumps(entry))


def test_a_gate_that_refused_counts_whatever_the_notebook_made_of_it(tmp_path):
    """Only gates of this step and this try."""
    now = datetime.now(UTC)
    page(tmp_path, "prices", "two", now, passed=False)
    page(tmp_path, "features", "two", now, passed=True)
    page(tmp_path, "early", "two", now - timedelta(hours=1), passed=False)
    page(tmp_path, "others", "three", now, passed=False)
    page(tmp_path, "loose", "validate", now, passed=False)
    since = now - timedelta(minutes=1)
    assert sorted(refused_gates(tmp_path, "two", ["one", "two", "three"], since)) == ["loose", "prices"]
    assert refused_gates(tmp_path / "none", "two", [], since) == []
    assert gate_outcome(["prices"])[0] == "DATA_REJECTED"


def warned(*texts):
    """Return an executed notebook that has warned of these."""
    lines = "".join(f"/x.py:{number}: UserWarning: {text}\n" for number, text in enumerate(texts))
    outputs = [{"output_type": "stream", "name": "stderr", "text": lines}]
    cell = {"cell_type": "code", "source": "1", "execution_count": 1, "metadata": {}, "outputs": outputs}
    return {"cells": [cell]}


def test_a_secret_in_a_warning_is_not_repeated():
    """Remarks go to the terminal and into the manifest."""
    secret = "hunter2-hunter2-hunter2"  # pragma: allowlist secret
    register(secret)
    assert remarks(warned(f"{secret} is no key")) == ["In [1] warned: *** is no key"]


@pytest.mark.parametrize("name", ["k47-probplot", "k49-show-plots-false"])
def test_where_nothing_is_drawn_no_figure_is_missing(tmp_path, name):
    """Figures are judged by what was drawn, not by what a function is called."""
    result = execute(CASES / f"{name}.ipynb", tmp_path / "out.ipynb", {})
    assert (result.outcome, result.message) == ("PASSED", "")


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
    outputs = [{"output_type": "display_data", "data": data, "metadata": {}}] if data else []
    assert shows_picture(from_dict({"outputs": outputs})) is expected
