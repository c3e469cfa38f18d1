"""The report of a run: one self-contained page with steps, verdict, forecasts, gates and figures."""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.pages import render
from sta410kit.guards.data_docs import gates_of
from sta410kit.research.target_names import forecast_words
from sta410kit.runner.comparison.runs import changed_dependencies
from sta410kit.runner.key_metrics import METRICS, changed_metrics
from sta410kit.runner.listing import format_seconds
from sta410kit.runner.manifest import last_passed, resume_command
from sta410kit.runner.notebook import MARK, cell_name, images_of
from sta410kit.runner.notebook_pages import link_to
from sta410kit.runner.run_log import NAME as LOG
from sta410kit.runner.runs import DATA_DOCS, REPORT
from sta410kit.runner.sheet import sheet_of

if TYPE_CHECKING:
    from pathlib import Path

    from sta410kit.runner.manifest import Manifest, StepRecord

_WIDE = 1.9  # times its height: two plots side by side
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # escape sequences in tracebacks


def write_report(folder: Path, manifest: Manifest) -> Path:
    """Write ``report.html`` into the run folder and return its path."""
    page = render(
        "report.html",
        **run_values(folder, manifest),
        state=manifest.outcome,
        link=lambda name: link_to(folder, name),
        docs=DATA_DOCS,
        log=LOG,
        figures=[figure for step in manifest.steps for figure in _figures(folder / step.notebook, step.name)],
    )
    write_text(folder / REPORT, page)
    return folder / REPORT


def run_values(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """Return what ``run.html`` shows of a run, for its report and for the service."""
    manifest = replace(manifest, results={**manifest.results, "forecasts": drawn_forecasts(manifest)})
    return {
        "manifest": manifest,
        "words": forecast_words(manifest.results["forecasts"]),
        "took": format_seconds(manifest.seconds),
        "reused": sum(bool(step.reused) for step in manifest.steps),
        "peak": max((step.peak_memory for step in manifest.steps), default=0),
        "timeline": timeline(manifest),
        "failed": [_failure(folder, step) for step in manifest.steps if not step.passed],
        "changes": changes_since(folder, manifest),
        "sheet": sheet_of(manifest.results.get("verdict", {})),
        "gates": gates_of(folder / DATA_DOCS),
        "resume": resume_command(folder, manifest),
        "metrics": [(metric, metric.of(manifest)) for metric in METRICS.values()],
        "seal": next((step.parts["holdout"] for step in manifest.steps if "holdout" in step.parts), "none"),
    }


def timeline(manifest: Manifest) -> list[dict[str, Any]]:
    """Return start and width of each step's bar, in percent of the run's time axis.

    The bar of a reused step starts at the left and is as long as its execution took.
    """
    fresh = (one for one in manifest.steps if one.started and not one.reused)
    begins = {one.name: datetime.fromisoformat(one.started) for one in fresh}
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


def drawn_forecasts(manifest: Manifest) -> list[dict[str, Any]]:
    """Return the forecasts with their positions in percent of an axis that has zero in its middle."""
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


def _failure(folder: Path, step: StepRecord) -> dict[str, str]:
    """Return the message of a failed step, and source and traceback of the cell below papermill's mark."""
    found = {"step": step.name, "outcome": step.outcome, "message": step.message, "notebook": step.notebook}
    path = folder / step.notebook
    cells = _cells(path) if step.notebook else []
    marks = [place for place, cell in enumerate(cells) if MARK in cell.metadata.get("tags", [])]
    below = [place + 1 for place in marks if place + 1 < len(cells) and cells[place + 1].cell_type == "code"]
    if not below:
        return {**found, "cell": "", "source": "", "trace": ""}
    cell = cells[below[-1]]
    errors = [output for output in cell.outputs if output.output_type == "error"]
    trace = _COLOURS.sub("", "\n".join(errors[-1].traceback)) if errors else ""
    return {**found, "cell": cell_name(cells, below[-1]), "source": cell.source, "trace": trace}


def changes_since(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """Return the last passed run of the chain or the same notebook, and what changed in each step.

    Empty for a sweep: a unit has nothing to do with the unit of the same number in another sweep.
    """
    earlier = None if manifest.kind == "sweep" else last_passed(folder, manifest)
    if earlier is None:
        return {}
    steps = {}
    for step in manifest.steps:
        before = earlier.step(step.name)
        if before is not None and step.parts and before.parts:
            steps[step.name] = changed_dependencies(before, step)
    return {"run": earlier.run, "steps": steps, "metrics": changed_metrics(earlier, manifest)}


def _figures(notebook: Path, step: str) -> list[dict[str, Any]]:
    """Return the images of an executed notebook, each under the last heading above it."""
    heading, found = step, []
    for cell in _cells(notebook):
        if cell.cell_type == "markdown":
            titles = [line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")]
            heading = titles[-1] if titles else heading
        else:
            found += [
                {"caption": f"{step}: {heading}", "image": image, "wide": _is_wide(image)}
                for image in images_of(cell)
            ]
    return found


def _is_wide(image: str) -> bool:
    """Tell whether a PNG is too wide to be read in half of the page, by the size in its header."""
    try:
        width, height = struct.unpack(">II", base64.b64decode(image[:32])[16:24])
    except (ValueError, struct.error):  # no PNG
        return False
    return bool(width > _WIDE * height)


def _cells(notebook: Path) -> list[Any]:
    """Return the cells of an executed notebook; none if it was not saved."""
    import nbformat

    return list(nbformat.read(notebook, as_version=4).cells) if notebook.is_file() else []  # type: ignore[no-untyped-call]
