"""Notebooks and run folders without secrets, told cell by cell."""

import json
import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sta410kit import redaction
from sta410kit.kernel_outlet import WARNING
from sta410kit.redaction import register
from sta410kit.runner import scrubbing
from sta410kit.runner.scrubbing import (
    forget_scrubbed,
    scrub_folder,
    scrub_notebook_file,
    scrub_text_file,
    scrubbed_from,
    scrubbed_notebook,
)

pytestmark = pytest.mark.unit

KEY = "PKQ7W3E9R5T1Y8U2I4O6"  # pragma: allowlist secret


@pytest.fixture(autouse=True)
def _one_secret(monkeypatch):
    monkeypatch.setattr(redaction, "_values", frozenset())
    monkeypatch.setattr(redaction, "_pattern", None)
    register(KEY)


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
    trace = new_output("error", ename="E", evalue="", traceback=["one", KEY[:9], KEY[9:], "four"])
    outputs = [stream(f"a {KEY[:8]}"), stream("err", "stderr"), trace, stream(f"{KEY[8:]} b")]
    clean = scrubbed_notebook(new_notebook(cells=[new_code_cell("x", outputs=outputs)]))
    found = clean.cells[0].outputs
    assert [output.get("text") for output in found] == ["a *** b", "err", None]
    assert found[2].traceback == ["one", "***", "four"]


def test_a_file_is_scrubbed_where_it_lies(tmp_path):
    """An executed notebook keeps its name; without one there is nothing to say."""
    path = tmp_path / "x.ipynb"
    assert scrub_notebook_file(path) == []
    notebook = new_notebook(cells=[new_code_cell("x", execution_count=1, outputs=[stream(KEY)])])
    nbformat.write(notebook, path)
    for _ in range(2):
        assert scrub_notebook_file(path) == ["cell In [1]: a secret was scrubbed from its output"]
        assert KEY not in path.read_text()
        assert nbformat.read(path, as_version=4).cells[0].outputs[0].text == "***"


def test_files_of_text_are_scrubbed_and_others_left_alone(tmp_path, monkeypatch):
    """Whatever their encoding; JSON stays JSON; links, pictures and huge files are not touched."""
    (tmp_path / "a.csv").write_bytes(b"caf\xe9," + KEY.encode())
    (tmp_path / "b.json").write_text(json.dumps({"k": f'"{KEY}"\\', "n": [1.5]}))
    (tmp_path / "c.json").write_text(f"{{broken {KEY}")
    (tmp_path / "d.bin").write_bytes(b"\0" + KEY.encode())
    (tmp_path / "clean.txt").write_text("x")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "e.html").write_text(f"<b>{KEY}</b>")
    (tmp_path / "link.txt").symlink_to(tmp_path / "clean.txt")
    (tmp_path / "wide.txt").write_text(f"caf\xe9 {KEY}", encoding="utf-16")
    (tmp_path / "wider.txt").write_bytes(b"\xff\xfe" + KEY.encode() + b"\0")  # only begins like it
    (tmp_path / "x.ipynb").write_text(json.dumps(new_notebook(cells=[new_code_cell(KEY)])))
    assert scrub_folder(tmp_path) == [
        f"a secret was scrubbed from {name}"
        for name in ("a.csv", "b.json", "c.json", "sub/e.html", "wide.txt", "x.ipynb")
    ]
    assert (tmp_path / "wide.txt").read_text(encoding="utf-16") == "caf\xe9 ***"
    assert nbformat.read(tmp_path / "x.ipynb", as_version=4).cells[0].source == "***"
    assert (tmp_path / "a.csv").read_bytes() == b"caf\xe9,***"
    assert json.loads((tmp_path / "b.json").read_text()) == {"k": '"***"\\', "n": [1.5]}
    assert (tmp_path / "c.json").read_text() == "{broken ***"
    assert (tmp_path / "sub" / "e.html").read_text() == "<b>***</b>"
    assert KEY in (tmp_path / "d.bin").read_bytes().decode()
    assert scrub_folder(tmp_path) == []
    monkeypatch.setattr(scrubbing, "_LARGEST", 5)
    (tmp_path / "large.txt").write_text(KEY)
    assert scrub_text_file(tmp_path / "large.txt") is False


def test_a_file_that_cannot_be_read_stops_nothing(tmp_path, monkeypatch):
    """It belongs to somebody else, or went away."""
    (tmp_path / "x.txt").write_text(KEY)

    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr(type(tmp_path), "open", refuse)
    assert scrub_text_file(tmp_path / "x.txt") is False
    assert os.listdir(tmp_path) == ["x.txt"]  # noqa: PTH208 - pathlib is broken above
