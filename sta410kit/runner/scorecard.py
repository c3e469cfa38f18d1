"""What became of the forecasts of earlier runs: logged and scored when a run of the chain passes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sta410kit._internal.parquet import read_table
from sta410kit._internal.text import percent, pluralize
from sta410kit.exceptions import STA410Exception
from sta410kit.research.forecast_log import FILE, ForecastLog
from sta410kit.research.target_names import DEFAULT
from sta410kit.runner.results import PRICES
from sta410kit.runner.terminal import show_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from sta410kit.runner.manifest import Manifest

_RECENT = 10  # printed
_DRAWN = 250  # in the report
_EDGE = 2.5  # outcomes further outside are drawn here


def log_forecasts(folder: Path, manifest: Manifest) -> None:
    """Log the forecasts of a passed run and settle earlier ones; add the scorecard to the run's results."""
    log, results = ForecastLog(folder.parent / FILE), manifest.results
    if not results.get("forecasts"):
        return
    try:
        log.add(results["forecasts"], run=manifest.run, made=manifest.started)
        prices = next((folder / name for name in PRICES if (folder / name).is_file()), None)
        if prices is None or not log.open_before(results.get("data", {}).get("last", "")):
            return  # nothing can have come out: pandas need not be imported
        from sta410kit.research.drift import drift_of

        log.settle(read_table(prices).to_pandas())
        logged = log.read()
        results["scorecard"], results["outcomes"] = scorecard_rows(logged), outcome_points(logged)
        results["drift"] = drift_of(logged)
    except STA410Exception as error:
        manifest.warnings.append(f"forecasts were not logged or scored: {error}")


def scorecard_rows(log: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the scorecard as JSON values, of models with at least one outcome."""
    from sta410kit.research.forecast_log import scorecard

    table = scorecard(log)
    for name in ("first", "last"):
        table[name] = [f"{day:%Y-%m-%d}" for day in table[name]]
    table = table[table["scored"] > 0].astype(object)
    rows = table.where(table.notna(), None).to_dict("records")  # JSON has no NaN
    return [{str(name): value for name, value in row.items()} for row in rows]


def outcome_points(log: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the newest outcomes, each with its place in the forecast's interval, which ends at -1 and 1."""
    known = log[log["live"]].dropna(subset="actual").tail(_DRAWN)
    middle, half = (known["lower"] + known["upper"]) / 2, (known["upper"] - known["lower"]) / 2
    places = ((known["actual"] - middle) / half).clip(-_EDGE, _EDGE)
    labels = [
        f"{row['symbol']} from {row['date']:%Y-%m-%d}: forecast {percent(row['predicted'], '+.2%')}, "
        f"outcome {percent(row['actual'], '+.2%')}"
        for row in known.to_dict("records")
    ]
    return [
        {"place": round(float(place), 3), "label": label} for place, label in zip(places, labels, strict=True)
    ]


def symbol_rows(log: pd.DataFrame) -> list[dict[str, Any]]:
    """Return how often outcomes fell into their intervals, by symbol, with a 95 % interval of that share."""
    known = log[log["live"]].dropna(subset="actual")
    inside = known["actual"].between(known["lower"], known["upper"])
    same_sign = ((known["predicted"] > 0) == (known["actual"] > 0)).astype(float)
    same_sign = same_sign.where(known["predicted"] != 0)  # a forecast of 0 has no direction
    rows = []
    for symbol, part in known.groupby("symbol"):
        count, share = len(part), float(inside[part.index].mean())
        low, high = _wilson(share, count)
        hits = float(same_sign[part.index].mean())
        rows.append(
            {"symbol": symbol, "scored": count, "coverage": share, "low": low, "high": high, "hits": hits}
        )
    return rows


def _wilson(share: float, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    z = 1.96
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return middle - half, middle + half


def print_scorecard(log: pd.DataFrame, path: Path) -> None:
    """Print scores by model, then the newest forecasts with an outcome."""
    import click

    if log.empty:
        click.echo(f"no forecasts in {path} yet; each `sta410 run` that passes logs its own")
        return
    rows = scorecard_rows(log)
    names = ("model", "horizon", "from", "to", "forecasts", "scored", "hit rate", "R²", "coverage")
    cells = [
        (
            _model(row),
            *(str(row[name]) for name in ("horizon", "first", "last", "forecasts", "scored")),
            percent(row["hit_rate"], ".1%", "not defined"),
            percent(row["r2_against_naive"], "+.1%", "not defined"),
            percent(row["coverage"], ".1%"),
        )
        for row in rows
    ]
    if cells:
        show_table(names, cells, right=("horizon", "forecasts", "scored", *names[6:]))
        _print_recent(log)
    waiting = int(log["actual"].isna().sum())
    if waiting:
        click.echo(f"{pluralize(waiting, 'forecast')} without an outcome yet")
    late = int((~log["live"]).sum())
    if late:
        click.echo(f"{pluralize(late, 'forecast')} made after the outcome was known: not scored")
    click.echo(f"forecast log: {path}")


def _model(row: Mapping[Any, Any]) -> str:
    """Return a model, with its target unless that is the default."""
    return str(row["model"]) if row["target"] == DEFAULT else f"{row['model']}, {row['target']}"


def _print_recent(log: pd.DataFrame) -> None:
    known = log[log["live"]].dropna(subset="actual").tail(_RECENT).iloc[::-1]
    rows = [
        (
            *(row["symbol"], f"{row['date']:%Y-%m-%d}", _model(row)),
            *(f"{100 * row[name]:+.2f}" for name in ("predicted", "lower", "upper", "actual")),
            "inside" if row["lower"] <= row["actual"] <= row["upper"] else "outside",
        )
        for row in known.to_dict("records")
    ]
    columns = ("symbol", "last session", "model", "forecast", "lower", "upper", "actual", "interval")
    show_table(columns, rows, title="newest outcomes, in %", right=columns[3:7])
