"""Sweeps: every combination in a folder of its own, one table, and nothing done twice."""

import json
import signal
import subprocess
import sys

import pandas as pd
import pytest
from filelock import FileLock

from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.identity import differences
from sta410kit.runner.manifest import StepRecord, read_manifest
from sta410kit.runner.sweeps import results
from sta410kit.runner.sweeps import sweep as sweeps
from sta410kit.runner.sweeps.plan import SweepOptions, plan_sweep
from sta410kit.runner.sweeps.sweep import read_units, resume_sweep, run_sweep, unfinished_sweep
from sta410kit.runner.warm.client import ServerUnavailableError

pytestmark = pytest.mark.integration

PARAMETERS = ("n: int = 1\nlabel: str = 'x'\nrun_dir: str | None = None", "parameters")
CELLS = (
    "from pathlib import Path\nfrom sta410kit.steps import record",
    "record('half', n / 2)\nrecord('name', label)\n(Path(run_dir) / 'n.txt').write_text(str(n))",
)


def ignore(_):
    """Take a record and do nothing."""


@pytest.fixture
def notebook(tmp_path, write_notebook):
    """Write a notebook that records two values and leaves a file."""
    return write_notebook(tmp_path / "x.ipynb", PARAMETERS, *CELLS)


def picky(path, write_notebook, condition):
    """Write a notebook that fails when a condition does not hold."""
    return write_notebook(path, PARAMETERS, f"assert {condition}, (n, label, run_dir)", *CELLS)


def test_every_combination_comes_to_a_row(notebook):
    """Parameters, recorded values, ending; executed notebook and file of each lie in its folder."""
    heard = []
    plan = plan_sweep(notebook, {"n": ["1", "2"], "label": ["a", "b"]}, {})
    done = run_sweep(plan, SweepOptions(workers=2), heard.append)
    assert done.outcome is ExitCode.PASSED
    assert sorted(record.name for record in heard) == ["0001", "0002", "0003", "0004"]
    table = pd.read_parquet(done.folder / "results.parquet")
    assert table[["unit", "n", "label", "half", "name", "outcome"]].to_numpy().tolist() == [
        ["0001", 1, "a", 0.5, "a", "PASSED"],
        ["0002", 1, "b", 0.5, "b", "PASSED"],
        ["0003", 2, "a", 1.0, "a", "PASSED"],
        ["0004", 2, "b", 1.0, "b", "PASSED"],
    ]
    assert (table["seconds"] > 0).all()
    assert (table["peak_mib"] > 10).all()
    assert (done.folder / "units" / "0003" / "n.txt").read_text() == "2"
    assert '"# Parameters\\n"' in (done.folder / table["notebook"][2]).read_text()
    page = (done.folder / "report.html").read_text()
    assert "half over n" in page
    assert "<svg" in page
    manifest = read_manifest(done.folder)
    assert (manifest.kind, manifest.outcome, manifest.exit_code) == ("sweep", "PASSED", 0)
    assert manifest.given == {"n": "1,2", "label": "a,b"}
    assert manifest.parameters["0004"] == {"n": 2, "label": "b"}
    assert [list(step.artifacts) for step in manifest.steps] == [["n.txt"]] * 4
    assert manifest.not_run == []
    assert manifest.settings["model"]["random_seed"] == manifest.seed == 42
    assert unfinished_sweep(notebook, None, {}, {}) is None


def test_files_of_parameters_are_on_record_by_their_content(tmp_path, write_notebook):
    """A file, a list of files and a folder; a comparison of two sweeps names those that changed."""
    source = (
        "from pathlib import Path\none: Path | None = None\nmore: list[Path] = []\nall: Path | None = None"
    )
    notebook = write_notebook(tmp_path / "x.ipynb", (source, "parameters"), "one, more, all")
    data = tmp_path / "data"
    data.mkdir()

    def parts(content):
        (data / "in.csv").write_text(content)
        grid = {"one": [f"{data}/in.csv"], "more": [f"{data}/in.csv"], "all": [str(data)]}
        return run_sweep(plan_sweep(notebook, grid, {}), SweepOptions(), ignore).manifest.steps[0].parts

    assert differences(parts("a"), parts("bc")) == ["file one", "file more", "file all"]


