"""Security headers, the check of Host and Origin, and the access log."""

import os
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from loguru import logger
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sta410kit._internal.text import printable
from sta410kit.service.problems import problem
from sta410kit.service.site import ServiceOptions

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_BODY = 64 * 1024  # bytes: parameters are short
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# A page that shows content of a run sets a stricter policy itself.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}
_HSTS = "max-age=31536000"
_LOGGED = 200  # characters of an address


class Guard:
    """Refuses requests that another site has a browser send; adds headers; writes the access log."""

    def __init__(self, app: ASGIApp, options: ServiceOptions) -> None:
        self._app = app
        self._options = options
        self._own = urlsplit(options.url).netloc.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", _HSTS)
            await send(message)

        try:
            reason = self._refusal(scope)
            if reason:
                await problem(HTTPStatus.FORBIDDEN, reason)(scope, receive, answer)
            elif int(Headers(scope=scope).get("content-length", 0)) > LARGEST_BODY:
                message = f"a request may have {LARGEST_BODY // 1024} KiB"
                await problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)(scope, receive, answer)
            else:
                await self._app(scope, receive, answer)
        finally:
            self._log(scope, status, time.perf_counter() - began)

    def _refusal(self, scope: Scope) -> str:
        """Return why a request is refused before it reaches a route; empty if it is not."""
        headers = Headers(scope=scope)
        host, local = headers.get("host", "").lower(), self._options.local
        try:
            name, origin = urlsplit(f"//{host}").hostname, urlsplit(headers.get("origin", "").lower())
        except ValueError:  # brackets around what is no address
            return "the headers Host and Origin cannot be read"
        if local and name not in _LOCAL_NAMES:
            return "open it as localhost or 127.0.0.1"
        if local and not is_same_user(scope.get("client"), scope.get("server")):
            return "sta410 ui answers only the user who started it"
        if scope["method"] in SAFE and not local:
            return ""
        foreign = "origin" in headers and origin.netloc not in {host, self._own or host}
        sent_by_another = headers.get("sec-fetch-site") in {"cross-site", "same-site"}
        if foreign or (sent_by_another and scope["method"] not in SAFE):
            return "the request comes from a page of another site"
        return ""

    def _log(self, scope: Scope, status: int, seconds: float) -> None:
        """Write a line without the query, which may hold what a caller did not mean to be kept."""
        caller = scope.get("state", {}).get("caller")
        who = caller.name if caller else "-"
        address = (scope.get("client") or "-")[0]
        path = printable(scope["path"]).replace("\n", " ")[:_LOGGED]
        logger.bind(logger="access").log(
            "INFO" if status < HTTPStatus.INTERNAL_SERVER_ERROR and status else "ERROR",
            "{} {} {} {} {} {:.0f} ms",
            *(address, who, scope["method"], path, status or "closed", 1000 * seconds),
        )


def is_same_user(client: tuple[str, int] | None, server: tuple[str, int] | None) -> bool:
    """Tell whether the process at the other end of a loopback connection belongs to this process's user.

    A loopback address is open to every user of the machine. True where the system does not say, as without
    ``/proc/net``.
    """
    if client is None or server is None or not sys.platform.startswith("linux"):
        return True
    ends = f":{client[1]:04X}", f":{server[1]:04X}"  # of a connection, as its client sees it
    owners = set()
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (Path("/proc/net") / name).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if (fields[1][-5:], fields[2][-5:]) == ends:
                    owners.add(int(fields[7]))
    return not owners or os.getuid() in owners
