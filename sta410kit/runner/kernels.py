"""Ordinary kernels that only their owner on this machine can reach."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from traitlets import Unicode, default

# A Unix socket's path has 107 bytes at the most; the connection file's name and a channel number come behind.
_LONGEST_FOLDER = 50


def transport() -> str:
    """Return how kernels are reached: ``ipc`` where Unix sockets can be had, else ``tcp`` on loopback."""
    fits = len(os.fsencode(jupyter_runtime_dir())) <= _LONGEST_FOLDER
    return "ipc" if os.name == "posix" and fits else "tcp"


class LocalKernelManager(AsyncKernelManager):
    """A kernel manager that talks over Unix sockets in the user's private folder, not over TCP.

    No other user of the machine can listen or connect, and no two kernels race for a port. Where there are no
    such sockets, or the folder's path is too long for them, it is TCP on the loopback address as usual.
    """

    stderr_file = Unicode("", config=True, help="Where the kernel process itself complains; here when empty.")

    async def start_kernel(self, **kw: Any) -> None:  # type: ignore[override] # noqa: ANN401 - passed on
        """Start the kernel, its standard error going to `stderr_file` when there is one."""
        if not self.stderr_file:
            await super().start_kernel(**kw)
            return
        with Path(self.stderr_file).open("ab") as stderr:  # noqa: ASYNC230 - a local file, once a kernel
            await super().start_kernel(**{**kw, "stderr": stderr})

    @default("connection_file")
    def _default_connection_file(self) -> str:
        """Name a file of its own in the private folder; the sockets stand beside it.

        Without one they would be called ``kernel-ipc-1`` and so on in whatever the current folder is, which
        is another one for the kernel than for its client.
        """
        folder = Path(jupyter_runtime_dir())
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return str(folder / f"kernel-{secrets.token_hex(8)}.json")

    @default("transport")
    def _default_transport(self) -> str:
        return transport()
