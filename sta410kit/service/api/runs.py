"""Runs: start, list, read, compare, follow."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from sta410kit.runner.comparison.runs import compare_runs
from sta410kit.runner.listing import list_runs, look_at
from sta410kit.runner.run_log import NAME as LOG
from sta410kit.runner.summary import run_details
from sta410kit.service.access import Caller, require
from sta410kit.service.api.jobs import accepted
from sta410kit.service.events import progress
from sta410kit.service.folders import RunId, run_folder
from sta410kit.service.models import Job, Run, RunDetails, Runs
from sta410kit.service.problems import responses
from sta410kit.service.requests import RunRequest
from sta410kit.service.site import site_of

router = APIRouter(prefix="/runs", tags=["runs"])
_MISSING = responses(HTTPStatus.NOT_FOUND)


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
)
def start_run(
    asked: RunRequest,
    request: Request,
    response: Response,
    caller: Annotated[Caller, Depends(require("runner"))],
) -> Job:
    """Check the parameters as ``sta410 run`` does, then queue a run of the chain or of one notebook."""
    return accepted(site_of(request), asked, caller, response)


@router.get("", dependencies=[Depends(require("viewer"))])
def read_runs(  # noqa: PLR0913, PLR0917 - what to filter by
    request: Request,
    kind: Annotated[str, Query(description="chain, notebook, sweep or validate", examples=["chain"])] = "",
    outcome: Annotated[str, Query(description="The name of an exit code", examples=["PASSED"])] = "",
    model: str = "",
    verdict: str = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Runs:
    """List runs, newest first."""
    site = site_of(request)
    wanted = {"kind": kind, "outcome": outcome, "model": model, "verdict": verdict}
    rows = [one.to_dict() for one in list_runs(site.runs, index=site.index)]
    found = [row for row in rows if all(row[name] == value for name, value in wanted.items() if value)]
    page = [Run(**row) for row in found[offset : offset + limit]]
    return Runs(items=page, total=len(found), limit=limit, offset=offset)


@router.get("/{run}", dependencies=[Depends(require("viewer"))], responses=_MISSING)
def read_run(run: RunId, request: Request) -> RunDetails:
    """Return everything that is known of a run."""
    site = site_of(request)
    folder = run_folder(site, run)
    row = look_at(folder, site.index).to_dict()
    details: dict[str, Any] = run_details(folder) if row["kind"] not in {"unknown", "validate"} else {}
    details["step_records"] = details.pop("steps", [])
    return RunDetails(**{**details, **row})


@router.get(
    "/{run}/log",
    dependencies=[Depends(require("viewer"))],
    responses=_MISSING,
    response_class=PlainTextResponse,
)
def read_log(
    run: RunId, request: Request, lines: Annotated[int, Query(ge=1, le=10_000)] = 1000
) -> PlainTextResponse:
    """Return the end of a run's log as text."""
    try:
        text = (run_folder(site_of(request), run) / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"run {run} has no log") from None
    return PlainTextResponse("".join(text.splitlines(keepends=True)[-lines:]))


@router.get("/{run}/diff/{other}", dependencies=[Depends(require("viewer"))], responses=_MISSING)
def compare(run: RunId, other: RunId, request: Request) -> dict[str, Any]:
    """Compare two runs: code, parameters, data, packages, settings, then recorded values and artifacts."""
    site = site_of(request)
    return compare_runs(run_folder(site, run), run_folder(site, other)).to_dict()


@router.get(
    "/{run}/events",
    dependencies=[Depends(require("viewer"))],
    responses=_MISSING,
    response_class=EventSourceResponse,
)
async def follow(run: RunId, request: Request) -> AsyncIterator[ServerSentEvent]:
    """Stream a run's progress: an event ``step`` each time one begins or ends, then ``end`` with the run."""
    site = site_of(request)
    async for event in progress(site, run_folder(site, run)):
        yield event
