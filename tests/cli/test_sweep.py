"""``sta410 params`` and ``sta410 sweep`` as a user types them."""

import json
import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.integration

PARAMETERS = """
from typing import Literal
model: Literal["ridge", "naive"] = "ridge"  # which
n: int = 1
unused: int = 0
words: list[str] = []
"""


@pytest.fixture
def notebook(tmp_path):
    """Write a notebook that fails for three."""
    cells = [
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        new_code_cell(
            "from sta410kit.recording import record\nrecord('score', n / 4)\nrecord('words', words)"
        ),
        new_code_cell("assert n != 3, 'three'\nmodel"),
    ]
    path = tmp_path / "x.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def sta410(*words, cwd):
    """Run the command and return what came of it."""
    return subprocess.run(
        [sys.executable, "-m", "sta410kit", *map(str, words)],
        cwd=cwd, env={**os.environ, "COLUMNS": "160"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_parameters_are_printed(notebook):
    """Names, types, defaults, choices, comments; those that nothing reads are marked."""
    done = sta410("params", notebook, cwd=notebook.parent)
    assert done.returncode == 0
    assert "ridge, naive" in done.stdout
    assert "which" in done.stdout
    assert "(no cell reads it)" in done.stdout
    rows = json.loads(sta410("params", "x.ipynb", "--json", cwd=notebook.parent).stdout)
    assert rows[0] == {
        "name": "model", "type": "Literal['ridge', 'naive']", "default": "'ridge'", "allowed": "ridge, naive",
        "choices": ["ridge", "naive"], "help": "which", "read": True,
    }  # fmt: skip
    assert [row["read"] for row in rows] == [True, True, False, True]


def test_a_notebook_without_parameters_is_no_error(tmp_path):
    """And one with an annotation that cannot be read lists the others."""
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), tmp_path / "a.ipynb")
    done = sta410("params", "a.ipynb", cwd=tmp_path)
    assert (done.returncode, "declares no parameters" in done.stdout) == (0, True)
    cell = new_code_cell("x: Strange = 1\ny: int = 2", metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "b.ipynb")
    rows = json.loads(sta410("params", "b.ipynb", "--json", cwd=tmp_path).stdout)
    assert [row["allowed"] for row in rows] == ["an annotation the kit cannot read", ""]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["sweep"], "which notebook?"),
        (["sweep", "x.ipynb"], "sta410 params x.ipynb"),
        (["sweep", "y.ipynb", "-g", "n=1"], "no notebook"),
        (["sweep", "x.ipynb", "-g", "n"], "-g takes NAME=VALUE"),
        (["sweep", "x.ipynb", "-g", "n=1", "-g", "n=2"], "-g n is given twice"),
        (["sweep", "x.ipynb", "-g", "n=1,,2"], "nothing between two commas"),
        (["sweep", "x.ipynb", "-g", "n=1,one"], "valid integer"),
        (["sweep", "x.ipynb", "-g", "model=ridge,rigde"], "Did you mean 'ridge'?"),
        (["sweep", "x.ipynb", "-g", "unused=1,2"], "none of its cells reads"),
        (["sweep", "x.ipynb", "-g", "n=1", "-p", "n=2"], "given with -p and with -g"),
        (["sweep", "x.ipynb", "-g", "n=1", "--timeout", "soon"], "expected something like"),
        (["sweep", "x.ipynb", "-g", "n=1", "--scheduler", "here"], "takes an address"),
        (["sweep", "x.ipynb", "--resume", "--dry-run"], "exclude each other"),
        (["run", "x.ipynb", "-p", "unused=1"], "none of its cells reads"),
        (["params", "y.ipynb"], "no notebook"),
    ],
)
def test_wrong_use_ends_with_2_and_nothing_has_run(notebook, typed, words, text):
    """Each refusal says what to do."""
    code, said = typed(*words, cwd=notebook.parent)
    assert code == 2
    assert text in said
    assert "Traceback" not in said
    assert not list(notebook.parent.glob("runs/*/units"))


def test_a_dry_run_lists_and_runs_nothing(notebook):
    """Every combination, lists too."""
    done = sta410(
        "sweep", "x.ipynb", "-g", "n=1,2", "-g", "words=[a,b],[c]", "--dry-run", cwd=notebook.parent
    )
    assert done.returncode == 0
    assert "4 units of x.ipynb" in done.stdout
    assert '["a", "b"]' in done.stdout
    assert not (notebook.parent / "runs").exists()


def test_part_of_it_fails_with_4_and_is_resumed(notebook):
    """The table, what failed and the next command; as JSON for machines."""
    done = sta410("sweep", "x.ipynb", "-g", "n=1,3", "-p", "model=naive", cwd=notebook.parent)
    assert done.returncode == 4
    assert "0.25" in done.stdout
    assert "results.parquet" in done.stdout
    assert "unit 0002 failed: cell In [4]: AssertionError: three" in done.stderr
    assert "1 of 2 units are not done; these alone: sta410 sweep --resume" in done.stderr
    again = sta410("sweep", "x.ipynb", "--resume", "--json", cwd=notebook.parent)
    assert again.returncode == 4
    content = json.loads(again.stdout)
    assert [step["outcome"] for step in content["steps"]] == ["PASSED", "NOTEBOOK_FAILED"]
    assert content["results"]["sweep"]["recorded"]["0001"] == {"score": 0.25, "words": []}
    none = sta410("sweep", "x.ipynb", "--resume", "-g", "n=7", cwd=notebook.parent)
    assert (none.returncode, "nothing to resume" in none.stdout) == (0, True)


def test_a_long_table_shows_what_failed_first(notebook):
    """The rest is in the file."""
    values = ",".join(map(str, range(-40, 4)))
    done = sta410("sweep", "x.ipynb", "-g", f"n={values}", cwd=notebook.parent)
    assert done.returncode == 4
    assert "and 4 more rows in results.parquet" in done.stdout
    assert "0044" in done.stdout.splitlines()[4]
