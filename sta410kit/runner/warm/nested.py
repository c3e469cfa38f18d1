"""A fork server of one's own for many notebooks, as its owner sees it; see `nest` for the other side."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sta410kit.runner.warm.client import GLANCE, ServerUnavailableError, connect, go_on, request
from sta410kit.runner.warm.identity import server_folder
from sta410kit.runner.warm.session import ProcessDiedError
from sta410kit.runner.warm.wire import Lines, WireError, send_request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PATIENCE = 60.0  # seconds for a kernel and the modules of a notebook
_PREFIX = "nest-"
# No process can be forked, for once.
NOT_HERE = (ServerUnavailableError, ProcessDiedError, WireError, OSError)


class Nest:
    """A process, forked from the warm one, that forks others with a kernel ready and modules loaded.

    From `with` to the end of the block; every process forked from it ends with it.

    Parameters
    ----------
    folder : str
        Where it starts.
    modules : sequence of str
        What it loads before it forks: third-party modules and the kit's, never those that are being edited.
    look : callable, optional
        Called several times a second until it is ready; what it raises ends the wait.

    Raises
    ------
    ServerUnavailableError
        There is no fork server, or one of the modules starts a thread, which makes a fork unsafe.
    """

    def __init__(self, folder: str, modules: Sequence[str] = (), look: Callable[[], None] = go_on) -> None:
        _sweep_up()
        self._server = connect(look)
        self._home = server_folder() / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(3)}"
        self._home.mkdir(mode=0o700)
        self.path = self._home / "s"
        mine, theirs = socket.socketpair()
        self._line = mine
        wanted = request("sta410kit.runner.warm.fork_pool:run", [str(self.path), *modules])
        with contextlib.ExitStack() as stack:
            stack.callback(theirs.close)
            nothing = os.open(os.devnull, os.O_RDWR)
            stack.callback(os.close, nothing)
            send_request(self._server, {**wanted, "folder": folder}, [theirs.fileno(), nothing, nothing])
        try:
            answer = self._answer(look)
            if answer.get("ready") is None:
                message = f"a module starts threads: {', '.join(answer.get('threads', []))}"
                raise ServerUnavailableError(message)  # noqa: TRY301 - closed like any other failure
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it, and every process forked from it."""
        self._line.close()
        self._server.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def _answer(self, look: Callable[[], None]) -> dict[str, Any]:
        lines, deadline = Lines(self._line), time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if select.select([self._line], [], [], GLANCE)[0]:
                messages = lines.receive()
                if messages is None:
                    break
                if messages:
                    return messages[0]
            look()
        message = "the process that should fork the others did not come up"
        raise ServerUnavailableError(message)


class OpeningNest:
    """A nest that opens on first need, while its owner gets ready; gone at the end of the `with` block.

    Parameters
    ----------
    folder : str
        Where it starts.
    modules : sequence of str
        What it loads; when one of them makes a fork unsafe, it opens without any.

    Attributes
    ----------
    reason : Exception or None
        Why it could not be opened; known once `path` is.
    """

    def __init__(self, folder: str, modules: Sequence[str]) -> None:
        self.reason: Exception | None = None
        self._folder, self._modules = folder, modules
        self._pool = ThreadPoolExecutor(1)
        self._lock = threading.Lock()  # steps side by side ask for it at once
        self._nest: Future[Nest | None] | None = None
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> Future[Nest | None]:
        """Begin to open it, if nobody has; return at once."""
        with self._lock:
            if self._nest is None:
                self._nest = self._pool.submit(self._open)
            return self._nest

    def close(self) -> None:
        """End it, if it was opened, and every process forked from it; what still opens is given up."""
        self._closing.set()
        self._pool.shutdown()
        nest = self._nest.result() if self._nest is not None else None
        if nest is not None:
            nest.close()

    @property
    def path(self) -> Path | None:
        """Where it listens, once it does; nothing when it cannot be opened."""
        nest = self.open().result()
        return nest.path if nest is not None else None

    def wait(self, look: Callable[[], None]) -> None:
        """Wait until `path` is known; `look` is called several times a second and may raise, to end that."""
        nest = self.open()
        while not wait([nest], GLANCE).done:
            look()

    def _look(self) -> None:
        if self._closing.is_set():
            message = "its owner is gone"
            raise ServerUnavailableError(message)

    def _open(self) -> Nest | None:
        reason: Exception | None = None
        for modules in (self._modules, ()):
            try:
                return Nest(self._folder, modules, self._look)
            except NOT_HERE as error:
                reason = reason or error
        self.reason = reason
        return None


def _sweep_up() -> None:
    """Remove what owners left behind that were killed."""
    for home in server_folder().glob(f"{_PREFIX}*"):
        owner = home.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists() and Path("/proc/self").exists():
            shutil.rmtree(home, ignore_errors=True)
