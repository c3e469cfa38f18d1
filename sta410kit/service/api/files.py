"""Files of a run: its artifacts, and what the gates found."""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import FileResponse

from sta410kit.guards.data_docs import summaries
from sta410kit.runner.runs import DATA_DOCS
from sta410kit.service.access import VIEWER
from sta410kit.service.folders import RunFolder, RunId, list_files, run_file
from sta410kit.service.models import File
from sta410kit.service.problems import responses

router = APIRouter(
    prefix="/runs/{run}", tags=["artifacts"], dependencies=[VIEWER], responses=responses(HTTPStatus.NOT_FOUND)
)
_Name = Annotated[str, Path(pattern=r"^[\w.-]{1,100}$")]
_DOWNLOAD = {
    "description": "The file",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


@router.get("/artifacts")
def read_artifacts(folder: RunFolder) -> list[File]:
    """List the files of a run."""
    found = [(name, (folder / name).stat()) for name in list_files(folder)]
    return [
        File(name=name, size=about.st_size, modified=datetime.fromtimestamp(about.st_mtime, UTC))
        for name, about in found
    ]


@router.get("/artifacts/{name:path}", response_class=FileResponse, responses={200: _DOWNLOAD})
def download(
    folder: RunFolder, name: Annotated[str, Path(max_length=500, examples=["forecasts.parquet"])]
) -> FileResponse:
    """Download a file of a run; a browser saves it and does not open it."""
    path = run_file(folder, name)
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'"}
    return FileResponse(path, media_type="application/octet-stream", filename=path.name, headers=headers)


@router.get("/validations", tags=["validations"])
def read_validations(run: RunId, folder: RunFolder) -> list[dict[str, Any]]:
    """Return what each gate of a run found, newest first."""
    found = summaries(folder / DATA_DOCS)
    for one in found:
        _, suite, step, time, _ = str(one["page"]).split("/")
        one["record"] = f"/api/v1/runs/{run}/validations/{suite}/{step}/{time}"
    return found


@router.get("/validations/{suite}/{step}/{time}", tags=["validations"])
def read_validation(folder: RunFolder, suite: _Name, step: _Name, time: _Name) -> dict[str, Any]:
    """Return one validation as Great Expectations' record."""
    path = run_file(folder, f"{DATA_DOCS}/validations/{suite}/{step}/{time}/result.json")
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"the record cannot be read: {error}") from error
    return record
