"""Eight processes of one account, judged at the server: 200 requests in a window, 190 used.

The window of a minute is scaled to two seconds.
"""

import subprocess
import sys
import time
from collections import Counter

import pytest

from tests.market.alpaca_server import AlpacaServer

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.usefixtures("_shared_state")]

SECONDS, PROCESSES = 2.0, 8
FAULTS = ("500", "reset", "502", "truncated", ("429", {"Retry-After": "0"}))


@pytest.fixture
def server(nightly, monkeypatch):
    """Serve a bar of 300 symbols, 10,000 in the nightly form; refuse a request that is one too many."""
    names = [f"S{number}" for number in range(10_000 if nightly else 300)]
    bars = {name: [("2024-01-02T05:00:00Z", 1, 1, 1, 1, 1)] for name in names}
    with AlpacaServer(bars, limit=(200, SECONDS)) as one:
        for name, value in one.settings.items():
            monkeypatch.setenv(name, value)
        yield one


class Workers:
    """The processes; each batch of names goes to one of them."""

    def __init__(self):
        command = [sys.executable, "-m", "tests.market.resilience.worker", str(SECONDS)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._processes = [subprocess.Popen(command, **pipes) for _ in range(PROCESSES)]
        self.answers([[]] * PROCESSES)  # all have started

    def ask(self, batches):
        for process, batch in zip(self._processes, batches, strict=True):
            process.stdin.write(" ".join(batch) + "\n")
            process.stdin.flush()

    def answers(self, batches=None):
        if batches is not None:
            self.ask(batches)
        return Counter(word for process in self._processes for word in process.stdout.readline().split())

    def end(self):
        for process in self._processes:
            process.communicate()


@pytest.fixture
def workers():
    """Start the processes, with the settings that the test has made."""
    started = []
    yield lambda: started.append(Workers()) or started[-1]
    for one in started:
        one.end()


def share_out(server):
    """Return the names, one request each, in a batch for each process; some requests will fail."""
    for fault in FAULTS:
        server.faults += [None] * 40 + [fault]
    return [list(server.bars)[number::PROCESSES] for number in range(PROCESSES)]


def check(server, answers):
    """Each name is answered once, each fault has cost one more request, no window has seen too many."""
    assert answers == {f"{name}:1": 1 for name in server.bars}
    assert len(server.arrivals) == len(server.bars) + len(FAULTS)
    assert server.most_within(SECONDS) <= 200


def test_the_limit_is_never_exceeded_and_nothing_is_lost_or_doubled(server, workers):
    """A file counts."""
    crew = workers()
    check(server, crew.answers(share_out(server)))


def test_a_redis_that_is_killed_midway_and_has_lost_all_changes_nothing(
    server, workers, redis, wait_until, monkeypatch
):
    """While it is gone the file counts."""
    monkeypatch.setenv("REDIS_URL", redis.url)
    crew = workers()
    crew.ask(share_out(server))
    assert wait_until(lambda: len(server.arrivals) > 150)
    redis.flush()
    redis.kill()
    time.sleep(0.5)
    redis.start()
    check(server, crew.answers())


def test_a_server_that_is_down_gets_one_probe_from_all_and_the_breaker_closes(server, workers, monkeypatch):
    """Eight failures open it; after the cool-down one request arrives, and its success lets all pass."""
    monkeypatch.setenv("REQUEST_RETRIES", "0")
    crew = workers()
    server.refuse_all = "502"
    said = crew.answers([["S1"] * 4] * PROCESSES)
    assert said["failed"] + said["refused"] == 4 * PROCESSES
    assert 8 <= said["failed"] == len(server.arrivals) < 8 + PROCESSES  # some are on their way as it opens
    time.sleep(5)
    assert crew.answers([["S1"]] * PROCESSES) == {"failed": 1, "refused": PROCESSES - 1}
    time.sleep(5)
    server.refuse_all = None
    server.arrivals.clear()
    assert crew.answers([["S1"]] * PROCESSES)["S1:1"] == len(server.arrivals) >= 1
    assert crew.answers([["S1"]] * PROCESSES) == {"S1:1": PROCESSES}
