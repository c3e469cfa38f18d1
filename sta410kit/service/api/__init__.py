"""The HTTP API under ``/api/v1``."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request

from sta410kit.service.access import VIEWER
from sta410kit.service.api import files, jobs, research, runs, users
from sta410kit.service.problems import describe, responses

_REFUSED = responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_WRONG = responses(HTTPStatus.UNPROCESSABLE_ENTITY)
router = APIRouter(prefix="/api/v1", responses=_REFUSED | _WRONG)
for part in (runs.router, files.router, jobs.router, runs.sweeps, research.router, users.router):
    router.include_router(part)


@router.get("/openapi.json", include_in_schema=False, dependencies=[VIEWER])
def read_openapi(request: Request) -> dict[str, Any]:
    """Return the description of the API."""
    return describe(request.app.openapi())
