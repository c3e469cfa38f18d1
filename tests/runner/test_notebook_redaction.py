"""Notebooks are redacted, and each cell from which something was redacted is named."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sta410kit._internal.kernel_redaction import WARNING
from sta410kit._internal.redaction import register
from sta410kit.runner.notebook_redaction import (
    forget_redactions,
    redact_notebook_file,
    redacted_notebook,
    redactions,
)

pytestmark = pytest.mark.unit

KEY = "PKQ7W3E9R5T1Y8U2I4O6"  # pragma: allowlist secret


@pytest.fixture(autouse=True)
def _one_secret():
    register(KEY)  # every test begins without any, see conftest.py


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_every_part_of_every_cell_is_redacted_and_named():
    """The notebook that is executed keeps its sources; the copy has none of the secret."""
    notebook = new_notebook(
        cells=[
            new_markdown_cell(f"see {KEY}", attachments={"a": {"text/plain": KEY}}),
            new_code_cell(f"k = '{KEY}'", execution_count=3, metadata={"x": KEY}, outputs=[stream(KEY)]),
            new_code_cell("k", execution_count=4, outputs=[stream("ok"), stream(f"{WARNING}\n", "stderr")]),
        ],
        metadata={"papermill": {"parameters": {"k": KEY}}},
    )
    clean = redacted_notebook(notebook)
    assert KEY not in json.dumps(clean)
    assert notebook.cells[1].source == f"k = '{KEY}'"
    assert sorted(redactions(clean)) == [
        "a secret was redacted from the notebook's metadata",
        "cell 1: a secret was redacted from its attachments",
        "cell 1: a secret was redacted from its source",
        "cell In [3]: a secret was redacted from its metadata",
        "cell In [3]: a secret was redacted from its output",
        "cell In [3]: a secret was redacted from its source",
        "cell In [4]: a secret was redacted from its output",
    ]
    nbformat.validate(clean)
    assert redacted_notebook(clean) is clean
    forget_redactions(clean)
    assert "sta410" not in clean.metadata
    clean.metadata["sta410"] = {"other": 1, "redacted": ["x"]}
    forget_redactions(clean)
    assert clean.metadata["sta410"] == {"other": 1}


def test_a_secret_in_pieces_is_found():
    """Over several messages of a stream, and over the lines of a traceback."""
    trace = new_output("error", ename="E", evalue=KEY, traceback=["one", KEY[:9], KEY[9:], "four"])
    outputs = [stream(f"a {KEY[:8]}"), stream("err", "stderr"), trace, stream(f"{KEY[8:]} b")]
    clean = redacted_notebook(new_notebook(cells=[new_code_cell("x", outputs=outputs)]))
    found = clean.cells[0].outputs
    assert [output.get("text") for output in found] == ["a *** b", "err", None]
    assert found[2].traceback == ["one", "***", "four"]
    assert found[2].evalue == "***"


def test_a_file_is_redacted_in_place(tmp_path):
    """An executed notebook keeps its name; an absent one is nothing to redact."""
    path = tmp_path / "x.ipynb"
    assert redact_notebook_file(path) == []
    nbformat.write(new_notebook(cells=[new_code_cell("x", execution_count=1, outputs=[stream(KEY)])]), path)
    for _ in range(2):
        assert redact_notebook_file(path) == ["cell In [1]: a secret was redacted from its output"]
        assert nbformat.read(path, as_version=4).cells[0].outputs[0].text == "***"


MALFORMED = [
    {"cells": [KEY, None, {"source": [KEY]}, {"outputs": KEY}, {"outputs": [KEY, {"text": 7}]}]},
    {"cells": KEY},
    {"worksheets": [{"cells": [{"input": KEY, "outputs": [{"text": [KEY]}]}]}, {}], "nbformat": 3},
    {"worksheets": KEY},
    {"metadata": [KEY]},
]


@pytest.mark.parametrize("content", MALFORMED)
def test_old_and_malformed_notebooks_are_redacted_too(content):
    """Nbformat 3, and what an editor may send: nothing of the value is left, and the rest is kept."""
    assert redacted_notebook(content) == json.loads(json.dumps(content).replace(KEY, "***"))
