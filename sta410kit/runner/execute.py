"""One notebook, headless, through papermill; its ending as an outcome and never as a traceback."""

from __future__ import annotations

import errno
import logging
import re
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sta410kit import exceptions
from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.redaction import redact
from sta410kit._internal.secret_files import redact_log
from sta410kit._internal.text import printable
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.kernelspecs import is_this_python
from sta410kit.runner.limits import StepStoppedError, Watch
from sta410kit.runner.notebook import (
    EXPECTED,
    INJECTED,
    MARK,
    kernel_of,
    mark_failure,
    python_cells,
    read_notebook,
)
from sta410kit.runner.notebook_redaction import redact_notebook_file
from sta410kit.runner.postconditions import judge, remarks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sta410kit.runner.notebook import Notebook
    from sta410kit.runner.warm.nested import OpeningNest


class _CheckedBefore(logging.Filter):
    """Papermill reads few annotations and warns of the others as unknown; the kit has checked them all.

    What the engine says of scrubbed secrets is said again by the run, with the step's name.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything through but these warnings."""
        text = record.getMessage()
        return "unknown parameter" not in text and "a secret was redacted" not in text


_CHECKED_BEFORE = _CheckedBefore()
KERNEL_LOG = ".kernel.log"
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG}


@dataclass(frozen=True)
class StepResult:
    """How one notebook ended.

    Attributes
    ----------
    name : str
        The step's name.
    outcome : ExitCode
        ``PASSED`` or what went wrong.
    seconds : float
        Wall-clock time.
    message : str
        What went wrong and where; empty when it passed.
    notebook : Path
        The executed notebook, saved whatever the outcome.
    warnings : tuple of str
        What did not stop it and still has to be known.
    peak_memory : int
        The most memory its process has had, in bytes; 0 where that is not known.
    failure : Failure, optional
        The exception that a cell raised.
    """

    name: str
    outcome: ExitCode
    seconds: float
    message: str
    notebook: Path
    warnings: tuple[str, ...] = ()
    peak_memory: int = 0
    failure: Failure | None = None


@dataclass(frozen=True)
class Failure:
    """The exception that a cell raised.

    Attributes
    ----------
    cell : int or None
        The number in brackets before the cell, as in ``In [3]``.
    error, text : str
        The exception's class, by name, and its message.
    of_the_kit : bool
        Whether it is one of `sta410kit.exceptions`.
    """

    cell: int | None
    error: str
    text: str
    of_the_kit: bool


def execute(  # noqa: PLR0913 - three things it needs, five it can do without
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    *,
    on_cell: Callable[[], None] | None = None,
    artifacts: tuple[Path, ...] = (),
    watch: Watch | None = None,
    folder: Path | None = None,
    nest: OpeningNest | None = None,
) -> StepResult:
    """Execute `notebook` in the folder it lies in and save it, executed, as `output`.

    Parameters
    ----------
    notebook, output : Path
        What to run, and where the executed copy goes.
    parameters : mapping
        Values for its parameters cell, already checked.
    on_cell : callable, optional
        Called after each code cell.
    artifacts : tuple of Path
        Files that must exist afterwards, and not be empty.
    watch : Watch, optional
        What it may use; nothing is limited when omitted.
    folder : Path, optional
        The folder it is executed in, where that is not the one it lies in.
    nest : OpeningNest, optional
        Forks its process; the fork server of this environment does when omitted.
    """
    started, watch = time.perf_counter(), watch or Watch()
    where = folder or notebook.parent
    ending = _through_papermill(notebook, output, parameters, on_cell, watch, where, nest)
    outcome, message, failure = ending
    warnings: list[str] = []
    if outcome is ExitCode.PASSED:
        outcome, message, warnings = _complete(output, artifacts)
    elif outcome is not ExitCode.INTERNAL and output.is_file():
        mark_failure(output, message)
    warnings += redact_notebook_file(output)
    redact_log(output.with_suffix(KERNEL_LOG))
    if failure is not None:
        failure = replace(failure, text=redact(failure.text))
    seconds = time.perf_counter() - started
    return StepResult(
        notebook.stem,
        outcome,
        seconds,
        printable(redact(message)),
        output,
        tuple(warnings),
        watch.peak,
        failure,
    )


