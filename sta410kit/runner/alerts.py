"""Alerts of scheduled runs: which events people hear of, once per incident.

What is open is kept in ``runs/alerts.json``, which cron and the service share, under a lock. An incident is
open from its first message until a run ends it; while no channel has taken the message, the next call tries
again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock, Timeout
from loguru import logger

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.text import pluralize, printable
from sta410kit.config import get_config
from sta410kit.exceptions import STA410Exception
from sta410kit.guards.data_docs import gates_of
from sta410kit.logging import setup_logger
from sta410kit.runner.alert_channels import Delivery, Message, Severity, channel_urls, deliver
from sta410kit.runner.manifest import now
from sta410kit.runner.runs import DATA_DOCS, REPORT

if TYPE_CHECKING:
    from pathlib import Path

    from sta410kit.runner.chain import Run
    from sta410kit.runner.schedules import Due

Kind = Literal["failed", "missed", "degraded", "quarantined", "drifted", "recovered", "changes"]
STATE = "alerts.json"
_LOCKED = 20.0  # seconds; longer than another process takes to send
_SHOWN, _LONGEST = 5, 600  # findings in a message, and characters of each
_KEPT = 50  # runs whose changes were sent
_SEVERITY: dict[Kind, Severity] = {
    "failed": "failure", "missed": "failure", "degraded": "warning", "quarantined": "warning",
    "drifted": "warning", "recovered": "success", "changes": "info",
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """Something that people should hear of; the same `reason` of the same incident is sent once."""

    kind: Kind
    subject: str  # the schedule, or ``chain``
    reason: str
    title: str
    lines: tuple[str, ...] = ()
    ends: tuple[Kind, ...] = field(default=())  # of a recovery: the incidents of the subject that are over


def report_run(project: Path, name: str, run: Run) -> list[Delivery]:
    """Send what a finished run of the chain has to tell."""
    return report(project, list(_events_of(name, run)))


@contextmanager
def errors_reported(project: Path, name: str) -> Iterator[None]:
    """Send an alert when the block raises one of the kit's errors, as a run does that cannot begin."""
    try:
        yield
    except STA410Exception as error:
        report_failure(project, name, f"{type(error).__name__}: {error}", error.exit_code.name)
        raise


def report_failure(project: Path, name: str, reason: str, outcome: str) -> list[Delivery]:
    """Send that a run has failed which left no manifest, such as one whose process was killed."""
    title = f"{name} failed: {outcome}"
    return report(project, [Event("failed", name, outcome, title, (_short(reason),))])


def report_missed(project: Path, name: str, due: Due) -> list[Delivery]:
    """Send that a session of a schedule was not covered by any run, and will not be."""
    lines = (f"{due.reason}. No run is made for it any more (max_age in schedules.toml).",)
    return report(project, [Event("missed", name, due.session, f"{name} missed {due.session}", lines)])


def send_test() -> list[Delivery]:
    """Send a test message to each channel, whatever is open."""
    text = "Alerts of sta410kit arrive here."
    return deliver(Message("sta410kit: test", text), channel_urls())


def report(project: Path, events: Iterable[Event]) -> list[Delivery]:
    """Send those events that are new; alerts that cannot be sent are logged, and never fail a run."""
    urls = channel_urls()
    if not urls:
        return []
    setup_logger(__name__)  # also to the files of LOG_DIR
    runs, sent = project / "runs", []
    try:
        runs.mkdir(exist_ok=True)
        with FileLock(runs / f".{STATE}.lock", timeout=_LOCKED):
            state = read_state(runs)
            for event in events:
                known = deepcopy(state)
                message = _message(state, event)
                if message is not None:
                    found = deliver(message, urls)
                    _note_channels(state, found)
                    _note(state, event, delivered=any(one.sent for one in found))
                    sent += found
                if state != known:
                    write_text(runs / STATE, json.dumps(state, indent=1) + "\n")
    except (OSError, Timeout) as error:
        logger.warning("alerts could not be sent: {} cannot be used ({})", runs / STATE, error)
    for one in sent:
        if not one.sent:
            logger.warning("alert channel {} failed: {}", one.channel, one.problem)
    return sent


