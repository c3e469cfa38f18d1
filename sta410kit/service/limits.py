"""How many requests a minute each token may make, and how many failed logins each address."""

import time

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class Limits:
    """Counts of the last minute, in this process."""

    def __init__(self, requests: int, failures: int = 10) -> None:
        # Exact; a counter for each minute of the clock lets more through where one ends.
        self._strategy = MovingWindowRateLimiter(MemoryStorage())
        self._requests, self._failures = parse(f"{requests}/minute"), parse(f"{failures}/minute")

    def request(self, name: str) -> int:
        """Count a request; return the seconds to wait before the next, 0 if none."""
        return 0 if self._strategy.hit(self._requests, "request", name) else self._wait("request", name)

    def blocked(self, address: str) -> int:
        """Return the seconds that an address has to wait after failed logins, 0 if none."""
        return 0 if self._strategy.test(self._failures, "login", address) else self._wait("login", address)

    def failure(self, address: str) -> None:
        """Count a failed login."""
        self._strategy.hit(self._failures, "login", address)

    def _wait(self, kind: str, key: str) -> int:
        limit = self._requests if kind == "request" else self._failures
        reset = self._strategy.get_window_stats(limit, kind, key).reset_time
        return max(1, round(reset - time.time()))
