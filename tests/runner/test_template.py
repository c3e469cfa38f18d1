"""A template is what papermill would make of the notebook, for any parameters."""

import json

import nbformat
import papermill
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from papermill.translators import PythonTranslator

from sta410kit.runner.parameters import literal
from sta410kit.runner.template import as_text, read_template

pytestmark = pytest.mark.unit

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES)
def test_a_value_is_spelled_as_papermill_spells_it(value):
    """For every type; evaluated, it is the value again."""
    assert literal(value) == PythonTranslator.translate(value)
    assert eval(literal(value), {}) == value  # noqa: S307 - a literal


def prepared(notebook, tmp_path, parameters):
    """Return what papermill writes without executing anything."""
    output = tmp_path / "papermill.ipynb"
    papermill.execute_notebook(
        str(notebook), str(output), parameters=parameters, prepare_only=True, progress_bar=False
    )
    return json.loads(output.read_text())


def without_chance(notebook):
    """Leave out what differs from run to run, and what papermill notes only when it executes."""
    for cell in notebook["cells"]:
        if "injected-parameters" in cell["metadata"]["tags"]:
            del cell["id"]
        cell["metadata"].pop("papermill", None)
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    del notebook["metadata"]["papermill"]["output_path"]
    return notebook


NOTEBOOKS = {
    "declared": [("a = 1\n", ["parameters"]), "a"],
    "undeclared": ["print(1)"],
    "injected before": [("a = 1", ["parameters"]), ("a = 2", ["injected-parameters"]), "a"],
    "text": ["# a heading", ("a = 1", ["parameters"]), ""],
}


@pytest.mark.parametrize("name", NOTEBOOKS)
@pytest.mark.parametrize("parameters", [{}, {"a": 5, "b": ["x", None, 'q"'], "c": {"k": 0.5}}])
def test_it_is_papermills_notebook(tmp_path, name, parameters):
    """Cells, tags, metadata and the way the file is written are the same."""
    cells = []
    for number, cell in enumerate(NOTEBOOKS[name]):
        source, tags = cell if isinstance(cell, tuple) else (cell, None)
        new = new_markdown_cell(source) if source.startswith("#") else new_code_cell(source)
        new["id"] = f"c{number}"
        if tags:
            new.metadata["tags"] = tags
        cells.append(new)
    path = tmp_path / "x.ipynb"
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": spec}), path)
    made = read_template(path).with_parameters(parameters, "out.ipynb")
    nbformat.validate(nbformat.from_dict(made))
    expected = without_chance(prepared(path, tmp_path, parameters))
    assert without_chance(json.loads(as_text(made))) == expected
    assert made["metadata"]["papermill"]["output_path"] == "out.ipynb"


def test_an_old_notebook_is_brought_up_to_date(tmp_path):
    """Cells without an id are given one, as papermill does; sources may be lists of lines."""
    path = tmp_path / "x.ipynb"
    cell = {
        "cell_type": "code", "metadata": {"trusted": True}, "source": ["a\n", "b"], "outputs": [],
        "execution_count": 3,
    }  # fmt: skip
    content = {"nbformat": 4, "nbformat_minor": 2, "metadata": {"signature": "x"}, "cells": [cell]}
    path.write_text(json.dumps(content))
    made = read_template(path).with_parameters({}, "")
    nbformat.validate(nbformat.from_dict(made))
    assert made["cells"][0]["source"] == "a\nb"
    assert "trusted" not in made["cells"][0]["metadata"]
    assert "signature" not in made["metadata"]


def test_a_marker_of_an_earlier_failure_goes(tmp_path):
    """Papermill takes it out too when the notebook is run again."""
    path = tmp_path / "x.ipynb"
    mark = new_markdown_cell("!", metadata={"tags": ["papermill-error-cell-tag"]})
    nbformat.write(new_notebook(cells=[mark, new_code_cell("1")]), path)
    assert [cell["source"] for cell in read_template(path).with_parameters({}, "")["cells"]] == ["1"]