def read_state(runs: Path) -> dict[str, Any]:
    """Return the open incidents by kind and subject, and what is known of channels."""
    try:
        found = json.loads((runs / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    found = found if isinstance(found, dict) else {}
    return {"open": {}, "changes": [], "channels": {}} | found


def _events_of(name: str, run: Run) -> Iterator[Event]:
    manifest = run.manifest
    link = _link(run.folder)
    if not manifest.passed:
        bad = [step for step in run.steps if not step.passed]
        where = f"{bad[0].name}, " if bad else ""
        title = f"{name} failed: {where}{manifest.outcome} (exit code {int(run.outcome)})"
        reasons = [f"{step.name}: {_short(step.message)}" for step in bad]
        yield Event(
            "failed", name, f"{where}{manifest.outcome}", title, (*reasons, *_findings(run.folder), link)
        )
        return
    results, over = manifest.results, ["failed", "missed"]
    failure, drift = results.get("origin", {}).get("source_failure", ""), results.get("drift")
    drifted = [sentence for row in drift or () for sentence in row["drifted"]]
    early, named = manifest.ends_early, results.get("quarantined", {}).get("named", [])
    over += [] if failure or early else ["degraded"]
    over += [] if named else ["quarantined"]
    over += ["drifted"] if drift is not None and not drifted else []
    took = f"Run {manifest.run} passed."
    yield Event("recovered", name, manifest.run, f"{name} recovered", (took, link), tuple(over))  # type: ignore[arg-type]
    if failure:
        behind = results["origin"].get("sessions_behind", 0)
        age = (
            f"Stored prices were used, {pluralize(behind, 'session')} behind."
            if behind
            else ("Stored prices were used, which are up to date.")
        )
        title = f"{name}: {results['origin']['source']} did not answer"
        lines = (_short(failure), age, *filter(None, [early]), link)
        yield Event("degraded", name, results["origin"]["source"], title, lines)
    elif early:
        yield Event("degraded", name, "prices end early", f"{name}: {early}", (took, link))
    if named:
        reason = "; ".join(line for line in named if line.startswith("quarantined"))
        yield Event(
            "quarantined", name, reason, f"{name}: prices were quarantined", (*map(_short, named), link)
        )
    if drifted:
        which = "; ".join(sorted(f"{row['model']} {row['horizon']}" for row in drift or () if row["drifted"]))
        yield Event("drifted", name, which, f"{name}: forecasts have drifted", (*drifted, link))
    if get_config().night.alert_on_success:
        from sta410kit.runner.night import night_of

        night = night_of(run.folder, manifest)
        yield Event("changes", name, manifest.run, f"{name} passed", (*night.lines, link))


def _message(state: dict[str, Any], event: Event) -> Message | None:
    """Return what to send of an event; nothing when people have heard of it."""
    lines = list(event.lines)
    if event.kind == "recovered":
        over = [state["open"][key] for key in _over(state, event) if state["open"][key]["delivered"]]
        if not over:
            for key in _over(state, event):  # nobody has heard of it
                del state["open"][key]
            return None
        lines[:0] = [f"Over: {one['title']} (since {one['since'][:16]} UTC)" for one in over]
    elif event.kind == "changes":
        if event.reason in state["changes"]:
            return None
    else:
        known = state["open"].get(f"{event.kind}/{event.subject}")
        if known and known["reason"] == event.reason and known["delivered"]:
            return None
    for name, channel in state["channels"].items():
        if channel["failures"] and not channel["told"]:
            since = channel["since"][:16]
            lines.append(f"Alert channel {name} has failed since {since} UTC: {channel['problem']}")
    return Message(printable(event.title), printable("\n".join(lines)), _SEVERITY[event.kind])


def _over(state: dict[str, Any], event: Event) -> list[str]:
    return [key for kind in event.ends if (key := f"{kind}/{event.subject}") in state["open"]]


def _note(state: dict[str, Any], event: Event, *, delivered: bool) -> None:
    if event.kind == "recovered":
        for key in _over(state, event) if delivered else ():
            del state["open"][key]
    elif event.kind == "changes":
        state["changes"] = [*state["changes"], event.reason][-_KEPT:] if delivered else state["changes"]
    else:
        known = state["open"].get(key := f"{event.kind}/{event.subject}", {})
        about = {"reason": event.reason, "title": event.title, "since": known.get("since", now())}
        state["open"][key] = {**about, "delivered": delivered}


def _note_channels(state: dict[str, Any], found: list[Delivery]) -> None:
    """Count failures in a row by channel; one that others have been told of is not mentioned again."""
    told = any(one.sent for one in found)
    known = {}
    for one in found:
        before = state["channels"].get(one.channel, {"failures": 0, "since": now(), "told": False})
        if one.sent:
            known[one.channel] = {"failures": 0, "since": "", "told": False, "problem": ""}
        else:
            since = before["since"] or now()
            mentioned = before["told"] or (told and before["failures"] > 0)
            known[one.channel] = {
                "failures": before["failures"] + 1, "since": since, "told": mentioned, "problem": one.problem,
            }  # fmt: skip
    state["channels"] = known


def _findings(folder: Path) -> list[str]:
    """Return what gates have refused, the first few."""
    found = [
        _short(f"{gate['suite']}: {one['expectation']}({one['column']}): {one['message']}".replace("()", ""))
        for gate in gates_of(folder / DATA_DOCS)
        if not gate["passed"]
        for one in gate["failures"]
        if one["severity"] == "critical"
    ]
    return [*found[:_SHOWN], *([f"and {len(found) - _SHOWN} more findings"] if len(found) > _SHOWN else [])]


def _link(folder: Path) -> str:
    """Return where people read more: the page of the service, or the report's file."""
    url = get_config().night.service_url
    return f"{url}/runs/{folder.name}" if url else f"report: {folder / REPORT}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
