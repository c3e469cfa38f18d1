"""`sta410 diff` of two sweeps: units are compared by what was swept, not by their numbers."""

import pytest

from sta410kit.runner.history.difference import compare_runs, print_comparison
from sta410kit.runner.history.explanation import explained, print_explained
from sta410kit.runner.manifest import read_manifest
from sta410kit.runner.sweeps.plan import SweepOptions, plan_sweep
from sta410kit.runner.sweeps.sweep import run_sweep

pytestmark = pytest.mark.integration

DECLARED = """from pathlib import Path
n: int = 1
label: str = 'x'
source: Path | None = None
run_dir: str | None = None"""
PARAMETERS = (DECLARED, "parameters")
CELLS = (
    "from sta410kit.steps import record\nhalf = n / 2",
    "record('half', half)\n(Path(run_dir) / 'n.txt').write_text(f'{half}{label}')",
    "label, source and source.__class__",
    "assert n != 9",
)


@pytest.fixture
def notebook(tmp_path, write_notebook):
    """Write a notebook that records half a number, and fails for nine."""
    return write_notebook(tmp_path / "x.ipynb", PARAMETERS, *CELLS)


def swept(notebook, grid, **fixed):
    """Return the folder of a sweep."""
    plan = plan_sweep(notebook, grid, fixed)
    return run_sweep(plan, SweepOptions(), lambda _: None).folder


def test_the_same_combination_is_the_same_unit_whatever_its_number(notebook, capsys):
    """The order of a grid is all that differs here."""
    first, second = (swept(notebook, {"n": values}) for values in (["1", "2"], ["2", "1"]))
    found = compare_runs(first, second)
    assert found["parameters"] == ["n: 1,2 and 2,1"]
    assert found["in_both"] == 2
    assert found["first_cell"] is None
    assert not any(found[kind] for kind in ("code", "data", "outcomes", "results", "artifacts", "settings"))
    print_comparison(found)
    assert "every cell came out the same" in capsys.readouterr().out
    assert compare_runs(first, first)["same"] is True


def test_parameters_units_code_and_results_that_differ_are_named(notebook, write_notebook, capsys):
    """And the first cell, in the first unit that both have."""
    first = swept(notebook, {"n": ["1", "2"]})
    write_notebook(notebook, PARAMETERS, CELLS[0].replace("2", "4"), *CELLS[1:])
    second = swept(notebook, {"n": ["2", "9"]}, label="y")
    found = compare_runs(first, second)
    assert found["code"] == ["the notebook x.ipynb"]
    assert found["parameters"] == ["n: 1,2 and 2,9", "label: default and y"]
    assert found["outcomes"] == ["n=1: PASSED and not run", "n=9: not run and NOTEBOOK_FAILED"]
    assert found["results"] == ["n=2: half: 1 and 0.5"]
    assert found["artifacts"] == ["n=2: n.txt: expected 4 bytes, got 4; they differ from byte 0 on"]
    assert (found["first_cell"]["step"], found["first_cell"]["cell"]) == ("n=2", 3)
    print_comparison(found)
    shown = capsys.readouterr().out
    assert "results:\n  n=2: half: 1 and 0.5\n" in shown
    assert "first to differ: n=2, cell 3 (from sta410kit.steps import record)" in shown


def test_a_file_that_a_parameter_names_counts_by_its_content(notebook, tmp_path):
    """As data; the unit says so in its manifest."""
    path = tmp_path / "in.txt"
    path.write_text("old")
    first = swept(notebook, {"n": ["1"]}, source=str(path))
    path.write_text("new")
    second = swept(notebook, {"n": ["1"]}, source=str(path))
    assert sorted(read_manifest(first).steps[0].parts) == ["code", "file source"]
    assert compare_runs(first, second)["data"] == ["file source (n=1)"]


def test_sweeps_without_a_common_unit_are_not_called_equal(notebook, capsys):
    """Nor a sweep and a run of another kind."""
    first, second = swept(notebook, {"n": ["1"]}), swept(notebook, {"label": ["a"]})
    found = compare_runs(first, second)
    assert found["in_both"] == 0
    print_comparison(found)
    shown = capsys.readouterr().out
    assert "nothing ran in both, so no cells were compared" in shown
    assert "the same: code, packages, seed, git" in shown


def test_of_a_sweep_that_was_killed_the_units_that_had_ended_are_compared(notebook):
    """Their results lie in their folders."""
    first, second = swept(notebook, {"n": ["1"]}), swept(notebook, {"n": ["1", "2"]})
    manifest = read_manifest(second)
    manifest.steps, manifest.outcome = [], "RUNNING"
    manifest.write(second)
    assert compare_runs(first, second)["outcomes"] == ["n=2: not run and PASSED"]


def test_show_says_that_it_is_a_sweep_and_where_its_table_is(notebook, capsys):
    """Unit 0001 of another sweep is none of its concern."""
    swept(notebook, {"n": ["1"]})
    folder = swept(notebook, {"n": ["2"]})
    print_explained(explained(folder))
    shown = capsys.readouterr().out
    assert "sweep of x.ipynb" in shown
    assert f"table:     {folder / 'results.parquet'}" in shown
    assert "changed since" not in shown
