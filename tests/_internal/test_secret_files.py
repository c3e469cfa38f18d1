"""Registered secrets in files that a step made: found, named, never rewritten."""

import base64
import json
import os
import pickle
import sqlite3

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sta410kit._internal import redaction, secret_files
from sta410kit._internal.redaction import register
from sta410kit._internal.secret_files import files_with_secrets, found_message, redact_log

pytestmark = pytest.mark.unit

KEY = "PKQ7W3E9R5T1Y8U2I4O6"  # pragma: allowlist secret


@pytest.fixture(autouse=True)
def _one_secret():
    register(KEY)  # conftest.py forgets it after each test


def sqlite_with(path, value):
    database = sqlite3.connect(path)
    database.execute("create table t (k text)")
    database.execute("insert into t values (?)", (value,))
    database.commit()
    database.close()


WRITERS = {
    "bytes.csv": lambda path: path.write_bytes(b"caf\xe9," + KEY.encode()),
    "escaped.json": lambda path: path.write_text(json.dumps({"k": f'"{KEY}"'})),
    "encoded.txt": lambda path: path.write_text(base64.b64encode(f"user:{KEY}".encode()).decode()),
    "wide.txt": lambda path: path.write_text(f"x {KEY}", encoding="utf-16"),
    "object.pkl": lambda path: path.write_bytes(pickle.dumps({"k": KEY})),
    "array.npy": lambda path: np.save(path, np.array([KEY, "x"])),
    "base.sqlite": lambda path: sqlite_with(path, KEY),
    "texts.parquet": lambda path: pd.DataFrame({"a": ["x", f"<{KEY}>"]}).to_parquet(path),
    "category.parquet": lambda path: pd.DataFrame({"a": ["x", KEY]}, dtype="category").to_parquet(path),
    "bytes.parquet": lambda path: pd.DataFrame({"a": [KEY.encode()]}).to_parquet(path),
    "lists.parquet": lambda path: pd.DataFrame({"a": [[KEY], ["b"]]}).to_parquet(path),
    "structs.parquet": lambda path: pd.DataFrame({"a": [{"k": KEY}]}).to_parquet(path),
    "maps.parquet": lambda path: pq.write_table(
        pa.table({"a": pa.array([{"k": KEY}], pa.map_(pa.string(), pa.string())), "b": pa.nulls(1)}), path
    ),
    "named.parquet": lambda path: pd.DataFrame({KEY: [1.5]}).to_parquet(path),
    f"of {KEY}.txt": lambda path: path.write_text("the name alone"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_with_a_secret_is_named_and_left_as_it_is(name, tmp_path):
    """Its bytes, its Parquet texts and its name are looked at; the result never repeats the secret."""
    path = tmp_path / "sub" / name
    path.parent.mkdir()
    WRITERS[name](path)
    before = path.read_bytes()
    assert files_with_secrets(tmp_path) == [f"sub/{name}".replace(KEY, "***")]
    assert path.read_bytes() == before


def test_clean_files_are_not_named(tmp_path):
    """Numbers and words of all kinds; a broken Parquet file; a link to a file elsewhere."""
    frame = pd.DataFrame(
        {"n": [1, 2], "l": [[1], [2]], "s": ["a", None], "t": pd.to_datetime(["2020-01-02"] * 2)}
    )
    frame.to_parquet(tmp_path / "clean.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no table")
    (tmp_path / "outside").write_text(KEY)
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "link.txt").symlink_to(tmp_path / "outside")
    assert files_with_secrets(tmp_path, ignore={"outside"}) == []


def test_a_secret_across_two_chunks_is_found(tmp_path, monkeypatch):
    """Large files are read in pieces."""
    monkeypatch.setattr(secret_files, "_CHUNK", 1000)
    (tmp_path / "large.bin").write_bytes(b"\1" * 990 + KEY.encode() + b"\1" * 990)
    assert files_with_secrets(tmp_path) == ["large.bin"]


def test_files_from_before_the_step_are_not_its_own(tmp_path):
    """Only what was modified since a step began is looked at on its behalf."""
    (tmp_path / "old.txt").write_text(KEY)
    os.utime(tmp_path / "old.txt", (1000, 1000))
    assert files_with_secrets(tmp_path, since=2000) == []
    assert files_with_secrets(tmp_path, since=500) == ["old.txt"]


def test_the_message_names_the_files():
    """One or several."""
    assert found_message(["a.csv"]).startswith("a.csv holds a registered secret")
    assert found_message(["a.csv", "b.csv"]).startswith("a.csv, b.csv hold a registered secret")


def test_a_log_is_redacted_in_place(tmp_path):
    """The kit's own text may be rewritten; an absent log is none."""
    (tmp_path / "x.log").write_text(f"key {KEY}\n")
    redact_log(tmp_path / "x.log")
    redact_log(tmp_path / "absent.log")
    (tmp_path / "clean.log").write_text("nothing\n")
    redact_log(tmp_path / "clean.log")
    assert (tmp_path / "clean.log").read_text() == "nothing\n"
    assert (tmp_path / "x.log").read_text() == "key ***\n"


def test_without_a_registered_secret_no_file_is_read(tmp_path, monkeypatch):
    """A run without credentials pays nothing."""
    monkeypatch.setattr(redaction, "_forms", {})
    (tmp_path / "x.txt").write_text(KEY)
    assert files_with_secrets(tmp_path) == []
