"""For machines that watch: whether the process is alive and can do its work, and metrics for Prometheus."""

import time
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Literal

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel, Field

from sta410kit.runner.metrics import ProjectCollector, render
from sta410kit.service.access import VIEWER
from sta410kit.service.database import Database, jobs, wait_for_database
from sta410kit.service.queue import QUEUED, count_jobs
from sta410kit.service.site import Site, can_write, site_of

router = APIRouter(tags=["health"])


class Ready(BaseModel):
    """Whether the service can do its work."""

    ready: bool
    reasons: list[str] = Field(default=[], description="What is wrong", examples=[["the run folder is full"]])


@router.get("/healthz")
async def healthz() -> dict[Literal["status"], Literal["alive"]]:
    """Answer as long as the process is alive."""
    return {"status": "alive"}


@router.get("/readyz", responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Ready}})
def readyz(request: Request, response: Response) -> Ready:
    """Check the database, the folder of runs and the worker; no details that only users may see."""
    site = site_of(request)
    reasons = []
    if not wait_for_database(site.database, 0):
        reasons.append("the database does not answer")
    if not can_write(site.project):
        reasons.append("the folder of runs cannot be written")
    if (worker := getattr(request.app.state, "worker", None)) and not worker.is_alive():
        reasons.append("the worker has stopped")
    if site.stopping.is_set():
        reasons.append("the service is stopping")
    if reasons:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Ready(ready=not reasons, reasons=reasons)


@router.get(
    "/metrics",
    dependencies=[VIEWER],
    response_class=Response,
    responses={HTTPStatus.OK: {"content": {"text/plain": {}}}},
)
def metrics(request: Request) -> Response:
    """Metrics in the text format of Prometheus; its scrapes send the token of a viewer."""
    generate, kind = choose_encoder(request.headers.get("accept", ""))
    return Response(render(request.app.state.collector, generate), media_type=kind)


def collector_of(site: Site) -> ProjectCollector:
    """Return the collector of an application, which remembers the runs that have not changed."""
    return ProjectCollector(site.project, site.index, partial(_queue, site.database))


def _queue(database: Database) -> tuple[Mapping[str, int], float]:
    """Return the number of jobs by state, and the seconds that the oldest queued one has waited."""
    (oldest,) = database.rows(sa.select(sa.func.min(jobs.c.created)).where(jobs.c.state == QUEUED))[0]
    return count_jobs(database), max(0.0, time.time() - oldest) if oldest else 0.0
