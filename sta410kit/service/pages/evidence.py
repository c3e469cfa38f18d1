"""The pages of what runs have shown: forecasts and outcomes, sweeps, trials, accepted findings, data."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Response, status

from sta410kit.guards.declarations import read_all_reviewed
from sta410kit.market.resilience.breaker import failures_in_a_row
from sta410kit.research.conformal import LEVEL
from sta410kit.research.forecast_log import FILE as FORECASTS
from sta410kit.research.forecast_log import ForecastLog
from sta410kit.research.target_names import forecast_words
from sta410kit.runner.freshness import stored_symbols
from sta410kit.runner.listing import look_at
from sta410kit.runner.manifest import Manifest, read_manifest, read_units
from sta410kit.runner.night import night_of
from sta410kit.runner.profile import profile_run
from sta410kit.runner.report import drawn_forecasts
from sta410kit.runner.scorecard import outcome_points, scorecard_rows, symbol_rows
from sta410kit.runner.sweeps.results import Sweep, results_table, sweep_values
from sta410kit.service.folders import run_folder
from sta410kit.service.pages.rendering import Viewer
from sta410kit.service.site import Site

router = APIRouter(include_in_schema=False)
_MOST_SYMBOLS = 40  # drawn
_RECENT = 25  # outcomes listed


def newest_chain(site: Site) -> tuple[dict[str, Any], Manifest] | None:
    """Return row and manifest of the newest passed run of the chain."""
    for one in site.listed():
        if (one.kind, one.outcome) == ("chain", "PASSED"):
            return one.to_dict(), read_manifest(one.folder)
    return None


@router.get("/forecasts")
def forecasts(view: Viewer) -> Response:
    """Show the newest forecasts, and how earlier ones came out."""
    site = view.site
    newest = newest_chain(site)
    rows = drawn_forecasts(newest[1]) if newest else []
    log = ForecastLog(site.runs / FORECASTS).read()
    known = log[log["live"]].dropna(subset="actual")
    return view.page(
        "forecasts.html",
        newest=newest[0] if newest else None,
        forecasts=rows,
        words=forecast_words(rows),
        missing=newest[1].results.get("no_forecast", {}) if newest else {},
        scorecard=scorecard_rows(log),
        points=outcome_points(log),
        symbols=symbol_rows(log),
        most=_MOST_SYMBOLS,
        level=LEVEL,
        recent=known.tail(_RECENT).iloc[::-1].to_dict("records"),
        waiting=int(log["actual"].isna().sum()),
        late=int((~log["live"]).sum()),
    )


@router.get("/sweeps")
def sweeps(view: Viewer) -> Response:
    """Show the sweeps, newest first."""
    rows = [one.to_dict() for one in view.site.listed() if one.kind == "sweep"]
    return view.page("sweeps.html", rows=rows)


@router.get("/sweeps/{run}")
def sweep(view: Viewer, run: str) -> Response:
    """Show the table of a sweep, and its plots."""
    site = view.site
    folder = run_folder(site, run)
    manifest = read_manifest(folder)
    if manifest.kind != "sweep":
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"run {run} is no sweep; it is at /runs/{run}")
    found = Sweep(folder, replace(manifest, steps=manifest.steps or read_units(folder)))
    values: dict[str, Any] = sweep_values(found, results_table(found))
    values["link"] = lambda notebook: f"/runs/{run}/notebooks/{quote(notebook)}"
    return view.page("sweep_page.html", **values, state=look_at(folder, site.index).outcome)


@router.get("/ledger")
def ledger(view: Viewer) -> Response:
    """Show the trials, by dataset and target, with the models that were tried."""
    return view.page("ledger.html", rows=view.site.trials())


@router.get("/accepted")
def accepted(view: Viewer) -> Response:
    """Show what reviewers have accepted, why, and until when."""
    folder = view.site.project / "expectations"
    return view.page("accepted.html", rows=read_all_reviewed(folder))


@router.get("/data")
def data(view: Viewer) -> Response:
    """Show how fresh the stored prices are, by symbol."""
    site = view.site
    newest = newest_chain(site)
    return view.page(
        "data.html",
        rows=stored_symbols(site.project, site.index),
        failing=failures_in_a_row(),
        newest=newest[0] if newest else None,
        origin=newest[1].results.get("origin", {}) if newest else {},
    )


@router.get("/night")
def night(view: Viewer, run: str = "") -> Response:
    """Show what is different in the newest run of the chain from the one that passed before it."""
    site = view.site
    ids = [one.run for one in site.listed() if one.kind == "chain"]
    found = night_of(run_folder(site, run)) if run else night_of(site.runs / ids[0]) if ids else None
    return view.page("night.html", night=found, runs=ids[:_RECENT])


@router.get("/profile/{run}")
def profile(view: Viewer, run: str) -> Response:
    """Show where the time and memory of a run went."""
    found = profile_run(run_folder(view.site, run))
    longest = max((step.seconds for step in found.steps), default=0.0) or 1.0
    return view.page("profile.html", profile=found, cells=found.cells[:_MOST_SYMBOLS], longest=longest)
