"""Runs and sweeps: start, list, read, compare, follow."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import PlainTextResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from sta410kit.runner.comparison.runs import compare_runs
from sta410kit.runner.listing import look_at
from sta410kit.runner.manifest import read_manifest
from sta410kit.runner.run_log import NAME as LOG
from sta410kit.runner.selection import ORDERS, Selection
from sta410kit.runner.summary import run_details
from sta410kit.runner.sweeps.results import Sweep, results_table
from sta410kit.service.access import RUNNER, VIEWER, Caller
from sta410kit.service.api.jobs import accepted
from sta410kit.service.events import progress
from sta410kit.service.folders import RunFolder, RunId, run_folder
from sta410kit.service.models import Job, Run, RunDetails, Runs
from sta410kit.service.problems import BODY, responses
from sta410kit.service.requests import RunRequest, SweepRequest
from sta410kit.service.site import Served

router = APIRouter(prefix="/runs", tags=["runs"])
sweeps = APIRouter(prefix="/sweeps", tags=["sweeps"])
_DAY = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"
_SORT = f"^-?({'|'.join(ORDERS)})$"
_MISSING = responses(HTTPStatus.NOT_FOUND)


@router.post("", status_code=HTTPStatus.ACCEPTED, responses=BODY)
def start_run(asked: RunRequest, site: Served, response: Response, caller: Annotated[Caller, RUNNER]) -> Job:
    """Check the parameters as ``sta410 run`` does, then queue a run of the chain or of one notebook."""
    return accepted(site, asked, caller, response)


@router.get("", dependencies=[VIEWER])
def read_runs(  # noqa: PLR0913, PLR0917 - what to filter by
    site: Served,
    kind: Annotated[str, Query(description="chain, notebook, sweep or validate", examples=["chain"])] = "",
    outcome: Annotated[str, Query(description="The name of an exit code", examples=["PASSED"])] = "",
    model: str = "",
    verdict: str = "",
    text: Annotated[str, Query(description="In the id, the notebook or the parameters")] = "",
    since: Annotated[str, Query(pattern=_DAY, description="First day of the start, in UTC")] = "",
    until: Annotated[str, Query(pattern=_DAY, description="Last day of the start, in UTC")] = "",
    sort: Annotated[
        str, Query(pattern=_SORT, description="A minus begins with the largest", examples=["-r2"])
    ] = "-started",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Runs:
    """List runs, the newest first unless sorted otherwise."""
    filters = {"kind": kind, "outcome": outcome, "model": model, "verdict": verdict, "text": text}
    wanted = Selection(**filters, since=since, until=until, sort=sort, page=1)
    found = wanted.of(site.listed())
    page = [Run(**row) for row in found[offset : offset + limit]]
    return Runs(items=page, total=len(found), limit=limit, offset=offset)


@router.get("/{run}", dependencies=[VIEWER], responses=_MISSING)
def read_run(folder: RunFolder, site: Served) -> RunDetails:
    """Return everything that is known of a run."""
    row = look_at(folder, site.index).to_dict()
    details: dict[str, Any] = run_details(folder) if row["kind"] not in {"unknown", "validate"} else {}
    details["step_records"] = details.pop("steps", [])
    return RunDetails(**{**details, **row})


@router.get("/{run}/log", dependencies=[VIEWER], responses=_MISSING, response_class=PlainTextResponse)
def read_log(folder: RunFolder, lines: Annotated[int, Query(ge=1, le=10_000)] = 1000) -> PlainTextResponse:
    """Return the end of a run's log as text."""
    try:
        text = (folder / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"run {folder.name} has no log") from None
    return PlainTextResponse("".join(text.splitlines(keepends=True)[-lines:]))


@router.get("/{run}/diff/{other}", dependencies=[VIEWER], responses=_MISSING)
def compare(folder: RunFolder, other: RunId, site: Served) -> dict[str, Any]:
    """Compare two runs: code, parameters, data, packages, settings, then recorded values and artifacts."""
    return compare_runs(folder, run_folder(site, other)).to_dict()


@router.get("/{run}/events", dependencies=[VIEWER], responses=_MISSING, response_class=EventSourceResponse)
async def follow(folder: RunFolder, site: Served) -> AsyncIterator[ServerSentEvent]:
    """Stream a run's progress: an event ``step`` each time one begins or ends, then ``end`` with the run."""
    async for event in progress(site, folder):
        yield event


@sweeps.post("", status_code=HTTPStatus.ACCEPTED, responses=BODY)
def start_sweep(
    asked: SweepRequest, site: Served, response: Response, caller: Annotated[Caller, RUNNER]
) -> Job:
    """Check every combination as ``sta410 sweep`` does, then queue the sweep."""
    return accepted(site, asked, caller, response)


@sweeps.get("", dependencies=[VIEWER])
def read_sweeps(
    site: Served,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Runs:
    """List sweeps, newest first."""
    rows = [one.to_dict() for one in site.listed() if one.kind == "sweep"]
    page = [Run(**row) for row in rows[offset : offset + limit]]
    return Runs(items=page, total=len(rows), limit=limit, offset=offset)


@sweeps.get("/{run}", dependencies=[VIEWER], responses=_MISSING)
def read_sweep(folder: RunFolder) -> list[dict[str, Any]]:
    """Return a sweep's table: one row a unit with its parameters, what it recorded, and its outcome."""
    manifest = read_manifest(folder)
    if manifest.kind != "sweep":
        raise HTTPException(HTTPStatus.NOT_FOUND, f"run {folder.name} is no sweep")
    columns = results_table(Sweep(folder, manifest))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
