"""``sta410 params`` and ``sta410 sweep`` as a user types them."""

import json

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
        new_code_cell("from sta410kit.steps import record\nrecord('score', n / 4)\nrecord('words', words)"),
        new_code_cell("assert n != 3, 'three'\nmodel"),
    ]
    path = tmp_path / "x.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_parameters_are_printed(notebook, typed):
    """Names, types, defaults, choices, comments; those that nothing reads are marked."""
    done = typed("params", notebook, cwd=notebook.parent)
    assert done.returncode == 0
    assert "ridge, naive" in done.stdout
    assert "which" in done.stdout
    assert "(no cell reads it)" in done.stdout
    rows = json.loads(typed("params", "x.ipynb", "--json", cwd=notebook.parent).stdout)
    assert rows[0] == {
        "name": "model", "type": "Literal['ridge', 'naive']", "default": "'ridge'",
        "choices": ["ridge", "naive"], "help": "which", "read": True,
    }  # fmt: skip
    assert [row["read"] for row in rows] == [True, True, False, True]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["sweep"], "which values?"),
        (["sweep", "-g", "n=1"], "name a notebook: sta410 sweep NOTEBOOK"),
        (["sweep", "x.ipynb"], "sta410 params x.ipynb"),
        (["sweep", "y.ipynb", "-g", "n=1"], "no notebook"),
        (["sweep", "x.ipynb", "-g", "n"], "-g takes NAME=VALUE"),
        (["sweep", "x.ipynb", "-g", "n=1", "-g", "n=2"], "-g n is given twice"),
        (["sweep", "x.ipynb", "-g", "n=1,,2"], "nothing between two commas"),
        (["sweep", "x.ipynb", "-g", "n=1,one"], "valid integer"),
        (["sweep", "x.ipynb", "-g", "model=ridge,rigde"], "Did you mean 'ridge'?"),
        (["sweep", "x.ipynb", "-g", "unused=1,2"], "none of its cells reads"),
        (["sweep", "x.ipynb", "-g", "n=1", "-p", "n=2"], "given with -p and with -g"),
        (["sweep", "x.ipynb", "-g", "n=1", "--timeout", "soon"], "--timeout takes something like 90"),
        (["sweep", "x.ipynb", "-g", "n=1", "--scheduler", "here"], "takes an address"),
        (
            ["sweep", "x.ipynb", "-g", "n=1", "--memory", ""],
            "--memory takes something like 512M or 2G, got ''",
        ),
        (["sweep", "x.ipynb", "-g", "n=1", "--params", "none.toml"], "none.toml cannot be read as TOML"),
        (["sweep", "x.ipynb", "--resume", "--dry-run"], "exclude each other"),
        (["run", "x.ipynb", "-p", "unused=1"], "none of its cells reads"),
        (["params", "y.ipynb"], "no notebook"),
    ],
)
def test_wrong_use_ends_with_2_and_nothing_has_run(notebook, typed, words, text):
    """Each refusal says what to do."""
    done = typed(*words, cwd=notebook.parent)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(notebook.parent.glob("runs/*/units"))


def test_a_dry_run_lists_and_runs_nothing(notebook, typed):
    """Every combination, lists too."""
    done = typed("sweep", "x.ipynb", "-g", "n=1,2", "-g", "words=[a,b],[c]", "--dry-run", cwd=notebook.parent)
    assert done.returncode == 0
    assert "4 units of x.ipynb" in done.stdout
    assert '["a", "b"]' in done.stdout
    assert not (notebook.parent / "runs").exists()


def test_part_of_it_fails_with_4_and_is_resumed(notebook, typed):
    """The table, what failed and the next command; as JSON for machines."""
    done = typed("sweep", "x.ipynb", "-g", "n=1,3", "-p", "model=naive", cwd=notebook.parent)
    assert done.returncode == 4
    assert "0.25" in done.stdout
    assert "results.csv" in done.stdout
    assert "unit 0002 failed: cell In [4]: AssertionError: three" in done.stderr
    assert "1 of 2 units are not done; these alone: sta410 sweep --resume" in done.stderr
    again = typed("sweep", "x.ipynb", "--resume", "--json", cwd=notebook.parent)
    assert again.returncode == 4
    content = json.loads(again.stdout)
    assert [step["outcome"] for step in content["steps"]] == ["PASSED", "NOTEBOOK_FAILED"]
    assert content["results"]["sweep"]["recorded"]["0001"] == {"score": 0.25, "words": []}
    none = typed("sweep", "x.ipynb", "--resume", "-g", "n=7", cwd=notebook.parent)
    assert (none.returncode, "nothing to resume" in none.stdout) == (0, True)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("p.toml", "n = [", "cannot be read as TOML"),
        ("p.json", "[1]", "expected names and values"),
        ("p.toml", "m = 1", "does not declare a parameter 'm'"),
        ("p.toml", "model = 'rigde'", "Did you mean 'ridge'?"),
        ("p.toml", "unused = 1", "none of its cells reads"),
        ("p.json", '{"model": "ridge", "model": "naive"}', "model is given twice"),
    ],
)
def test_a_file_of_parameters_is_refused_in_the_same_words_by_run_and_sweep(
    notebook, typed, name, text, words
):
    """The error names what is wrong, and nothing has run."""
    home = notebook.parent
    (home / name).write_text(text)
    for command in (["run", "x.ipynb"], ["sweep", "x.ipynb", "-g", "n=1"]):
        done = typed(*command, "--params", name, cwd=home)
        assert (done.returncode, words in done.stderr) == (2, True)
    assert not (home / "runs").exists()


def test_a_sweep_takes_the_rest_of_its_parameters_from_a_file(notebook, typed):
    """What is typed, with -p or with -g, wins over the file."""
    (notebook.parent / "p.toml").write_text("n = 7\nmodel = 'naive'\nwords = ['a', 'b,c']\n")
    words = ["-g", "n=1,2", "-p", "model=ridge", "--params", "p.toml", "--json"]
    done = typed("sweep", "x.ipynb", *words, cwd=notebook.parent)
    assert done.returncode == 0
    assert json.loads(done.stdout)["parameters"] == {
        "0001": {"words": ["a", "b,c"], "model": "ridge", "n": 1},
        "0002": {"words": ["a", "b,c"], "model": "ridge", "n": 2},
    }


def test_a_long_table_shows_what_failed_first(notebook, typed):
    """The rest is in the file."""
    values = ",".join(map(str, range(-40, 4)))
    done = typed("sweep", "x.ipynb", "-g", f"n={values}", cwd=notebook.parent)
    assert done.returncode == 4
    assert "and 4 more rows in results.csv" in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith("│")]
    assert "0044" in rows[0]
