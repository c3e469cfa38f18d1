"""The connection to Alpaca that prices and trading share: keys, rate limit, breaker."""

from __future__ import annotations

from urllib.parse import urlsplit

from sta410kit.config import get_config
from sta410kit.market.resilience import CircuitBreaker, HttpClient, RateLimit, Service, Timeouts
from sta410kit.secrets import get_alpaca_credentials

CALLS, SECONDS = 190, 60.0  # Alpaca's free plan allows 200 requests a minute, see `RateLimit`


def open_client(
    url: str, calls: int = CALLS, seconds: float = SECONDS, timeouts: Timeouts | None = None
) -> HttpClient:
    """Return a client of one of Alpaca's endpoints, with the keys and the patience of the settings.

    Raises
    ------
    SecretsManagementError
        The keys are missing.
    """
    api = get_config().api
    key, secret = get_alpaca_credentials()
    limit = RateLimit(f"{url} {key}", calls, seconds, redis_url=api.redis_url.get_secret_value())
    breaker = CircuitBreaker(f"Alpaca ({urlsplit(url).netloc})")
    service = Service("Alpaca", api.request_retries, api.request_retry_delay, breaker, limit)
    headers = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}
    return HttpClient(url, headers, service, "ALPACA_API_KEY and ALPACA_SECRET_KEY", timeouts or Timeouts())
