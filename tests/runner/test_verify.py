"""Executing a run once more gives the same results, or the difference is named."""

import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.chain import run_plan
from sta410kit.runner.manifest import read_manifest
from sta410kit.runner.plan import Options, plan_notebook
from sta410kit.runner.progress import Progress
from sta410kit.runner.verify import print_verification, verify_run
from tests.runner.conftest import edit, run_chain

pytestmark = pytest.mark.integration

RANDOM = (
    "from pathlib import Path\nimport random\nprint(start)\n"
    "(Path(run_dir) / 'number.txt').write_text(str(random.random()))"
)


def test_a_run_with_equal_results_is_reproduced(project, capsys):
    """Even if the notebooks were edited since, because the run saved its own; no scratch folder remains."""
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


def test_a_random_result_is_named_and_ends_the_verification(project, capsys):
    """Exit code 10; the steps after it are not executed, and the new results are kept."""
    edit(project / "notebooks" / "one.ipynb", 1, RANDOM)
    found = verify_run(run_chain(project).folder, Progress())
    assert found.outcome is ExitCode.NOT_REPRODUCED
    assert [(check.step, check.state) for check in found.checks] == [("one", "different")]
    assert found.checks[0].differences[0].startswith("one: number.txt: from byte ")
    assert (found.scratch / "number.txt").is_file()
    assert found.to_dict()["exit_code"] == 10
    print_verification(found)
    captured = capsys.readouterr()
    assert "one: number.txt: from byte" in captured.err
    assert f"second: this execution, kept in {found.scratch}" in captured.out


def test_an_artifact_changed_after_the_run_is_named_with_its_rows(project):
    """Its digest is in the manifest."""
    path = project / "notebooks" / "pipeline.toml"
    path.write_text(path.read_text().replace("number.txt", "number.parquet"))
    source = (
        "from pathlib import Path\nimport pandas as pd\n"
        "pd.DataFrame({'close': [1.0, 2.0]}).to_parquet(Path(run_dir) / 'number.parquet')"
    )
    edit(project / "notebooks" / "one.ipynb", 1, source)
    edit(project / "notebooks" / "two.ipynb", 1, "from pathlib import Path\nfound = factor")
    run = run_chain(project)
    pd.DataFrame({"close": [1.0, 2.5]}).to_parquet(run.folder / "number.parquet")
    found = verify_run(run.folder, Progress())
    assert found.outcome is ExitCode.NOT_REPRODUCED
    assert found.checks[0].differences == [
        "number.parquet is gone, or was changed after the run",
        "one: number.parquet: column close, row 1: first 2.5, second 2.0",
    ]


def test_a_changed_dependency_is_refused_unless_anyway(project):
    """The message names what has changed and the command that verifies all the same."""
    module = project / "notebooks" / "mine.py"
    module.write_text("x = 1\n")
    source = "import mine\nfrom pathlib import Path\n(Path(run_dir) / 'number.txt').write_text('2')"
    edit(project / "notebooks" / "one.ipynb", 1, source)
    run = run_chain(project)
    module.write_text("x = 2\n")
    with pytest.raises(ConfigurationError, match=r"have changed: .*mine.*--anyway"):
        verify_run(run.folder, Progress())
    assert not list((project / "runs").glob(".verify*"))
    found = verify_run(run.folder, Progress(), anyway=True)
    assert found.outcome is ExitCode.PASSED
    assert "mine" in found.changed[0]


def test_a_step_with_a_live_source_is_not_executed(project):
    """Its artifacts are taken as given, and the steps after it are verified on them."""
    path = project / "notebooks" / "pipeline.toml"
    path.write_text(path.read_text().replace('"one.ipynb"', '"one.ipynb"\nreusable_when = { start = [2] }'))
    edit(project / "notebooks" / "one.ipynb", 1, RANDOM)
    found = verify_run(run_chain(project, {"start": "3"}).folder, Progress())
    assert found.outcome is ExitCode.PASSED
    assert [check.state for check in found.checks] == ["not executed", "reproduced"]


@pytest.mark.parametrize(
    ("source", "state", "said"),
    [
        ("record('x', n)", "reproduced", ""),
        ("record('x', random.random())", "different", "x: record: first"),
        ("(Path(run_dir) / 'x.txt').write_text(str(random.random()))", "different", "x: x.txt: from byte"),
        ("print(random.random())", "reproduced", "only that it still runs was checked"),
    ],
)
def test_a_single_notebook_is_judged_by_what_it_recorded_and_wrote(
    tmp_path, write_notebook, source, state, said
):
    """It declares no artifacts; printed output is not compared, which the note says."""
    imports = "import random\nfrom pathlib import Path\nfrom sta410kit.steps import record\n"
    declared = ("n: int = 1\nrun_dir: str | None = None", "parameters")
    notebook = write_notebook(tmp_path / "x.ipynb", declared, imports + source + "\nn, run_dir is None")
    run = run_plan(plan_notebook(notebook, {"n": "3"}, Options()), Progress())
    (check,) = verify_run(run.folder, Progress()).checks
    assert check.state == state
    assert said.partition(": record")[0] in " ".join([*check.differences, check.note])


def test_a_cell_that_fails_this_time_is_named(tmp_path, write_notebook):
    """With its message."""
    flag = tmp_path / "flag"
    notebook = write_notebook(
        tmp_path / "x.ipynb", f"from pathlib import Path\nassert not Path({str(flag)!r}).exists()"
    )
    run = run_plan(plan_notebook(notebook, {}, Options()), Progress())
    flag.touch()
    found = verify_run(run.folder, Progress(), anyway=True)
    assert (found.outcome, found.checks[0].state) == (ExitCode.NOT_REPRODUCED, "failed")
    assert "AssertionError" in found.checks[0].differences[0]


def test_what_cannot_be_verified_is_refused(project):
    """A failed run, a sweep, an altered notebook, and a step that the pipeline no longer has."""
    run = run_chain(project)
    manifest = read_manifest(run.folder)
    for name, value, message in (("outcome", "TIMED_OUT", "has not passed"), ("kind", "sweep", "is a sweep")):
        before = getattr(manifest, name)
        setattr(manifest, name, value)
        manifest.write(run.folder)
        with pytest.raises(ConfigurationError, match=message):
            verify_run(run.folder, Progress())
        setattr(manifest, name, before)
    manifest.write(run.folder)
    edit(run.folder / "two.ipynb", -1, "print('altered')")
    with pytest.raises(ConfigurationError, match=r"two\.ipynb is not what was executed"):
        verify_run(run.folder, Progress())
    pipeline = project / "notebooks" / "pipeline.toml"
    pipeline.write_text(pipeline.read_text().split('[[step]]\nnotebook = "two', maxsplit=1)[0])
    with pytest.raises(ConfigurationError, match="no longer has the step two"):
        verify_run(run.folder, Progress())


def test_a_run_without_its_notebook_or_an_input_cannot_be_verified(project):
    """The missing file is named; a missing result that no step reads is a difference."""
    run = run_chain(project)
    (run.folder / "double.txt").unlink()
    assert verify_run(run.folder, Progress()).checks[1].differences[0].startswith("double.txt is gone")
    for name in ("number.txt", "one.ipynb"):
        (run.folder / name).unlink()
        with pytest.raises(
            ConfigurationError, match=f"{name}.* is gone; run {run.folder.name} cannot be verified"
        ):
            verify_run(run.folder, Progress())
