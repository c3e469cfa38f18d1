"""Whether the process is alive, and whether it can do its work: for load balancers and containers."""

import os
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from sta410kit.service.database import wait_for_database
from sta410kit.service.site import site_of

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Whether the service can do its work."""

    ready: bool
    reasons: list[str] = Field(default=[], description="What is wrong", examples=[["the run folder is full"]])


@router.get("/healthz")
async def healthz() -> Alive:
    """Answer as long as the process is alive."""
    return Alive()


@router.get("/readyz", responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Ready}})
def readyz(request: Request, response: Response) -> Ready:
    """Check the database, the folder of runs and the worker; no details that only users may see."""
    site = site_of(request)
    reasons = []
    if not wait_for_database(site.database, 0):
        reasons.append("the database does not answer")
    if not os.access(site.runs if site.runs.is_dir() else site.project, os.W_OK):
        reasons.append("the folder of runs cannot be written")
    worker = getattr(request.app.state, "worker", None)
    if worker is not None and not worker.is_alive():
        reasons.append("the worker has stopped")
    if site.stopping.is_set():
        reasons.append("the service is stopping")
    if reasons:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Ready(ready=not reasons, reasons=reasons)
