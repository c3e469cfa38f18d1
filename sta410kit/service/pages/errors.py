"""What people see when a request fails: a page that says why and what to do, or the login."""

from urllib.parse import quote

from fastapi import FastAPI, Request, Response, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from sta410kit._internal.text import did_you_mean, printable
from sta410kit.exceptions import ConfigurationError, STA410Exception
from sta410kit.service.pages.rendering import NAVIGATION, View
from sta410kit.service.problems import problem_of

_TITLES = {
    status.HTTP_400_BAD_REQUEST: "That cannot be done",
    status.HTTP_403_FORBIDDEN: "Not allowed",
    status.HTTP_404_NOT_FOUND: "Not found",
    status.HTTP_405_METHOD_NOT_ALLOWED: "Not possible",
    status.HTTP_422_UNPROCESSABLE_CONTENT: "Not understood",
    status.HTTP_429_TOO_MANY_REQUESTS: "Too many requests",
    status.HTTP_500_INTERNAL_SERVER_ERROR: "A defect",
}


def for_people(request: Request) -> bool:
    """Tell whether a request comes from a browser, and asks for none of the addresses of programs."""
    machine = ("/api/", "/healthz", "/readyz", "/metrics", "/openapi.json")
    return not request.url.path.startswith(machine) and "text/html" in request.headers.get("accept", "")


def add_error_pages(app: FastAPI) -> None:
    """Answer failed requests of people with pages, and those of programs with JSON."""
    for kind in (HTTPException, RequestValidationError, STA410Exception, FileNotFoundError, Exception):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    if isinstance(error, FileNotFoundError):
        error = HTTPException(status.HTTP_404_NOT_FOUND, f"{error.filename} was removed while it was read")
    answer = problem_of(error)
    if not for_people(request):
        return answer
    code, message = answer.status_code, str(error)
    if isinstance(error, HTTPException):
        message = str(error.detail)
        if code == status.HTTP_401_UNAUTHORIZED and request.url.path != "/login":
            to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/login?next={quote(to, safe='/')}", status.HTTP_303_SEE_OTHER)
        if code == status.HTTP_404_NOT_FOUND and message == "Not Found":
            message = f"There is no page {request.url.path}.{did_you_mean(request.url.path, NAVIGATION)}"
    elif isinstance(error, RequestValidationError):
        first = error.errors()[0]
        message = f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}"
    elif isinstance(error, ConfigurationError):
        code = status.HTTP_404_NOT_FOUND
    elif not isinstance(error, STA410Exception):
        message = "The service met a defect; its log says more, and `sta410 doctor` may."
    view = View(request, getattr(request.state, "caller", None))  # none where it was refused before
    title, message = _TITLES.get(code, "Failed"), printable(message)
    found = view.page("error.html", code, title=title, number=code, message=message)
    found.headers.update({name: answer.headers[name] for name in ("retry-after",) if name in answer.headers})
    return found
