"""Leases: one night runs once, whichever process or host is first."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from sta410kit.runner.schedules import Covered, Schedule, due
from sta410kit.service.leases import DatabaseRecord

pytestmark = pytest.mark.integration


def test_only_one_process_holds_a_session(database):
    """Another one may hold another session; what was given back may be taken."""
    one, two = DatabaseRecord(database), DatabaseRecord(database)
    with one.lease("nightly", "2024-11-26") as first, two.lease("nightly", "2024-11-26") as second:
        assert (first, second) == (True, False)
        with two.lease("nightly", "2024-11-27") as other:
            assert other
    with two.lease("nightly", "2024-11-26") as again:
        assert again


def test_a_covered_session_is_never_held_again(database):
    """`due` reads the same record."""
    record = DatabaseRecord(database)
    assert record.covered("nightly") == Covered("", "")
    for session, run in (("2024-11-25", "run-1"), ("2024-11-26", "run-2")):
        with record.lease("nightly", session):
            record.note_passed("nightly", session, run)
    assert record.covered("nightly") == Covered("2024-11-26", "run-2")
    with DatabaseRecord(database).lease("nightly", "2024-11-26") as again:
        assert not again
    moment = datetime(2024, 11, 27, 12, tzinfo=UTC)
    assert due(record, "nightly", Schedule(), moment).reason == "2024-11-26 is done by run run-2"


def test_the_lease_of_a_crashed_holder_expires(database, database_url, tmp_path):
    """A process that is killed in its run leaves a lease that holds for a moment, and then no longer."""
    code = (
        "import time; from pathlib import Path; from sta410kit.service.database import open_database\n"
        "from sta410kit.service.leases import DatabaseRecord\n"
        "with DatabaseRecord(open_database(Path()), 2.0).lease('nightly', '2024-11-26'):\n"
        "    print('held', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "DATABASE_URL": database_url}
    holder = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout.readline() == "held\n"
        time.sleep(2.5)  # longer than the lease: it is renewed
        record = DatabaseRecord(database)
        with record.lease("nightly", "2024-11-26") as early:
            assert not early
        holder.kill()
    deadline = time.monotonic() + 60
    taken = False
    while not taken and time.monotonic() < deadline:
        with record.lease("nightly", "2024-11-26") as taken:
            time.sleep(0.1)
    assert taken


def test_a_holder_that_has_lost_its_lease_is_interrupted(database, monkeypatch, wait_until):
    """Another host may run the night by now."""
    sent = []
    monkeypatch.setattr("sta410kit.service.leases.os.kill", lambda *what: sent.append(what))
    record = DatabaseRecord(database, seconds=0.6)
    with record.lease("nightly", "2024-11-26") as held:
        assert held
        thief = DatabaseRecord(database)
        with database.write() as connection:
            connection.exec_driver_sql("update leases set expires = 0, holder = 'nobody'")
        assert thief._take("nightly", "2024-11-26")
        assert wait_until(lambda: sent)
    assert sent == [(os.getpid(), signal.SIGTERM)]


@pytest.mark.slow
def test_two_processes_that_race_for_a_night_run_it_once(database_url, cheap_project):
    """One passes; the others exit with 12, during its run and after it."""
    (cheap_project / "schedules.toml").write_text("[nightly]\nparameters = { start = 3 }\n")
    command = [sys.executable, "-m", "sta410kit", "run", "--schedule", "nightly"]
    environment = {**os.environ, "DATABASE_URL": database_url}

    def start():
        return subprocess.Popen(
            command, cwd=cheap_project, env=environment, stdout=subprocess.PIPE, text=True
        )

    racing = [start() for _ in range(2)]
    said = [one.communicate()[0] for one in racing]
    assert sorted(one.returncode for one in racing) == [0, 12], said
    with start() as late:
        assert "is done by run" in late.communicate()[0]
    assert late.returncode == 12
    assert len(list((cheap_project / "runs").glob("2*"))) == 1
