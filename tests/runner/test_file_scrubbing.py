"""Files of a run without secrets, and their names."""

import gzip
import json
import os
import pickle
import sqlite3
import zipfile

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from sta410kit._internal.redaction import register
from sta410kit.runner import file_scrubbing
from sta410kit.runner.file_scrubbing import scrub_file, scrub_folder, scrub_notebook_file, scrub_text_file

pytestmark = pytest.mark.unit

KEY = "PKQ7W3E9R5T1Y8U2I4O6"  # pragma: allowlist secret


@pytest.fixture(autouse=True)
def _one_secret():
    register(KEY)  # every test begins without any, see conftest.py


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


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


def test_files_of_text_are_scrubbed(tmp_path, monkeypatch):
    """Whatever their encoding; JSON stays JSON; links and huge files are not touched."""
    (tmp_path / "a.csv").write_bytes(b"caf\xe9," + KEY.encode())
    (tmp_path / "b.json").write_text(json.dumps({"k": f'"{KEY}"\\', "n": [1.5]}))
    (tmp_path / "c.json").write_text(f"{{broken {KEY}")
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
        for name in ("a.csv", "b.json", "c.json", "sub/e.html", "wide.txt", "wider.txt", "x.ipynb")
    ]
    assert (tmp_path / "wide.txt").read_text(encoding="utf-16") == "caf\xe9 ***"
    assert nbformat.read(tmp_path / "x.ipynb", as_version=4).cells[0].source == "***"
    assert (tmp_path / "a.csv").read_bytes() == b"caf\xe9,***"
    assert json.loads((tmp_path / "b.json").read_text()) == {"k": '"***"\\', "n": [1.5]}
    assert (tmp_path / "c.json").read_text() == "{broken ***"
    assert (tmp_path / "sub" / "e.html").read_text() == "<b>***</b>"
    assert scrub_folder(tmp_path) == []
    monkeypatch.setattr(file_scrubbing, "_LARGEST", 5)
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


def test_tables_archives_and_other_bytes_are_scrubbed(tmp_path):
    """Each can be read as before; what held no secret is not touched."""
    frame = pd.DataFrame({"n": [1, 2], KEY: ["a", f"<{KEY}>"], "lists": [[KEY], ["b"]]})
    frame.to_parquet(tmp_path / "a.parquet")
    frame[["n"]].to_parquet(tmp_path / "clean.parquet")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(f"x{KEY}".encode()))
    with zipfile.ZipFile(tmp_path / "c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{KEY}.txt", f"y{KEY}")
        archive.writestr("clean.txt", "clean")
    (tmp_path / "d.pkl").write_bytes(pickle.dumps({"k": KEY}))
    np.save(tmp_path / "e.npy", np.array([KEY, "x"]))
    with sqlite3.connect(tmp_path / "f.sqlite") as database:
        database.execute("create table t (k text)")
        database.execute("insert into t values (?)", (KEY,))
    database.close()
    before = (tmp_path / "clean.parquet").read_bytes()
    names = ("a.parquet", "b.txt.gz", "c.zip", "d.pkl", "e.npy", "f.sqlite")
    assert scrub_folder(tmp_path) == [f"a secret was scrubbed from {name}" for name in names]
    assert pd.read_parquet(tmp_path / "a.parquet").to_dict("list") == {
        "n": [1, 2],
        "***": ["a", "<***>"],
        "lists": [["***"], ["b"]],
    }
    assert gzip.decompress((tmp_path / "b.txt.gz").read_bytes()) == b"x" + b"*" * 20
    with zipfile.ZipFile(tmp_path / "c.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "***.txt": b"y" + b"*" * 20,
            "clean.txt": b"clean",
        }
    assert pickle.loads((tmp_path / "d.pkl").read_bytes()) == {"k": "*" * 20}  # noqa: S301 - our own
    assert np.load(tmp_path / "e.npy").tolist() == ["*" * 20, "x"]
    with sqlite3.connect(tmp_path / "f.sqlite") as database:
        assert database.execute("select k from t").fetchall() == [("*" * 20,)]
    database.close()
    assert (tmp_path / "clean.parquet").read_bytes() == before
    assert scrub_folder(tmp_path) == []


def test_names_are_scrubbed_too(tmp_path):
    """Of files and folders; nobody loses a file by it."""
    (tmp_path / f"of {KEY}").mkdir()
    (tmp_path / f"of {KEY}" / f"{KEY}.txt").write_text("a")
    (tmp_path / f"of {KEY}" / f"{KEY.lower()}.txt").write_text("b")
    told = scrub_folder(tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.txt")) == [
        "of secret/2-secret.txt",
        "of secret/secret.txt",
    ]
    assert "a secret was scrubbed from the name of of secret" in told
    assert not any(KEY in text for text in told)


def test_what_is_broken_or_too_large_is_left_and_said(tmp_path, monkeypatch):
    """A run's warnings tell what nobody has looked through."""
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8bno gzip")
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04no zip")
    (tmp_path / "c.parquet").write_bytes(b"PAR1 no table")
    assert not any(scrub_file(path) for path in tmp_path.iterdir())
    monkeypatch.setattr(file_scrubbing, "_LARGEST_BINARY", 10)
    (tmp_path / "d.bin").write_bytes(b"\0" * 11)
    assert "d.bin is too large to be looked through for secrets" in scrub_folder(tmp_path)
