"""A run, executed once more, comes out the same or does not."""

import nbformat
import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.chain import run_plan
from sta410kit.runner.history.difference import compare_runs, print_comparison
from sta410kit.runner.history.verification import print_verification, verify_run
from sta410kit.runner.manifest import read_manifest
from sta410kit.runner.plan import Options, plan_chain, plan_notebook
from sta410kit.runner.progress import Progress

pytestmark = pytest.mark.integration


def run_chain(project, given=None, **options):
    """Run the chain as `sta410 run` does."""
    return run_plan(plan_chain(project, given or {}, Options(**options)), Progress())


def edit(path, number, source):
    """Give a cell of a notebook another source."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[number].source = source
    nbformat.write(notebook, path)


LUCK = (
    "from pathlib import Path\nimport random\nprint(start)\n"
    "(Path(run_dir) / 'number.txt').write_text(str(random.random()))"
)
ROWS = (
    "from pathlib import Path\nimport pandas as pd\n"
    "pd.DataFrame({'close': [1.0, 2.0]}).to_parquet(Path(run_dir) / 'number.txt')"
)


def test_a_run_that_comes_out_the_same_is_reproduced(project, capsys):
    """Also when the notebooks were edited since: those that count are saved with the run. Nothing is left."""
    run = run_chain(project, {"start": "5"})
    edit(project / "notebooks" / "one.ipynb", 1, "raise KeyError('edited since')")
    found = verify_run(run.folder, Progress())
    assert found.outcome is ExitCode.PASSED
    assert [(check.step, check.state) for check in found.checks] == [
        ("one", "reproduced"),
        ("two", "reproduced"),
    ]
    assert not list((project / "runs").glob(".verify*"))
    print_verification(found)
    assert f"run {run.folder.name} is reproduced" in capsys.readouterr().out


def test_chance_is_found_out_and_named(project, capsys):
    """Exit code 10, the step, the artifact; what follows is not executed, and the new results are kept."""
    edit(project / "notebooks" / "one.ipynb", 1, LUCK)
    run = run_chain(project)
    found = verify_run(run.folder, Progress())
    assert found.outcome is ExitCode.NOT_REPRODUCED
    assert [(check.step, check.state) for check in found.checks] == [("one", "different")]
    assert found.checks[0].differences[0].startswith("number.txt: expected ")
    assert (found.scratch / "number.txt").is_file()
    assert found.to_dict()["exit_code"] == 10
    print_verification(found)
    captured = capsys.readouterr()
    assert "one: number.txt: expected" in captured.err
    assert str(found.scratch) in captured.out


def test_an_artifact_that_was_altered_is_named_with_its_rows(project):
    """What the run wrote is known by its digest."""
    path = project / "notebooks" / "pipeline.toml"
    path.write_text(path.read_text().replace("number.txt", "number.parquet"))
    edit(project / "notebooks" / "one.ipynb", 1, ROWS.replace("number.txt", "number.parquet"))
    edit(project / "notebooks" / "two.ipynb", 1, "from pathlib import Path\nfound = factor")
    run = run_chain(project)
    pd.DataFrame({"close": [1.0, 2.5]}).to_parquet(run.folder / "number.parquet")
    found = verify_run(run.folder, Progress())
    assert found.outcome is ExitCode.NOT_REPRODUCED
    assert found.checks[0].differences == [
        "number.parquet is not what the run wrote: its content was changed since, or it is gone",
        "number.parquet: column close: row 1: expected 2.5, got 2.0",
    ]


def test_what_is_not_as_it_was_makes_the_question_another(project):
    """Refused with what has changed and what to type; with --anyway it is asked all the same."""
    own = project / "notebooks" / "mine.py"
    own.write_text("x = 1\n")
    source = "import mine\nfrom pathlib import Path\n(Path(run_dir) / 'number.txt').write_text('2')"
    edit(project / "notebooks" / "one.ipynb", 1, source)
    run = run_chain(project)
    own.write_text("x = 2\n")
    with pytest.raises(ConfigurationError, match=r"have changed: module mine.*--anyway"):
        verify_run(run.folder, Progress())
    assert not list((project / "runs").glob(".verify*"))
    found = verify_run(run.folder, Progress(), anyway=True)
    assert (found.outcome, found.changed) == (ExitCode.PASSED, ["module mine"])


def test_a_live_source_is_not_asked_again(project):
    """What it left is taken as given, and what follows is judged on it."""
    path = project / "notebooks" / "pipeline.toml"
    path.write_text(path.read_text().replace('"one.ipynb"', '"one.ipynb"\nreusable_when = { start = [2] }'))
    edit(project / "notebooks" / "one.ipynb", 1, LUCK)
    run = run_chain(project, {"start": "3"})
    found = verify_run(run.folder, Progress())
    assert found.outcome is ExitCode.PASSED
    assert [check.state for check in found.checks] == ["not executed", "reproduced"]


@pytest.mark.parametrize(
    ("source", "outcome", "state"),
    [
        ("print(1.5)", ExitCode.PASSED, "reproduced"),
        ("import random\nprint(random.random())", ExitCode.NOT_REPRODUCED, "different"),
    ],
)
def test_a_notebook_that_ran_alone_is_judged_by_its_outputs(tmp_path, write_notebook, source, outcome, state):
    """It promises no artifacts."""
    notebook = write_notebook(tmp_path / "x.ipynb", ("n: int = 1", "parameters"), f"print(n)\n{source}")
    run = run_plan(plan_notebook(notebook, {"n": "3"}, Options()), Progress())
    found = verify_run(run.folder, Progress())
    assert (found.outcome, found.checks[0].state) == (outcome, state)


def test_a_cell_that_raises_this_time_is_told(tmp_path, write_notebook):
    """It is not reproduced, and the message is the cell's."""
    flag = tmp_path / "flag"
    notebook = write_notebook(
        tmp_path / "x.ipynb", f"from pathlib import Path\nassert not Path({str(flag)!r}).exists()"
    )
    run = run_plan(plan_notebook(notebook, {}, Options()), Progress())
    flag.touch()
    found = verify_run(run.folder, Progress())
    assert (found.outcome, found.checks[0].state) == (ExitCode.NOT_REPRODUCED, "failed")
    assert "AssertionError" in found.checks[0].differences[0]


