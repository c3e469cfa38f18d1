"""Data docs: pages a reviewer opens in a browser, one per validation, each finding drawn in its context.

The layout is Great Expectations': ``validations/<suite>/<step>/<time>/index.html`` beside
``expectations/<suite>.html``; ``result.json`` is its record of the same validation.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.pages import render
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.result import CRITICAL
from sta410kit.guards.suites import read_suite
from sta410kit.guards.wording import plain

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

    from sta410kit.guards.result import Check, GuardResult
    from sta410kit.guards.suites import Suite

INDEX, QUARANTINE, TRIAGE = "index.html", "quarantined.csv", "triage.html"
_RUN, _REPORT = "manifest.json", "report.html"  # beside the data docs of a run
_MOST = 500  # quarantined bars that a page shows
_ROWS = 5  # rows that a finding shows
_EARLIER, _FOLDERS = 12, 60  # validations that a history has, and folders of runs that are looked through
_ENTRIES = 20  # findings that are accepted one by one


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
    past = _history(folder, result.suite, step)
    suite = read_suite(Path(result.suite_file))
    page = render(
        "validation.html",
        **_place(folder, "../../../../"),
        result=result,
        step=step,
        when=f"{now:%Y-%m-%d %H:%M} UTC",
        findings=[_finding(check, result, past) for check in result.failures],
        checks=[(_state(check), check, _marks(check, past)) for check in result.checks],
        quarantined=_rows(quarantined.head(_MOST)),
        more=max(0, len(quarantined) - _MOST),
        quarantine_file=QUARANTINE,
        triage_file=TRIAGE if triaged else "",
        accepted_file=suite.path.parent / "accepted.toml",
        past=len(past),
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
        from sta410kit.guards.triage_page import render as render_triage

        write_text(place / TRIAGE, render_triage(result, triage(result, frame, repairs), frame, step, INDEX))
    if len(quarantined):
        write_text(place / QUARANTINE, quarantined.to_csv(index=False))
    write_text(place / "result.json", json.dumps(record, indent=1))
    write_text(place / "summary.json", json.dumps({**result.to_dict(), **entry}, indent=1, default=str))
    with FileLock(folder / ".lock"):  # or the slower of two would list what the faster has not written yet
        _publish_suite(suite, folder)
        _write_index(folder)
    return place / INDEX


def _place(folder: Path, up: str) -> dict[str, str]:
    """Return where a page leads: the index, and the report of the run that these data docs are part of."""
    run = folder.resolve().parent
    if not (run / _RUN).is_file():
        return {"up": up, "report": "", "run": "", "file": ""}
    given = json.loads((run / _RUN).read_text(encoding="utf-8")).get("given", {})
    return {"up": up, "report": f"{up}../{_REPORT}", "run": run.name, "file": str(given.get("path", ""))}


def _state(check: Check) -> str:
    """Return how a check ended: ``held``, its severity, or ``not asked``."""
    if check.not_asked:
        return "not asked"
    return "held" if check.held else check.severity


def _finding(check: Check, result: GuardResult, past: list[dict[tuple[str, str], str]]) -> dict[str, Any]:
    """Return what a page says of a check that failed."""
    columns = list(dict.fromkeys(["symbol", "date", *(name for row in check.rows for name in row)]))
    columns = [name for name in columns if any(name in row for row in check.rows)]
    return {
        "check": check,
        "title": check.expected or check.message,
        "found": check.message.removeprefix(check.expected).strip() if check.expected else "",
        "rule": _rule(check, result.suite),
        "columns": columns,
        "rows": [[_cell(row[name]) if name in row else "" for name in columns] for row in check.rows[:_ROWS]],
        "more": max(0, check.count - len(check.rows[:_ROWS])),
        "drawings": _drawings(check, result),
        "entry": _entry(check, result),
        "history": _marks(check, past),
    }


def _cell(value: Any) -> str:  # noqa: ANN401 - any cell of a frame
    value = plain(value)
    missing = value in {None, "nan"}
    return "no value" if missing else f"{value:.10g}" if isinstance(value, float) else str(value)


def _rule(check: Check, suite: str) -> str:
    """Return the sentence of one of the kit's expectations, with its thresholds."""
    from sta410kit.guards.evaluation import build
    from sta410kit.guards.expectations import registered

    return build(suite, check.config).words() if check.expectation in registered() else ""


def _drawings(check: Check, result: GuardResult) -> list[tuple[str, Markup]]:
    from sta410kit.guards.drawings import draw_drift, draw_findings
    from sta410kit.guards.evaluation import build
    from sta410kit.guards.expectations.features import ExpectFeaturesNotDrifted
    from sta410kit.guards.panel import Panel

    if result.judged is None or check.error:
        return []
    if check.expectation != ExpectFeaturesNotDrifted.type_name():
        return draw_findings(result.judged, check)
    rule = build(result.suite, check.config)
    assert isinstance(rule, ExpectFeaturesNotDrifted)  # noqa: S101 - by its name
    return [
        (f"{name}: index {index:.2f}; area: training window, line: newest rows", draw_drift(name, old, new))
        for name, old, new, index in rule.drifted(Panel(result.judged))
    ]


