"""At most so many requests in a window, whoever makes them and whatever happens to Redis."""

import threading
import time

import pytest

from sta410kit.market.resilience import RateLimit
from sta410kit.market.resilience.rate_limit import RateLimitWarning

pytestmark = pytest.mark.integration


def moments(limit, number):
    """Return when each of `number` permits was given."""
    given = []
    for _ in range(number):
        limit.acquire()
        given.append(time.monotonic())
    return given


@pytest.fixture
def limit(tmp_path):
    """Give the function that makes a limit, closed at the end."""
    made = []

    def make(account="PK1", calls=4, seconds=0.5, folder=tmp_path, **more):
        made.append(RateLimit(account, calls, seconds, folder, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_one_permit_more_than_the_limit_waits_for_the_window(limit):
    """Four pass at once, the fifth when the first is half a second old."""
    given = moments(limit(), 5)
    assert given[3] - given[0] < 0.5 <= given[4] - given[0] + 0.002


def test_limits_of_one_account_count_together_and_those_of_another_apart(limit):
    """As two processes with the same key, and a third with its own."""
    first, second, other = limit(), limit(), limit("PK2")
    begin = time.monotonic()
    moments(first, 2)
    moments(second, 2)
    moments(other, 4)
    assert time.monotonic() - begin < 0.5
    moments(second, 1)
    assert time.monotonic() - begin >= 0.498


def test_a_clock_put_back_costs_one_window(limit, monkeypatch):
    """The permits of tomorrow do not count until tomorrow."""
    one = limit()
    with monkeypatch.context() as fast:
        fast.setattr(time, "time_ns", lambda now=time.time_ns: now() + 86_400 * 10**9)
        moments(one, 4)
    begin = time.monotonic()
    moments(one, 1)
    assert 0.498 <= time.monotonic() - begin < 5


def test_the_key_is_in_no_file_and_no_file_name(limit, tmp_path):
    """Only a hash of the account names the file."""
    moments(limit("PKVERYSECRET"), 1)
    for file in tmp_path.iterdir():
        assert "PKVERYSECRET" not in file.name
        assert b"PKVERYSECRET" not in file.read_bytes()


def test_two_machines_share_a_limit_by_redis(limit, tmp_path, redis):
    """Each machine has its own file; eight threads take permits at once and none is one too many."""
    time.sleep(1.1)  # a Redis younger than the window gives no permit
    machines = [
        limit(calls=10, seconds=1, folder=folder, redis_url=redis.url)
        for folder in (tmp_path / "a", tmp_path / "b")
        if folder.mkdir() is None
    ]
    given = []
    threads = [threading.Thread(target=lambda one=one: given.extend(moments(one, 6))) for one in machines * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given.sort()
    assert len(given) == 24
    spans = [late - early for early, late in zip(given, given[10:], strict=False)]
    assert min(spans) > 0.9  # a permit is noted before this clock is read


def test_a_redis_that_restarts_gives_no_permit_for_one_window(limit, redis, tmp_path):
    """What it had counted may be lost, as here, where another machine had used up the limit."""
    time.sleep(1.1)
    (tmp_path / "a").mkdir()
    moments(limit(calls=3, seconds=1, folder=tmp_path / "a", redis_url=redis.url), 3)
    redis.flush()
    redis.kill()
    redis.start()
    begin = time.monotonic()
    moments(limit(calls=3, seconds=1, redis_url=redis.url), 1)
    assert time.monotonic() - begin > 0.5  # less what the restart itself took, and whole seconds of uptime


def test_without_its_redis_a_machine_counts_alone_and_says_so(limit, redis):
    """What it has used with Redis counts, and when Redis is back it is used again."""
    time.sleep(1.1)
    one = limit(calls=3, seconds=1, redis_url=redis.url)
    given = moments(one, 3)
    redis.kill()
    with pytest.warns(RateLimitWarning, match="Redis of REDIS_URL does not answer"):
        given += moments(one, 1)
    assert given[3] - given[0] >= 0.998
