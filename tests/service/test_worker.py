"""The worker: each job is executed once, and has a definite end whatever died."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sta410kit import config
from sta410kit.runner import alerts
from sta410kit.runner.alert_channels import Delivery
from sta410kit.service import process as process_module
from sta410kit.service import queue
from sta410kit.service import worker as worker_module
from sta410kit.service.worker import Worker
from tests.conftest import wait_for

pytestmark = pytest.mark.integration
STUB = [sys.executable, str(Path(__file__).with_name("command_line.py"))]
_RESUME = "; as long as there is no newer run, continue with: sta410 run --resume"


class Bench:
    """A registry, a project and workers whose command line runs nothing."""

    def __init__(self, database, url, project):
        self.database, self._url, self.project = database, url, project
        self.workers = []

    def start(self, concurrency=2):
        self.workers.append(Worker(self.database, self.project, concurrency))
        self.workers[-1].start()

    def ask(self, schedule="", **parameters):
        return queue.enqueue(self.database, "run", {"parameters": parameters}, schedule=schedule).id

    def job(self, number):
        return queue.find_job(self.database, number)

    def ended(self, number):
        assert wait_for(lambda: self.job(number).state == "finished")
        return self.job(number)

    def run_of(self, number):
        assert wait_for(lambda: self.job(number).run)

    def execute_and_kill(self, number):
        """Execute a job with a worker in a process of its own, which is killed when the run has begun."""
        code = (
            "import sys; from pathlib import Path; from sta410kit.service import process, worker\n"
            "from sta410kit.service.database import open_database\n"
            "process.COMMAND_LINE = sys.argv[1:]; worker._POLL = 0.05\n"
            "worker.Worker(open_database(Path()), Path(), 1).start()"
        )
        environment = {**os.environ, "DATABASE_URL": self._url}
        with subprocess.Popen([sys.executable, "-c", code, *STUB], cwd=self.project, env=environment) as one:
            self.run_of(number)
            one.kill()

    def started(self):
        """Return the process of each time that the command line was started."""
        return list(map(int, (self.project / "started.txt").read_text().split()))


@pytest.fixture
def bench(database, database_url, tmp_path, monkeypatch):
    """Give a registry with its workers, which are stopped in the end."""
    monkeypatch.setattr(process_module, "COMMAND_LINE", STUB)
    monkeypatch.setattr(worker_module, "_POLL", 0.05)
    monkeypatch.setattr(worker_module, "_CARE", 0.1)
    (tmp_path / "project").mkdir()
    made = Bench(database, database_url, tmp_path / "project")
    yield made
    for one in made.workers:
        one.stop()


def test_jobs_are_executed_as_many_at_once_as_allowed(bench):
    """Each has its run and its outcome, and leaves no file but its run."""
    numbers = [bench.ask(during=0.3) for _ in range(5)]
    bench.start(concurrency=2)
    jobs = [bench.ended(number) for number in numbers]
    assert {job.outcome for job in jobs} == {"PASSED"}
    assert {job.run for job in jobs} == {path.name for path in (bench.project / "runs").glob("2*")}
    moments = [(job.started, 1) for job in jobs] + [(job.finished, -1) for job in jobs]
    running = [sum(step for moment, step in moments if moment <= now) for now, _ in moments]
    assert max(running) == 2
    assert not list((bench.project / "runs" / ".jobs").glob("*-*/lock"))


def test_what_the_command_line_refuses_is_told(bench):
    """The message is that of the command line."""
    bench.start()
    job = bench.ended(bench.ask(wrong=1))
    assert (job.outcome, job.exit_code, job.run) == ("USAGE", 2, "")
    assert job.message == "no parameter 'wrong'"


def test_a_running_job_is_interrupted_when_it_is_cancelled(bench):
    """Its run is known while it runs."""
    bench.start()
    number = bench.ask(during=60)
    bench.run_of(number)
    queue.cancel(bench.database, number, "ann")
    job = bench.ended(number)
    assert (job.outcome, job.exit_code, job.message) == ("INTERRUPTED", 130, "cancelled by ann")


def test_a_run_that_was_killed_is_so_on_record(bench):
    """It began, so it is not begun again."""
    bench.start()
    job = bench.ended(bench.ask(during="die"))
    assert (job.outcome, job.exit_code, job.attempts) == ("KILLED", None, 1)
    assert job.message == f"its process was ended by signal 9{_RESUME}"


def test_a_job_of_which_no_run_begins_is_tried_three_times(bench):
    """Then it is given up."""
    bench.start()
    job = bench.ended(bench.ask(before="die"))
    assert (job.outcome, job.attempts, len(bench.started())) == ("KILLED", 3, 3)


@pytest.mark.parametrize("during", [1.5, 60], ids=["it ends by itself", "it is cancelled"])
def test_a_run_that_outlives_its_service_is_not_started_again(bench, during):
    """The next service recognises it by its lock, waits for its end, and can interrupt it."""
    number = bench.ask(during=during)
    bench.execute_and_kill(number)
    bench.start()
    if during == 60:
        queue.cancel(bench.database, number, "ann")
    job = bench.ended(number)
    assert job.outcome == ("INTERRUPTED" if during == 60 else "PASSED")
    assert (job.attempts, len(bench.started())) == (1, 1)


def test_when_service_and_run_died_the_job_has_an_end(bench):
    """As when the machine was switched off during the run."""
    number = bench.ask(during=60)
    bench.execute_and_kill(number)
    os.kill(bench.started()[0], signal.SIGKILL)
    bench.start()
    job = bench.ended(number)
    assert (job.outcome, len(bench.started())) == ("KILLED", 1)
    assert job.message == f"its process is gone{_RESUME}"


def test_a_job_that_was_claimed_and_not_started_is_executed(bench):
    """Its worker died in between; the next one puts it back into the queue."""
    number = bench.ask()
    queue.claim(bench.database, "dead", process_module.store_id(bench.project / "runs"))
    bench.start()
    job = bench.ended(number)
    assert (job.outcome, job.attempts, len(bench.started())) == ("PASSED", 2, 1)


def test_jobs_of_a_host_that_is_gone_are_given_up(bench, monkeypatch):
    """Whether its runs go on cannot be seen from here: they are not begun again; a lost night is an alert."""
    alerts = []
    monkeypatch.setattr(worker_module, "report_failure", lambda *about: alerts.append(about))
    monkeypatch.setattr(worker_module, "SILENCE", -1.0)
    number = bench.ask(schedule="nightly")
    queue.claim(bench.database, "far", "another store")
    bench.start()
    job = bench.ended(number)
    assert (job.outcome, job.worker) == ("KILLED", "far")
    assert wait_for(lambda: alerts)
    assert alerts == [(bench.project, "nightly", job.message, "KILLED")]


def test_a_worker_that_stops_puts_its_jobs_back(bench):
    """The next service executes them: a restart loses nothing."""
    number = bench.ask(during=5)
    bench.start()
    bench.run_of(number)
    bench.workers[0].stop()
    job = bench.job(number)
    assert (job.state, job.attempts) == ("queued", 0)
    assert list((bench.project / "runs" / ".jobs").iterdir()) == [bench.project / "runs" / ".jobs" / "store"]


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"during": "die"}, "its process was ended by signal 9"),
        ({"before": "die"}, "started 3 times"),
        (None, "nothing was heard of worker far"),
    ],
    ids=["killed", "no run begins", "its host is gone"],
)
def test_a_night_that_was_killed_is_alerted(bench, monkeypatch, parameters, why):
    """Its run could not send the alert; a job of no schedule sends none."""
    monkeypatch.chdir(bench.project)  # logs
    config.set_config(config.Config(night={"alert_urls": "json://127.0.0.1:9"}))
    sent = []
    monkeypatch.setattr(alerts, "deliver", lambda message, _: sent.append(message) or [Delivery("1 (json)")])
    for schedule in ("", "nightly"):
        asked = {"parameters": parameters or {}}
        queue.enqueue(
            bench.database, "run", asked, schedule=schedule, session="2024-11-26" if schedule else ""
        )
        if parameters is None:
            monkeypatch.setattr(worker_module, "SILENCE", -1.0)
            queue.claim(bench.database, "far", "another store")
    bench.start()
    assert wait_for(lambda: sent)
    assert bench.ended(1).outcome == bench.ended(2).outcome == "KILLED"
    assert [one.title for one in sent] == ["nightly failed: KILLED"]
    assert why in sent[0].text