def _entry(check: Check, result: GuardResult) -> str:
    """Return what accepts a finding, ready for ``accepted.toml``; empty where no entry can."""
    from sta410kit.guards.decisions import Cases, date_of, findings_of, has_rows

    if not check.config or check.error or result.judged is None or result.intraday:
        return ""
    if not has_rows(check):
        cases = Cases(result, result.judged, findings_of(()))
        return cases.accept(check.expectation, {}) if not check.count else ""
    cases = Cases(result, result.judged, findings_of([check]))
    if check.count <= _ENTRIES:
        return cases.each_stretch(cases.left, lambda at: cases.accept(check.expectation, at))
    spans = cases.left.groupby("symbol", sort=False)["day"].agg(["min", "max"])
    return "\n".join(
        cases.accept(check.expectation, {"symbol": symbol, "first": date_of(first), "last": date_of(last)})
        for symbol, first, last in spans.head(_ENTRIES).itertuples()
    )


def _history(folder: Path, suite: str, step: str) -> list[dict[tuple[str, str], str]]:
    """Return what failed in each of the newest validations of this step in earlier runs, oldest first."""
    run = folder.resolve().parent
    if not (run / _RUN).is_file():
        return []
    found: dict[str, dict[tuple[str, str], str]] = {}
    others = sorted((path.name for path in run.parent.iterdir() if path.name < run.name), reverse=True)
    for name in others[:_FOLDERS]:
        for path in (run.parent / name / folder.name / "validations" / suite / step).glob("*/summary.json"):
            with suppress(ConfigurationError):  # of an earlier run, whose pages say so
                failures = _summary(path)["failures"]
                states = {(one["expectation"], one["column"]): one["severity"] for one in failures}
                found[path.parent.name] = states  # a run that reused the step has the same page
        if len(found) >= _EARLIER:
            break
    return [found[moment] for moment in sorted(found)[-_EARLIER:]]


def _marks(check: Check, past: list[dict[tuple[str, str], str]]) -> Markup:
    from sta410kit.guards.drawings import draw_history

    return draw_history([states.get((check.expectation, check.column), "held") for states in past])


def _rows(quarantined: pd.DataFrame) -> list[dict[Any, Any]]:
    days = [plain(date) or "all" for date in quarantined["date"]]
    return quarantined.assign(date=days).to_dict("records")


def refresh_index(folder: Path) -> None:
    """Write the index of all that `folder` holds now."""
    with FileLock(folder / ".lock"):
        _write_index(folder)


def _write_index(folder: Path) -> None:
    page = render(
        "index.html",
        **_place(folder, ""),
        entries=summaries(folder),
        suites=sorted(path.stem for path in (folder / "expectations").glob("*.html")),
    )
    write_text(folder / INDEX, page)


def summaries(folder: Path) -> list[dict[str, Any]]:
    """Return the summary of every validation in the data docs in `folder`, newest first."""
    found = [_summary(path) for path in folder.glob("validations/*/*/*/summary.json")]
    return sorted(found, key=lambda entry: str(entry["page"].split("/")[-2]), reverse=True)


def _summary(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read as the summary of a validation: {error}"
        raise ConfigurationError(message) from error
    return found


def newest_gates(gates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest summary of each step and suite; a resumed run has older ones too."""
    found = {(gate["step"], gate["suite"]): gate for gate in reversed(gates)}
    return sorted(found.values(), key=lambda gate: (gate["step"], gate["page"].split("/")[-2]))


def gates_of(docs: Path) -> list[dict[str, Any]]:
    """Return the newest summary of each step and suite in the data docs of a run."""
    return newest_gates(summaries(docs))


def _publish_suite(suite: Suite, folder: Path) -> None:
    """Write the page of a suite: each expectation in words, with the thresholds that it has here."""
    mark = folder / "expectations" / f"{suite.name}.digest"
    identity = f"{suite.digest} {version('sta410kit')}"
    if mark.is_file() and mark.read_text(encoding="utf-8") == identity:
        return
    from sta410kit.guards.result import Check
    from sta410kit.guards.suites import columns_of

    checks = [
        Check(
            item["type"],
            column=", ".join(columns_of(item["kwargs"])),
            severity=item["meta"].get("severity", CRITICAL),
            config=item,
        )
        for item in suite.expectations
    ]
    page = render(
        "suite.html",
        **_place(folder, "../"),
        name=suite.name,
        notes=suite.notes,
        rules=[(check, _rule(check, suite.name)) for check in checks],
    )
    write_text(folder / "expectations" / f"{suite.name}.html", page)
    write_text(mark, identity)
