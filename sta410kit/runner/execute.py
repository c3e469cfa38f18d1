"""One notebook, headless, through papermill; its ending as an outcome and never as a traceback."""

from __future__ import annotations

import logging
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sta410kit import exceptions
from sta410kit.outcomes import ExitCode
from sta410kit.redaction import redact
from sta410kit.runner.limits import StepStoppedError, Watch
from sta410kit.runner.notebook import figures_missing, kernel_of, mark_failure, read_notebook
from sta410kit.runner.scrubbing import scrub_notebook_file, scrub_text_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class _CheckedBefore(logging.Filter):
    """Papermill reads few annotations and warns of the others as unknown; the kit has checked them all.

    What the engine says of scrubbed secrets is said again by the run, with the step's name.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything through but these warnings."""
        text = record.getMessage()
        return "unknown parameter" not in text and "a secret was scrubbed" not in text


_CHECKED_BEFORE = _CheckedBefore()
KERNEL_LOG = ".kernel.log"


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
    """

    name: str
    outcome: ExitCode
    seconds: float
    message: str
    notebook: Path
    warnings: tuple[str, ...] = ()
    peak_memory: int = 0


def execute(  # noqa: PLR0913 - three things it needs, three it can do without
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    *,
    on_cell: Callable[[], None] | None = None,
    artifacts: tuple[Path, ...] = (),
    watch: Watch | None = None,
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
        Files that must exist afterwards.
    watch : Watch, optional
        What it may use; nothing is limited when omitted.
    """
    started, watch = time.perf_counter(), watch or Watch()
    outcome, message = _through_papermill(notebook, output, parameters, on_cell, watch)
    if outcome not in {ExitCode.PASSED, ExitCode.INTERNAL} and output.is_file():
        mark_failure(output, message)
    if outcome is ExitCode.PASSED:
        outcome, message = _complete(output, artifacts)
    warnings = scrub_notebook_file(output)
    others = (output.with_suffix(KERNEL_LOG), *artifacts)
    warnings += [f"a secret was scrubbed from {path.name}" for path in others if scrub_text_file(path)]
    seconds = time.perf_counter() - started
    return StepResult(notebook.stem, outcome, seconds, redact(message), output, tuple(warnings), watch.peak)


def _through_papermill(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    on_cell: Callable[[], None] | None,
    watch: Watch,
) -> tuple[ExitCode, str]:
    import papermill
    from traitlets.config import Config

    from sta410kit.runner.kernels import LocalKernelManager

    def after_cell(cell: Any, **_: object) -> None:  # noqa: ANN401 - an nbformat NotebookNode
        # Papermill's own cell with the parameters is none of the notebook's.
        if on_cell is not None and "injected-parameters" not in cell.metadata.get("tags", []):
            on_cell()

    output.parent.mkdir(parents=True, exist_ok=True)
    aside, complaints = output.with_name(f".{output.name}"), output.with_suffix(KERNEL_LOG)
    content = read_notebook(notebook)
    kernel, language = kernel_of(content)
    logging.getLogger("papermill").addFilter(_CHECKED_BEFORE)
    try:
        papermill.execute_notebook(
            _literal(notebook),
            _literal(aside),
            engine_name="sta410",
            kernel_name=kernel,
            language=language,
            parameters={name: _plain(value) for name, value in parameters.items()},
            # The kernel's folder, and only the kernel's: papermill's `cwd` would change this process's.
            resources={"metadata": {"path": str(notebook.parent)}},
            watch=watch,
            progress_bar=False,
            # An output cut off because the kernel was slow to deliver it is a failure, not a shorter page.
            raise_on_iopub_timeout=True,
            on_cell_executed=after_cell,
            kernel_manager_class=LocalKernelManager,
            config=Config({"LocalKernelManager": {"stderr_file": str(complaints)}}),
        )
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED, "interrupted"
    except Exception as error:  # noqa: BLE001 - an ending, so that the run gets its manifest and report
        return _ending(error, content, complaints)
    finally:
        # Saved also when it failed: the failing cell is what people look for.
        if aside.is_file():
            aside.replace(output)
        if complaints.is_file() and not complaints.stat().st_size:
            complaints.unlink()
    return ExitCode.PASSED, ""


def _ending(error: Exception, content: Any, complaints: Path) -> tuple[ExitCode, str]:  # noqa: ANN401 - a notebook
    """Return the outcome and message that an exception of papermill's stands for."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    if isinstance(error, PapermillExecutionError):
        kits = any("sta410kit" in cell.source for cell in content.cells)
        outcome = _kit_exit_code(error.ename) if kits else ExitCode.NOTEBOOK_FAILED
        return outcome, f"cell In [{error.exec_count}]: {error.ename}: {error.evalue}"
    if isinstance(error, StepStoppedError):
        return error.outcome, str(error)
    if isinstance(error, CellTimeoutError):
        return ExitCode.TIMED_OUT, str(error).strip()
    if isinstance(error, DeadKernelError):
        return ExitCode.NOTEBOOK_FAILED, f"{error}{_last_words(complaints)}"
    with complaints.open("a", encoding="utf-8") as file:
        file.write("".join(traceback.format_exception(error)))
    return ExitCode.INTERNAL, f"{type(error).__name__}: {error}; more in {complaints.name}"


def _last_words(complaints: Path) -> str:
    """Return the end of what an ordinary kernel wrote to its standard error."""
    text = complaints.read_text(encoding="utf-8", errors="replace") if complaints.is_file() else ""
    last = "\n".join(text.strip().splitlines()[-5:])
    return f"; its last words:\n{last}" if last else ""


def _literal(path: Path) -> str:
    """Return a path as papermill takes it: it would put parameters in place of names in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _kit_exit_code(name: str) -> ExitCode:
    """Return the exit code of a kit exception that a cell raised, or that of any other error in a cell."""
    found = getattr(exceptions, name, None)
    if isinstance(found, type) and issubclass(found, exceptions.STA410Exception):
        return found.exit_code
    return ExitCode.NOTEBOOK_FAILED


def _complete(output: Path, artifacts: tuple[Path, ...]) -> tuple[ExitCode, str]:
    """Judge an executed notebook by what it should have left: figures and files."""
    import nbformat

    lacking = [path.name for path in artifacts if not path.is_file()]
    if lacking:
        return ExitCode.NOTEBOOK_FAILED, f"it ran but did not write {', '.join(lacking)}"
    blank = figures_missing(nbformat.read(output, as_version=4))  # type: ignore[no-untyped-call]
    if blank:
        return ExitCode.NOTEBOOK_FAILED, f"cells tagged 'figure' show no image: {', '.join(map(str, blank))}"
    return ExitCode.PASSED, ""


def _plain(value: Any) -> Any:  # noqa: ANN401 - papermill writes Python literals
    """Return what papermill can write as a literal: paths and dates as text, at any depth."""
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    return str(value)