def _through_papermill(  # noqa: PLR0913, PLR0917 - what `execute` was given
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    on_cell: Callable[[], None] | None,
    watch: Watch,
    folder: Path,
    nest: OpeningNest | None,
) -> tuple[ExitCode, str, Failure | None]:
    content = read_notebook(notebook)
    kernel, language = kernel_of(content)
    if nest is not None and is_this_python(kernel):
        nest.open()  # it gets ready while papermill is imported
    import papermill
    from traitlets.config import Config

    from sta410kit.runner.kernels import LocalKernelManager

    def after_cell(cell: Any, **_: object) -> None:  # noqa: ANN401 - an nbformat NotebookNode
        # Papermill's own cell with the parameters is none of the notebook's.
        if on_cell is not None and INJECTED not in cell.metadata.get("tags", []):
            on_cell()

    output.parent.mkdir(parents=True, exist_ok=True)
    aside, complaints = output.with_name(f".{output.name}"), output.with_suffix(KERNEL_LOG)
    logging.getLogger("papermill").addFilter(_CHECKED_BEFORE)
    try:
        papermill.execute_notebook(
            _literal(notebook),
            _literal(aside),
            engine_name="sta410",
            kernel_name=kernel,
            language=language,
            values=parameters,
            # The kernel's folder, and only the kernel's: papermill's `cwd` would change this process's.
            resources={"metadata": {"path": str(folder)}},
            watch=watch,
            nest=nest,
            progress_bar=False,
            # An output cut off because the kernel was slow to deliver it is a failure, not a shorter page.
            raise_on_iopub_timeout=True,
            on_cell_executed=after_cell,
            kernel_manager_class=LocalKernelManager,
            config=Config({"LocalKernelManager": {"stderr_file": str(complaints)}}),
        )
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED, "interrupted", None
    except Exception as error:  # noqa: BLE001 - an ending, so that the run gets its manifest and report
        if not _was_expected(error, aside):
            return _ending(error, content, complaints)
    finally:
        # Saved also when it failed: the failing cell is what people look for.
        if aside.is_file():
            aside.replace(output)
        if complaints.is_file() and not complaints.stat().st_size:
            complaints.unlink()
    return ExitCode.PASSED, "", None


def _was_expected(error: Exception, executed: Path) -> bool:
    """Tell whether an error is that of a cell tagged ``raises-exception``, and take papermill's marks off.

    Papermill raises for such a cell once all are executed. The last error is the one it tells of; one that
    was not expected would have ended the notebook, and so be the last.
    """
    import nbformat
    from papermill.exceptions import PapermillExecutionError

    if not isinstance(error, PapermillExecutionError) or not executed.is_file():
        return False
    notebook = nbformat.read(executed, as_version=4)  # type: ignore[no-untyped-call]
    cells = [cell for cell in notebook.cells if MARK not in cell.metadata.get("tags", [])]
    if EXPECTED not in cells[error.cell_index].metadata.get("tags", []):
        return False
    notebook.cells = cells
    write_text(executed, nbformat.writes(notebook))  # type: ignore[no-untyped-call]
    return True


def _ending(error: Exception, content: Notebook, complaints: Path) -> tuple[ExitCode, str, Failure | None]:
    """Return the outcome and message that an exception of papermill's stands for."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    if isinstance(error, PapermillExecutionError):
        kits = is_of_the_kit(error.ename, python_cells(content))
        outcome = kit_exception(error.ename).exit_code if kits else ExitCode.NOTEBOOK_FAILED
        failure = Failure(error.exec_count, error.ename, error.evalue, kits)
        return outcome, f"cell In [{error.exec_count}]: {error.ename}: {error.evalue}", failure
    if isinstance(error, StepStoppedError):
        return error.outcome, str(error), None
    if isinstance(error, CellTimeoutError):
        return ExitCode.TIMED_OUT, str(error).strip(), None
    if isinstance(error, DeadKernelError):
        return ExitCode.NOTEBOOK_FAILED, f"{error}{_last_words(complaints)}", None
    if isinstance(error, OSError) and error.errno in _DISK:
        return ExitCode.NOTEBOOK_FAILED, f"the executed notebook could not be saved: {error}", None
    with suppress(OSError), complaints.open("a", encoding="utf-8") as file:
        file.write("".join(traceback.format_exception(error)))
    return ExitCode.INTERNAL, f"{type(error).__name__}: {error}; more in {complaints.name}", None


def _last_words(complaints: Path) -> str:
    """Return the end of what an ordinary kernel wrote to its standard error."""
    text = complaints.read_text(encoding="utf-8", errors="replace") if complaints.is_file() else ""
    last = "\n".join(text.strip().splitlines()[-5:])
    return f"; its last words:\n{last}" if last else ""


def _literal(path: Path) -> str:
    """Return a path as papermill takes it: it would put parameters in place of names in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


def kit_exception(name: str) -> type[exceptions.STA410Exception]:
    """Return the kit's exception of that name, or the base of them all."""
    found = getattr(exceptions, name, None)
    if isinstance(found, type) and issubclass(found, exceptions.STA410Exception):
        return found
    return exceptions.STA410Exception


def is_of_the_kit(name: str, cells: Sequence[str]) -> bool:
    """Tell whether an exception is one of the kit's, and not one of the same name that a cell defines."""
    if kit_exception(name).__name__ != name:
        return False
    own = any(re.search(rf"^\s*class {name}\b", cell, re.MULTILINE) for cell in cells)
    return not own and any("sta410kit" in cell for cell in cells)


def _complete(output: Path, artifacts: tuple[Path, ...]) -> tuple[ExitCode, str, list[str]]:
    """Judge an executed notebook by what it should have done and left."""
    import nbformat

    notebook = nbformat.read(output, as_version=4)  # type: ignore[no-untyped-call]
    message, position = judge(notebook, artifacts)
    if not message:
        return ExitCode.PASSED, "", remarks(notebook)
    mark_failure(output, message, position)
    return ExitCode.NOTEBOOK_FAILED, message, remarks(notebook)
