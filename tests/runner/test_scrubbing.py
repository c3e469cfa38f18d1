"""Notebooks without secrets, told cell by cell."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sta410kit._internal.kernel_redaction import WARNING
from sta410kit._internal.redaction import register
from sta410kit.runner.scrubbing import (
    forget_scrubbed,
    scrubbed_from,
    scrubbed_notebook,
)

pytestmark = pytest.mark.unit

KEY = "PKQ7W3E9R5T1Y8U2I4O6"  # pragma: allowlist secret


@pytest.fixture(autouse=True)
def _one_secret():
    register(KEY)  # every test begins without any, see conftest.py


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_a_clean_notebook_is_the_same_object():
    """Nothing is copied and nothing noted."""
    notebook = new_notebook(cells=[new_code_cell("1", outputs=[stream("x")]), new_markdown_cell("y")])
    assert scrubbed_notebook(notebook) is notebook
    assert scrubbed_from(notebook) == []


def test_every_part_of_every_cell_is_scrubbed_and_named():
    """The notebook that is executed keeps its sources; the copy has none of the secret."""
    notebook = new_notebook(
        cells=[
            new_markdown_cell(f"see {KEY}", attachments={"a": {"text/plain": KEY}}),
            new_code_cell(f"k = '{KEY}'", execution_count=3, metadata={"x": KEY}, outputs=[stream(KEY)]),
            new_code_cell("k", execution_count=4, outputs=[stream("ok"), stream(f"{WARNING}\n", "stderr")]),
        ],
        metadata={"papermill": {"parameters": {"k": KEY}}},
    )
    clean = scrubbed_notebook(notebook)
    assert KEY not in json.dumps(clean)
    assert notebook.cells[1].source == f"k = '{KEY}'"
    assert scrubbed_from(clean) == [
        "cell 1: a secret was scrubbed from its source",
        "cell 1: a secret was scrubbed from its attachments",
        "cell In [3]: a secret was scrubbed from its output",
        "cell In [3]: a secret was scrubbed from its source",
        "cell In [3]: a secret was scrubbed from its metadata",
        "cell In [4]: a secret was scrubbed from its output",
        "a secret was scrubbed from the notebook's metadata",
    ]
    nbformat.validate(clean)
    assert scrubbed_notebook(clean) is clean
    forget_scrubbed(clean)
    assert "sta410" not in clean.metadata
    clean.metadata["sta410"] = {"other": 1, "scrubbed": ["x"]}
    forget_scrubbed(clean)
    assert clean.metadata["sta410"] == {"other": 1}


def test_a_secret_in_pieces_is_found():
    """Over several messages of a stream, and over the lines of a traceback."""
    trace = new_output("error", ename="E", evalue=KEY, traceback=["one", KEY[:9], KEY[9:], "four"])
    outputs = [stream(f"a {KEY[:8]}"), stream("err", "stderr"), trace, stream(f"{KEY[8:]} b")]
    clean = scrubbed_notebook(new_notebook(cells=[new_code_cell("x", outputs=outputs)]))
    found = clean.cells[0].outputs
    assert [output.get("text") for output in found] == ["a *** b", "err", None]
    assert found[2].traceback == ["one", "***", "four"]
    assert found[2].evalue == "***"
