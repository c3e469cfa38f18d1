"""What people see when a request fails: a page that says why and what to do, or the login."""

from urllib.parse import quote

from fastapi import FastAPI, Request, Response, status
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.service.pages.rendering import NAVIGATION, page

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
    """Answer failed requests of people with pages; programs get JSON."""
    app.add_exception_handler(HTTPException, _refused)  # type: ignore[arg-type] # it only gets its own
    app.add_exception_handler(ConfigurationError, _not_there)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _not_understood)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _defect)


def error_page(request: Request, code: int, message: str) -> Response:
    """Return the page of an error; to a program, the same as JSON."""
    if not for_people(request):
        return JSONResponse({"detail": message}, code)
    return page(
        request, None, "error.html", code, title=_TITLES.get(code, "Failed"), number=code, message=message
    )


async def _refused(request: Request, error: HTTPException) -> Response:
    if not for_people(request):
        return await http_exception_handler(request, error)
    if error.status_code == status.HTTP_401_UNAUTHORIZED and request.url.path != "/login":
        to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(to)}", status.HTTP_303_SEE_OTHER)
    message = str(error.detail)
    if error.status_code == status.HTTP_404_NOT_FOUND and message == "Not Found":
        message = f"There is no page {request.url.path}.{did_you_mean(request.url.path, NAVIGATION)}"
    return error_page(request, error.status_code, message)


async def _not_there(request: Request, error: ConfigurationError) -> Response:
    return error_page(request, status.HTTP_404_NOT_FOUND, str(error))


async def _not_understood(request: Request, error: RequestValidationError) -> Response:
    first = error.errors()[0]
    message = f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}"
    return error_page(request, status.HTTP_422_UNPROCESSABLE_CONTENT, message)


async def _defect(request: Request, _: Exception) -> Response:
    message = "The service met a defect; its log says more, and `sta410 doctor` may."
    return error_page(request, status.HTTP_500_INTERNAL_SERVER_ERROR, message)
