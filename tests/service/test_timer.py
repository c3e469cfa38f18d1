"""The timer: schedules.toml through the queue, as `sta410 due` answers."""

import os
from datetime import UTC, datetime

import pytest

from sta410kit import config
from sta410kit.runner import alerts
from sta410kit.runner.alert_channels import Delivery
from sta410kit.runner.schedules import FileRecord
from sta410kit.service import queue
from sta410kit.service import timer as timer_module
from sta410kit.service.leases import DatabaseRecord
from sta410kit.service.timer import Timer

pytestmark = pytest.mark.integration
CLOSED = datetime(2024, 11, 26, 21, 30, tzinfo=UTC)  # New York has closed half an hour before


@pytest.fixture
def declare(tmp_path):
    """Give the function that writes schedules.toml, each time with another stamp."""
    path, stamps = tmp_path / "schedules.toml", iter(range(1, 100))

    def write(text):
        path.write_text(text, encoding="utf-8")
        os.utime(path, (next(stamps),) * 2)

    return write


def asked(database, timer, moment):
    """Ask, and name schedule and session of each queued job."""
    timer.ask(moment)
    return [(job.schedule, job.session) for job in queue.list_jobs(database, [queue.QUEUED])]


def test_a_session_is_queued_once_it_has_closed(database, tmp_path, declare):
    """Until then, and while its job waits, nothing is added; a restarted timer catches up."""
    declare("[nightly]\nmax_age = '20h'\n")
    timer = Timer(database, tmp_path)
    assert (
        asked(database, timer, datetime(2024, 11, 25, 17, 31, tzinfo=UTC)) == []
    )  # that of the 22nd is missed
    assert asked(database, timer, CLOSED) == [("nightly", "2024-11-26")]
    assert asked(database, Timer(database, tmp_path), CLOSED) == [("nightly", "2024-11-26")]


def test_a_run_that_did_not_pass_is_tried_again_later(database, tmp_path, declare, monkeypatch):
    """A passed one is not, by the record that `sta410 run --schedule` keeps."""
    declare("[nightly]\n")
    timer = Timer(database, tmp_path)
    timer.ask(CLOSED)
    queue.finish(database, queue.claim(database, "one", "store"), queue.Ending("NOTEBOOK_FAILED", 4))
    assert asked(database, timer, CLOSED) == []
    monkeypatch.setattr(timer_module, "RETRY", -1.0)
    assert asked(database, timer, CLOSED) == [("nightly", "2024-11-26")]
    queue.finish(database, queue.claim(database, "one", "store"), queue.Ending("PASSED", 0))
    DatabaseRecord(database).note_passed("nightly", "2024-11-26", "run-1")
    assert asked(database, timer, CLOSED) == []


def test_without_a_database_url_the_record_is_that_of_cron(opened, tmp_path, declare):
    """A night that cron has run is not run by the service."""
    declare("[nightly]\n")
    database = opened("")
    FileRecord(tmp_path).note_passed("nightly", "2024-11-26", "run-1")
    assert asked(database, Timer(database, tmp_path), CLOSED) == []


def test_declarations_are_read_again_when_they_change(database, tmp_path, declare):
    """A broken file leaves them as they were, a missing one leaves none."""
    timer = Timer(database, tmp_path)
    assert asked(database, timer, CLOSED) == []
    declare("[new_york]\n")
    assert asked(database, timer, CLOSED) == [("new_york", "2024-11-26")]
    declare("[new_york")
    queue.cancel(database, 1, "ann")
    assert asked(database, timer, datetime(2024, 11, 27, 22, tzinfo=UTC)) == [("new_york", "2024-11-27")]
    declare("[new_york]\n[tokyo]\nexchange = 'XTKS'\n")
    found = asked(database, timer, datetime(2024, 11, 27, 22, tzinfo=UTC))
    assert found == [("tokyo", "2024-11-27"), ("new_york", "2024-11-27")]
    (tmp_path / "schedules.toml").unlink()
    queue.cancel(database, 2, "ann")
    assert asked(database, timer, datetime(2024, 11, 29, 22, tzinfo=UTC)) == [("tokyo", "2024-11-27")]


def test_it_asks_by_itself(database, tmp_path, declare, wait_until):
    """The first time at once."""
    declare("[nightly]\n")
    timer = Timer(database, tmp_path)
    timer.start()
    try:
        assert wait_until(lambda: queue.list_jobs(database))
    finally:
        timer.stop()


def test_a_missed_session_is_alerted_once(database, tmp_path, declare, monkeypatch):
    """With its reason; the next one is another message."""
    monkeypatch.chdir(tmp_path)  # logs
    config.set_config(config.Config(night={"alert_urls": "json://127.0.0.1:9"}))
    sent = []
    monkeypatch.setattr(alerts, "deliver", lambda message, _: sent.append(message) or [Delivery("1 (json)")])
    declare("[nightly]\nmax_age = '1h'\n")
    timer = Timer(database, tmp_path)
    for moment in ("2024-11-26 23:30", "2024-11-26 23:31", "2024-11-27 23:30"):
        assert asked(database, timer, datetime.fromisoformat(f"{moment}+00:00")) == []
    assert [one.title for one in sent] == ["nightly missed 2024-11-26", "nightly missed 2024-11-27"]
