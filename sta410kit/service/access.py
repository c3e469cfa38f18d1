"""Who asks, and what they may do: roles, sessions of people, and protection against forged requests."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from starlette.concurrency import run_in_threadpool

from sta410kit.service.security import SAFE
from sta410kit.service.site import Site, site_of
from sta410kit.service.users import ROLES, Role, User

COOKIE = "sta410_session"
CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf_token"
_LOG_IN = "log in, or send a token: Authorization: Bearer ..."

bearer = HTTPBearer(auto_error=False, description="A token from `sta410 user add`.")
cookie = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    description=f"The session of a person who has logged in; a write also needs the header {CSRF_HEADER}.",
)


@dataclass(frozen=True)
class Caller:
    """The user a request comes from."""

    name: str
    role: Role
    csrf: str = ""  # what a form has to send along; empty where no cookie is used
    anonymous: bool = False

    def may(self, role: Role) -> bool:
        """Tell whether the caller has at least this role."""
        return ROLES.index(self.role) >= ROLES.index(role)


def require(role: Role) -> Callable[..., Awaitable[Caller]]:
    """Return a dependency that refuses requests of callers below `role`, and gives the caller."""

    async def check(
        request: Request,
        token: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
        session: Annotated[str | None, Security(cookie)],
    ) -> Caller:
        site = site_of(request)
        caller = await _caller(request, site, token.credentials if token else "", session or "")
        request.state.caller = caller
        who = address_of(request) if caller.anonymous else f"user {caller.name}"
        if not site.options.local and (wait := site.limits.request(who)):
            message = f"more than {site.options.requests} requests a minute"
            raise too_many(message, wait)
        if caller.anonymous and (role != "viewer" or request.method not in SAFE):
            raise _unauthorized(_LOG_IN)
        if not caller.may(role):
            message = f"this takes the role {role}; {caller.name} is a {caller.role}"
            raise HTTPException(HTTPStatus.FORBIDDEN, message)
        if caller.csrf and request.method not in SAFE:
            await _refuse_forged(request, caller)
        return caller

    return check


VIEWER, RUNNER, ADMIN = (Depends(require(role)) for role in ROLES)  # of the routes of the API


async def _caller(request: Request, site: Site, token: str, session: str) -> Caller:
    if site.options.local:
        return Caller("local", "admin")
    if token:
        user = site.users.recall(token) or await log_in(request, token)
        return Caller(user.name, user.role)
    if session:
        known = site.users.recall(session) or await run_in_threadpool(site.users.of_session, session)
        if known:
            return Caller(known.name, known.role, known.csrf)
    if site.options.anonymous_read:
        return Caller("anonymous", "viewer", anonymous=True)
    raise _unauthorized(_LOG_IN)


async def log_in(request: Request, token: str) -> User:
    """Return the user of a token, and slow down who guesses."""
    site, address = site_of(request), address_of(request)
    if wait := site.limits.blocked(address):
        message = "too many failed logins from this address"
        raise too_many(message, wait)
    user = await run_in_threadpool(site.users.verify, token)
    if user is None:
        site.limits.failure(address)
        message = "the token is not valid, or has been revoked"
        raise _unauthorized(message)
    return user


def address_of(request: Request) -> str:
    """Return the network address of the client."""
    return request.client.host if request.client else "unknown"


def too_many(message: str, wait: int) -> HTTPException:
    """Return the refusal of a request that comes too early."""
    message = f"{message}; try again in {wait} s"
    return HTTPException(HTTPStatus.TOO_MANY_REQUESTS, message, {"Retry-After": str(wait)})


async def _refuse_forged(request: Request, caller: Caller) -> None:
    sent = request.headers.get(CSRF_HEADER, "")
    if not sent and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        sent = str((await request.form()).get(CSRF_FIELD, ""))
    if not hmac.compare_digest(sent.encode(), caller.csrf.encode()):
        message = f"the form is out of date; reload its page (a script sends the header {CSRF_HEADER})"
        raise HTTPException(HTTPStatus.FORBIDDEN, message)


def _unauthorized(message: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNAUTHORIZED, message, {"WWW-Authenticate": "Bearer"})