def test_what_cannot_be_verified_is_refused(project):
    """A run that failed, one of another kind, one whose notebook was altered, one whose step is gone."""
    run = run_chain(project)
    manifest = read_manifest(run.folder)
    for change, words in (
        ({"outcome": "TIMED_OUT"}, "has not passed"),
        ({"kind": "sweep"}, "of the kind 'sweep'"),
    ):
        before = {name: getattr(manifest, name) for name in change}
        for name, value in change.items():
            setattr(manifest, name, value)
        manifest.write(run.folder)
        with pytest.raises(ConfigurationError, match=words):
            verify_run(run.folder, Progress())
        for name, value in before.items():
            setattr(manifest, name, value)
    manifest.write(run.folder)
    saved = nbformat.read(run.folder / "two.ipynb", as_version=4)
    saved.cells[-1].source += "\nprint('altered')"
    nbformat.write(saved, run.folder / "two.ipynb")
    with pytest.raises(ConfigurationError, match=r"two\.ipynb is not what was executed"):
        verify_run(run.folder, Progress())
    pipeline = project / "notebooks" / "pipeline.toml"
    pipeline.write_text(pipeline.read_text().split('[[step]]\nnotebook = "two', maxsplit=1)[0])
    with pytest.raises(ConfigurationError, match="has no step two any more"):
        verify_run(run.folder, Progress())


def test_two_runs_are_compared_down_to_the_first_cell(project, capsys):
    """Parameters, code, artifacts and the first outputs that differ; equal runs are said to be equal."""
    source = "from pathlib import Path\nfound = float(Path(number).read_text()) * factor\nfound"
    edit(project / "notebooks" / "two.ipynb", 1, source)
    first = run_chain(project)
    second = run_chain(project, {"factor": "5"})
    found = compare_runs(first.folder, second.folder)
    assert not found["same"]
    assert found["parameters"] == ["factor: default and 5"]
    assert (found["code"], found["packages"], found["seed"], found["settings"]) == ([], [], [], [])
    assert found["artifacts"] == ["two: double.txt: expected 3 bytes, got 4; they differ from byte 0 on"]
    assert (found["first_cell"]["step"], found["first_cell"]["cell"]) == ("two", 3)
    assert found["first_cell"]["differences"] == ["expected 4.0, got 10.0"]
    print_comparison(found)
    shown = capsys.readouterr().out
    assert "first to differ: two, cell 3 (from pathlib import Path)" in shown
    assert "the same: code, data, packages, seed, git" in shown
    third = run_chain(project, {"factor": "5"}, fresh=True)
    same = compare_runs(second.folder, third.folder)
    assert (same["same"], same["first_cell"]) == (True, None)
    print_comparison(same)
    assert "nothing differs" in capsys.readouterr().out


def test_code_settings_and_outcomes_are_compared_too(project, capsys):
    """The first cell may differ in its code; a step may be there in one only."""
    first = run_chain(project)
    edit(project / "notebooks" / "one.ipynb", 1, "raise KeyError('x')")
    (project / ".env").write_text("RANDOM_SEED=7\n")
    second = run_chain(project)
    found = compare_runs(first.folder, second.folder)
    assert found["code"] == ["one: its notebook"]
    assert found["seed"] == ["42 and 7"]
    assert found["settings"] == ["model.random_seed: 42 and 7"]
    assert found["outcomes"] == ["one: PASSED and NOTEBOOK_FAILED", "two: PASSED and not run"]
    assert found["first_cell"]["differences"][0] == "its code differs:"
    assert "+raise KeyError('x')" in found["first_cell"]["differences"]
    print_comparison(found)
    assert "its notebook" in capsys.readouterr().out
