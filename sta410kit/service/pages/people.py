"""The page of users: who has a token, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response, status
from fastapi.responses import RedirectResponse

from sta410kit.exceptions import ConfigurationError
from sta410kit.service.pages.rendering import Admin, page
from sta410kit.service.site import site_of
from sta410kit.service.users import ROLES

router = APIRouter(include_in_schema=False)


@router.get("/users")
def users(request: Request, caller: Admin) -> Response:
    """Show users and roles, and the form for another one."""
    return _page(request, caller)


@router.post("/users")
def add(
    request: Request, caller: Admin, name: Annotated[str, Form()], role: Annotated[str, Form()]
) -> Response:
    """Add a user, and show the token: once, for only its hash is kept."""
    try:
        token = site_of(request).users.add(name.strip(), role)
    except ConfigurationError as error:
        return _page(request, caller, status.HTTP_422_UNPROCESSABLE_CONTENT, problem=str(error))
    return _page(request, caller, added=name.strip(), token=token)


@router.post("/users/revoke")
def revoke(request: Request, caller: Admin, name: Annotated[str, Form()]) -> Response:
    """Revoke the token of a user."""
    del caller
    site_of(request).users.revoke(name)
    return RedirectResponse("/users", status.HTTP_303_SEE_OTHER)


def _page(request: Request, caller: Admin, code: int = 200, **said: str) -> Response:
    values = {"problem": "", "added": "", "token": "", **said}
    return page(
        request, caller, "users.html", code, users=site_of(request).users.all(), roles=ROLES, **values
    )
