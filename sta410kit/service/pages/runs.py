"""The pages of runs: their list, two side by side, one in detail with its notebooks, files and log."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException, Query, Response, status
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse

from sta410kit._internal.pages import NO_SCRIPT
from sta410kit.exceptions import ConfigurationError, DataLoadingError
from sta410kit.runner.comparison.runs import KINDS, compare_runs
from sta410kit.runner.listing import look_at
from sta410kit.runner.manifest import DIFF, RUNNING, Manifest, read_manifest
from sta410kit.runner.report import run_values
from sta410kit.runner.run_files import artifacts_of, preview, tail_of
from sta410kit.runner.run_log import NAME as LOG
from sta410kit.runner.runs import DATA_DOCS, REPORT
from sta410kit.runner.selection import Selection, choices
from sta410kit.service.folders import run_file, run_folder
from sta410kit.service.pages.rendering import Viewer

router = APIRouter(include_in_schema=False)
_A_PAGE = 50  # rows
_COLUMNS = {
    "started": "run",
    "outcome": "state",
    "verdict": "verdict",
    "model": "model",
    "parameters": "parameters",
    "r2": "R²",
    "rank_ic": "rank IC",
    "sharpe": "Sharpe",
    "trials": "trials",
    "seconds": "duration",
}
_NUMBERS = ("r2", "rank_ic", "sharpe", "trials", "seconds")
_ORDERS = {name: words for name, words in _COLUMNS.items() if name != "parameters"} | {"started": "start"}
_MOST_DIFFERENCES = 40  # of a kind
# What a notebook or a page of a run brings along is shown, and runs nothing: no script, no form, no network.
_STATIC = {
    "Content-Security-Policy": f"{NO_SCRIPT}; frame-ancestors 'self'; sandbox allow-same-origin allow-popups",
    "X-Frame-Options": "SAMEORIGIN",
}
_TEXT = (".json", ".log", ".csv", ".diff", ".txt", ".toml", ".py", ".md")
_SHOWN = {  # in a browser; others are saved
    ".html": "text/html; charset=utf-8",
    ".png": "image/png",
    **dict.fromkeys(_TEXT, "text/plain; charset=utf-8"),
}


@router.get("/")
def runs(view: Viewer, selection: Annotated[Selection, Query()]) -> Response:
    """Show the runs, filtered and in order, a page at a time."""
    found = view.site.listed()
    rows = selection.of(found)
    last = max(1, -(-len(rows) // _A_PAGE))
    number = min(selection.page, last)

    def address(**changes: Any) -> str:  # noqa: ANN401 - query parameters
        values = {**selection.model_dump(), "page": number, **changes}
        return "/?" + urlencode({name: value for name, value in values.items() if value})

    return view.page(
        "runs.html",
        selection=selection,
        choices=choices(found),
        rows=rows[_A_PAGE * (number - 1) : _A_PAGE * number],
        found=len(rows),
        total=len(found),
        number=number,
        last=last,
        filtered=selection != Selection(sort=selection.sort, page=selection.page),
        columns=_COLUMNS,
        orders=_ORDERS,
        numbers=_NUMBERS,
        address=address,
    )


@router.get("/compare")
def compare(
    view: Viewer, first: str = "", second: str = "", run: Annotated[list[str] | None, Query()] = None
) -> Response:
    """Show two runs side by side; `run`, twice, is what the ticks of the list send."""
    if run is not None:
        if len(run) != 2:  # noqa: PLR2004 - a pair
            message = f"tick two runs to compare them; {len(run)} {'was' if len(run) == 1 else 'were'} ticked"
            raise HTTPException(status.HTTP_400_BAD_REQUEST, message)
        query = urlencode(dict(zip(("first", "second"), sorted(run), strict=True)))
        return RedirectResponse(f"/compare?{query}", status.HTTP_303_SEE_OTHER)
    folders = run_folder(view.site, first), run_folder(view.site, second)
    found = compare_runs(*folders)
    return view.page(
        "compare.html",
        rows=[look_at(folder, view.site.index).to_dict() for folder in folders],
        found=found,
        kinds={kind: differences for kind in KINDS if (differences := found.of_kind(kind))},
        most=_MOST_DIFFERENCES,
    )


@router.get("/runs/{run}")
def show(view: Viewer, run: str, part: str = "") -> Response:
    """Show a run, its verdict first; with ``part=progress`` only its steps, for the script."""
    site = view.site
    folder = run_folder(site, run)
    listed = look_at(folder, site.index)
    address = f"/runs/{run}"
    try:
        manifest = read_manifest(folder)
    except ConfigurationError as error:
        manifest = Manifest(run, listed.kind, outcome=listed.outcome, started=listed.started.isoformat())
        manifest.warnings.append(str(error) if listed.outcome == "UNREADABLE" else "it has no manifest yet")
    values = run_values(folder, manifest) | {
        "state": listed.outcome,
        "docs": f"{address}/files/{DATA_DOCS}",
        "link": lambda notebook: f"{address}/notebooks/{quote(notebook)}",
    }
    if part == "progress":
        answer = view.page("steps.html", **values)
        answer.headers["X-State"] = listed.outcome
        return answer
    if listed.outcome == RUNNING:
        values["events"] = f"/api/v1/runs/{run}/events"
    pages = {"Report with figures": REPORT, "Data docs": f"{DATA_DOCS}/index.html", "Code changes": DIFF}
    return view.page(
        "run_page.html",
        **values,
        address=address,
        row=listed.to_dict(),
        live=listed.outcome == RUNNING,
        pages={name: f"{address}/files/{path}" for name, path in pages.items() if (folder / path).is_file()},
        log=(folder / LOG).is_file(),
        artifacts=artifacts_of(folder, manifest),
    )


@router.get("/runs/{run}/log")
def log(view: Viewer, run: str) -> Response:
    """Return the log of a run as text, the end of a long one."""
    content, whole = tail_of(run_file(run_folder(view.site, run), LOG))
    return PlainTextResponse(content if whole else f"[the beginning is left out]\n{content}")


@router.get("/runs/{run}/notebooks/{path:path}")
def notebook(view: Viewer, run: str, path: str) -> Response:
    """Show an executed notebook, in a frame that runs nothing of it."""
    run_file(run_folder(view.site, run), path)
    address = f"/runs/{run}/files/{quote(path)}"
    return view.page("notebook_page.html", run=run, name=path, address=address)


@router.get("/runs/{run}/artifacts/{path:path}")
def artifact(view: Viewer, run: str, path: str) -> Response:
    """Show the first and last rows of a Parquet file; any other file as it is."""
    file = run_file(run_folder(view.site, run), path)
    address = f"/runs/{run}/files/{quote(path)}"
    if file.suffix != ".parquet":
        return RedirectResponse(address)
    try:
        table = preview(file)
    except DataLoadingError as error:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, str(error)) from error
    return view.page("artifact.html", run=run, name=path, address=address, **table)


@router.get("/runs/{run}/files/{path:path}")
def file(view: Viewer, run: str, path: str) -> Response:
    """Return a file of a run: pages and notebooks as pages without scripts, text as text, others to save."""
    found = run_file(run_folder(view.site, run), path)
    if found.suffix == ".ipynb":
        from sta410kit.runner.notebook_pages import notebook_html

        return HTMLResponse(notebook_html(found), headers=_STATIC)
    if found.suffix in _SHOWN:
        return FileResponse(found, media_type=_SHOWN[found.suffix], headers=_STATIC)
    return FileResponse(found, media_type="application/octet-stream", filename=found.name)
