"""The chain: artifacts handed over, stopped at the first failure, explained in its folder."""

import hashlib
import json
import platform
from unittest.mock import Mock

import nbformat
import pytest
from filelock import FileLock

from sta410kit.exceptions import ConfigurationError, STA410Exception
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.chain import resume_run, run_plan
from sta410kit.runner.manifest import Manifest, resume_command
from sta410kit.runner.plan import Options, plan_chain, plan_notebook
from sta410kit.runner.progress import Progress
from sta410kit.runner.prune import prune
from sta410kit.runner.reuse import explain
from sta410kit.runner.summary import print_summary
from tests.runner.conftest import edit, run_chain

pytestmark = pytest.mark.integration


def run_notebook(notebook, given=None):
    """Run one notebook as `sta410 run NOTEBOOK` does."""
    return run_plan(plan_notebook(notebook, given or {}, Options()), Progress())


def test_artifacts_are_handed_over_and_the_run_explains_itself(project):
    """Both steps ran, on what was typed, and the folder holds notebooks, artifacts, manifest and report."""
    run = run_chain(project, {"start": "5", "factor": "1.5"})
    assert run.outcome is ExitCode.PASSED
    assert run.folder.parent == project / "runs"
    assert (run.folder / "double.txt").read_text() == "7.5"
    manifest = json.loads((run.folder / "manifest.json").read_text())
    assert manifest["outcome"] == "PASSED"
    assert manifest["parameters"] == {"one": {"start": 5}, "two": {"factor": 1.5}}
    assert [step["name"] for step in manifest["steps"]] == ["one", "two"]
    assert manifest["versions"]["sta410kit"]
    report = (run.folder / "report.html").read_text()
    assert 'href="one.ipynb.html"' in report
    assert "PASSED" in report


def test_a_verdict_of_ones_own_ends_no_run(project, write_notebook):
    """The run passes, has its report, and warns of what is not in it."""
    pipeline = project / "notebooks" / "pipeline.toml"
    pipeline.write_text(pipeline.read_text().replace("double.txt", "verdict.json"))
    write_notebook(
        project / "notebooks" / "two.ipynb",
        ("number: str | None = None\nrun_dir: str | None = None", "parameters"),
        "from pathlib import Path\nassert number\n(Path(run_dir) / 'verdict.json').write_text('good')",
    )
    run = run_chain(project)
    assert run.outcome is ExitCode.PASSED
    assert (run.folder / "report.html").is_file()
    assert "verdict.json does not hold the verdict of a run" in run.manifest.warnings[0]


def test_the_chain_stops_at_the_first_failure(project, write_notebook, capsys):
    """The following steps are listed as not run, and the last line names the command that resumes."""
    write_notebook(
        project / "notebooks" / "one.ipynb", ("start: int = 2", "parameters"), "raise KeyError('x')"
    )
    run = run_chain(project, {})
    assert run.outcome is ExitCode.NOTEBOOK_FAILED
    assert [step.name for step in run.steps] == ["one"]
    assert json.loads((run.folder / "manifest.json").read_text())["not_run"] == ["two"]
    assert "not run" in (run.folder / "report.html").read_text()
    print_summary(run)
    assert capsys.readouterr().err.endswith("continue from there: sta410 run --resume\n")


def test_an_unknown_kernel_is_refused_before_anything_runs(project):
    """The message says which kernels there are and what brings the usual one."""
    path = project / "notebooks" / "two.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.kernelspec.name = "pyton3"
    nbformat.write(notebook, path)
    with pytest.raises(ConfigurationError, match=r"two\.ipynb wants .*'pyton3'.*'python3'.*make install"):
        run_chain(project, {})
    assert not (project / "runs").exists()


def test_wrong_settings_are_refused_before_anything_runs(project):
    """The project's own .env is read, from any current folder."""
    (project / ".env").write_text("GD_ITERATIONS=-1\n")
    with pytest.raises(ConfigurationError, match="GD_ITERATIONS"):
        run_chain(project, {})
    assert not (project / "runs").exists()


def test_a_notebook_of_the_project_runs_alone(project):
    """It gets the run folder, and its other defaults stay."""
    run = run_notebook(project / "notebooks" / "one.ipynb", {"start": "9"})
    assert run.outcome is ExitCode.PASSED
    assert run.folder.parent == project / "runs"
    assert (run.folder / "number.txt").read_text() == "9"


