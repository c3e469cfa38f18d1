"""The HTTP API under ``/api/v1``."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends, Request

from sta410kit.service.access import require
from sta410kit.service.api import files, jobs, research, runs, sweeps, users
from sta410kit.service.problems import describe, responses

router = APIRouter(
    prefix="/api/v1",
    responses=responses(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
    ),
)
for part in (runs, files, jobs, sweeps, research, users):
    router.include_router(part.router)


@router.get("/openapi.json", include_in_schema=False, dependencies=[Depends(require("viewer"))])
def read_openapi(request: Request) -> dict[str, Any]:
    """Return the description of the API."""
    return describe(request.app.openapi())
