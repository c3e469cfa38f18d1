"""The login, which exchanges a token for a session cookie, and the page of users for administrators."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from sta410kit.exceptions import ConfigurationError
from sta410kit.service.access import COOKIE, VIEWER, log_in
from sta410kit.service.pages.rendering import Admin, View
from sta410kit.service.site import site_of
from sta410kit.service.users import ROLES, SESSION_HOURS

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def show_login(request: Request, next: str = "/") -> Response:  # noqa: A002 - the usual name
    """Return the form."""
    return View(request, None).page("login.html", next=local_path(next), message="")


@router.post("/login")
async def open_session(
    request: Request,
    token: Annotated[str, Form(max_length=200)],
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002 - the usual name
) -> Response:
    """Check the token and set the cookie."""
    site = site_of(request)
    try:
        user = await log_in(request, token.strip())
    except HTTPException as error:
        values = {"next": local_path(next), "message": error.detail}
        again = View(request, None).page("login.html", error.status_code, **values)
        again.headers.update(error.headers or {})
        return again
    session = await run_in_threadpool(site.users.open_session, user)
    answer = RedirectResponse(local_path(next), status.HTTP_303_SEE_OTHER)
    secure = request.url.scheme == "https" or site.options.url.startswith("https:")
    answer.set_cookie(
        COOKIE, session, max_age=SESSION_HOURS * 3600, secure=secure, httponly=True, samesite="strict"
    )
    return answer


@router.post("/logout", dependencies=[VIEWER])
def close_session(request: Request) -> Response:
    """End the session."""
    site_of(request).users.close_session(request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", status.HTTP_303_SEE_OTHER)
    response.delete_cookie(COOKIE)
    return response


def local_path(path: str) -> str:
    """Return where to go after the login: a path of this service, whatever the address says."""
    odd = path.startswith("//") or "\\" in path or not path.isprintable()
    return path if path.startswith("/") and not odd else "/"


@router.get("/users")
def users(view: Admin) -> Response:
    """Show users and roles, and the form for another one."""
    return _page(view)


@router.post("/users")
def add(view: Admin, name: Annotated[str, Form()], role: Annotated[str, Form()]) -> Response:
    """Add a user, and show the token: once, for only its hash is kept."""
    try:
        token = view.site.users.add(name.strip(), role)
    except ConfigurationError as error:
        return _page(view, status.HTTP_422_UNPROCESSABLE_CONTENT, problem=str(error))
    return _page(view, added=name.strip(), token=token)


@router.post("/users/revoke")
def revoke(view: Admin, name: Annotated[str, Form()]) -> Response:
    """Revoke the token of a user."""
    view.site.users.revoke(name)
    return RedirectResponse("/users", status.HTTP_303_SEE_OTHER)


def _page(view: Admin, code: int = 200, **said: str) -> Response:
    values = {"problem": "", "added": "", "token": "", **said}
    return view.page("users.html", code, users=view.site.users.all(), roles=ROLES, **values)
