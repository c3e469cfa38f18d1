"""A folder scanned for secrets: what is found where, what is left out, and that nothing is shown."""

import base64
import json
import os
import subprocess
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.scanning import scan

pytestmark = pytest.mark.unit

KNOWN = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYz9Qz2KEYab"  # pragma: allowlist secret
AWS = "AKIAQ3EGZ7LWKPXN5TRV"  # pragma: allowlist secret


@pytest.fixture
def folder(tmp_path):
    """Make a project whose one secret is in its .env."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").touch()
    (tmp_path / ".env").write_text(f"ALPACA_SECRET_KEY={KNOWN}\n")
    return tmp_path


def found(folder):
    """Return path, place and detector of every finding, and see that no secret is in the report."""
    report = scan(folder)
    text = json.dumps(report.to_dict())
    assert KNOWN not in text
    assert AWS not in text
    assert report.passed is (not report.findings)
    return [(one.path, one.place, one.detector) for one in report.findings]


def test_a_clean_folder_passes_and_says_what_was_left_out(folder):
    """The .env is where secrets belong, unless git tracks it."""
    (folder / ".git").mkdir()
    (folder / "venv").mkdir()
    (folder / "venv" / "pyvenv.cfg").touch()
    (folder / "venv" / "x.py").write_text(AWS)
    (folder / "old.7z").write_bytes(b"PK")
    (folder / "loop").symlink_to(folder)
    (folder / "link.txt").symlink_to(folder / ".env")
    os.mkfifo(folder / "pipe")
    report = scan(folder)
    assert report.passed
    assert (report.files, report.unreadable) == (1, {})
    assert report.skipped == {
        ".git": "git's own store; scan a checkout of each commit instead",
        "loop": "a link",
        "venv": "a Python environment",
        ".env": "where secrets belong; git does not track it",
        "link.txt": "a link",
        "old.7z": "compressed",
        "pipe": "not a file",
    }


def test_a_tracked_env_file_is_read(folder):
    """Then everybody who has the repository has the secret."""
    subprocess.run(["git", "init", "-q", folder], check=True)
    subprocess.run(["git", "-C", folder, "add", "-f", ".env"], check=True)
    assert (".env", "line 1", "registered secret") in found(folder)


def test_a_file_named_for_the_secret_is_left_out(folder, monkeypatch):
    """What ALPACA_API_KEY_FILE names holds one on purpose."""
    (folder / "key").write_text(AWS)
    monkeypatch.setenv("ALPACA_API_KEY_FILE", str(folder / "key"))
    assert "key" in scan(folder).skipped


def test_unknown_secrets_are_found_unless_their_line_allows_them(folder):
    """The comment of detect-secrets; a known value is never allowed."""
    (folder / "x.py").write_text(
        f"a = '{AWS}'\nb = '{AWS}'  # pragma: allowlist secret\n# pragma: allowlist nextline secret\n"
        f"c = '{AWS}'\nd = '{KNOWN}'  # pragma: allowlist secret\n"
    )
    assert found(folder) == [("x.py", "line 1", "AWS Access Key"), ("x.py", "line 5", "registered secret")]


@pytest.mark.parametrize("text", [f"{{{AWS}", f'{{"cells": [7, "{AWS}"]}}', f'["{AWS}"]'])
def test_what_is_no_notebook_is_read_as_text(folder, text):
    """A broken one may hold a secret as well."""
    (folder / "x.ipynb").write_text(text)
    assert found(folder) == [("x.ipynb", "line 1", "AWS Access Key")]


def test_compiled_code_is_read(folder):
    """It keeps the text of a source that has been mended since."""
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_bytes(b"\0" + KNOWN.encode())
    assert found(folder) == [("__pycache__/x.pyc", "its bytes", "registered secret")]


def test_a_single_file_and_no_file(folder):
    """A path may be either; nothing at it is an error."""
    (folder / "x.txt").write_text(AWS)
    (one,) = scan(folder / "x.txt").findings
    assert str(one) == "x.txt: line 1: AWS Access Key: ****************5TRV"
    with pytest.raises(ConfigurationError, match="there is no file or folder"):
        scan(folder / "none")


def test_a_file_that_was_named_and_not_read_is_no_pass(folder):
    """Exit 0 would say that it is clean; a link that was named is followed."""
    (folder / "a.7z").write_bytes(b"7z")
    with pytest.raises(ConfigurationError, match=r"a\.7z was not scanned: compressed"):
        scan(folder / "a.7z")
    (folder / "a.txt").write_text(KNOWN)
    (folder / "link.txt").symlink_to(folder / "a.txt")
    assert [one.path for one in scan(folder / "link.txt").findings] == ["a.txt"]


def test_known_secrets_are_found_in_any_form_and_any_file(folder):
    """By line in text, in the bytes and Parquet texts of other files; ignored by git or not."""
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "a.log").write_text(f"one\ntwo {KNOWN}\n")
    (folder / "b.txt").write_text(base64.b64encode(f"user:{KNOWN}".encode()).decode())
    (folder / "c.bin").write_bytes(b"\0\1" + KNOWN.encode() + b"\xff")
    (folder / "d.txt").write_text(f"a\n{KNOWN}", encoding="utf-16")
    (folder / "e.txt").write_text(f"{KNOWN[:20]}\n{KNOWN[20:]}")
    pd.DataFrame({"note": ["a", f"x {KNOWN}"]}).to_parquet(folder / "f.parquet", compression="zstd")
    assert found(folder) == [
        ("a.log", "line 2", "registered secret"),
        ("b.txt", "line 1", "registered secret"),
        ("c.bin", "its bytes", "registered secret"),
        ("d.txt", "line 2", "registered secret"),
        ("e.txt", "its bytes", "registered secret"),
        ("f.parquet", "its bytes", "registered secret"),
    ]
    assert scan(folder).findings[0].masked == "*" * 36 + "EYab"


def test_a_notebook_is_read_cell_by_cell(folder):
    """Sources, outputs, tracebacks and metadata."""
    cells = [
        new_markdown_cell(f"see\n{AWS}"),
        new_code_cell(
            "x = 1",
            execution_count=7,
            metadata={"note": AWS},
            outputs=[
                new_output("stream", name="stdout", text=f"a\nb\n{KNOWN}\n"),
                new_output("error", ename="E", evalue="v", traceback=["one", f"two {AWS}"]),
                new_output("display_data", data={"image/png": "iVBO", "application/json": {"k": AWS}}),
                new_output("execute_result", data={"text/html": f"<b>{AWS}</b>"}, metadata={"m": {"k": AWS}}),
            ],
        ),
    ]
    nbformat.write(new_notebook(cells=cells, metadata={"author": AWS}), folder / "x.ipynb")
    assert found(folder) == [
        ("x.ipynb", "cell 1, source, line 2", "AWS Access Key"),
        ("x.ipynb", "cell In [7], output, line 3", "registered secret"),
        ("x.ipynb", "cell In [7], output, line 3", "AWS Access Key"),
        ("x.ipynb", "cell In [7], output, line 2", "AWS Access Key"),
        ("x.ipynb", "cell In [7], output, line 1", "AWS Access Key"),
        ("x.ipynb", "cell In [7], output metadata, line 3", "AWS Access Key"),
        ("x.ipynb", "cell In [7], metadata, line 6", "AWS Access Key"),
        ("x.ipynb", "notebook metadata, line 3", "AWS Access Key"),
    ]


def test_a_name_that_holds_a_secret_is_found_and_not_shown(folder):
    """Of a file that is read, of one that is not, and of a folder."""
    key = KNOWN.replace("/", "%2F")
    (folder / f"{key}.txt").touch()
    (folder / f"{key}.7z").touch()
    (folder / key).mkdir()
    (folder / key / "x").touch()
    assert set(found(folder)) == {
        (name, "its name", "registered secret") for name in ("***.txt", "***.7z", "***/x")
    }
    assert "***.7z" in scan(folder).skipped


def test_files_and_folders_that_cannot_be_read_are_reported(folder, monkeypatch):
    """The rest is read all the same."""
    (folder / "x.txt").write_text(AWS)
    (folder / "locked").mkdir()
    (folder / "y.txt").touch()
    scandir, opened = os.scandir, Path.open

    def no_entry(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    def no_reading(path, *given, **how):
        if path.name == "y.txt":
            raise PermissionError(13, "Permission denied")
        return opened(path, *given, **how)

    monkeypatch.setattr(os, "scandir", no_entry)
    monkeypatch.setattr(Path, "open", no_reading)
    report = scan(folder)
    assert report.unreadable == {"locked": "Permission denied", "y.txt": "Permission denied"}
    assert len(report.findings) == 1
