"""Ordinary kernels, for what no forked process can execute; no other user of this machine can reach them."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from jupyter_core.utils import ensure_event_loop
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets import default

from sta410kit.exit_codes import ExitCode
from sta410kit.runner.limits import StepStoppedError

# A Unix socket's path has 107 bytes at the most; the connection file's name and a channel number come behind.
_LONGEST_FOLDER = 50


class LocalKernelManager(AsyncKernelManager):
    """A kernel manager that talks over Unix sockets in the user's private folder, not over TCP.

    No other user of the machine can listen or connect, and no two kernels race for a port. Where there are no
    such sockets, or the folder's path is too long for them, it is TCP on the loopback address as usual.
    """

    @default("connection_file")
    def _default_connection_file(self) -> str:
        """Name a file in the private folder: by default the sockets would be in the current one."""
        folder = Path(jupyter_runtime_dir())
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return str(folder / f"kernel-{secrets.token_hex(8)}.json")

    @default("transport")
    def _default_transport(self) -> str:
        fits = len(os.fsencode(jupyter_runtime_dir())) <= _LONGEST_FOLDER
        return "ipc" if os.name == "posix" and fits else "tcp"


@contextmanager
def ordinary_kernel(  # noqa: PLR0913, PLR0917 - what `execute` was given
    notebook: Any,  # noqa: ANN401 - an nbformat NotebookNode
    kernel: str,
    folder: Path,
    log: Path,
    timeout: float | None,
    environment: Mapping[str, str],
) -> Iterator[Callable[[Any], bool]]:
    """Give what executes a code cell of `notebook` in a new kernel, and tells whether the next may follow.

    What the kernel's process itself writes to its standard error goes to `log`; `timeout` is for each cell.
    """
    client: Any = NotebookClient(
        notebook,
        kernel_name=kernel,
        kernel_manager_class=LocalKernelManager,
        timeout=timeout,
        # An output cut off because the kernel was slow to deliver it is a failure, not a shorter page.
        raise_on_iopub_timeout=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.reset_execution_trackers()

    def execute(cell: Any) -> bool:  # noqa: ANN401 - as above
        try:
            client.execute_cell(cell, notebook["cells"].index(cell))
        except CellExecutionError:
            return False
        except CellTimeoutError as error:
            raise StepStoppedError(ExitCode.TIMED_OUT, str(error).strip()) from error
        except DeadKernelError as error:
            tail = "\n".join(log.read_text("utf-8", "replace").strip().splitlines()[-5:])
            message = f"{error}" + (f"; the end of its standard error:\n{tail}" if tail else "")
            raise StepStoppedError(ExitCode.NOTEBOOK_FAILED, message) from error
        return True

    try:
        with log.open("ab") as stderr, client.setup_kernel(stderr=stderr, env={**os.environ, **environment}):
            yield execute
            reply = client.wait_for_reply(client.kc.kernel_info())
            notebook["metadata"]["language_info"] = reply["content"]["language_info"]
            client.set_widgets_metadata()
    finally:
        ensure_event_loop().close()  # nbclient leaves it open, with its sockets
        if not log.stat().st_size:
            log.unlink()
