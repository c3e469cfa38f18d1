"""``/metrics``: the project's metrics for Prometheus, to whoever may read the pages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from prometheus_client.exposition import choose_encoder

from sta410kit.runner.metrics import ProjectCollector, render
from sta410kit.service.access import Caller, require
from sta410kit.service.database import Database, jobs
from sta410kit.service.queue import QUEUED, count_jobs
from sta410kit.service.site import site_of

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request, caller: Annotated[Caller, Depends(require("viewer"))]) -> Response:
    """Metrics in the text format of Prometheus; its scrapes send the token of a viewer."""
    del caller
    generate, kind = choose_encoder(request.headers.get("accept", ""))
    return Response(render(_collector(request), generate), media_type=kind)


def _collector(request: Request) -> ProjectCollector:
    """Return the collector of the application, which remembers the runs that have not changed."""
    state, site = request.app.state, site_of(request)
    if not hasattr(state, "collector"):
        state.collector = ProjectCollector(site.project, site.index, partial(_queue, site.database))
    found: ProjectCollector = state.collector
    return found


def _queue(database: Database) -> tuple[Mapping[str, int], float]:
    """Return the number of jobs by state, and the seconds that the oldest queued one has waited."""
    with database.read() as connection:
        oldest = connection.execute(
            sa.select(sa.func.min(jobs.c.created)).where(jobs.c.state == QUEUED)
        ).scalar()
    return count_jobs(database), max(0.0, time.time() - oldest) if oldest else 0.0
