"""A forked process that executes cells, as its owner sees it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import tempfile
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from sta410kit._internal.redaction import register
from sta410kit.runner.warm.client import GLANCE, connect, connect_to, go_on, request
from sta410kit.runner.warm.wire import Lines, encode, send_request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

_LAST_WORDS = 2000
_GRACE = 5.0  # seconds a cell has to end after it was interrupted


class ProcessDiedError(Exception):
    """The process ended before it had answered; the argument is its exit code, negative for a signal."""


class CellTooSlowError(Exception):
    """A cell took longer than it was given."""


class CellSession:
    """A fresh forked process, from `with` to the end of the block.

    Parameters
    ----------
    folder : str, optional
        The current folder of the process; the caller's when omitted.
    watch : callable, optional
        Called with the process's number several times a second, and with 0 while the fork server starts.
        What it raises ends the process, and a cell that runs is interrupted first, so that its traceback
        says where it was.
    server : Path, optional
        Where the server to ask listens, see `Nest`; the fork server of this environment when omitted.

    Raises
    ------
    ServerUnavailableError
        There is no fork server.
    """

    def __init__(
        self,
        folder: str | None = None,
        watch: Callable[[int], None] | None = None,
        server: Path | None = None,
    ) -> None:
        self._server = (
            connect(partial(watch, 0) if watch else go_on) if server is None else connect_to(server)
        )
        self._watch: Callable[[int], None] | None = None
        mine, theirs = socket.socketpair()
        streams = [_collector(), _collector()]
        wanted = request("sta410kit.runner.warm.pipe_kernel:run", [])
        wanted["folder"] = folder or wanted["folder"]
        send_request(self._server, wanted, [theirs.fileno(), *streams])
        theirs.close()
        os.close(streams[0])
        self._errors = streams[1]
        self._cells, self._server_lines, self._lines = mine, Lines(self._server), Lines(mine, float("inf"))
        self.pid = 0
        self.language_info: dict[str, Any] = {}
        self._until(lambda message: "ready" in message, lambda _: None, None)
        # The process may be quicker than the server that tells its number, without which nobody can watch it.
        while not self.pid:
            self._hear_from_the_server()
        self._watch = watch

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cells.close()
        if kind is None:
            # Let it end by itself, so that what it registered for its end is done.
            with contextlib.suppress(OSError, ProcessDiedError):
                self._wait_for_end(_GRACE)
        self._server.close()
        os.close(self._errors)

    def last_words(self) -> str:
        """Return the end of what the process itself, not its cells, wrote to its standard error."""
        size = os.fstat(self._errors).st_size
        text = os.pread(self._errors, _LAST_WORDS, max(0, size - _LAST_WORDS)).decode("utf-8", "replace")
        return "\n".join(text.strip().splitlines()[-5:])

    def execute(
        self,
        code: str,
        cell_id: str | None,
        on_message: Callable[[dict[str, Any]], None],
        timeout: float | None,
    ) -> dict[str, Any]:
        """Execute a cell; hand every message over as it comes, and return the reply.

        Raises
        ------
        ProcessDiedError
            The process ended while it executed the cell.
        CellTooSlowError
            The cell took longer than `timeout` seconds and did not end when it was interrupted either.
        """
        # To a process that has ended nothing can be sent; what is read next tells how it ended.
        with contextlib.suppress(ConnectionError):
            self._cells.sendall(encode({"code": code, "id": cell_id}))
        reply: dict[str, Any] = self._until(lambda message: "reply" in message, on_message, timeout)["reply"]
        return reply

    def interrupt(self) -> None:
        """Raise `KeyboardInterrupt` in the cell that runs."""
        self._server.sendall(encode({"signal": int(signal.SIGINT)}))

    def _until(
        self,
        wanted: Callable[[dict[str, Any]], bool],
        on_message: Callable[[dict[str, Any]], None],
        timeout: float | None,
    ) -> dict[str, Any]:
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        reason: Exception | None = None
        while True:
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([self._cells, self._server], [], [], min(left, GLANCE))
            problem = self._look(deadline) if reason is None else None
            if problem is not None:
                reason, deadline = problem, time.monotonic() + _GRACE
                self.interrupt()
            elif reason is not None and time.monotonic() > deadline:
                raise reason
            try:
                answer = self._read(ready, wanted, on_message)
            except ProcessDiedError as death:
                raise reason or death from None
            if answer is not None:
                if reason is not None:
                    raise reason
                return answer

    def _read(
        self,
        ready: list[socket.socket],
        wanted: Callable[[dict[str, Any]], bool],
        on_message: Callable[[dict[str, Any]], None],
    ) -> dict[str, Any] | None:
        """Hand over what has come in, and return the message that is waited for when it is among it."""
        if self._cells in ready:
            messages = self._lines.receive()
            if messages is None:
                self._wait_for_end(_GRACE)
            for message in messages or []:
                if wanted(message):
                    self.language_info = message.get("ready", self.language_info)
                    return message
                if "registered" in message:
                    for value in message["registered"]:
                        register(value)
                    continue
                on_message(message)
        if self._server in ready:
            self._hear_from_the_server()
        return None

    def _look(self, deadline: float) -> Exception | None:
        """Return why the cell that runs has to end, if it has to."""
        if time.monotonic() > deadline:
            return CellTooSlowError()
        if self._watch is not None and self.pid:
            try:
                self._watch(self.pid)
            except Exception as reason:  # noqa: BLE001 - raised again once the cell has been interrupted
                return reason
        return None

    def _hear_from_the_server(self) -> None:
        messages = self._server_lines.receive()
        if messages is None:
            raise ProcessDiedError(-int(signal.SIGKILL))
        for message in messages:
            self.pid = message.get("pid", self.pid)
            if "ended" in message:
                raise ProcessDiedError(int(message["ended"]))

    def _wait_for_end(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([self._server], [], [], left)
            if ready:
                self._hear_from_the_server()
        raise ProcessDiedError(-int(signal.SIGKILL))


def obituary(code: int, words: str) -> str:
    """Return the sentence that a process has ended by itself, with its last words."""
    cause = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return f"Kernel died {cause}" + (f"; its last words:\n{words}" if words else "")


def _collector() -> int:
    """Return a file in memory that everybody appends to: it never blocks, and all stays in order."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("sta410-stream")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    import fcntl

    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
    return descriptor
