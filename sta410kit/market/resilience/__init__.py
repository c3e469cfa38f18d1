"""Remote services that fail now and then, asked so that neither they nor the caller suffers.

==================  =========================================================================
`service`           `Service`: one call with retries, rate limit and breaker
`http`              `HttpClient`: JSON by HTTP with time limits, errors in words
`rate_limit`        `RateLimit`: one limit for all processes of an account
`breaker`           `CircuitBreaker`: no request to a service that is down, but one probe
==================  =========================================================================

Every source may use them; stamina, pyrate-limiter and httpx come with the extras ``alpaca`` and ``yahoo``.
"""

from sta410kit.market.resilience.breaker import CircuitBreaker
from sta410kit.market.resilience.http import HttpClient, RefusedRequestError, Timeouts
from sta410kit.market.resilience.rate_limit import RateLimit
from sta410kit.market.resilience.service import Service, TemporaryError

__all__ = [
    "CircuitBreaker",
    "HttpClient",
    "RateLimit",
    "RefusedRequestError",
    "Service",
    "TemporaryError",
    "Timeouts",
]
