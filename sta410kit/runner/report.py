"""The page a run leaves: steps, verdict, forecasts, gates and figures, in one file that needs no network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sta410kit.atomic import write_text
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.data_docs import summaries
from sta410kit.redaction import redact
from sta410kit.runner.identity import differences
from sta410kit.runner.manifest import Manifest, read_manifest
from sta410kit.runner.notebook import images_of
from sta410kit.runner.runs import DATA_DOCS, REPORT, run_folders

if TYPE_CHECKING:
    from pathlib import Path


def write_report(folder: Path, manifest: Manifest) -> Path:
    """Write ``report.html`` into the run folder and return its path."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loader = ChoiceLoader([PackageLoader("sta410kit.runner"), PackageLoader("sta410kit.guards")])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    page = environment.get_template("report.html").render(
        manifest=manifest,
        changes=changes_since(folder, manifest),
        gates=newest_gates(summaries(folder / DATA_DOCS)),
        docs=DATA_DOCS,
        figures=[figure for step in manifest.steps for figure in _figures(folder / step.notebook, step.name)],
    )
    write_text(folder / REPORT, redact(page))
    return folder / REPORT


def changes_since(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """Return the run before this one of the same kind, and what of each step is not as it was there."""
    for other in run_folders(folder.parent):
        if other.name >= folder.name:
            continue
        try:
            earlier = read_manifest(other)
        except ConfigurationError:
            continue
        if earlier.kind != manifest.kind:
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


def results_of(folder: Path) -> dict[str, Any]:
    """Return what a chain came to: the verdict on luck and a row a symbol of forecasts, as JSON values."""
    found: dict[str, Any] = {}
    verdict, forecasts = folder / "verdict.json", folder / "forecasts.parquet"
    if verdict.is_file():
        found["verdict"] = json.loads(verdict.read_text(encoding="utf-8"))
    if forecasts.is_file():
        import pyarrow.parquet as pq

        rows = pq.read_table(forecasts).to_pylist()
        found["forecasts"] = [{**row, "date": f"{row['date']:%Y-%m-%d}"} for row in rows]
    return found


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
