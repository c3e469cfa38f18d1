"""JSON by HTTP: with time limits, and errors that a person understands."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sta410kit._internal.redaction import redact
from sta410kit._internal.text import printable
from sta410kit.exceptions import APIError, ConfigurationError, SecretsManagementError
from sta410kit.market.resilience.service import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from sta410kit.market.resilience.service import Service

_SHOWN = 200  # characters of an answer
_KINDS: dict[type, str] = {dict: "object", list: "list"}
_DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_TEMPORARY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True)
class Timeouts:
    """Seconds until an attempt is given up: to connect, without a byte arriving, and as a whole."""

    connect: float = 10.0
    read: float = 30.0
    whole: float = 60.0


class RefusedRequestError(ConfigurationError):
    """The service refuses a request; `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class HttpClient:
    """Ask one host for JSON.

    Parameters
    ----------
    url : str
        What every path is appended to.
    headers : mapping
        Sent with each request; a redirect is never followed, because they may hold keys.
    service : Service
        Repeats what failed, keeps the rate limit.
    credentials : str
        Settings that hold the keys, for the message of a refusal.
    timeouts : Timeouts
        Time limits of one attempt.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        service: Service,
        credentials: str,
        timeouts: Timeouts,
    ) -> None:
        import httpx

        self._url, self._service, self._credentials, self._timeouts = url, service, credentials, timeouts
        limit = httpx.Timeout(timeouts.read, connect=timeouts.connect)
        self._client = httpx.Client(headers=dict(headers), timeout=limit, follow_redirects=False)

    def close(self) -> None:
        """Close the connections, and the rate limit of the service."""
        self._client.close()
        self._service.close()

    def get(self, path: str, params: Mapping[str, str], *, kind: type = dict) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON object, or the list where `kind` is that, that a path answers.

        Raises
        ------
        APIError
            No attempt was answered with JSON of that kind.
        SecretsManagementError
            The keys were refused.
        RefusedRequestError
            The request was refused.
        """
        return self._service.call(lambda: self._ask("GET", path, kind, params=dict(params)))

    def post(self, path: str, content: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Send a JSON object and return the one answered; raises as `get`.

        It is repeated like any request, so the service must take it once however often it arrives.
        """
        return self._service.call(lambda: self._ask("POST", path, dict, json=dict(content)))

    def _ask(self, method: str, path: str, kind: type, **how: Any) -> Any:  # noqa: ANN401 - JSON
        import httpx

        deadline, body = time.monotonic() + self._timeouts.whole, bytearray()
        try:
            with self._client.stream(method, f"{self._url}{path}", **how) as response:
                for chunk in response.iter_bytes():
                    body += chunk
                    if time.monotonic() > deadline:
                        message = f"the answer was not complete after {self._timeouts.whole:g} s"
                        raise TemporaryError(message)
        except httpx.TimeoutException as error:
            message = f"no answer in time ({type(error).__name__})"
            raise TemporaryError(message) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            message = f"the connection failed ({redact(str(error)) or type(error).__name__})"
            raise TemporaryError(message) from error
        return self._judge(response, bytes(body), kind)

    def _judge(self, response: httpx.Response, body: bytes, kind: type) -> Any:  # noqa: ANN401 - JSON
        status = response.status_code
        said = f"HTTP {status}: {_excerpt(body)}"
        if status in _TEMPORARY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            patience = status == HTTPStatus.TOO_MANY_REQUESTS
            raise TemporaryError(said, _retry_after(response), outage=not patience)
        # To an order, 403 says something about the order: that it is more than the account can buy.
        if status in _DENIED and (status, response.request.method) != (HTTPStatus.FORBIDDEN, "POST"):
            message = f"{self._service.name} refused the credentials ({said}); check {self._credentials}."
            raise SecretsManagementError(message)
        if status != HTTPStatus.OK:
            message = f"{self._service.name} at {self._url} refused the request ({said})."
            raise RefusedRequestError(message, status)
        try:
            answer = json.loads(body)
        except ValueError as error:
            message = f"the answer is no complete JSON: {_excerpt(body)}"
            raise TemporaryError(message) from error
        if not isinstance(answer, kind):
            message = f"{self._service.name} answered no JSON {_KINDS[kind]}: {_excerpt(body)}."
            raise APIError(message)
        return answer


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that the server asks to wait; a time is judged by its own clock.

    That is ``Retry-After``, or for too many requests ``X-RateLimit-Reset``, the end of the window since 1970.
    """
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        now = parsedate_to_datetime(response.headers["date"]).timestamp()
        if not text and response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            return max(0.0, float(response.headers["x-ratelimit-reset"]) - now)
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, KeyError):
        return None


def _excerpt(body: bytes) -> str:
    """Return the message of an answer, or its beginning, fit for a terminal and without secrets."""
    text = body.decode("utf-8", errors="replace")
    with suppress(ValueError, TypeError, KeyError):
        text = str(json.loads(text)["message"])
    text = re.sub("<[^>]*>", " ", redact(printable(text)))  # a proxy answers in HTML
    text = " ".join(text.split()).rstrip(".")
    return f"{text[:_SHOWN]}..." if len(text) > _SHOWN else text or "nothing"
