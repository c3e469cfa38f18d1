"""Execute one notebook and judge the result: `execute`, for every way in which the kit runs a notebook.

Chain, single notebook, sweep unit, Dask worker and `verify` all call it. A notebook for this Python is
executed cell by cell in a process forked from the warm server: importing papermill and talking to a kernel
through a Jupyter client take longer than a short notebook itself (figures in docs/benchmarks.md). Notebooks
for other kernels, those whose widgets need a Jupyter client, and all where no process can be forked run in
`ordinary_kernel`. The executed notebook is the same either way.
"""

import errno
import re
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from sta410kit import exceptions
from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.redaction import redact
from sta410kit._internal.secret_files import redact_log
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.kernelspecs import is_this_python, needs_a_client
from sta410kit.runner.limits import StepStoppedError, Watch, peak_memory
from sta410kit.runner.manifest import StepRecord
from sta410kit.runner.notebook import EXPECTED, INJECTED, SKIP, Node, add_missing_error, tags_of
from sta410kit.runner.notebook_redaction import redacted_notebook, redactions
from sta410kit.runner.outputs import Outputs
from sta410kit.runner.postconditions import judge, remarks
from sta410kit.runner.template import (
    Template,
    as_text,
    begin,
    finish,
    mark_error,
    mark_failure,
    read_template,
)
from sta410kit.runner.warm.session import CANNOT_FORK, CellSession, ProcessDiedError, died_message
from sta410kit.steps import recorded_values

KERNEL_LOG = ".kernel.log"
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG}
_SECONDS_BETWEEN_SAVES = 1.0


@dataclass
class _Execution:
    """A notebook's content while it is executed, and why it was stopped, if it was."""

    node: Node
    stopped: tuple[ExitCode, str] | None = None
    warnings: tuple[str, ...] = ()
    observed: dict[str, list[str]] | None = None


