"""The deployment checklist: each item of it fails by itself, and all of it holds together."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from sta410kit.config import set_config
from sta410kit.runner import deployment
from sta410kit.runner.backup import backup
from sta410kit.runner.doctor import FAILED, OK, examine
from tests.market.broker_server import BrokerServer

pytestmark = pytest.mark.integration

SCHEDULE = """[nightly]
parameters = { source = "alpaca", symbols = "AAPL" }
"""
DOCKER = """#!/bin/sh
[ -f {built} ] || {{ echo "Error: No such image: sta410kit" >&2; exit 1; }}
echo 2100-01-01T00:00:00.123456789Z
"""


@pytest.fixture
def broker():
    """Start a broker that takes the credentials."""
    with BrokerServer() as server:
        yield server


@pytest.fixture
def project(tmp_path, monkeypatch, broker):
    """Make a project with everything a deployment needs, the current folder."""
    folder = tmp_path / "project"
    for name in ("notebooks", "tests", "runs/20260105-210000-aaaaa", "bin"):
        (folder / name).mkdir(parents=True)
    for name in ("notebooks/pipeline.toml", "tests/test_a.py", "Dockerfile", "bin/built", "night.prom"):
        (folder / name).touch()
    (folder / "runs/20260105-210000-aaaaa/manifest.json").write_text("{}")
    (folder / "schedules.toml").write_text(SCHEDULE)
    (folder / "bin/docker").write_text(DOCKER.format(built=folder / "bin/built"))
    (folder / "bin/docker").chmod(0o755)
    leave_tests(folder, failed={})
    settings = {
        **broker.settings, "ENVIRONMENT": "production", "LOG_LEVEL": "WARNING", "REQUEST_RETRIES": "0",
        "METRICS_TEXTFILE": "night.prom", "ALERT_URLS": "json://127.0.0.1:9",
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(deployment, "_IN_CONTAINER", ())
    monkeypatch.chdir(folder)
    backup(folder, str(tmp_path / "backups"))
    return folder


def leave_tests(folder, *, failed):
    """Leave what pytest leaves."""
    cache = folder / ".pytest_cache/v/cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "nodeids").write_text(json.dumps(["tests/test_a.py::test_a"]))
    (cache / "lastfailed").write_text(json.dumps(failed))


def states(*names):
    """Return the state of each deployment check, or of the named ones."""
    set_config(None)
    own = [one for one in deployment.checks() if not one.__name__.startswith("_")]
    found = {one.subject: one for one in examine(own)}
    return [found[name] for name in names] if names else {name: one.state for name, one in found.items()}


def test_all_of_it_holds(project):
    """Ten items beside those of the installation, each ok."""
    assert project == Path.cwd()
    names = "environment secrets authentication trading schedules tests image alerts monitoring backup"
    assert states() == dict.fromkeys(names.split(), OK)


@pytest.mark.usefixtures("project")
def test_each_item_fails_by_itself(monkeypatch, broker):
    """What is missing is one failed line with the next command."""
    later = time.time() + 60
    breaks = {
        "environment": lambda: monkeypatch.setenv("ENVIRONMENT", "staging"),
        "secrets": lambda: monkeypatch.setenv("ALPACA_API_KEY", ""),
        "authentication": lambda: broker.account.update(account_blocked=True),
        "schedules": lambda: shutil.move("schedules.toml", "other.toml"),
        "tests": lambda: os.utime("tests/test_a.py", (later, later)),
        "image": lambda: Path("bin/built").unlink(),
        "alerts": lambda: monkeypatch.setenv("ALERT_URLS", ""),
        "monitoring": lambda: Path("night.prom").unlink(),
        "backup": lambda: Path("runs/.backup.json").unlink(),
    }
    for name, destroy in breaks.items():
        destroy()
        (found,) = states(name)
        assert (name, found.state) == (name, FAILED), found
        assert found.advice
    assert {name for name, state in states().items() if state == OK} == {"trading"}


def test_failed_tests_and_a_changed_dockerfile_are_named(project):
    """The first failed test, and the file that is newer than the image."""
    leave_tests(project, failed={"tests/test_a.py::test_a": True})
    os.utime("Dockerfile", (2**31, 2**31))
    failed, image = states("tests", "image")
    assert failed.text == "1 test failed at the last run, the first tests/test_a.py::test_a"
    assert (image.state, image.text) == (OK, "sta410kit, built 2100-01-01 00:00 UTC")
    os.utime("Dockerfile", (2**32, 2**32))
    assert states("image")[0].text == "Dockerfile was changed since it was built"


def test_schedules_of_files_need_no_broker_but_data_that_pass_the_gate(project, monkeypatch):
    """Without Alpaca in them, credentials are not needed; the price file is loaded and judged."""
    monkeypatch.setenv("ALPACA_API_KEY", "")
    (project / "schedules.toml").write_text(
        '[nightly]\nparameters = { source = "files", path = "prices.csv" }\n'
    )
    assert [one.state for one in states("secrets", "authentication", "schedules")] == [OK, OK, FAILED]
    (project / "prices.csv").write_text(
        "date,open,high,low,close,adj_close,volume\n"
        + "".join(f"2024-01-{day:02},1,2,1,-1,1,5\n" for day in (2, 3, 4))
    )
    assert states("schedules")[0].advice == "sta410 triage prices.csv"


def test_an_old_backup_does_not_count(project):
    """Four days are a long weekend; the advice repeats the command."""
    last = json.loads(Path("runs/.backup.json").read_text())
    Path("runs/.backup.json").write_text(json.dumps({**last, "snapshot": "20250101T000000000000Z-abc"}))
    (found,) = states("backup")
    assert found.text.startswith("the newest is of 2025-01-01 00:00 UTC to ")
    assert found.advice == f"sta410 backup {project.parent / 'backups'}"


@pytest.mark.slow
def test_warnings_count_in_production(project, typed, monkeypatch):
    """The command prints every item and ends with 2 for one warning, without running the project's code."""
    (project / "tests/test_a.py").write_text("raise SystemExit('executed')")
    leave_tests(project, failed={})
    monkeypatch.setenv("LOG_LEVEL", "INFO")
    set_config(None)
    done = typed("doctor", "--environment", "production", cwd=project)
    assert done.returncode == 2
    assert "warning  configuration" in done.stdout
    assert "ok       authentication" in done.stdout
