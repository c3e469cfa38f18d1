"""The page a run leaves: steps, verdict, forecasts, gates and figures, in one file that needs no network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sta410kit.atomic import write_text
from sta410kit.guards.data_docs import summaries
from sta410kit.outcomes import ExitCode
from sta410kit.redaction import redact
from sta410kit.runner.notebook import images_of
from sta410kit.runner.runs import DATA_DOCS, REPORT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sta410kit.runner.execute import StepResult


def write_report(
    folder: Path, steps: Sequence[StepResult], planned: Iterable[str], outcome: ExitCode
) -> Path:
    """Write ``report.html`` into the run folder and return its path."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    ran = {step.name for step in steps}
    loader = ChoiceLoader([PackageLoader("sta410kit.runner"), PackageLoader("sta410kit.guards")])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    page = environment.get_template("report.html").render(
        run=folder.name,
        outcome=outcome.name,
        passed=outcome is ExitCode.PASSED,
        sentence=verdict_of(folder).get("sentence", ""),
        steps=steps,
        not_run=[name for name in planned if name not in ran],
        forecasts=forecasts_of(folder),
        gates=summaries(folder / DATA_DOCS),
        docs=DATA_DOCS,
        figures=[figure for step in steps for figure in _figures(step)],
    )
    write_text(folder / REPORT, redact(page))
    return folder / REPORT


def verdict_of(folder: Path) -> dict[str, Any]:
    """Return the verdict on luck that ``05_evaluate`` left in a run folder; empty before it has run."""
    path = folder / "verdict.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def forecasts_of(folder: Path) -> list[Any]:
    """Return the forecasts in a run folder, a named tuple a symbol; empty before ``06_forecast`` has run."""
    path = folder / "forecasts.parquet"
    if not path.is_file():
        return []
    import pandas as pd

    return list(pd.read_parquet(path).itertuples(index=False))


def _figures(step: StepResult) -> list[dict[str, str]]:
    """Return the images of an executed notebook, each under the last heading above it."""
    import nbformat

    if not step.notebook.is_file():
        return []
    heading, found = step.name, []
    for cell in nbformat.read(step.notebook, as_version=4).cells:  # type: ignore[no-untyped-call]
        if cell.cell_type == "markdown":
            titles = [line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")]
            heading = titles[-1] if titles else heading
        else:
            found += [{"caption": f"{step.name}: {heading}", "image": image} for image in images_of(cell)]
    return found
