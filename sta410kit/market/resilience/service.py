"""One call of a remote service, repeated while that helps."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING, TypeVar

from loguru import logger

from sta410kit.exceptions import APIError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sta410kit.market.resilience.breaker import CircuitBreaker
    from sta410kit.market.resilience.rate_limit import RateLimit

T = TypeVar("T")

_LONGEST_WAIT = 120.0  # seconds; a service that asks for more is down for this night


class TemporaryError(APIError):
    """A request failed in a way that may pass.

    Attributes
    ----------
    retry_after : float or None
        Seconds that the service asked to wait.
    outage : bool
        False if the service is well and only asks for patience (HTTP 429).
    """

    def __init__(self, message: str, retry_after: float | None = None, *, outage: bool = True) -> None:
        super().__init__(message)
        self.retry_after, self.outage = retry_after, outage

    def __reduce__(self) -> tuple[type[APIError], tuple[str]]:
        """Cross a process boundary as what a caller sees: one message."""
        return APIError, (str(self),)


class Service:
    """A remote service, with what protects it and the caller.

    Parameters
    ----------
    name : str
        For messages.
    retries : int
        How often a failed request is repeated (`REQUEST_RETRIES`).
    delay : float
        Seconds before the first repetition (`REQUEST_RETRY_DELAY`); it doubles with each further one, and up
        to half of `delay` is added at random, so that processes do not come back in step.
    breaker : CircuitBreaker
        Refuses requests while the service is down.
    limit : RateLimit, optional
        Spaces requests.
    """

    def __init__(
        self, name: str, retries: int, delay: float, breaker: CircuitBreaker, limit: RateLimit | None = None
    ) -> None:
        self.name, self.retries, self.delay = name, retries, delay
        self.breaker, self.limit = breaker, limit

    def call(self, request: Callable[[], T]) -> T:
        """Return what `request` returns; repeat it when it raises `TemporaryError`.

        Raises
        ------
        APIError
            No attempt succeeded, the service asks to wait longer than two minutes, or the breaker is open.
        """
        import stamina

        logging.getLogger("stamina").setLevel(logging.ERROR)  # it says neither what failed nor why
        attempts = stamina.retry_context(
            on=self._wait,
            attempts=self.retries + 1,
            timeout=None,
            wait_initial=self.delay,
            wait_max=_LONGEST_WAIT,
            wait_jitter=self.delay / 2,
        )
        made = 0
        try:
            for attempt in attempts:
                with attempt:
                    made = attempt.num
                    return self._once(request)
        except TemporaryError as error:
            tried = "once" if made == 1 else f"{made} times"
            wait = f", and asks to wait {error.retry_after:.0f} s" if error.retry_after else ""
            message = f"{self.name} was asked {tried} without success: {error}{wait}."
            raise APIError(message) from error
        raise AssertionError  # stamina returns or raises

    def close(self) -> None:
        """Close the rate limit."""
        if self.limit is not None:
            self.limit.close()

    def _once(self, request: Callable[[], T]) -> T:
        self.breaker.check()
        if self.limit is not None:
            self.limit.acquire()
        try:
            answer = request()
        except TemporaryError as error:
            self.breaker.record(success=not error.outage)
            logger.warning("{}: {}", self.name, error)
            raise
        except APIError:
            self.breaker.record(success=True)  # it answered
            raise
        self.breaker.record(success=True)
        return answer

    def _wait(self, error: Exception) -> bool | float:
        """Tell stamina whether to repeat, and the seconds until then where the service has named them."""
        if not isinstance(error, TemporaryError):
            return False
        if error.retry_after is None:
            return True
        jitter = random.uniform(0, self.delay / 2)  # noqa: S311 - no secret
        return error.retry_after <= _LONGEST_WAIT and error.retry_after + jitter
