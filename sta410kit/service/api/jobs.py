"""Jobs: the queue of runs and sweeps."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from sta410kit.exceptions import ConfigurationError
from sta410kit.service import queue
from sta410kit.service.access import RUNNER, VIEWER, Caller
from sta410kit.service.events import job_progress
from sta410kit.service.models import Job, JobNumber
from sta410kit.service.problems import found, responses
from sta410kit.service.requests import RunRequest, SweepRequest
from sta410kit.service.site import Served, Site

router = APIRouter(prefix="/jobs", tags=["jobs"])
_LARGEST = 2**31 - 1
_MISSING = responses(HTTPStatus.NOT_FOUND)


def _find(job: JobNumber, site: Served) -> queue.Job:
    return found(queue.find_job, site.database, job)


_Known = Annotated[queue.Job, Depends(_find)]  # the job that the address of a request names


def accepted(site: Site, asked: RunRequest | SweepRequest, caller: Caller, response: Response) -> Job:
    """Check what is asked for and queue it; the response says where to look for it."""
    try:
        checked = asked.checked(site.project)
    except RecursionError:
        message = "the parameters are nested too deeply"
        raise ConfigurationError(message) from None
    kind = "sweep" if isinstance(asked, SweepRequest) else "run"
    job = queue.enqueue(site.database, kind, checked, by=caller.name)
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return Job.of(job)


@router.get("", dependencies=[VIEWER])
def read_jobs(
    site: Served,
    state: Literal["", "queued", "running", "finished"] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[
        int | None, Query(ge=1, le=_LARGEST, description="Only jobs older than this one")
    ] = None,
) -> list[Job]:
    """List jobs, newest first."""
    states = [state] if state else []
    return [Job.of(one) for one in queue.list_jobs(site.database, states, limit=limit, before=before)]


@router.get("/{job}", dependencies=[VIEWER], responses=_MISSING)
def read_job(known: _Known) -> Job:
    """Return one job."""
    return Job.of(known)


@router.post("/{job}/cancel", responses=_MISSING)
def cancel_job(caller: Annotated[Caller, RUNNER], known: _Known, site: Served) -> Job:
    """Cancel a job: a queued one at once, a running one within seconds; a finished one stays as it is."""
    return Job.of(queue.cancel(site.database, known.id, caller.name))


@router.get("/{job}/events", dependencies=[VIEWER], responses=_MISSING, response_class=EventSourceResponse)
async def follow_job(known: _Known, site: Served) -> AsyncIterator[ServerSentEvent]:
    """Stream a job's progress: ``job`` whenever its state changes, the events of its run, then ``end``."""
    async for event in job_progress(site, known.id):
        yield event
