"""Forecasts and how they came out, the trials ledger, schedules, and how old the data are."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from sta410kit.research.forecast_log import FILE, ForecastLog
from sta410kit.runner import schedules
from sta410kit.runner.freshness import stored_symbols
from sta410kit.runner.manifest import manifests
from sta410kit.runner.scorecard import scorecard_rows
from sta410kit.service.access import VIEWER
from sta410kit.service.leases import schedule_record
from sta410kit.service.models import Stored
from sta410kit.service.site import Served

router = APIRouter(dependencies=[VIEWER])


@router.get("/forecasts", tags=["forecasts"])
def read_forecasts(site: Served) -> dict[str, Any]:
    """Return the forecasts of the newest passed run of the chain, log returns with their intervals."""
    for folder, manifest in manifests(site.runs, "chain"):
        if manifest.passed and manifest.results.get("forecasts"):
            keys = ("forecasts", "no_forecast", "verdict", "data")
            return {"run": folder.name, **{key: manifest.results.get(key) for key in keys}}
    return {"run": "", "forecasts": []}


@router.get("/forecasts/log", tags=["forecasts"])
def read_forecast_log(
    site: Served, symbol: str = "", model: str = "", limit: Annotated[int, Query(ge=1, le=10_000)] = 500
) -> list[dict[str, Any]]:
    """Return logged forecasts with their outcomes, newest first; `actual` is null while it is open."""
    log = ForecastLog(site.runs / FILE).read()
    for name, value in (("symbol", symbol), ("model", model)):
        log = log[log[name] == value] if value else log
    newest = log.iloc[::-1].head(limit)
    days = {name: newest[name].dt.strftime("%Y-%m-%d").astype(object) for name in ("date", "known")}
    rows = newest.assign(**days).astype(object)
    records = rows.where(rows.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in records]


@router.get("/scorecard", tags=["forecasts"])
def read_scorecard(site: Served) -> list[dict[str, Any]]:
    """Return how earlier forecasts came out, by model, horizon and target."""
    return scorecard_rows(ForecastLog(site.runs / FILE).read())


@router.get("/trials", tags=["research"])
def read_trials(site: Served) -> list[dict[str, Any]]:
    """Return what was tried on each dataset and target, and what the best of it is worth."""
    return site.trials()


@router.get("/data", tags=["research"])
def read_data(site: Served) -> list[Stored]:
    """Return how fresh the stored prices are, by symbol, the furthest behind first."""
    found = stored_symbols(site.project, site.index)
    return [Stored.model_validate(one, from_attributes=True) for one in found]


@router.get("/schedules", tags=["schedules"])
def read_schedules(site: Served) -> list[dict[str, Any]]:
    """Return each schedule of ``schedules.toml``, and whether a run is due."""
    if not (site.project / schedules.FILE).is_file():
        return []
    record = schedule_record(site.database, site.project)
    return [
        {"schedule": name, "exchange": one.exchange, **schedules.due(record, name, one)._asdict()}
        for name, one in schedules.read_schedules(site.project).items()
    ]
