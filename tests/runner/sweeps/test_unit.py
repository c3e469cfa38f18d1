"""A unit of a sweep comes to what `execute` comes to: the same notebook, the same ending."""

import json
import re

import nbformat
import pytest

from sta410kit._internal.redaction import register
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.execute import execute
from sta410kit.runner.limits import Watch
from sta410kit.runner.sweeps.template import read_template
from sta410kit.runner.sweeps.unit import execute_otherwise, execute_unit
from sta410kit.runner.warm.nested import Nest
from sta410kit.runner.warm.session import CellSession

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def nest(tmp_path_factory):
    """Give a nest for all tests here."""
    with Nest(str(tmp_path_factory.mktemp("nest"))) as opened:
        yield opened


@pytest.fixture
def unit(nest):
    """Give the function that executes a unit in the nest."""

    def run(notebook, output, values, watch=None):
        watch = watch or Watch()
        session = CellSession(str(notebook.parent), watch, nest.path)
        return execute_unit(read_template(notebook), output, values, watch, session)

    return run


def without_chance(path):
    """Return an executed notebook as text, without times, addresses and the ids of cells that were put in."""
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if not cell["id"].startswith("cell"):
            cell["id"] = ""
        times = cell["metadata"].get("execution", {})
        times.update(dict.fromkeys(times, ""))
        notes = cell["metadata"].get("papermill", {})
        notes.update({name: notes[name] is not None for name in TIMES if name in notes})
    notebook["metadata"]["papermill"].update(dict.fromkeys([*TIMES, "output_path"], ""))
    return re.sub(r"0x[0-9a-f]+|/ipykernel_\d+/", "", json.dumps(notebook, indent=1, sort_keys=True))


TIMES = ("start_time", "end_time", "duration")
NOTEBOOKS = {
    "streams and results": [
        ("n: int = 1", "parameters"),
        "#! A heading",
        "import sys, os\nprint('out', n)\nprint('err', file=sys.stderr)\nos.write(1, b'raw\\n')\nn + 1",
        "",
        "x = 3",
        "x;",
    ],
    "a figure": ["import matplotlib.pyplot as plt", ("_ = plt.figure(figsize=(1, 1))", "figure")],
    "rich displays": [
        "from IPython.display import HTML, JSON, display\ndisplay(HTML('<b>\\nx</b>'), JSON({'a': 1}))",
        "h = display('one', display_id='d')",
        "h.update('two')",
        "from IPython.display import clear_output",
        "print(1)\nclear_output()\nprint(2)\nclear_output(wait=True)\nprint(3)",
        "import pandas as pd\npd.DataFrame({'a': [1, 2]})",
    ],
    "magics and await": [
        "%precision 3\n0.123456",
        "import asyncio\nawait asyncio.sleep(0)\n'done'",
        "!echo hello",
    ],
    "an error": ["print('before')", "1 / 0", "print('after')"],
    "an error of the kit's": [
        "from sta410kit.exceptions import DataValidationError\nraise DataValidationError('bad row')"
    ],
    "an error that is expected": [("1 / 0", "raises-exception"), "print('after')"],
    "leaving well": ["import sys\nsys.exit()", "print('after')"],
    "leaving badly": ["import sys\nsys.exit(3)"],
    "input": ["input()"],
    "syntax": ["a b"],
    "no figure": [("'text'", "figure")],
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_and_ending_are_those_of_a_run(tmp_path, write_notebook, unit, name):
    """Whatever the cells do: outputs, metadata, marks, outcome and message."""
    notebook = write_notebook(tmp_path / "x.ipynb", *NOTEBOOKS[name])
    values = {"n": 5} if name == "streams and results" else {}
    one = execute(notebook, tmp_path / "run" / "x.ipynb", values)
    other = unit(notebook, tmp_path / "unit" / "x.ipynb", values)
    assert (other.outcome, other.message) == (one.outcome, one.message)
    assert without_chance(tmp_path / "unit" / "x.ipynb") == without_chance(tmp_path / "run" / "x.ipynb")
    nbformat.validate(nbformat.read(tmp_path / "unit" / "x.ipynb", as_version=4))
    assert other.peak_memory > 0


def test_a_process_that_dies_leaves_its_notebook(tmp_path, write_notebook, unit):
    """Saved up to there, marked where it got stuck."""
    notebook = write_notebook(
        tmp_path / "x.ipynb", "print('before')", "import os\nos._exit(7)", "print('after')"
    )
    done = unit(notebook, tmp_path / "out.ipynb", {})
    assert (done.outcome, done.message) == (ExitCode.NOTEBOOK_FAILED, "Kernel died with exit code 7")
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    assert cells[0].outputs[0].text == "before\n"
    assert "Kernel died with exit code 7" in cells[1].source
    assert cells[2].metadata.papermill.status == "failed"
    assert cells[3].metadata.papermill.status == "pending"


@pytest.mark.parametrize(
    ("watch", "outcome", "text"),
    [
        (Watch(seconds=0.3), ExitCode.TIMED_OUT, "took longer than 0.3 seconds"),
        (Watch(memory=600 * 2**20), ExitCode.OUT_OF_MEMORY, "of memory, 600 are allowed"),
    ],
)
def test_a_limit_ends_it_and_says_where_it_was(tmp_path, write_notebook, begun, unit, watch, outcome, text):  # noqa: PLR0913, PLR0917 - fixtures
    """The cell is interrupted, and the page has its traceback."""
    code = f"{begun}import time\nx = bytearray(b'x') * (700 * 2**20)\ntime.sleep(600)"
    notebook = write_notebook(tmp_path / "x.ipynb", code)
    done = unit(notebook, tmp_path / "out.ipynb", {}, watch)
    assert done.outcome is outcome
    assert text in done.message
    page = (tmp_path / "out.ipynb").read_text()
    assert text in page
    assert "KeyboardInterrupt" in page


def test_a_secret_is_scrubbed_and_a_value_recorded(tmp_path, write_notebook, unit):
    """From the page, the message and what is recorded."""
    register("PKUNITSECRET12345")
    record = "from sta410kit.steps import record\nrecord('score', 0.5)\nrecord('who', 'PKUNITSECRET12345')"
    notebook = write_notebook(tmp_path / "x.ipynb", record, "raise ValueError('PKUNITSECRET12345')")
    done = unit(notebook, tmp_path / "out.ipynb", {})
    assert done.message == "cell In [2]: ValueError: ***"
    assert done.recorded == {"score": 0.5, "who": "***"}
    assert "cell In [1]: a secret was redacted from its output" in done.warnings
    assert "cell In [2]: a secret was redacted from its source" in done.warnings
    assert "PKUNITSECRET12345" not in (tmp_path / "out.ipynb").read_text()


def test_papermill_does_it_otherwise(tmp_path, write_notebook):
    """The same result by the longer way."""
    notebook = write_notebook(
        tmp_path / "x.ipynb",
        ("n: int = 1", "parameters"),
        "from sta410kit.steps import record\nrecord('n', n)",
    )
    done = execute_otherwise(notebook, tmp_path / "out.ipynb", {"n": 4}, Watch())
    assert (done.outcome, done.recorded) == (ExitCode.PASSED, {"n": 4})
