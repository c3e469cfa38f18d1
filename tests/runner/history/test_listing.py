"""The list of runs, finding one, and pruning: nothing that still counts is ever removed."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from filelock import FileLock

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.history.listing import facts_of, list_runs, prune
from sta410kit.runner.history.tables import print_removal, print_runs, spoken_seconds
from sta410kit.runner.manifest import Manifest, StepRecord, read_manifest
from sta410kit.runner.registry import Registry
from sta410kit.runner.runs import find_run, is_running

pytestmark = pytest.mark.unit

DAY = 86400.0


@pytest.fixture
def runs(tmp_path):
    """Give the folder of the runs."""
    return tmp_path / "runs"


@pytest.fixture
def make_run(runs):
    """Give the function that makes a run some days old."""

    def make(days, outcome="PASSED", tail="aaaa", **more):
        began = datetime.now(UTC) - timedelta(days=days)
        folder = runs / f"{began:%Y%m%d-%H%M%S}-{tail}"
        folder.mkdir(parents=True)
        finished = (began + timedelta(seconds=90)).isoformat() if outcome != "RUNNING" else ""
        steps = [StepRecord("one", "PASSED"), StepRecord("two", "PASSED", reused="before")]
        fields = {"started": began.isoformat(), "finished": finished, "outcome": outcome, "steps": steps}
        Manifest(folder.name, **{**fields, **more}).write(folder)
        (folder / "data_docs").mkdir()
        (folder / "data_docs" / "index.html").write_text("x")
        return folder

    return make


def test_a_run_is_told_in_a_line(make_run, runs, capsys):
    """Newest first, with its duration, outcome and what was taken over."""
    make_run(2, kind="notebook", title="/p/x.ipynb", outcome="TIMED_OUT")
    make_run(1)
    newest, oldest = list_runs(runs)
    assert (newest.kind, newest.seconds, newest.outcome, newest.steps, newest.reused) == (
        "chain",
        90.0,
        "PASSED",
        2,
        1,
    )
    assert (oldest.kind, oldest.title, oldest.outcome) == ("notebook", "/p/x.ipynb", "TIMED_OUT")
    assert list_runs(runs, 1) == [newest]
    print_runs([newest, oldest], runs)
    shown = capsys.readouterr().out.splitlines()
    assert shown[1].split() == [newest.run, "chain", f"{newest.started:%Y-%m-%d}", f"{newest.started:%H:%M}",
                                "1", "min", "30", "s", "passed", "2", "1"]  # fmt: skip
    assert "timed out" in shown[2]
    assert shown[2].rstrip().endswith("x.ipynb")


def test_no_runs_are_said_to_be_none(runs, capsys):
    """With what makes one, in a project and outside any."""
    print_runs(list_runs(runs), runs)
    assert "sta410 run NOTEBOOK" in capsys.readouterr().out
    (runs.parent / "notebooks").mkdir()
    (runs.parent / "notebooks" / "pipeline.toml").touch()
    print_runs(list_runs(runs), runs)
    assert "`sta410 run` makes one" in capsys.readouterr().out


def test_a_run_without_an_end_runs_or_was_killed(make_run, runs):
    """The lock in its folder tells, also before there is a manifest."""
    folder = make_run(1, outcome="RUNNING")
    assert facts_of(folder).outcome == "KILLED"
    with FileLock(folder / ".lock"):
        assert is_running(folder)
        assert facts_of(folder).outcome == "RUNNING"
    bare = runs / "20260101-000000-bbbb"
    bare.mkdir()
    assert (facts_of(bare).kind, facts_of(bare).outcome) == ("unknown", "KILLED")
    (bare / "data_docs").mkdir()
    assert (facts_of(bare).kind, facts_of(bare).outcome) == ("validate", "")


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
def test_pruning_is_by_age_and_number(make_run, runs, tmp_path, limits, left):
    """With both a run goes when it is old and not among the newest."""
    folders = {days: make_run(days) for days in (1, 20, 40, 60)}
    said = prune(runs, tmp_path / "logs", **limits, dry_run=True)
    assert all(folder.is_dir() for folder in folders.values())
    done = prune(runs, tmp_path / "logs", **limits)
    assert [one.run for one in done.runs] == [one.run for one in said.runs]
    assert [days for days, folder in folders.items() if folder.exists()] == left
    assert done.freed > 0 or left == [1, 20, 40, 60]


def test_what_is_old_must_be_said(runs, tmp_path):
    """Nothing is removed by default."""
    with pytest.raises(ConfigurationError, match="--older-than, such as 30d"):
        prune(runs, tmp_path)


def test_what_is_at_work_stays(make_run, runs, tmp_path):
    """A run that is locked, and a folder that has just been made."""
    busy, fresh = make_run(90, outcome="RUNNING"), runs / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-cccc"
    fresh.mkdir()
    with FileLock(busy / ".lock"):
        assert prune(runs, tmp_path, keep=0).runs == []
    assert busy.is_dir()
    assert fresh.is_dir()
    assert [one.folder for one in prune(runs, tmp_path, keep=0).runs] == [busy]


def test_a_result_that_a_later_run_has_taken_over_stays_whole(make_run, runs, tmp_path):
    """It is one file with two names; the index is told of the later one."""
    old, new = make_run(40), make_run(1)
    (old / "prices.parquet").write_text("x" * 5000)
    os.link(old / "prices.parquet", new / "prices.parquet")
    with Registry(runs) as registry:
        for folder in (old, new):
            registry.passed("i", "one", folder.name, {})
    removal = prune(runs, tmp_path, older_than=30 * DAY)
    assert removal.freed < 5000
    assert (new / "prices.parquet").read_text() == "x" * 5000
    with Registry(runs) as registry:
        assert registry.runs_with("i") == [new.name]


def test_old_logs_and_leftovers_go_too(make_run, runs, tmp_path, capsys):
    """The kit's own daily files, and what a prune or a verification that was killed has left."""
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
    removal = prune(runs, logs, older_than=30 * DAY)
    assert sorted(path.name for path in logs.iterdir()) == ["other_20200101.log", f"sta410_{today}.log"]
    assert not list(runs.glob(".[pv]*"))
    print_removal(removal, dry_run=False)
    assert "removed 0 runs and 2 log files, 0.0 MiB" in capsys.readouterr().out


