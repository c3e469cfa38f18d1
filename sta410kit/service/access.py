"""Who asks, and what they may do: roles, sessions of people, and protection against forged requests."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import HTTPException, Request, Security, status
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from sta410kit.service.site import site_of

Role = Literal["viewer", "runner", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "runner", "admin")  # each may do what those before it may
COOKIE = "sta410_session"
CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf_token"

bearer = HTTPBearer(auto_error=False, description="A token from `sta410 user add`.")
cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="The session of a person who has logged in.")


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
        del token, session
        options = site_of(request).options
        if options.local:
            caller = Caller("local", "admin")
        elif options.anonymous_read and role == "viewer":
            caller = Caller("anonymous", "viewer", anonymous=True)
        else:
            raise HTTPException(status.HTTP_401_UNAUTHORIZED, "log in, or send a token")
        return caller

    return check
