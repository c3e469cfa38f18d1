"""The page a run leaves: steps, verdict, forecasts, gates and figures, in one file that needs no network."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.redaction import redact
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.guards.data_docs import summaries
from sta410kit.runner.history.listing import seconds_of
from sta410kit.runner.history.tables import spoken_seconds
from sta410kit.runner.identity import differences
from sta410kit.runner.manifest import Manifest, StepRecord, read_manifest
from sta410kit.runner.notebook import MARK, images_of
from sta410kit.runner.pages import render
from sta410kit.runner.run_log import NAME as LOG
from sta410kit.runner.runs import DATA_DOCS, REPORT, run_folders

if TYPE_CHECKING:
    from pathlib import Path

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # a terminal's, in tracebacks


def write_report(folder: Path, manifest: Manifest) -> Path:
    """Write ``report.html`` into the run folder and return its path."""
    manifest = replace(manifest, results={**manifest.results, "forecasts": _drawn(manifest)})
    page = render(
        "report.html",
        manifest=manifest,
        took=spoken_seconds(seconds_of(manifest)),
        reused=sum(bool(step.reused) for step in manifest.steps),
        peak=max((step.peak_memory for step in manifest.steps), default=0),
        timeline=timeline(manifest),
        failed=[_failure(folder, step) for step in manifest.steps if step.outcome != ExitCode.PASSED.name],
        changes=changes_since(folder, manifest),
        gates=newest_gates(summaries(folder / DATA_DOCS)),
        docs=DATA_DOCS,
        log=LOG,
        figures=[figure for step in manifest.steps for figure in _figures(folder / step.notebook, step.name)],
    )
    write_text(folder / REPORT, page)
    return folder / REPORT


def timeline(manifest: Manifest) -> list[dict[str, Any]]:
    """Return where on the time axis, in percent, each step's bar begins and how wide it is.

    The axis is that of the run; a step that was taken over has a bar as long as it took then, from the left.
    """
    begins = {one.name: datetime.fromisoformat(one.started) for one in manifest.steps if _timed(one)}
    first = min(begins.values(), default=None)
    starts = {name: (moment - first).total_seconds() for name, moment in begins.items() if first}
    whole = max([starts.get(one.name, 0.0) + one.seconds for one in manifest.steps], default=0.0) or 1.0
    return [
        {
            "step": one,
            "left": round(100 * starts.get(one.name, 0.0) / whole, 2),
            "width": round(100 * one.seconds / whole, 2),
        }
        for one in manifest.steps
    ]


def _timed(step: StepRecord) -> bool:
    return bool(step.started) and not step.reused


def _drawn(manifest: Manifest) -> list[dict[str, Any]]:
    """Return the forecasts with where to draw them, in percent of an axis with zero in its middle."""
    rows = manifest.results.get("forecasts", [])
    widest = max((abs(row[name]) for row in rows for name in ("predicted", "lower", "upper")), default=0.0)

    def place(value: float) -> float:
        return round(50 + 48 * value / (widest or 1.0), 2)

    return [
        {
            **row,
            "at": place(row["predicted"]),
            "from": place(row["lower"]),
            "wide": round(place(row["upper"]) - place(row["lower"]), 2),
        }
        for row in rows
    ]


def _failure(folder: Path, step: StepRecord) -> dict[str, Any]:
    """Return what there is to show of a failed step: its message, and the cell below papermill's mark."""
    found = {
        "step": step.name,
        "outcome": step.outcome,
        "message": step.message,
        "notebook": step.notebook,
        "number": 0,
        "source": "",
        "trace": "",
    }
    path = folder / step.notebook
    if not step.notebook or not path.is_file():
        return found
    import nbformat

    cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    marks = [number for number, cell in enumerate(cells) if MARK in cell.metadata.get("tags", [])]
    below = [number for number in marks if number + 1 < len(cells) and cells[number + 1].cell_type == "code"]
    if not below:
        return found
    cell = cells[below[-1] + 1]
    errors = [output for output in cell.outputs if output.output_type == "error"]
    trace = "\n".join(errors[-1].traceback) if errors else ""
    return {**found, "number": below[-1] + 2, "source": cell.source, "trace": _COLOURS.sub("", trace)}


def changes_since(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """Return the run before this one, of the chain or the same notebook, and what changed in each step."""
    for other in run_folders(folder.parent):
        if other.name >= folder.name:
            continue
        try:
            earlier = read_manifest(other)
        except ConfigurationError:
            continue
        if (earlier.kind, earlier.title) != (manifest.kind, manifest.title):
            continue
        steps = {}
        for step in manifest.steps:
            before = earlier.step(step.name)
            if before is not None and step.parts and before.parts:
                steps[step.name] = differences(step.parts, before.parts)
        return {"run": earlier.run, "steps": steps}
    return {}


def newest_gates(gates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest validation of each step and suite; a run that was resumed has older ones too."""
    found = {(gate["step"], gate["suite"]): gate for gate in reversed(gates)}
    return sorted(found.values(), key=lambda gate: (gate["step"], gate["page"].split("/")[-2]))


def results_of(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Return what a chain came to: the verdict on luck and a row a symbol of forecasts, as JSON values.

    A chain of one's own may leave something else under these names. It is not shown, and said to be there.

    Returns
    -------
    dict
        ``verdict`` and ``forecasts``; without those that are not there.
    list of str
        A sentence for each file that is not what its name says.
    """
    readers = {"verdict.json": ("verdict", _verdict_in), "forecasts.parquet": ("forecasts", _forecasts_in)}
    found: dict[str, Any] = {}
    strange = []
    for file, (name, read) in readers.items():
        if not (folder / file).is_file():
            continue
        try:
            found[name] = read(folder / file)
        except (OSError, ValueError, TypeError, KeyError, NotImplementedError) as error:
            why = redact(f"{type(error).__name__}: {error}")
            strange.append(f"{file} does not hold the {name} of a run, so the report is without ({why})")
    return found, strange


def _verdict_in(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return {**content, "verdict": str(content["verdict"]), "sentence": str(content["sentence"])}


def _forecasts_in(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    # `pq.read_table` would import pandas, which this process has no other use for.
    return [_forecast(row) for row in pq.ParquetFile(path).read().to_pylist()]


def _forecast(row: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: float(row[name]) for name in ("predicted", "lower", "upper")}
    if not all(map(math.isfinite, numbers.values())):
        message = f"the forecast of {row['symbol']} is no number"
        raise ValueError(message)
    words = {name: str(row[name]) for name in ("symbol", "model")}
    return {**row, **words, **numbers, "horizon": int(row["horizon"]), "date": f"{row['date']:%Y-%m-%d}"}


def _figures(notebook: Path, step: str) -> list[dict[str, str]]:
    """Return the images of an executed notebook, each under the last heading above it."""
    import nbformat

    if not notebook.is_file():
        return []
    heading, found = step, []
    for cell in nbformat.read(notebook, as_version=4).cells:  # type: ignore[no-untyped-call]
        if cell.cell_type == "markdown":
            titles = [line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")]
            heading = titles[-1] if titles else heading
        else:
            found += [{"caption": f"{step}: {heading}", "image": image} for image in images_of(cell)]
    return found