def test_a_run_is_found_by_what_people_type(make_run, runs, tmp_path, monkeypatch):
    """Its id, the beginning of it, `latest`, or a path."""
    old, new = make_run(400), make_run(1)
    monkeypatch.chdir(tmp_path)
    assert find_run(runs, old.name) == old
    assert find_run(runs, old.name[:8]) == old
    assert find_run(runs, "latest") == new
    assert find_run(runs, f"runs/{old.name}") == old
    assert find_run(runs, str(old / "manifest.json")) == old
    with pytest.raises(ConfigurationError, match="is the beginning of 2 runs"):
        find_run(runs, "20")
    with pytest.raises(ConfigurationError, match=f"Did you mean '{old.name}'"):
        find_run(runs, f"{old.name[:-1]}b")
    with pytest.raises(ConfigurationError, match="no runs in"):
        find_run(tmp_path / "none", "latest")


def test_a_manifest_of_a_later_version_can_be_read(make_run):
    """What this version does not know of is left out; what is broken is said to be."""
    folder = make_run(1)
    content = json.loads((folder / "manifest.json").read_text())
    content["new"] = content["steps"][0]["new"] = 1
    (folder / "manifest.json").write_text(json.dumps(content))
    assert [step.name for step in read_manifest(folder).steps] == ["one", "two"]
    (folder / "manifest.json").write_text("{")
    with pytest.raises(ConfigurationError, match="is not a manifest"):
        read_manifest(folder)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (1.24, "1.2 s"), (75, "1 min 15 s"), (7325, "2 h 02 min")]
)
def test_durations_are_for_readers(seconds, text):
    """Seconds, minutes, hours."""
    assert spoken_seconds(seconds) == text
