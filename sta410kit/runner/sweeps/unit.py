"""One unit of a sweep: a notebook with one set of parameters, executed in a forked process and saved.

It comes to what `execute` comes to, without papermill in between; where that is not possible, `execute` does
it.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sta410kit._internal.atomic_files import replacing
from sta410kit._internal.redaction import redact
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.execute import execute, is_of_the_kit, kit_exception
from sta410kit.runner.limits import StepStoppedError, Watch, peak_memory
from sta410kit.runner.notebook import EXPECTED, add_missing_error
from sta410kit.runner.notebook_redaction import redacted_notebook, redactions
from sta410kit.runner.postconditions import judge, remarks
from sta410kit.runner.sweeps.outputs import Outputs
from sta410kit.runner.sweeps.template import Node, Template, as_text, begin, finish, mark_error, mark_stuck
from sta410kit.runner.warm.session import CellSession, ProcessDiedError, obituary
from sta410kit.steps import recorded_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sta410kit.runner.execute import StepResult


@dataclass(frozen=True)
class UnitResult:
    """How one unit ended.

    Attributes
    ----------
    outcome : ExitCode
        ``PASSED`` or what went wrong.
    message : str
        What went wrong and where; empty when it passed.
    seconds : float
        Wall-clock time.
    peak_memory : int
        Bytes; 0 where it is not known.
    warnings : tuple of str
        What did not stop it and still has to be known.
    recorded : dict of str to JSON values
        What its cells recorded.
    """

    outcome: ExitCode
    message: str
    seconds: float
    peak_memory: int = 0
    warnings: tuple[str, ...] = ()
    recorded: dict[str, Any] = field(default_factory=dict)


def execute_unit(
    template: Template, output: Path, values: Mapping[str, Any], watch: Watch, session: CellSession
) -> UnitResult:
    """Execute a notebook with `values` in the process of `session`, and save it as `output`.

    Parameters
    ----------
    template : Template
        The notebook as it was read.
    output : Path
        Where the executed copy goes, whatever the outcome; its folder is made.
    values : mapping
        Values for its parameters cell, already checked.
    watch : Watch
        What it may use; the session's.
    session : CellSession
        A fresh process; it has ended afterwards.
    """
    started = time.perf_counter()
    node = template.with_parameters(values, str(output))
    outcome, message = _run(session, node, template, watch)
    position = None
    if outcome is ExitCode.PASSED:
        message, position = judge(node, ())
        outcome = ExitCode.NOTEBOOK_FAILED if message else outcome
    if message:
        mark_stuck(node, message, position)
    clean = redacted_notebook(node)
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(output) as aside:
        aside.write_text(as_text(clean), encoding="utf-8")
    warnings = (*remarks(node), *redactions(clean))
    seconds = time.perf_counter() - started
    return UnitResult(outcome, redact(message), seconds, watch.peak, warnings, recorded_in(clean))


def execute_otherwise(notebook: Path, output: Path, values: Mapping[str, Any], watch: Watch) -> UnitResult:
    """Execute a unit through papermill: where no process can be forked, or widgets need a client."""
    result: StepResult = execute(notebook, output, values, watch=watch)
    recorded = recorded_in(json.loads(output.read_text(encoding="utf-8"))) if output.is_file() else {}
    return UnitResult(
        result.outcome, result.message, result.seconds, result.peak_memory, result.warnings, recorded
    )


def recorded_in(notebook: Node) -> dict[str, Any]:
    """Return what an executed notebook has recorded."""
    found: dict[str, Any] = {}
    for cell in notebook["cells"]:
        found |= recorded_values(cell.get("outputs", []))
    return found


def _run(session: CellSession, node: Node, template: Template, watch: Watch) -> tuple[ExitCode, str]:
    """Execute every cell until one fails, and say how it ended."""
    began, outputs, stopped = begin(node), Outputs(), None
    try:
        with session, _last_words(session):
            for cell in node["cells"]:
                if not _execute(session, cell, outputs):
                    node["metadata"]["papermill"]["exception"] = True
                    break
            watch.peak = max(watch.peak, peak_memory(session.pid))
            node["metadata"]["language_info"] = session.language_info
    except StepStoppedError as stop:
        stopped = stop.outcome, str(stop)
    if stopped is not None:
        node["metadata"]["papermill"]["exception"] = True
    finish(node, began)
    if stopped is not None:
        return stopped
    error = mark_error(node)
    if error is None:
        return ExitCode.PASSED, ""
    count, name, value = error
    kits = is_of_the_kit(name, template.sources)
    outcome = kit_exception(name).exit_code if kits else ExitCode.NOTEBOOK_FAILED
    return outcome, f"cell In [{count}]: {name}: {value}"


@contextmanager
def _last_words(session: CellSession) -> Iterator[None]:
    """Turn the death of a process into an ending, while it can still be asked for its last words."""
    try:
        yield
    except ProcessDiedError as death:
        message = obituary(death.args[0], session.last_words())
        raise StepStoppedError(ExitCode.NOTEBOOK_FAILED, message) from death


def _execute(session: CellSession, cell: Node, outputs: Outputs) -> bool:
    """Execute one cell and note in its metadata how that went; tell whether the next may follow."""
    began, notes = datetime.now(UTC), cell["metadata"]["papermill"]
    notes |= {"start_time": began.isoformat(), "status": "running", "exception": False}
    good = False
    try:
        good = cell["cell_type"] != "code" or not cell["source"].strip() or _answers(session, cell, outputs)
    finally:
        ended = datetime.now(UTC)
        notes |= {"end_time": ended.isoformat(), "duration": (ended - began).total_seconds()}
        notes |= {"status": "completed"} if good else {"status": "failed", "exception": True}
    return good


def _answers(session: CellSession, cell: Node, outputs: Outputs) -> bool:
    outputs.begin(cell)
    reply = session.execute(cell["source"], cell.get("id"), outputs.take, None)
    outputs.end()
    add_missing_error(cell, reply)
    return reply["status"] != "error" or EXPECTED in cell["metadata"]["tags"]