def test_what_failed_is_listed_and_runs_again_alone(tmp_path, write_notebook):
    """After the notebook was mended; what has passed stays as it was."""
    notebook = picky(tmp_path / "x.ipynb", write_notebook, "n != 2")
    grid = {"n": ["1", "2", "3"]}
    first = run_sweep(plan_sweep(notebook, grid, {"label": "z"}), SweepOptions(), ignore)
    assert first.outcome is ExitCode.NOTEBOOK_FAILED
    assert [step.outcome for step in first.manifest.steps] == ["PASSED", "NOTEBOOK_FAILED", "PASSED"]
    assert "AssertionError: (2, 'z'" in first.manifest.steps[1].message
    assert "What failed" in (first.folder / "report.html").read_text()
    before = (first.folder / "units" / "0001" / "x.ipynb").stat().st_mtime_ns
    picky(notebook, write_notebook, "True")
    assert unfinished_sweep(notebook, tmp_path / "y.ipynb", {}, {}) is None
    assert unfinished_sweep(notebook, notebook, {"n": ["1"]}, {}) is None
    found = unfinished_sweep(notebook, notebook, grid, {"label": "z"})
    heard = []
    again = resume_sweep(found, SweepOptions(), heard.append)
    assert again.folder == first.folder
    assert again.outcome is ExitCode.PASSED
    assert [record.name for record in heard] == ["0002"]
    assert (first.folder / "units" / "0001" / "x.ipynb").stat().st_mtime_ns == before
    assert again.notes == ["kept: 2 units that passed with an earlier version of the notebook"]
    assert pd.read_parquet(first.folder / "results.parquet")["half"].tolist() == [0.5, 1.0, 1.5]


def test_a_sweep_that_still_runs_is_not_resumed(tmp_path, write_notebook):
    """Two processes do not work in one folder."""
    notebook = picky(tmp_path / "x.ipynb", write_notebook, "False")
    done = run_sweep(plan_sweep(notebook, {"n": ["1"]}, {}), SweepOptions(), ignore)
    found = unfinished_sweep(notebook, None, {}, {})
    with FileLock(done.folder / ".lock"), pytest.raises(ConfigurationError, match="is still running"):
        resume_sweep(found, SweepOptions(), ignore)


@pytest.mark.parametrize(
    ("options", "source", "ending"),
    [
        (SweepOptions(timeout=0.5), "import time\ntime.sleep(600 + n)", (ExitCode.TIMED_OUT, 2)),
        (SweepOptions(memory=2**20), "n", (ExitCode.OUT_OF_MEMORY, 2)),
        (SweepOptions(deadline=0.01, workers=1), "n", (ExitCode.TIMED_OUT, 1)),
    ],
)
def test_limits_end_units_with_their_own_code(tmp_path, write_notebook, options, source, ending):
    """All that failed met the same limit; after the deadline nothing begins any more."""
    notebook = write_notebook(tmp_path / "x.ipynb", PARAMETERS, source)
    done = run_sweep(plan_sweep(notebook, {"n": ["1", "2"]}, {}), options, ignore)
    outcome, units = ending
    assert done.outcome is outcome
    assert sum(step.outcome == outcome.name for step in done.manifest.steps) == units


def step(name, outcome):
    """Return a record with that ending."""
    return StepRecord(name, outcome)


@pytest.mark.parametrize(
    ("outcomes", "interrupted", "late", "ending"),
    [
        (["PASSED"], False, False, ExitCode.PASSED),
        (["PASSED", "DATA_REJECTED"], False, False, ExitCode.NOTEBOOK_FAILED),
        (["TIMED_OUT", "PASSED"], False, False, ExitCode.TIMED_OUT),
        (["TIMED_OUT", "NOTEBOOK_FAILED"], False, False, ExitCode.NOTEBOOK_FAILED),
        (["OUT_OF_MEMORY"], False, False, ExitCode.OUT_OF_MEMORY),
        (["INTERNAL", "NOTEBOOK_FAILED"], False, False, ExitCode.INTERNAL),
        (["NOTEBOOK_FAILED"], False, True, ExitCode.TIMED_OUT),
        (["NOTEBOOK_FAILED"], True, False, ExitCode.INTERRUPTED),
    ],
)
def test_the_whole_has_one_ending(outcomes, interrupted, late, ending):
    """Part of a sweep failed: always 4; only limits and defects keep their own code."""
    steps = [step(str(place), outcome) for place, outcome in enumerate(outcomes)]
    assert sweeps._outcome(steps, interrupted=interrupted, late=late) is ending


