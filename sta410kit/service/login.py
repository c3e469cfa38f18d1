"""The login of people: a token is exchanged for a session cookie."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from sta410kit.service.access import COOKIE, log_in, require
from sta410kit.service.pages.rendering import page
from sta410kit.service.site import site_of
from sta410kit.service.users import SESSION_HOURS

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def show_login(request: Request, next: str = "/") -> Response:  # noqa: A002 - the usual name
    """Return the form."""
    return page(request, None, "login.html", next=local_path(next), message="")


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
        again = page(request, None, "login.html", error.status_code, **values)
        again.headers.update(error.headers or {})
        return again
    session = await run_in_threadpool(site.users.open_session, user)
    answer = RedirectResponse(local_path(next), HTTPStatus.SEE_OTHER)
    secure = request.url.scheme == "https" or site.options.url.startswith("https:")
    answer.set_cookie(
        COOKIE, session, max_age=SESSION_HOURS * 3600, secure=secure, httponly=True, samesite="strict"
    )
    return answer


@router.post("/logout", dependencies=[Depends(require("viewer"))])
def close_session(request: Request) -> Response:
    """End the session."""
    site_of(request).users.close_session(request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    response.delete_cookie(COOKIE)
    return response


def local_path(path: str) -> str:
    """Return where to go after the login: a path of this service, whatever the address says."""
    odd = path.startswith("//") or "\\" in path or not path.isprintable()
    return path if path.startswith("/") and not odd else "/"
