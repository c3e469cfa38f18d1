"""Execute a notebook through papermill and an ordinary kernel, where no forked process can do it."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Any

from sta410kit.exit_codes import ExitCode
from sta410kit.runner.notebook import INJECTED, MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sta410kit.runner.limits import Watch
    from sta410kit.runner.template import Node, Template

KERNEL_LOG = ".kernel.log"
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG}
# Only a Jupyter client keeps the state of widgets, and puts what `Output` captures into it.
_NEEDS_A_CLIENT = re.compile(
    r"^\s*(?:import|from)\s+(?:ipywidgets|ipympl|anywidget|tqdm\.(?:notebook|autonotebook|auto))\b"
    r"|%matplotlib\s+(?:widget|ipympl)|run_line_magic\('matplotlib', '(?:widget|ipympl)'\)",
    re.MULTILINE,
)


def needs_a_client(sources: Sequence[str]) -> bool:
    """Tell whether notebook code uses widgets, whose state only a Jupyter client keeps."""
    return any(_NEEDS_A_CLIENT.search(source) for source in sources)


def not_saved(error: OSError) -> tuple[ExitCode, str]:
    """Return outcome and message where the disk did not take the executed notebook."""
    return ExitCode.NOTEBOOK_FAILED, f"the executed notebook could not be saved: {error}"


def through_papermill(  # noqa: PLR0913, PLR0917 - what `execute` was given
    template: Template,
    output: Path,
    parameters: Mapping[str, Any],
    folder: Path,
    watch: Watch,
    on_cell: Callable[[], None] | None,
) -> tuple[Node, tuple[ExitCode, str] | None]:
    """Execute a notebook and return it, executed, and what stopped it, if anything did; see `execute`."""
    import nbformat
    import papermill
    from jupyter_core.utils import ensure_event_loop
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    from sta410kit.runner.kernels import LocalKernelManager

    def after_cell(cell: Any, **_: object) -> None:  # noqa: ANN401 - an nbformat NotebookNode
        if on_cell is not None and INJECTED not in cell.metadata.get("tags", []):
            on_cell()

    aside, stderr = output.with_name(f".{output.name}"), output.with_suffix(KERNEL_LOG)
    stopped: tuple[ExitCode, str] | None = None
    try:
        papermill.execute_notebook(
            _literal(template.path),
            _literal(str(aside)),
            engine_name="sta410",
            kernel_name=template.kernel,
            language=template.language,
            values=parameters,
            # The kernel's folder, and only the kernel's: papermill's `cwd` would change this process's.
            resources={"metadata": {"path": str(folder)}},
            forked=False,
            progress_bar=False,
            # An output cut off because the kernel was slow to deliver it is a failure, not a shorter page.
            raise_on_iopub_timeout=True,
            on_cell_executed=after_cell,
            kernel_manager_class=LocalKernelManager,
            config=Config({"LocalKernelManager": {"stderr_file": str(stderr)}}),
            execution_timeout=watch.seconds,
        )
    except PapermillExecutionError:
        pass  # what a cell raised is in its output; `mark_error` finds it
    except CellTimeoutError as error:
        stopped = ExitCode.TIMED_OUT, str(error).strip()
    except DeadKernelError as error:
        tail = stderr.read_text(encoding="utf-8", errors="replace").strip() if stderr.is_file() else ""
        tail = "\n".join(tail.splitlines()[-5:])
        text = f"{error}" + (f"; the end of its standard error:\n{tail}" if tail else "")
        stopped = ExitCode.NOTEBOOK_FAILED, text
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        stopped = not_saved(error)
    finally:
        ensure_event_loop().close()  # nbclient leaves it open, with its sockets
        node = template.with_parameters(parameters, str(output))
        if aside.is_file():
            node = nbformat.read(aside, as_version=4)  # type: ignore[no-untyped-call]
            aside.unlink()
            unmarked = [cell for cell in node["cells"] if MARK not in cell["metadata"].get("tags", [])]
            node["cells"] = unmarked
        if stderr.is_file() and not stderr.stat().st_size:
            stderr.unlink()
    return node, stopped


def _literal(path: str) -> str:
    """Return a path as papermill takes it: it would replace names in braces by parameters."""
    return path.replace("{", "{{").replace("}", "}}")
