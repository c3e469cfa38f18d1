"""The caller's side of a forked process that executes cells; see `pipe_kernel` for the other side."""

import contextlib
import os
import select
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from sta410kit._internal.redaction import register
from sta410kit.runner.warm.client import ServerUnavailableError, connect, fork
from sta410kit.runner.warm.wire import Lines, WireError, encode

_STDERR_TAIL = 2000  # characters
_POLL_SECONDS = 0.1  # between two looks at the limits
_GRACE = 5.0  # seconds a cell has to end after it was interrupted


class ProcessDiedError(Exception):
    """The process ended before it had answered; the argument is its exit code, negative for a signal."""


# What `CellSession` raises where no process can be forked.
CANNOT_FORK = (ServerUnavailableError, ProcessDiedError, WireError, OSError)


class CellSession:
    """A fresh forked process, from `with` to the end of the block."""

    def __init__(
        self,
        folder: str,
        watch: Callable[[int], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._server = connect(for_cells=True)
        self._watch = watch
        mine, theirs = socket.socketpair()
        streams = [_memory_file(), _memory_file()]
        self._errors = streams[1]
        self._cells, self._server_lines, self._lines = mine, Lines(self._server), Lines(mine)
        self.pid = 0
        self.language_info: dict[str, Any] = {}
        try:
            with theirs:
                fork(self._server, [theirs.fileno(), *streams], "", [], folder, environment)
            os.close(streams[0])
            self.language_info = self._until("ready")
            # The process may be ready before the server has sent its id, without which it cannot be watched.
            while not self.pid:
                self._hear_from_the_server()
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cells.close()
        if kind is None:
            # Let it exit, so that its exit functions run.
            with contextlib.suppress(OSError, ProcessDiedError):
                self._wait_for_end(_GRACE)
        self._close()

    def _close(self) -> None:
        self._cells.close()
        self._server.close()
        os.close(self._errors)

    def stderr_tail(self) -> str:
        """Return the end of what the process itself, not its cells, wrote to its standard error."""
        size = os.fstat(self._errors).st_size
        text = os.pread(self._errors, _STDERR_TAIL, max(0, size - _STDERR_TAIL)).decode("utf-8", "replace")
        return "\n".join(text.strip().splitlines()[-5:])

    def execute(
        self, code: str, cell_id: str | None, on_message: Callable[[dict[str, Any]], None]
    ) -> dict[str, Any]:
        """Execute a cell, call `on_message` with each message as it arrives, and return the reply."""
        # A process that has ended takes nothing; reading tells how it ended.
        with contextlib.suppress(ConnectionError):
            self._cells.sendall(encode({"code": code, "id": cell_id}))
        reply: dict[str, Any] = self._until("reply", on_message)
        return reply

    def observed(self) -> dict[str, list[str]]:
        """Return the files that the process has read so far, see `Observer.observed`."""
        self._cells.sendall(encode({"ask": "reads"}))
        found: dict[str, list[str]] = self._until("reads")
        return found

    def interrupt(self) -> None:
        """Raise `KeyboardInterrupt` in the cell that runs."""
        self._server.sendall(encode({"signal": int(signal.SIGINT)}))

    def _until(self, wanted: str, on_message: Callable[[dict[str, Any]], None] = lambda _: None) -> Any:  # noqa: ANN401 - JSON
        """Pass messages on until the one with the key `wanted` arrives; return what it holds."""
        deadline, reason = 0.0, None
        while True:
            ready, _, _ = select.select([self._cells, self._server], [], [], _POLL_SECONDS)
            if reason is None and (reason := self._limit()) is not None:
                if not self.pid:  # there is no cell yet
                    raise reason
                deadline = time.monotonic() + _GRACE
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
                return answer[wanted]

    def _read(
        self, ready: list[socket.socket], wanted: str, on_message: Callable[[dict[str, Any]], None]
    ) -> dict[str, Any] | None:
        """Pass on what has arrived; return the message that is waited for if it is there."""
        if self._cells in ready:
            messages = self._lines.receive()
            if messages is None:
                self._wait_for_end(_GRACE)
            for message in messages or []:
                if wanted in message:
                    return message
                if "registered" in message:
                    for value in message["registered"]:
                        register(value)
                else:
                    on_message(message)
        if self._server in ready:
            self._hear_from_the_server()
        return None

    def _limit(self) -> Exception | None:
        """Return why the cell that runs has to end, if it has to."""
        if self._watch is not None:
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


def died_message(code: int, stderr: str) -> str:
    """Return the message that a process has died, with the tail of its standard error."""
    cause = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return f"Kernel died {cause}" + (f"; the end of its standard error:\n{stderr}" if stderr else "")


def _memory_file() -> int:
    """Return a file in memory that all writers append to: it never blocks, and keeps their order."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("sta410-stream")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    import fcntl

    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
    return descriptor
