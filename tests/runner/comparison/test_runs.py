"""Two runs are compared by what they depended on, how they ended and what they left."""

import pytest

from sta410kit.runner.comparison.files import Tolerance
from sta410kit.runner.comparison.runs import compare_runs, print_comparison
from sta410kit.runner.manifest import Manifest, StepRecord, read_manifest
from sta410kit.runner.sweeps.plan import SweepOptions, plan_sweep
from sta410kit.runner.sweeps.sweep import run_sweep
from tests.runner.conftest import edit, run_chain


@pytest.fixture
def make_run(tmp_path):
    """Return a function that writes the manifest of a run with one step."""

    def make(name, step=None, files=None, **fields):
        folder = tmp_path / name
        folder.mkdir()
        for file, content in (files or {}).items():
            (folder / file).write_text(content)
        record = StepRecord("one", "PASSED", notebook="one.ipynb", **(step or {}))
        Manifest(**{"run": name, "steps": [record], **fields}).write(folder)
        return folder

    return make


def differences(first, second, *tolerance):
    """Return each difference as its kind and its sentence."""
    found = compare_runs(first, second, *tolerance)
    assert found.same is (found.differences == [])
    return [(one.kind, str(one)) for one in found.differences]


@pytest.mark.unit
def test_every_kind_of_difference_is_named(make_run, capsys):
    """With the value in the first and in the second run."""
    first = make_run(
        "a",
        {
            "parts": {"code": "1", "kit": "1", "file path": "1"},
            "reads": {"files": {"mine.py": "1"}},
            "recorded": {"r2": 0.5},
        },
        given={},
        seed=42,
        versions={"numpy": "2.0"},
        settings={"model": {"random_seed": 42}},
        git={"commit": "c1"},
    )
    second = make_run(
        "b",
        {
            "parts": {"code": "2", "kit": "2", "file path": "2"},
            "reads": {"files": {"mine.py": "2"}},
            "recorded": {"r2": 0.25},
        },
        given={"model": "naive"},
        seed=7,
        versions={"numpy": "2.1"},
        settings={"model": {"random_seed": 7}},
        git={"commit": "c2"},
    )
    assert differences(first, second) == [
        ("code", "notebook of one"),
        ("code", "kit of one"),
        ("code", "file mine.py of one"),
        ("parameters", "model: first default, second naive"),
        ("data", "file path of one"),
        ("packages", "numpy: first 2.0, second 2.1"),
        ("settings", "model.random_seed: first 42, second 7"),
        ("seed", "seed: first 42, second 7"),
        ("git", "commit: first c1, second c2"),
        ("recorded", "one: r2: first 0.5, second 0.25"),
    ]
    print_comparison(compare_runs(first, second))
    shown = capsys.readouterr().out
    assert shown.startswith("first:  a\nsecond: b\n")
    assert "recorded:\n  one: r2: first 0.5, second 0.25\n" in shown


@pytest.mark.unit
def test_recorded_values_and_artifacts_may_differ_within_a_tolerance(make_run):
    """Artifacts are read only if their digests differ."""
    first = make_run("a", {"recorded": {"r2": 0.5}, "artifacts": {"x.json": "1"}}, {"x.json": "[1.0]"})
    second = make_run("b", {"recorded": {"r2": 0.501}, "artifacts": {"x.json": "2"}}, {"x.json": "[1.001]"})
    assert differences(first, second, Tolerance(rtol=0.01)) == []
    assert differences(first, second) == [
        ("recorded", "one: r2: first 0.5, second 0.501"),
        ("artifacts", "one: x.json: [0]: first 1.0, second 1.001"),
    ]
    third = make_run("c", {"recorded": {"r2": 0.5}})
    assert differences(first, third) == [("artifacts", "one: x.json: first present, second absent")]


@pytest.mark.unit
def test_equal_runs_and_runs_without_a_common_step(make_run, capsys):
    """Runs that share no step are not called equal."""
    first, other = make_run("a"), make_run("b", steps=[StepRecord("two", "PASSED")])
    print_comparison(compare_runs(first, first))
    assert capsys.readouterr().out.endswith("nothing differs\n")
    assert differences(first, other) == [
        ("outcomes", "one: first PASSED, second not run"),
        ("outcomes", "two: first not run, second PASSED"),
    ]
    print_comparison(compare_runs(first, other))
    assert "no step in common" in capsys.readouterr().out


@pytest.mark.integration
def test_the_first_notebooks_that_differ_are_named_for_nbdime(project, capsys):
    """Two runs of a chain with a notebook changed in between."""
    first = run_chain(project).folder
    source = "from pathlib import Path\nfound = float(Path(number).read_text()) * factor + 1"
    edit(project / "notebooks" / "two.ipynb", 1, source)
    second = run_chain(project).folder
    found = compare_runs(first, second)
    assert [str(one) for one in found.differences] == [
        "notebook of two",
        "two: double.txt: from byte 0 on: first 3 bytes, second 3 bytes",
    ]
    assert found.notebooks == (first / "two.ipynb", second / "two.ipynb")
    print_comparison(found)
    assert f"nbdiff-web {first / 'two.ipynb'} {second / 'two.ipynb'}" in capsys.readouterr().out


@pytest.mark.integration
def test_units_of_two_sweeps_are_paired_by_the_values_that_were_swept(tmp_path, write_notebook):
    """Not by their numbers; also of a sweep that was killed."""
    cells = (
        ("n: int = 1\nrun_dir: str | None = None", "parameters"),
        "from pathlib import Path\nfrom sta410kit.steps import record\nrecord('half', n / 2)",
        "(Path(run_dir) / 'n.txt').write_text(str(n))\nassert n != 9",
    )
    notebook = write_notebook(tmp_path / "x.ipynb", *cells)

    def sweep(*values):
        return run_sweep(plan_sweep(notebook, {"n": values}, {}), SweepOptions(), lambda _: None).folder

    first = sweep("1", "2")
    assert differences(first, sweep("2", "1")) == [("parameters", "n: first 1,2, second 2,1")]
    write_notebook(notebook, cells[0], cells[1].replace("n / 2", "n / 4"), cells[2])
    second = sweep("2", "9")
    expected = [
        ("code", "notebook of n=2"),
        ("parameters", "n: first 1,2, second 2,9"),
        ("outcomes", "n=1: first PASSED, second not run"),
        ("outcomes", "n=9: first not run, second NOTEBOOK_FAILED"),
        ("recorded", "n=2: half: first 1.0, second 0.5"),
    ]
    assert differences(first, second) == expected
    manifest = read_manifest(second)
    manifest.steps, manifest.outcome = [], "RUNNING"
    manifest.write(second)
    assert differences(first, second)[1:] == expected[1:]
