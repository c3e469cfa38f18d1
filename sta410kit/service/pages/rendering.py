"""Turn values into pages: templates, their filters, the style sheet and the script."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import HTMLResponse

from sta410kit._internal.pages import templates_of
from sta410kit._internal.redaction import redact
from sta410kit._internal.text import percent
from sta410kit.runner.key_metrics import METRICS
from sta410kit.runner.listing import format_seconds
from sta410kit.service.access import Caller, require
from sta410kit.service.site import site_of
from sta410kit.service.users import Role

NAVIGATION = {
    "/": "Runs",
    "/forecasts": "Forecasts",
    "/night": "Night",
    "/data": "Data",
    "/sweeps": "Sweeps",
    "/ledger": "Ledger",
    "/accepted": "Accepted",
    "/queue": "Queue",
}
_STYLES = (  # the colours and the look of reports, then what only the service has
    ("sta410kit._internal", "templates/palette.css"),
    ("sta410kit._internal", "templates/report.css"),
    ("sta410kit._internal", "templates/sweep.css"),
    ("sta410kit.service.pages", "static/service.css"),
)
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FILES = {
    "service.css": _STYLES,
    "service.js": (("sta410kit.service.pages", "static/service.js"),),
    "icon.svg": (("sta410kit.service.pages", "static/icon.svg"),),
}
router = APIRouter(include_in_schema=False)


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Return the style sheet, the script or the icon."""
    if name not in _FILES:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"no file {name}")
    content, digest = _static(name)
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{digest}"'}
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)


@cache
def _static(name: str) -> tuple[str, str]:
    content = "\n".join(resources.files(package).joinpath(path).read_text() for package, path in _FILES[name])
    return content, hashlib.sha256(content.encode()).hexdigest()[:12]


class View:
    """A page that is asked for, and the caller; none where nobody has logged in."""

    def __init__(self, request: Request, caller: Caller | None) -> None:
        self.request, self.site = request, site_of(request)
        self._caller = caller

    @property
    def by(self) -> str:
        """The name of the caller."""
        return self._caller.name if self._caller else ""

    def page(self, template: str, code: int = 200, **values: object) -> HTMLResponse:
        """Return a page of the service, values escaped, secrets redacted."""
        caller, site, navigation = self._caller, self.site, dict(NAVIGATION)
        if caller is not None and caller.may("runner"):
            navigation["/start"] = "Start a run"
        if caller is not None and caller.may("admin") and not site.options.local:
            navigation["/users"] = "Users"
        values |= {"caller": caller, "navigation": navigation if caller else {}, "site": site}
        values |= {"path": self.request.url.path, "project": site.project.name}
        text = _environment().get_template(template).render(values)
        return HTMLResponse(redact(text), code, headers={"Cache-Control": "no-store"})


def _view_of(role: Role) -> Any:  # noqa: ANN401 - what `Depends` returns
    async def view(request: Request, caller: Annotated[Caller, Depends(require(role))]) -> View:
        return View(request, caller)

    return Depends(view)


Viewer = Annotated[View, _view_of("viewer")]
Runner = Annotated[View, _view_of("runner")]
Admin = Annotated[View, _view_of("admin")]


@cache
def _environment() -> Any:  # noqa: ANN401 - a Jinja environment
    found = templates_of("sta410kit.service.pages", lstrip_blocks=True)
    found.globals["static"] = lambda name: f"/static/{name}?{_static(name)[1]}"
    found.globals["key_metrics"] = METRICS
    filters: dict[str, Callable[..., str]] = {
        "seconds": format_seconds,
        "words": lambda outcome: outcome.lower().replace("_", " "),
        "signed": lambda value, digits=2: percent(value, f"+z.{digits}f"),
        "percent": lambda value, digits=2, sign="+": percent(value, f"{sign}z.{digits}%"),
        "moment": lambda text: str(text)[:16].replace("T", " "),
        "clock": lambda at: "" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}",
        "given": lambda parameters: ", ".join(f"{name}={value}" for name, value in parameters.items()),
    }
    found.filters |= filters
    return found
