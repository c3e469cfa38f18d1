"""One rate limit for all processes that use an account."""

from __future__ import annotations

import hashlib
import sqlite3
import time
import warnings
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, cast

from sta410kit.exceptions import STA410Warning
from sta410kit.market.resilience.breaker import state_folder

if TYPE_CHECKING:
    from pathlib import Path

    from pyrate_limiter import AbstractBucket
    from redis import Redis

_MS = 1000
_LOCKED = 30.0  # seconds after which a lock in Redis whose process was killed is free again
_REDIS_AGAIN = 5.0  # seconds for which a Redis that did not answer is left alone


class RateLimitWarning(STA410Warning):
    """The rate limit is kept for this machine only, though others may use the account."""


_PREFIX = "sta410kit-"


class RateLimit:
    """Let at most `calls` requests pass in any `seconds`, counted over all processes of an account.

    The processes of one machine count in a SQLite file. With a Redis, the processes of all machines count
    there too. The file counts in any case, so that this machine's share is known when Redis does not answer.

    A request takes its permit before it is sent and the server counts it when it arrives, so up to as many
    requests as are on their way may fall into the server's next window. `calls` must leave room for them:
    190 of 200 is safe for ten processes, however slow the network is.

    After a restart of Redis no permit is given for one window: what had been counted may be lost.

    Parameters
    ----------
    account : str
        What the limit belongs to, such as an API key; only its hash is stored.
    calls : int
        Requests per window.
    seconds : float
        Length of the window.
    folder : Path, optional
        Where the file is kept; see `breaker.state_folder`.
    redis_url : str
        ``redis://host:6379``; empty for the file alone.
    """

    def __init__(
        self,
        account: str,
        calls: int = 190,
        seconds: float = 60.0,
        folder: Path | None = None,
        redis_url: str = "",
    ) -> None:
        from pyrate_limiter import Rate, SQLiteBucket

        self._rates = [Rate(calls, int(seconds * _MS))]
        self._seconds = seconds
        self._key = f"{_PREFIX}{hashlib.sha256(account.encode()).hexdigest()[:16]}"
        file = (folder or state_folder()) / f"{self._key}.sqlite"
        self._file = SQLiteBucket.init_from_file(self._rates, db_path=str(file), use_file_lock=True)
        self._url, self._redis_from = redis_url, 0.0
        self._redis: Redis | None = None

    def acquire(self) -> None:
        """Wait until a request may be sent.

        Warns
        -----
        RateLimitWarning
            Redis does not answer: only this machine's requests are counted until it does again.
        """
        if self._url and time.monotonic() >= self._redis_from:
            self._acquire_from_redis()
        while wait := self._try_file():
            time.sleep(wait)

    def close(self) -> None:
        """Close the file and the connection to Redis."""
        self._file.close()  # type: ignore[no-untyped-call]
        if self._redis is not None:
            self._redis.close()

    def _try_file(self) -> float:
        with self._file.lock:
            return _take(self._file, time.time_ns() // 1_000_000)

    def _acquire_from_redis(self) -> None:
        import redis

        try:
            if self._redis is None:
                options: dict[str, Any] = {"socket_connect_timeout": 2.0, "socket_timeout": 5.0}
                self._redis = redis.Redis.from_url(self._url, **options)
            while wait := self._try_redis(self._redis):
                time.sleep(wait)
        except redis.RedisError as error:
            self._redis_from = time.monotonic() + _REDIS_AGAIN
            message = (
                f"The Redis of REDIS_URL does not answer ({type(error).__name__}); the rate limit is kept "
                "for this machine alone until it does."
            )
            warnings.warn(message, RateLimitWarning, stacklevel=3)

    def _try_redis(self, redis: Redis) -> float:
        from pyrate_limiter import RedisBucket

        up = float(redis.info("server")["uptime_in_seconds"])
        if up < self._seconds:
            return self._seconds - up
        # The bucket counts up to the time it is given, so no other process may count between time and permit.
        with redis.lock(f"{self._key}-lock", timeout=_LOCKED, blocking_timeout=_LOCKED, sleep=0.01):
            seconds, microseconds = redis.time()  # one clock for all machines
            bucket = RedisBucket.init(self._rates, redis, self._key)
            return _take(bucket, seconds * _MS + microseconds // _MS)


def _take(bucket: AbstractBucket, now: int) -> float:
    """Take a permit and return 0, or return the seconds until it is worth trying again."""
    from pyrate_limiter import RateItem

    bucket.leak(now)
    item = RateItem("request", now)
    if bucket.put(item):
        return 0.0
    wait, window = cast("int", bucket.waiting(item)) + 1, bucket.rates[0].interval
    if wait > window + 1:  # the clock was put back, and permits of the future would count until it has come
        bucket.flush()
        wait = window
    return wait / _MS


def remaining_requests(folder: Path, calls: int, seconds: float) -> dict[str, int]:
    """Return how many requests this machine may still send in the present window, by hash of the account."""
    since, found = time.time_ns() // 1_000_000 - int(seconds * _MS), {}
    for file in sorted(folder.glob(f"{_PREFIX}*.sqlite")):
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as database,
        ):
            used = database.execute("SELECT COUNT(*) FROM rate_bucket WHERE item_timestamp >= ?", (since,))
            found[file.stem.removeprefix(_PREFIX)] = max(0, calls - int(used.fetchone()[0]))
    return found