def execute(  # noqa: PLR0913 - three things it needs, five it can do without
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    *,
    on_cell: Callable[[], None] | None = None,
    artifacts: tuple[Path, ...] = (),
    watch: Watch | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> StepRecord:
    """Execute `notebook` and save it, executed, as `output`.

    Parameters
    ----------
    notebook, output : Path
        What to run, and where the executed copy goes.
    parameters : mapping
        Values for its parameters cell, already checked.
    on_cell : callable, optional
        Called after each code cell of the notebook.
    artifacts : tuple of Path
        Files that must exist afterwards, and not be empty.
    watch : Watch, optional
        Its limits; none when omitted.
    folder : Path, optional
        The current folder of its process; the one that it lies in when omitted.
    environment : mapping, optional
        Variables that its process has beside those of this one.

    Returns
    -------
    StepRecord
        Errors of the notebook and limits are outcomes and not exceptions. Its `reads` is what was observed,
        see `Observer.observed`.
    """
    started, watch = time.perf_counter(), watch or Watch()
    template = read_template(notebook)
    output.parent.mkdir(parents=True, exist_ok=True)
    log, where = output.with_suffix(KERNEL_LOG), folder or notebook.parent
    done = _Execution(template.with_parameters(parameters, str(output)))
    try:
        began = begin(done.node)
        try:
            with _cell_runner(done, template, log, where, watch, environment or {}) as run:
                _execute_cells(run, done.node, output, on_cell)
        except StepStoppedError as stop:
            done.stopped = stop.outcome, str(stop)
            done.node["metadata"]["papermill"]["exception"] = True
        finally:
            finish(done.node, began)
    except KeyboardInterrupt:
        done.stopped = ExitCode.INTERRUPTED, "interrupted"
    except Exception as error:  # noqa: BLE001 - an outcome, so that the run gets its manifest and report
        done.stopped = _defect(error, log)
    failure: dict[str, Any] = {}
    outcome, message = done.stopped or (ExitCode.PASSED, "")
    if done.stopped is None and (raised := mark_error(done.node)) is not None:
        cell, kind, text = raised
        ours = is_of_the_kit(kind, template.sources)
        failure = {"cell": cell, "error": kind, "text": redact(text), "of_the_kit": ours}
        outcome = kit_exception(kind).exit_code if ours else ExitCode.NOTEBOOK_FAILED
        message = f"cell In [{cell}]: {kind}: {text}"
    position = None
    if outcome is ExitCode.PASSED:
        message, position = judge(done.node, artifacts)
        outcome = ExitCode.NOTEBOOK_FAILED if message else outcome
    if message:
        mark_failure(done.node, message, position)
    clean = redacted_notebook(done.node)
    try:
        write_text(output, as_text(clean))
    except OSError as error:
        outcome, message = _not_saved(error)
    redact_log(log)
    return StepRecord(
        notebook.stem,
        outcome.name,
        seconds=round(time.perf_counter() - started, 3),
        message=redact(message),
        notebook=output.name if output.is_file() else "",
        peak_memory=watch.peak,
        warnings=[*done.warnings, *remarks(done.node), *redactions(clean)],
        recorded=recorded_values(out for cell in clean["cells"] for out in cell.get("outputs", [])),
        failure=failure,
        reads=done.observed,
    )


@lru_cache(maxsize=4)
def _may_fork(kernel: str, sources: tuple[str, ...]) -> bool:
    return is_this_python(kernel) and not needs_a_client(sources)


@contextmanager
def _cell_runner(  # noqa: PLR0913, PLR0917 - what `execute` was given
    done: _Execution,
    template: Template,
    log: Path,
    folder: Path,
    watch: Watch,
    environment: Mapping[str, str],
) -> Iterator[Callable[[Node], bool]]:
    """Give what executes a code cell of ``done.node`` and tells whether it may go on."""
    if _may_fork(template.kernel, template.sources):
        try:
            session = CellSession(str(folder), watch, environment)
        except CANNOT_FORK as error:
            reason = str(error) or type(error).__name__
            done.warnings = (f"executed in an ordinary kernel, which is slower: {reason}",)
        else:
            with session, _death_as_outcome(session):
                yield partial(_execute_in, session, Outputs())
                watch.peak = max(watch.peak, peak_memory(session.pid))
                done.node["metadata"]["language_info"] = session.language_info
                with suppress(OSError, ProcessDiedError):  # one that has left by `exit()` was not observed
                    done.observed = session.observed()
            return
    import nbformat

    from sta410kit.runner.kernels import ordinary_kernel

    done.node = nbformat.from_dict(done.node)  # type: ignore[no-untyped-call]
    with ordinary_kernel(done.node, template.kernel, folder, log, watch.seconds, environment) as run:
        yield run


def _execute_in(session: CellSession, outputs: Outputs, cell: Node) -> bool:
    outputs.begin(cell)
    reply = session.execute(cell["source"], cell.get("id"), outputs.take)
    outputs.end()
    if peak := peak_memory(session.pid):
        cell["metadata"]["papermill"]["peak_memory"] = peak
    add_missing_error(cell, reply)
    return reply["status"] != "error" or EXPECTED in tags_of(cell)


@contextmanager
def _death_as_outcome(session: CellSession) -> Iterator[None]:
    """Turn the death of a process into an outcome, while its standard error can still be read."""
    try:
        yield
    except (ProcessDiedError, BrokenPipeError, ConnectionResetError) as death:
        code = death.args[0] if isinstance(death, ProcessDiedError) else 0
        message = died_message(code, session.stderr_tail())
        raise StepStoppedError(ExitCode.NOTEBOOK_FAILED, message) from death


def _execute_cells(
    run: Callable[[Node], bool], node: Node, output: Path, on_cell: Callable[[], None] | None
) -> None:
    """Execute the cells until one fails; save what there is at least every second."""
    saved = time.monotonic()
    for cell in node["cells"]:
        if not _execute_cell(run, cell):
            node["metadata"]["papermill"]["exception"] = True
            return
        if on_cell is not None and cell["cell_type"] == "code" and INJECTED not in tags_of(cell):
            on_cell()
        if time.monotonic() - saved > _SECONDS_BETWEEN_SAVES:
            write_text(output, as_text(redacted_notebook(node)))
            saved = time.monotonic()


def _execute_cell(run: Callable[[Node], bool], cell: Node) -> bool:
    """Execute one cell, note in its metadata how that went, and tell whether the next may follow."""
    notes, began = cell["metadata"]["papermill"], datetime.now(UTC)
    notes |= {"start_time": began.isoformat(), "status": "running", "exception": False}
    good = cell["cell_type"] != "code" or not cell["source"].strip() or SKIP in tags_of(cell)
    try:
        good = good or run(cell)
    finally:
        ended = datetime.now(UTC)
        notes |= {"end_time": ended.isoformat(), "duration": (ended - began).total_seconds()}
        notes |= {"status": "completed"} if good else {"status": "failed", "exception": True}
    return good


def _defect(error: Exception, log: Path) -> tuple[ExitCode, str]:
    """Return outcome and message of an exception that no cell raised; its traceback goes to `log`."""
    if isinstance(error, exceptions.STA410Exception):
        return error.exit_code, str(error)
    if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
        return _not_saved(error)
    with suppress(OSError), log.open("a", encoding="utf-8") as file:
        file.write("".join(traceback.format_exception(error)))
    return ExitCode.INTERNAL, f"{type(error).__name__}: {error}; more in {log.name}"


def _not_saved(error: OSError) -> tuple[ExitCode, str]:
    return ExitCode.NOTEBOOK_FAILED, f"the executed notebook could not be saved: {error}"


def kit_exception(name: str) -> type[exceptions.STA410Exception]:
    """Return the kit's exception of that name, or their base class."""
    found = getattr(exceptions, name, None)
    if isinstance(found, type) and issubclass(found, exceptions.STA410Exception):
        return found
    return exceptions.STA410Exception


def is_of_the_kit(name: str, cells: Sequence[str]) -> bool:
    """Tell whether an exception is one of the kit's, and not one of the same name that a cell defines."""
    if kit_exception(name).__name__ != name:
        return False
    defined = any(re.search(rf"^\s*class {name}\b", cell, re.MULTILINE) for cell in cells)
    return not defined and any("sta410kit" in cell for cell in cells)
