"""Service, runner, Redis and PostgreSQL are killed in turn while jobs wait: none is lost, none runs twice."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress

import pytest

from sta410kit.exceptions import DatabaseError
from sta410kit.service import queue
from tests.service.conftest import save

pytestmark = pytest.mark.slow
# Each run notes that it was executed, then takes permits of the rate limit that all machines share.
_ASK = """import time
from sta410kit.config import get_config
from sta410kit.market.resilience.rate_limit import RateLimit
with open('executions.txt', 'a') as file:
    print(number, file=file)
limit = RateLimit('account', 100, 1.0, redis_url=get_config().api.redis_url.get_secret_value())
end = time.monotonic() + 0.5
while time.monotonic() < end:
    limit.acquire()
    time.sleep(0.02)"""


class Served:
    """`sta410 serve` as a process that is killed and started again."""

    def __init__(self, project, **settings):
        self._project, self._environment = project, {**os.environ, **settings}
        self.start()

    def start(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "sta410kit", "serve", "--port", str(port), "--concurrency", "2"]
        with (self._project / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--no-schedules"], cwd=self._project, env=self._environment, stdout=log, stderr=log
            )

    def kill(self, number=signal.SIGKILL):
        self._process.send_signal(number)
        self._process.wait()


def kill_a_runner(project):
    """Kill one process of a job; only its lock names it."""
    for lock in (project / "runs" / ".jobs").glob("*-*/lock"):
        with suppress(OSError, ValueError):
            os.kill(int(lock.read_text()), signal.SIGKILL)
            return


def unfinished(database):
    with suppress(DatabaseError):
        return sum(queue.count_jobs(database)[state] for state in (queue.QUEUED, queue.RUNNING))
    return -1


def test_kills_lose_no_job_and_run_none_twice(  # noqa: PLR0913, PLR0917 - what is killed
    database_url, database, cheap_project, redis, request, nightly
):
    """Ten jobs and six kills; in the nightly tests fifty jobs, and kills to their end."""
    number = 50 if nightly else 10
    save(cheap_project / "notebooks" / "ask.ipynb", "number: int = 0", _ASK)
    for each in range(number):
        asked = {"notebook": "notebooks/ask.ipynb", "parameters": {"number": each}}
        queue.enqueue(database, "run", asked)
    settings = {"DATABASE_URL": database_url, "REDIS_URL": redis.url}
    served = Served(cheap_project, **settings, XDG_CACHE_HOME=str(cheap_project / "cache"))
    victims = ["service", "runner", "redis"]
    if database_url.startswith("postgresql"):
        victims.append("database")
        server = request.getfixturevalue("_postgresql")
    kills = Counter()
    try:
        for victim in itertools.cycle(victims):
            earliest, before = time.monotonic() + 3, unfinished(database)
            # A job ends between two kills, else a machine that starts the service slowly would never be done.
            while (left := unfinished(database)) and (left in {before, -1} or time.monotonic() < earliest):
                assert time.monotonic() < earliest + 600
                time.sleep(0.1)
            if not left or (not nightly and kills.total() == 6):
                break
            kills[victim] += 1
            if victim == "service":
                served.kill()
                served.start()
            elif victim == "runner":
                kill_a_runner(cheap_project)
            elif victim == "redis":
                redis.kill()
                time.sleep(1)  # in which runs count for their machine alone
                redis.start()
            else:
                server.kill()
                server.start()
        deadline = time.monotonic() + 600
        while unfinished(database) and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        served.kill(signal.SIGTERM)
    jobs = queue.list_jobs(database)
    found = Counter(job.outcome for job in jobs)
    assert len(jobs) == number
    assert {job.state for job in jobs} == {"finished"}
    assert set(found) <= {"PASSED", "KILLED"}, found
    executed = Counter(map(int, (cheap_project / "notebooks" / "executions.txt").read_text().split()))
    assert max(executed.values()) == 1
    assert redis.counts()
    passed = {job.request["parameters"]["number"] for job in jobs if job.outcome == "PASSED"}
    assert passed <= set(executed)
    sys.stdout.write(f"{number} jobs, kills {dict(kills)}, outcomes {dict(found)}\n")