def test_a_notebook_outside_any_project_has_its_runs_beside_it(tmp_path, write_notebook, monkeypatch):
    """Wherever the command is typed."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    notebook = write_notebook(tmp_path / "mine" / "x.ipynb", "print('hello')")
    run = run_notebook(notebook, {})
    assert run.outcome is ExitCode.PASSED
    assert run.folder.parent == tmp_path / "mine" / "runs"


def executed(run):
    """Name the steps that were executed in a run."""
    return [step.name for step in run.steps if not step.reused]


def test_where_nothing_has_changed_nothing_runs(project):
    """The newest run is the result; no new folder is made."""
    first = run_chain(project)
    again = run_chain(project)
    assert again.folder == first.folder
    assert executed(again) == []
    assert [step.reused for step in again.steps] == [first.folder.name] * 2


@pytest.mark.parametrize(
    ("number", "source", "ran"),
    [
        (1, "# a remark\n\n\nfound = float(Path(number).read_text())   * factor  # another", []),
        (0, "number: str | None = None\nfactor: float = 3.0\nrun_dir: str | None = None", ["two"]),
    ],
)
def test_code_counts_and_remarks_do_not(project, number, source, ran):
    """A comment or a blank line changes nothing; a default does."""
    edit(project / "notebooks" / "two.ipynb", 1, "from pathlib import Path\nfound = 0\n")
    edit(
        project / "notebooks" / "two.ipynb",
        1,
        "from pathlib import Path\nfound = float(Path(number).read_text()) * factor",
    )
    run_chain(project)
    text = source if number == 0 else f"from pathlib import Path\n{source}"
    edit(project / "notebooks" / "two.ipynb", number, text)
    assert executed(run_chain(project)) == ran


def test_only_what_follows_from_a_change_is_executed(project):
    """The rest is reused: artifacts, notebooks and the record of how long they took."""
    first = run_chain(project)
    second = run_chain(project, {"factor": "5"})
    assert executed(second) == ["two"]
    assert second.steps[0].reused == first.folder.name
    assert (second.folder / "double.txt").read_text() == "10.0"
    assert (second.folder / "number.txt").read_text() == "2"
    assert (second.folder / "one.ipynb").is_file()
    assert (second.folder / "one.ipynb").stat().st_ino == (first.folder / "one.ipynb").stat().st_ino


def test_a_changed_step_whose_result_is_the_same_ends_the_change(project):
    """What comes after it has the same input, and is not run."""
    run_chain(project)
    edit(
        project / "notebooks" / "one.ipynb",
        1,
        "from pathlib import Path\nsame = str(start)\n(Path(run_dir) / 'number.txt').write_text(same)",
    )
    assert executed(run_chain(project)) == ["one"]


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_text("9")])
def test_a_result_that_was_altered_is_made_again(project, harm):
    """Files count by their content, and only whole results are used."""
    first = run_chain(project)
    harm(first.folder / "double.txt")
    again = run_chain(project)
    assert executed(again) == ["two"]
    assert (again.folder / "double.txt").read_text() == "4.0"


@pytest.mark.parametrize("harm", ["write_text('9')", "unlink()"])
def test_a_step_that_spoils_what_another_left_fails_and_harms_no_earlier_run(project, harm):
    """It names the file; the run that the file was linked from keeps it as it was."""
    first = run_chain(project)
    edit(project / "notebooks" / "two.ipynb", 1, f"from pathlib import Path\nfound = 9\nPath(number).{harm}")
    again = run_chain(project)
    assert again.outcome is ExitCode.NOTEBOOK_FAILED
    assert again.steps[1].message == (
        "while it ran, number.txt of step one was changed or removed; a step writes only what it produces"
    )
    assert (first.folder / "number.txt").read_text() == "2"


def test_fresh_executes_everything(project):
    """Even if nothing has changed."""
    run_chain(project)
    assert executed(run_chain(project, fresh=True)) == ["one", "two"]


def test_from_and_to_choose_steps(project):
    """`--from` runs a step and what follows, changed or not; `--to` leaves out what comes after."""
    run_chain(project)
    assert executed(run_chain(project, first="two")) == ["two"]
    short = run_chain(project, first="one", last="one")
    assert [step.name for step in short.steps] == ["one"]
    with pytest.raises(ConfigurationError, match=r"no step called 'tow'. Did you mean 'two'"):
        run_chain(project, first="tow")


def test_a_source_that_is_live_always_runs(project):
    """With the values the pipeline names its result is used again, with others never."""
    path = project / "notebooks" / "pipeline.toml"
    path.write_text(path.read_text().replace('"one.ipynb"', '"one.ipynb"\nreusable_when = { start = [2] }'))
    run_chain(project, {"start": "3"})
    assert executed(run_chain(project, {"start": "3"})) == ["one"]


COUNT = (
    "from pathlib import Path\nprint(start)\ncounter = Path.cwd() / 'count.txt'\n"
    "seen = int(counter.read_text()) + 1 if counter.exists() else 1\n"
    "counter.write_text(str(seen))\n(Path(run_dir) / 'number.txt').write_text(str(seen))"
)


@pytest.mark.parametrize("how", ["plain", "live", "fresh"])
def test_what_passed_in_a_run_is_kept_when_it_is_resumed(project, how):
    """In its folder, with its parameters; also a live source, and of a run that was to be fresh."""
    if how == "live":
        path = project / "notebooks" / "pipeline.toml"
        path.write_text(
            path.read_text().replace('"one.ipynb"', '"one.ipynb"\nreusable_when = { start = [2] }')
        )
    edit(project / "notebooks" / "one.ipynb", 1, COUNT)
    good = "from pathlib import Path\nfound = float(Path(number).read_text()) * factor"
    edit(project / "notebooks" / "two.ipynb", 1, "raise KeyError('x')")
    failed = run_chain(project, {"start": "3"}, fresh=how == "fresh")
    edit(project / "notebooks" / "two.ipynb", 1, good)
    resumed = resume_run(project, Options(), Progress())
    assert resumed.folder == failed.folder
    assert executed(resumed) == ["two"]
    assert (resumed.folder / "double.txt").read_text() == "2.0"
    assert (project / "notebooks" / "count.txt").read_text() == "1"
    assert "PASSED" in (resumed.folder / "report.html").read_text()
    assert resume_run(project, Options(), Progress()) is None


@pytest.mark.parametrize(
    ("kind", "command"),
    [("chain", "sta410 run --resume"), ("sweep", "sta410 sweep --resume"), ("notebook", "")],
)
def test_a_killed_run_is_resumed_by_the_command_of_its_kind_until_there_is_a_newer_one(
    tmp_path, kind, command
):
    """A notebook alone has nothing to continue from; what is newer is what would be resumed."""
    killed, newer = (Manifest(f"2024010{day}-000000-000aa", kind) for day in (1, 2))
    folder = tmp_path / killed.run
    for manifest in (killed, newer):
        (tmp_path / manifest.run).mkdir()
    killed.write(folder)
    assert resume_command(folder, killed) == command
    newer.write(tmp_path / newer.run)
    assert resume_command(folder, killed) == ""


def test_a_resumed_run_is_of_the_steps_that_were_asked_for(project):
    """`--to` holds on; what is asked for now is executed again."""
    edit(project / "notebooks" / "one.ipynb", 1, "raise KeyError('x')")
    run_chain(project, last="one")
    edit(project / "notebooks" / "one.ipynb", 1, COUNT)
    resumed = resume_run(project, Options(), Progress())
    assert [step.name for step in resumed.steps] == ["one"]
    edit(project / "notebooks" / "two.ipynb", 1, "raise KeyError('x')")
    run_chain(project)
    again = resume_run(project, Options(first="one"), Progress())
    assert again.outcome is ExitCode.NOTEBOOK_FAILED
    assert (project / "notebooks" / "count.txt").read_text() == "2"


def test_what_an_earlier_try_has_left_is_no_result_of_this_one(project):
    """A notebook that writes nothing when it is resumed has written nothing."""
    two = project / "notebooks" / "two.ipynb"
    left = "from pathlib import Path\n(Path(run_dir) / 'double.txt').write_text('1')\nraise KeyError('x')"
    edit(two, 1, left)
    run_chain(project)
    edit(two, 1, "1")
    edit(two, 2, "2")
    resumed = resume_run(project, Options(), Progress())
    assert resumed.outcome is ExitCode.NOTEBOOK_FAILED
    assert resumed.steps[-1].message == "it ran but did not write double.txt"


def test_a_gate_that_refused_ends_the_run_even_if_the_notebook_went_on(project):
    """Data that was refused does not go on to the next step."""
    edit(
        project / "notebooks" / "one.ipynb",
        1,
        "from pathlib import Path\nfrom sta410kit import guards\nfrom sta410kit.guards import data_docs\n"
        "from sta410kit.market import load_prices\nprices = load_prices(symbols=['IBM']).assign(high=0.01)\n"
        "result = guards.validate(prices.tail(50), 'prices')\n"
        "data_docs.publish(result, Path(run_dir) / 'data_docs', 'one')\n"
        "(Path(run_dir) / 'number.txt').write_text('2')",
    )
    run = run_chain(project)
    assert run.outcome is ExitCode.DATA_REJECTED
    assert "the gate 'prices' refused the data" in run.steps[0].message
    assert run.manifest.not_run == ["two"]


@pytest.mark.parametrize(
    ("when", "advice"),
    [
        ("at its start", "run again"),
        ("after a step", "continue the run: sta410 run --resume"),
        ("of a notebook alone", "run again"),
    ],
)
def test_a_full_disk_is_reported_with_what_to_do(project, monkeypatch, when, advice):
    """What had passed of a chain is kept for `--resume`."""
    real, written = Manifest.write, []

    def write(self, folder):
        written.append(1)
        if len(written) > (0 if when == "at its start" else 1):
            raise OSError(28, "No space left on device")
        real(self, folder)

    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "write", write)
        message = f"cannot be written: No space left on device. Free disk space, then {advice}$"
        with pytest.raises(STA410Exception, match=message):
            run_notebook(project / "notebooks" / "one.ipynb") if "alone" in when else run_chain(project)
    left = [path for path in (project / "runs").iterdir() if path.is_dir()]
    assert len(left) == (0 if when == "at its start" else 1)
    resumed = resume_run(project, Options(), Progress())
    assert (resumed is not None and resumed.outcome is ExitCode.PASSED) == ("--resume" in advice)


def test_a_step_that_cannot_be_prepared_ends_the_run_with_a_report(project, monkeypatch):
    """The traceback is in the log, the error in the message."""
    monkeypatch.setattr("sta410kit.runner.steps.step_parts", Mock(side_effect=RuntimeError("no luck")))
    run = run_chain(project)
    assert run.outcome is ExitCode.INTERNAL
    assert run.steps[0].message == "RuntimeError: no luck; more in run.log"
    assert "Traceback" in (run.folder / "run.log").read_text()
    assert "no luck" in (run.folder / "report.html").read_text()


def test_a_pruned_run_leaves_its_results_with_those_that_reused_them(project):
    """What has not changed need not run again, though the run that made it is gone."""
    first = run_chain(project)
    second = run_chain(project, {"factor": "5"})
    assert [one.folder for one in prune(project / "runs", project / "logs", keep=1).runs] == [first.folder]
    third = run_chain(project, {"factor": "7"})
    assert executed(third) == ["two"]
    assert third.steps[0].reused == first.folder.name
    assert (second.folder / "one.ipynb").stat().st_ino == (third.folder / "one.ipynb").stat().st_ino


def test_a_run_has_a_log_of_its_own(project):
    """What happened and when, and what the notebooks said on standard error."""
    edit(
        project / "notebooks" / "two.ipynb",
        1,
        "import sys\nfrom pathlib import Path\nprint('something odd', file=sys.stderr)\nfound = factor",
    )
    log = (run_chain(project).folder / "run.log").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in log if "odd" in line] == ["two In [3]: something odd"]
    assert log[-1].endswith("run: ends: PASSED, exit code 0")
    assert sum(": begins" in line for line in log) == 3


def test_a_run_that_is_still_going_on_is_not_resumed(project):
    """Its folder is locked by the process it belongs to."""
    edit(project / "notebooks" / "two.ipynb", 1, "raise KeyError('x')")
    failed = run_chain(project)
    with FileLock(failed.folder / ".lock"), pytest.raises(ConfigurationError, match="is still running"):
        resume_run(project, Options(), Progress())


def test_a_dry_run_says_what_and_why_and_leaves_nothing(project):
    """Each step with its reason."""
    assert explain(plan_chain(project, {}, Options())) == [
        ("one", True, "it has never passed"),
        ("two", True, "after one, if its result changes"),
    ]
    assert not (project / "runs").exists()
    alone = plan_notebook(project / "notebooks" / "one.ipynb", {}, Options())
    assert explain(alone) == [("one", True, "a single notebook always runs")]
    run = run_chain(project)
    since = f"unchanged since {run.folder.name}"
    assert explain(plan_chain(project, {"factor": "7"}, Options())) == [
        ("one", False, since),
        ("two", True, "changed: parameter factor"),
    ]
    assert explain(plan_chain(project, {}, Options(fresh=True)))[0] == ("one", True, "--fresh")
    assert explain(plan_chain(project, {}, Options(first="two")))[1] == ("two", True, "--from two")
    assert len([path for path in (project / "runs").iterdir() if path.is_dir()]) == 1


@pytest.mark.parametrize("content", [b"", b"nonsense" * 1000])
def test_a_broken_index_costs_time_and_nothing_else(project, content):
    """The newest run is found without it; other steps are run again, and the index is made anew."""
    run_chain(project)
    (project / "runs" / "registry.sqlite").write_bytes(content)
    assert executed(run_chain(project)) == []
    assert executed(run_chain(project, last="one")) == ["one"]
    assert executed(run_chain(project)) == ["two"]


def test_steps_that_do_not_need_each_other_run_side_by_side(project, write_notebook):
    """Each waits until the other has begun."""
    for mine, others in (("left", "right"), ("right", "left")):
        write_notebook(
            project / "notebooks" / f"{mine}.ipynb",
            ("run_dir: str | None = None", "parameters"),
            f"from pathlib import Path\nimport time\n(Path(run_dir) / '{mine}').touch()\n"
            f"end = time.monotonic() + 120\n"
            f"while not (Path(run_dir) / '{others}').exists():\n"
            f"    assert time.monotonic() < end\n    time.sleep(0.01)",
        )
    (project / "notebooks" / "pipeline.toml").write_text(
        '[[step]]\nnotebook = "left.ipynb"\n[[step]]\nnotebook = "right.ipynb"\n'
    )
    assert run_chain(project).outcome is ExitCode.PASSED


def test_the_deadline_of_a_run_ends_it(project):
    """The step that runs is stopped, the next one is not begun; the run can be resumed."""
    edit(project / "notebooks" / "one.ipynb", 1, "import time\ntime.sleep(600)")
    run = run_chain(project, deadline=0.5)
    assert run.outcome is ExitCode.TIMED_OUT
    assert run.manifest.not_run == ["two"]


def test_the_manifest_holds_what_is_needed_to_judge_a_run(project):
    """Identity, inputs, versions, host and seed are there, also while it runs."""
    manifest = json.loads((run_chain(project).folder / "manifest.json").read_text())
    assert (manifest["schema"], manifest["seed"], manifest["git"]) == (1, 42, {})
    assert manifest["settings"]["model"]["random_seed"] == 42
    assert manifest["started"].endswith("+00:00")
    assert manifest["host"]["python"] == platform.python_version()
    assert manifest["versions"]["papermill"]
    assert set(manifest["steps"][1]["parts"]) >= {"code", "input number", "settings", "packages", "python"}
    assert manifest["steps"][1]["artifacts"]["double.txt"] == hashlib.sha256(b"4.0").hexdigest()
    assert manifest["steps"][0]["peak_memory"] > 0


def test_without_a_fork_server_ordinary_kernels_run_the_chain(project, monkeypatch):
    """Slower, with a warning; and never reused, for what the steps read was not observed."""
    monkeypatch.setattr("sta410kit.runner.warm.session.connect", Mock(side_effect=OSError("no room")))
    run = run_chain(project)
    assert run.outcome is ExitCode.PASSED
    assert (run.folder / "double.txt").read_text() == "4.0"
    assert run.steps[0].warnings == ["executed in an ordinary kernel, which is slower: no room"]
    assert executed(run_chain(project)) == ["one", "two"]
