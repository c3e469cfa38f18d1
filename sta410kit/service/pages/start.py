"""Start runs from a form, and the queue in which they wait."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException, Response, status
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from sta410kit.exceptions import ConfigurationError, SecretFoundError
from sta410kit.runner.manifest import read_manifest
from sta410kit.runner.notebook import parameters_of, read_notebook
from sta410kit.runner.parameters import Parameter
from sta410kit.runner.pipeline import RUN_FOLDER, open_parameters, read_pipeline
from sta410kit.runner.warm.client import warm_up
from sta410kit.service.folders import run_folder
from sta410kit.service.models import JobNumber
from sta410kit.service.pages.rendering import Runner, View, Viewer
from sta410kit.service.queue import FINISHED, Job, cancel, enqueue, find_job, job_of_run, list_jobs
from sta410kit.service.requests import RunRequest
from sta410kit.service.site import Site

router = APIRouter(include_in_schema=False)
_PREFIX = "p."  # of the fields that are parameters


@router.get("/start")
def form(view: Runner, notebook: str = "", again: str = "") -> Response:
    """Show the parameters of the chain, or of one notebook; with those of an earlier run, if one is named."""
    warm_up()  # by it the values are checked
    site, given = view.site, {}
    if again:
        manifest = read_manifest(run_folder(site, again))
        given = manifest.given
        names = [name for name in _notebooks(site) if manifest.title.endswith(f"/{name}")]
        notebook = names[0] if manifest.kind == "notebook" and names else ""
    return _form(view, notebook, given)


@router.post("/start")
async def start(view: Runner) -> Response:
    """Put a run into the queue, or show the form again with what is wrong."""
    fields = {name: str(value).strip() for name, value in (await view.request.form()).items()}
    filled = {name: value for name, value in fields.items() if name.startswith(_PREFIX) and value}
    given = {name.removeprefix(_PREFIX): value for name, value in filled.items()}
    notebook, site = fields.get("notebook", ""), view.site

    def accept() -> Response:
        try:
            asked = RunRequest(parameters=given, notebook=notebook, fresh="fresh" in fields)
            checked = asked.checked(site.project)
        except (ConfigurationError, SecretFoundError, ValidationError) as error:
            return _form(view, notebook, given, str(error))
        job = enqueue(site.database, "run", checked, by=view.by)
        return RedirectResponse(f"/queue/{job.id}", status.HTTP_303_SEE_OTHER)

    return await run_in_threadpool(accept)


def _form(view: View, notebook: str, given: Mapping[str, str], problem: str = "") -> Response:
    site = view.site
    names = _notebooks(site)
    if notebook and notebook not in names:
        message = f"there is no notebook {notebook[:200]} in this project"
        raise HTTPException(status.HTTP_404_NOT_FOUND, message)
    return view.page(
        "start.html",
        status.HTTP_422_UNPROCESSABLE_CONTENT if problem else status.HTTP_200_OK,
        notebook=notebook,
        notebooks=names,
        parameters=_parameters(site, notebook),
        given=dict(given),
        problem=problem,
    )


def _notebooks(site: Site) -> list[str]:
    found = site.project.glob("notebooks/*.ipynb")
    return sorted(path.relative_to(site.project).as_posix() for path in found)


def _parameters(site: Site, notebook: str) -> list[Parameter]:
    """Return the parameters that can be given; their types are read, not evaluated."""
    if not notebook:
        return open_parameters(read_pipeline(site.project))
    declared = parameters_of(read_notebook(site.project / notebook))
    return [one for one in declared if one.read and one.name != RUN_FOLDER]


@router.get("/queue")
def queue(view: Viewer) -> Response:
    """Show what runs, what waits, and what came of the newest jobs."""
    jobs = list_jobs(view.site.database)
    parts = {
        "Running and waiting": [_row(job) for job in reversed(jobs) if job.state != FINISHED],
        "Finished": [_row(job) for job in jobs if job.state == FINISHED],
    }
    return view.page("queue.html", parts=parts)


@router.get("/queue/{number}")
def job(view: Viewer, number: JobNumber, part: str = "") -> Response:
    """Follow a job until it has a run, and go there."""
    found = find_job(view.site.database, number)
    if found.run and not part:
        return RedirectResponse(f"/runs/{found.run}", status.HTTP_303_SEE_OTHER)
    row = _row(found)
    if not part:
        return view.page("job.html", job=row)
    answer = view.page("job_state.html", job=row)
    answer.headers["X-State"] = row["mark"]
    if found.run:
        answer.headers["X-Next"] = f"/runs/{found.run}"
    return answer


@router.post("/queue/{number}/cancel")
def cancel_job(view: Runner, number: JobNumber) -> Response:
    """Cancel a job."""
    cancel(view.site.database, number, view.by)
    return RedirectResponse("/queue", status.HTTP_303_SEE_OTHER)


@router.post("/runs/{run}/cancel")
def cancel_run(view: Runner, run: str) -> Response:
    """Cancel the job that a run belongs to."""
    database = view.site.database
    found = job_of_run(database, run)
    if found is None or found.state == FINISHED:
        message = f"run {run} is not one that this service is executing; stop it where it was started"
        raise HTTPException(status.HTTP_409_CONFLICT, message)
    cancel(database, found.id, view.by)
    return RedirectResponse(f"/runs/{run}", status.HTTP_303_SEE_OTHER)


def _row(job: Job) -> dict[str, Any]:
    """Return a job with what the pages say of it."""
    what = job.request.get("notebook") or ("the chain" if job.kind == "run" else "sweep of the chain")
    return {
        **asdict(job),
        "what": what,
        "given": {**job.request.get("grid", {}), **job.request.get("parameters", {})},
        "mark": f"{job.state} {job.run}".strip(),
        "open": job.state != FINISHED,
        "who": job.by or (f"schedule {job.schedule}" if job.schedule else ""),
    }
