"""The list of runs, finding one, and pruning: nothing that is still needed is removed."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from filelock import FileLock

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.listing import list_runs, look_at, print_runs
from sta410kit.runner.manifest import Manifest, StepRecord, read_manifest
from sta410kit.runner.prune import print_removal, prune
from sta410kit.runner.registry import Registry
from sta410kit.runner.runs import find_run, is_running

pytestmark = pytest.mark.unit

DAY = 86400.0


@pytest.fixture
def runs(tmp_path):
    """Return the folder of the runs."""
    return tmp_path / "runs"


@pytest.fixture
def make_run(runs):
    """Return a function that writes a run some days old."""

    def make(days, outcome="PASSED", **more):
        began = datetime.now(UTC) - timedelta(days=days)
        folder = runs / f"{began:%Y%m%d-%H%M%S}-aaaa"
        folder.mkdir(parents=True)
        finished = (began + timedelta(seconds=90)).isoformat() if outcome != "RUNNING" else ""
        steps = [StepRecord("one", "PASSED"), StepRecord("two", "PASSED", reused="before")]
        fields = {"started": began.isoformat(), "finished": finished, "outcome": outcome, "steps": steps}
        Manifest(folder.name, **{**fields, **more}).write(folder)
        (folder / "data_docs").mkdir()
        (folder / "data_docs" / "index.html").write_text("x")
        return folder

    return make


def test_a_run_is_listed_with_its_model_verdict_and_score(make_run, runs, capsys):
    """Newest first, with duration, outcome and the number of reused steps."""
    data = {"symbols": ["IBM"], "first": "2012-01-03", "last": "2012-01-04", "rows": 2}
    results = {
        "model": "ridge",
        "verdict": {"verdict": "no skill shown", "sentence": "x"},
        "scores": {"r2_against_naive": -0.0006},
        "data": data,
    }
    make_run(2, kind="notebook", title="/p/x.ipynb", outcome="TIMED_OUT")
    make_run(1, results=results, given={"model": "ridge"})
    newest, oldest = list_runs(runs)
    assert list_runs(runs, 1) == [newest]
    found = newest.to_dict()
    assert (found["kind"], found["seconds"], found["outcome"]) == ("chain", 90.0, "PASSED")
    assert (found["steps"], found["reused"], found["model"]) == (2, 1, "ridge")
    assert (found["verdict"], found["scores"]) == ("no skill shown", {"r2_against_naive": -0.0006})
    assert (found["r2"], found["sharpe"]) == (-0.0006, None)
    assert (found["data"], found["parameters"]) == (data, {"model": "ridge"})
    assert (oldest.kind, oldest.facts["title"], oldest.outcome) == ("notebook", "/p/x.ipynb", "TIMED_OUT")
    print_runs([newest, oldest], runs)
    shown = capsys.readouterr().out.splitlines()
    assert shown[1].split() == [
        newest.run, "chain", f"{newest.started:%Y-%m-%d}", f"{newest.started:%H:%M}", "1", "min", "30", "s",
        "passed", "1", "of", "2", "ridge", "model=ridge", "-0.06", "%", "no", "skill", "shown",
    ]  # fmt: skip
    assert "timed out" in shown[2]
    assert "x.ipynb" in shown[2]


def test_a_run_without_an_end_runs_or_was_killed(make_run, runs):
    """The lock in its folder decides, also before there is a manifest."""
    folder = make_run(1, outcome="RUNNING")
    assert look_at(folder).outcome == "KILLED"
    with FileLock(folder / ".lock"):
        assert is_running(folder)
        assert look_at(folder).outcome == "RUNNING"
    bare = runs / "20260101-000000-bbbb"
    bare.mkdir()
    assert (look_at(bare).kind, look_at(bare).outcome) == ("unknown", "KILLED")
    (bare / "data_docs").mkdir()
    assert (look_at(bare).kind, look_at(bare).outcome) == ("validate", "")


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({"older_than": 30 * DAY}, [1, 20]),
        ({"keep": 1}, [1]),
        ({"keep": 0}, []),
        ({"older_than": 30 * DAY, "keep": 3}, [1, 20, 40]),
        ({"older_than": 10 * DAY, "keep": 1}, [1]),
    ],
)
def test_runs_are_pruned_by_age_and_number(make_run, runs, tmp_path, limits, left):
    """With both limits a run goes if it is old and not among the newest."""
    folders = {days: make_run(days) for days in (1, 20, 40, 60)}
    planned = prune(runs, tmp_path / "logs", **limits, dry_run=True)
    assert all(folder.is_dir() for folder in folders.values())
    done = prune(runs, tmp_path / "logs", **limits)
    assert [one.run for one in done.runs] == [one.run for one in planned.runs]
    assert [days for days, folder in folders.items() if folder.exists()] == left
    assert done.freed > 0 or left == [1, 20, 40, 60]


def test_nothing_is_removed_through_a_symbolic_link(make_run, runs, tmp_path):
    """Neither through a linked folder of runs nor through a linked run."""
    theirs = tmp_path / "theirs"
    folder = make_run(90)
    runs.rename(theirs)
    runs.symlink_to(theirs)
    with pytest.raises(ConfigurationError, match=f"{runs} is a symbolic link to {theirs}"):
        prune(runs, tmp_path, keep=0)
    runs.unlink()
    runs.mkdir()
    (runs / folder.name).symlink_to(theirs / folder.name)
    assert prune(runs, tmp_path, keep=0).runs == []
    assert (theirs / folder.name / "manifest.json").is_file()


def test_a_running_run_stays(make_run, runs, tmp_path):
    """A locked run, and a folder that was created a moment ago."""
    busy, fresh = make_run(90, outcome="RUNNING"), runs / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-cccc"
    fresh.mkdir()
    with FileLock(busy / ".lock"):
        assert prune(runs, tmp_path, keep=0).runs == []
    assert busy.is_dir()
    assert fresh.is_dir()
    assert [one.folder for one in prune(runs, tmp_path, keep=0).runs] == [busy]


def test_a_result_that_a_later_run_has_reused_stays(make_run, runs, tmp_path):
    """It is one file with two hard links, and the index still knows the later one."""
    old, new = make_run(40), make_run(1)
    (old / "prices.parquet").write_text("x" * 5000)
    os.link(old / "prices.parquet", new / "prices.parquet")
    with Registry(runs) as registry:
        for folder in (old, new):
            registry.passed("i", folder.name)
    removal = prune(runs, tmp_path, older_than=30 * DAY)
    assert removal.freed < 5000
    assert (new / "prices.parquet").read_text() == "x" * 5000
    with Registry(runs) as registry:
        assert registry.runs_with("i") == [new.name]


def test_old_logs_and_leftovers_are_removed(make_run, runs, tmp_path, capsys):
    """The daily log files, and what a killed prune or verification left; not what a link leads to."""
    logs = tmp_path / "logs"
    logs.mkdir()
    today = f"{datetime.now(UTC):%Y%m%d}"
    for name in (
        "sta410_20200101.log",
        "sta410_errors_20200101.log.2",
        f"sta410_{today}.log",
        "other_20200101.log",
    ):
        (logs / name).write_text("x")
    make_run(1)
    (runs / ".pruned-x").mkdir()
    (runs / ".verify-x").mkdir()
    (tmp_path / "other").mkdir()
    (runs / ".verify-link").symlink_to(tmp_path / "other")
    removal = prune(runs, logs, older_than=30 * DAY)
    assert sorted(path.name for path in logs.iterdir()) == ["other_20200101.log", f"sta410_{today}.log"]
    assert [path.name for path in runs.glob(".[pv]*")] == [".verify-link"]
    assert (tmp_path / "other").is_dir()
    print_removal(removal, dry_run=False)
    assert "removed 0 runs and 2 log files, 0.0 MiB" in capsys.readouterr().out


def test_a_run_is_found_by_id_prefix_latest_or_path(make_run, runs, tmp_path, monkeypatch):
    old, new = make_run(400), make_run(1)
    monkeypatch.chdir(tmp_path)
    assert find_run(runs, old.name) == old
    assert find_run(runs, old.name[:8]) == old
    assert find_run(runs, "latest") == new
    assert find_run(runs, f"runs/{old.name}") == old
    assert find_run(runs, str(old / "manifest.json")) == old
    with pytest.raises(ConfigurationError, match="'20' matches 2 runs"):
        find_run(runs, "20")
    with pytest.raises(ConfigurationError, match=f"Did you mean '{old.name}'"):
        find_run(runs, f"{old.name[:-1]}b")
    with pytest.raises(ConfigurationError, match="no runs in"):
        find_run(tmp_path / "none", "latest")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: json.dumps({**content, "schema": 2}), r"run schema 2, this version reads 1"),
        (lambda content: json.dumps({**content, "steps": [{"new": 1}]}), "cannot be read as a manifest"),
        (lambda _: "{", "cannot be read as a manifest"),
    ],
)
def test_a_manifest_of_another_schema_or_a_damaged_one_is_refused(make_run, runs, capsys, change, message):
    """The list of runs still has it."""
    folder = make_run(1)
    path = folder / "manifest.json"
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(ConfigurationError, match=message):
        read_manifest(folder)
    assert look_at(folder).outcome == "UNREADABLE"
    print_runs(list_runs(runs), runs)
    assert "unreadable" in capsys.readouterr().out
