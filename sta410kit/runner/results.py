"""What a step and a run resulted in: recorded values, data coverage, model, verdict, scores and forecasts."""

from __future__ import annotations

import ast
import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from sta410kit._internal.parquet import read_table
from sta410kit._internal.redaction import redact
from sta410kit.exceptions import DataLoadingError
from sta410kit.guards.acceptance import quarantined_rows
from sta410kit.guards.wording import name_left_out
from sta410kit.steps import END_EARLY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from sta410kit.runner.manifest import StepRecord
    from sta410kit.runner.parameters import Parameter

R2 = "r2_against_naive"  # the score that the list of runs shows
PRICES = ("prices.parquet", "raw_prices.parquet")  # what a run's data are, in this order of preference


def parameter_values(parameters: Iterable[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of each parameter; a default that is no literal is returned as its source text."""
    return {one.name: given[one.name] if one.name in given else _literal(one.default) for one in parameters}


def data_coverage(path: Path) -> dict[str, Any] | None:
    """Return the symbols, first and last session and number of rows of a Parquet file.

    None for a file that is not Parquet or has no columns ``symbol`` and ``date``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        table = read_table(path, ["symbol", "date"])
        sessions = pc.min_max(table["date"])
        # As text: for the Python value of a timestamp pyarrow imports pandas, and the next step would wait.
        first, last = ((sessions[name].cast(pa.string()).as_py() or "")[:10] for name in ("min", "max"))
        symbols = sorted(map(str, pc.unique(table["symbol"]).to_pylist()))
    except (DataLoadingError, KeyError, pa.ArrowException):
        return None
    return {"symbols": symbols, "first": first, "last": last, "rows": table.num_rows}


def run_results(folder: Path, steps: Iterable[StepRecord]) -> tuple[dict[str, Any], list[str]]:
    """Return the results of a run as JSON values, and warnings: old prices, files not as they should be."""
    steps = list(steps)
    found: dict[str, Any] = {}
    recorded = {name: value for step in steps for name, value in step.recorded.items()}
    warnings = [str(recorded[END_EARLY])] if END_EARLY in recorded else []
    models = [step.parameters["model"] for step in steps if "model" in step.parameters]
    scores = {name: value for name, value in recorded.items() if _is_number(value)}
    data = {name: coverage for step in steps for name, coverage in step.data.items()}
    known = [name for name in (*PRICES, *data) if name in data]
    found |= {"model": str(models[-1])} if models else {}
    found |= {"scores": scores} if scores else {}
    found |= {"data": data[known[0]]} if known else {}
    found |= {"survivorship": str(recorded["survivorship"])} if "survivorship" in recorded else {}
    readers: dict[str, tuple[str, Callable[[Path], Any]]] = {
        "prices.parquet": ("quarantined", _read_quarantined),
        "origin.json": ("origin", lambda path: json.loads(path.read_text(encoding="utf-8"))),
        "verdict.json": ("verdict", _read_verdict),
        "forecasts.parquet": ("forecasts", _read_forecasts),
        "orders.parquet": ("orders", _read_orders),
    }
    for file, (name, read) in readers.items():
        if not (folder / file).is_file():
            continue
        try:
            found[name] = read(folder / file)
        except (DataLoadingError, OSError, ValueError, TypeError, KeyError, NotImplementedError) as error:
            why = redact(f"{type(error).__name__}: {error}")
            warnings.append(f"{file} does not hold the {name} of a run, so the report omits it ({why})")
    for name in ("as_of", "source_failure"):
        if name in recorded and "origin" in found:
            found["origin"][name] = recorded[name]
    left_out = found.get("quarantined", {}).get("symbols", {})
    without = {symbol: f"quarantined ({reason})" for symbol, reason in left_out.items()}
    without |= _without_forecast(found.get("orders", []))
    if without and "forecasts" in found:
        found["no_forecast"] = without
    if not found.get("quarantined", True):
        del found["quarantined"]
    return found, warnings


def _literal(source: str) -> Any:  # noqa: ANN401 - the default may be of any type
    try:
        return ast.literal_eval(source)
    except (ValueError, SyntaxError):
        return source


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_quarantined(path: Path) -> dict[str, Any]:
    """Return reasons by symbol, bars by expectation and the first of both; empty where all is used."""
    rows = quarantined_rows(path)
    reasons = {row["symbol"]: row["reason"] for row in rows if row["date"] is None}
    bars = Counter(row["expectation"] for row in rows if row["date"] is not None)
    return {"symbols": reasons, "bars": dict(bars), "named": name_left_out(rows)} if rows else {}


def _read_verdict(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return {**content, "verdict": str(content["verdict"]), "sentence": str(content["sentence"])}


def _read_forecasts(path: Path) -> list[dict[str, Any]]:
    import pyarrow as pa

    table = read_table(path)
    place = table.schema.get_field_index("date")
    days = (
        table["date"].cast(pa.timestamp("us")).cast(pa.date32(), safe=False)
    )  # no timestamp: see `data_coverage`
    return [_forecast(row) for row in table.set_column(place, "date", days).to_pylist()]


def _read_orders(path: Path) -> list[dict[str, Any]]:
    """Return the proposals: symbol, side, shares, reference price, stop, target and reason."""
    names = ["symbol", "side", "shares", "reference_price", "stop_loss", "take_profit", "reason"]
    rows = read_table(path, names).to_pylist()
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON has no NaN
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _without_forecast(orders: list[dict[str, Any]]) -> dict[str, str]:
    """Return the symbols on hold for want of a forecast, and why there is none."""
    said = [(row["symbol"], *str(row["reason"]).partition("no forecast: ")) for row in orders]
    return {symbol: why for symbol, before, found, why in said if found and not before}


def _forecast(row: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: float(row[name]) for name in ("predicted", "lower", "upper")}
    if not all(map(math.isfinite, numbers.values())):
        message = f"the forecast of {row['symbol']} is not finite"
        raise ValueError(message)
    words = {name: str(row[name]) for name in ("symbol", "model")}
    return {**row, **words, **numbers, "horizon": int(row["horizon"]), "date": f"{row['date']:%Y-%m-%d}"}
