"""Data docs: pages a reviewer opens in a browser, one per validation, rendered by Great Expectations.

Great Expectations renders every expectation in plain language. The page around it is the kit's own, because
the library's loads its style from other hosts and is bare without a network. Layout and links are the
library's: ``validations/<suite>/<step>/<time>/index.html`` beside ``expectations/<suite>.html``.

The library's renderers put text into their HTML as it is. All text of a record or a suite is therefore
escaped before they get it: values, symbols, names of columns, arguments and notes.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from sta410kit._internal.atomic_files import write_text
from sta410kit.guards.page_templates import render_page, templates
from sta410kit.guards.result import failures_table
from sta410kit.guards.suites import read_suite
from sta410kit.guards.wording import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from sta410kit.guards.result import GuardResult
    from sta410kit.guards.suites import Suite

INDEX, QUARANTINE, TRIAGE = "index.html", "quarantined.csv", "triage.html"
_MOST = 500  # quarantined bars that a page shows


def publish(
    result: GuardResult,
    folder: Path,
    step: str = "validate",
    *,
    frame: pd.DataFrame | None = None,
    repairs: pd.DataFrame | None = None,
) -> Path:
    """Add the page of one validation to the data docs in `folder`, refresh its index, return the page.

    Parameters
    ----------
    result : GuardResult
        What a gate found.
    folder : Path
        The data docs; created if needed. Several processes may publish at once.
    step : str
        Which step validated, e.g. ``02_validate``.
    frame, repairs : DataFrame, optional
        The frame that was judged, and what `apply_repairs` changed in it: what was found in it is triaged on
        a page beside.
    """
    now = datetime.now(UTC)
    place = folder / "validations" / result.suite / step / f"{now:%Y%m%dT%H%M%S%fZ}"
    from sta410kit.guards.great_expectations import to_record

    record = json.loads(json.dumps(to_record(result), default=str))
    quarantined = result.quarantined
    triaged = (
        frame is not None and not result.intraday and result.quarantine is not None and bool(result.failures)
    )
    page = render_page(
        "validation.html",
        home="../../../../index.html",
        result=result,
        step=step,
        when=f"{now:%Y-%m-%d %H:%M} UTC",
        failures=failures_table(result.failures),
        quarantined=_rows(quarantined.head(_MOST)),
        more=max(0, len(quarantined) - _MOST),
        quarantine_file=QUARANTINE,
        triage_file=TRIAGE if triaged else "",
        sections=_validation_sections(record) if record["results"] else [],
        ge_version=version("great-expectations"),
    )
    entry = {
        "step": step,
        "when": f"{now:%Y-%m-%d %H:%M:%S} UTC",
        "page": (place / INDEX).relative_to(folder).as_posix(),
        "critical": len(result.critical),
        "warnings": len(result.warnings),
    }
    write_text(place / INDEX, page)
    if triaged and frame is not None:
        from sta410kit.guards.triage import triage
        from sta410kit.guards.triage_page import render

        write_text(place / TRIAGE, render(result, triage(result, frame, repairs), frame, step))
    if len(quarantined):
        write_text(place / QUARANTINE, quarantined.to_csv(index=False))
    write_text(place / "result.json", json.dumps(record, indent=1))
    write_text(place / "summary.json", json.dumps({**result.to_dict(), **entry}, indent=1, default=str))
    with FileLock(folder / ".lock"):  # or the slower of two would list what the faster has not written yet
        _publish_suite(read_suite(Path(result.suite_file)), folder, version("great-expectations"))
        _write_index(folder)
    return place / INDEX


def _rows(quarantined: pd.DataFrame) -> list[dict[Any, Any]]:
    days = [plain(date) or "all" for date in quarantined["date"]]
    return quarantined.assign(date=days).to_dict("records")


def load_templates() -> None:
    """Compile the templates of all pages, so that a process forked afterwards has them for its first page."""
    for environment in (templates(), _section_view().env):
        for name in environment.list_templates(extensions=["html", "j2"]):
            if not name.startswith("markdown"):
                environment.get_template(name)


def refresh_index(folder: Path) -> None:
    """Write the index of all that `folder` holds now."""
    with FileLock(folder / ".lock"):
        _write_index(folder)


def _write_index(folder: Path) -> None:
    page = render_page(
        "index.html",
        home=INDEX,
        entries=summaries(folder),
        suites=sorted(path.stem for path in (folder / "expectations").glob("*.html")),
        ge_version=version("great-expectations"),
    )
    write_text(folder / INDEX, page)


def summaries(folder: Path) -> list[dict[str, Any]]:
    """Return the summary of every validation in the data docs in `folder`, newest first."""
    found = [
        json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("validations/*/*/*/summary.json")
    ]
    return sorted(found, key=lambda entry: str(entry["page"].split("/")[-2]), reverse=True)


def newest_gates(gates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest summary of each step and suite; a resumed run has older ones too."""
    found = {(gate["step"], gate["suite"]): gate for gate in reversed(gates)}
    return sorted(found.values(), key=lambda gate: (gate["step"], gate["page"].split("/")[-2]))


def _publish_suite(suite: Suite, folder: Path, ge_version: str) -> None:
    mark = folder / "expectations" / f"{suite.name}.digest"
    identity = f"{suite.digest} {ge_version}"
    if mark.is_file() and mark.read_text(encoding="utf-8") == identity:
        return
    from great_expectations.render.renderer import page_renderer

    from sta410kit.guards.evaluation import build
    from sta410kit.guards.expectations import registered
    from sta410kit.guards.great_expectations import load_suite

    known = registered()
    loaded = load_suite(suite.name, [_escaped(item) for item in suite.expectations])
    document = page_renderer.ExpectationSuitePageRenderer().render(loaded).to_json_dict()  # type: ignore[no-untyped-call]
    page = render_page(
        "suite.html",
        home="../index.html",
        name=suite.name,
        notes=suite.notes,
        sentences=[
            (item["type"], item["meta"]["severity"], build(suite.name, item).words())
            for item in suite.expectations
            if item["type"] in known
        ],
        sections=_sections(document["sections"]),
        ge_version=ge_version,
    )
    write_text(folder / "expectations" / f"{suite.name}.html", page)
    write_text(mark, identity)


def _validation_sections(record: dict[str, Any]) -> list[str]:
    from great_expectations.core import expectation_validation_result as results
    from great_expectations.render.renderer import page_renderer

    result = results.expectationSuiteValidationResultSchema.load(_escaped(record))
    document = page_renderer.ValidationResultsPageRenderer().render(result).to_json_dict()
    return _sections(document["sections"][1:])  # the overview repeats the head of the page


def _escaped(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dict):
        return {escape(str(key)): _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value


def _sections(sections: Iterable[dict[str, Any]]) -> list[str]:
    return [
        _section_view().render({"section": section, "section_loop": {"index": number}})
        for number, section in enumerate(sections, 1)
    ]


@cache
def _section_view() -> Any:  # noqa: ANN401 - a DefaultJinjaSectionView, which has no types
    """One view a process: each compiles the library's templates anew, which takes longer than a page."""
    from great_expectations.render.view.view import DefaultJinjaSectionView

    return DefaultJinjaSectionView()
