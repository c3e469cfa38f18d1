"""Sweeps: start one, list them, read one's table."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from sta410kit.runner.listing import list_runs
from sta410kit.runner.manifest import read_manifest
from sta410kit.runner.sweeps.results import Sweep, results_table
from sta410kit.service.access import Caller, require
from sta410kit.service.api.jobs import accepted
from sta410kit.service.folders import RunFolder
from sta410kit.service.models import Job, Run, Runs
from sta410kit.service.problems import BODY, responses
from sta410kit.service.requests import SweepRequest
from sta410kit.service.site import site_of

router = APIRouter(prefix="/sweeps", tags=["sweeps"])
_KIND = "sweep"


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    responses=BODY,
)
def start_sweep(
    asked: SweepRequest,
    request: Request,
    response: Response,
    caller: Annotated[Caller, Depends(require("runner"))],
) -> Job:
    """Check every combination as ``sta410 sweep`` does, then queue the sweep."""
    return accepted(site_of(request), asked, caller, response)


@router.get("", dependencies=[Depends(require("viewer"))])
def read_sweeps(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Runs:
    """List sweeps, newest first."""
    site = site_of(request)
    rows = [one.to_dict() for one in list_runs(site.runs, index=site.index) if one.kind == _KIND]
    page = [Run(**row) for row in rows[offset : offset + limit]]
    return Runs(items=page, total=len(rows), limit=limit, offset=offset)


@router.get("/{run}", dependencies=[Depends(require("viewer"))], responses=responses(HTTPStatus.NOT_FOUND))
def read_sweep(folder: RunFolder) -> list[dict[str, Any]]:
    """Return a sweep's table: one row a unit with its parameters, what it recorded, and its outcome."""
    manifest = read_manifest(folder)
    if manifest.kind != _KIND:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"run {folder.name} is no sweep")
    columns = results_table(Sweep(folder, manifest))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
