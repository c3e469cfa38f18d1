"""Kernels that only their owner on this machine can reach."""

from __future__ import annotations

import os

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from traitlets import default

# A Unix socket's path has 107 bytes at the most; the connection file's name and a channel number come behind.
_LONGEST_FOLDER = 50


def transport() -> str:
    """Return how kernels are reached: ``ipc`` where Unix sockets can be had, else ``tcp`` on loopback."""
    fits = len(os.fsencode(jupyter_runtime_dir())) <= _LONGEST_FOLDER
    return "ipc" if os.name == "posix" and fits else "tcp"


class LocalKernelManager(AsyncKernelManager):
    """A kernel manager that talks over Unix sockets in the user's private folder, not over TCP.

    Nobody else on the machine can listen or connect, and no two kernels race for a port. Where the system has
    no such sockets, or the folder's path is too long for them, it is TCP on the loopback address as usual.
    """

    @default("transport")
    def _default_transport(self) -> str:
        return transport()