@pytest.mark.parametrize(
    ("grid", "fixed", "complaint"),
    [
        ({"m": ["1"]}, {}, "does not declare a parameter 'm'"),
        ({"n": ["1", "x"]}, {}, "valid integer"),
        ({"n": ["1"]}, {"lable": "x"}, "Did you mean 'label'"),
        ({"run_dir": ["here"]}, {}, "'run_dir' is set by the sweep"),
        ({"n": ["1"]}, {"run_dir": "here"}, "'run_dir' is set by the sweep"),
    ],
)
def test_wrong_parameters_are_refused_before_anything_runs(notebook, grid, fixed, complaint):
    """Nothing is left behind."""
    with pytest.raises(ConfigurationError, match=complaint):
        plan_sweep(notebook, grid, fixed)
    assert not (notebook.parent / "runs").exists()


def test_without_a_fork_server_ordinary_kernels_do_it(notebook, monkeypatch):
    """The result is the same, and each unit says why it was slow."""

    def refuse(*_args, **_how):
        message = "none today"
        raise ServerUnavailableError(message)

    monkeypatch.setattr("sta410kit.runner.warm.session.connect", refuse)
    monkeypatch.setattr("sta410kit.runner.child.connect", refuse)
    done = run_sweep(plan_sweep(notebook, {"n": ["4"]}, {}), SweepOptions(), ignore)
    assert done.outcome is ExitCode.PASSED
    assert done.recorded == {"0001": {"half": 2.0, "name": "x"}}
    assert pd.read_parquet(done.folder / "results.parquet")["half"].tolist() == [2.0]
    assert done.manifest.steps[0].warnings == ["executed in an ordinary kernel, which is slower: none today"]


def command(notebook, *words):
    """Start the command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "sta410kit", "sweep", *map(str, words)],
        cwd=notebook.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)]
)
def test_an_end_at_any_moment_loses_nothing(tmp_path, write_notebook, wait_until, number, code):
    """Ctrl-C leaves a sweep that can be resumed, and so does a kill."""
    wait = "import time\nwhile n > 2 and not Path('go').exists():\n    time.sleep(0.02)"
    notebook = write_notebook(tmp_path / "x.ipynb", PARAMETERS, *CELLS, wait)
    started = command(notebook, notebook, "-g", "n=1,2,3,4,5", "--workers", "1")
    assert wait_until(lambda: list(tmp_path.glob("runs/*/units/0003/n.txt")))
    started.send_signal(number)
    out, err = started.communicate(timeout=300)
    assert started.returncode == code, out + err
    (folder,) = (path for path in (tmp_path / "runs").iterdir() if path.is_dir())
    assert [unit.name for unit in read_units(folder)] == ["0001", "0002"]
    if number != signal.SIGKILL:
        assert read_manifest(folder).outcome == "INTERRUPTED"
        assert "3 of 5 units are not done" in err
    (tmp_path / "go").touch()
    kept = (folder / "units" / "0001" / "unit.json").read_text()
    again = command(notebook, "--resume", "--json")
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, out + err
    assert [one["outcome"] for one in json.loads(out)["steps"]] == ["PASSED"] * 5
    assert (folder / "units" / "0001" / "unit.json").read_text() == kept
    third = command(notebook, "--resume")
    out, _ = third.communicate(timeout=300)
    assert (third.returncode, out) == (
        0, "nothing to resume: the newest sweep has passed, or there is none\n",
    )  # fmt: skip


def test_names_that_are_taken_get_another_column():
    """A recorded value does not replace a parameter or how the unit ended."""
    table = {"unit": ["0001"], "n": [1]}
    assert results.recorded_column("n", table) == "recorded.n"
    assert results.recorded_column("seconds", table) == "recorded.seconds"
    assert results.recorded_column("score", table) == "score"


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ([1, None, 3], [1, None, 3]),
        ([1, 2.5], [1.0, 2.5]),
        ([True, None], [True, None]),
        (["a", None], ["a", None]),
        ([1, "a"], ["1", '"a"']),
        ([[1], {"a": 1}], ["[1]", '{"a": 1}']),
        ([True, 1], ["true", "1"]),
        ([2**70], ["1180591620717411303424"]),
        ([None], [None]),
    ],
)
def test_a_column_has_one_type(values, column):
    """Numbers stay numbers where all are; what does not fit together becomes JSON."""
    assert results._uniform(values) == column
