"""The job of a forked process that executes a notebook's cells one by one, without a socket in between.

It is ipykernel's own kernel and shell with two parts exchanged: what they would send to a client goes through
a pipe as JSON, and what is written to the standard streams is collected in order. Displays, figures,
tracebacks, magics, top-level ``await`` and the refusal of ``input()`` are therefore those of any kernel.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session
from tornado.ioloop import IOLoop
from traitlets import Any as AnyTrait

from sta410kit.runner.figures import watch_figures
from sta410kit.runner.warm.kernel import LightKernel
from sta410kit.runner.warm.wire import Lines, encode

_FLUSH_SECONDS = 0.2  # how long text may wait in a stream before the other side sees it
_CHUNK = 1 << 20


class Channel:
    """The pipe to whoever asked; one message at a time, from whatever thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self.lines = Lines(connection)
        self.shared: frozenset[str] = frozenset()

    def adopt(self, connection: socket.socket) -> None:
        """Belong to this process from now on, and talk through another connection."""
        self._connection, self._owner, self.lines = connection, os.getpid(), Lines(connection)
        self.shared = frozenset()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; a process forked by a cell has nothing to say here."""
        if os.getpid() == self._owner:
            with self._lock:
                self._connection.sendall(encode(message))


class PipeSession(Session):
    """A session whose messages go through the channel instead of a socket."""

    channel = AnyTrait()

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *_: Any, **__: Any) -> Any:  # noqa: ANN401
        """Pass on type and content; there is only one who listens."""
        del stream
        if isinstance(msg_or_type, dict):
            kind, content = msg_or_type["header"]["msg_type"], msg_or_type["content"]
        else:
            kind = msg_or_type
        if kind == "execute_reply":
            self.channel.send({"reply": content})
        elif kind != "status":  # the reply says it all; only the filter of secrets wants to know of it
            self.channel.send({"msg_type": kind, "content": content or {}})
        return {"header": {"msg_type": kind}, "content": content}

    def share_secrets(self) -> None:
        """Tell who writes the notebook what the cells were handed, at once: the process may not end well."""
        _share_secrets(self.channel)


class CellStream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` of the cells.

    What native code and subprocesses write to the descriptor is collected in a file, and read from there
    whenever this stream is flushed.
    """

    encoding = "UTF-8"
    errors = "strict"

    def __init__(self, name: str, descriptor: int, channel: Channel) -> None:
        self.name = f"<{name}>"
        self._kind = name
        self._descriptor = descriptor
        self._channel = channel
        self._parts: list[str] = []
        self._seen = os.fstat(descriptor).st_size
        self._flushed = time.monotonic()
        self._lock = threading.RLock()
        self._owner = os.getpid()
        self.other: CellStream | None = None
        self.session: PipeSession | None = None

    def adopt(self) -> None:
        """Belong to this process from now on, and read its descriptor from the start."""
        self._owner, self._seen, self._flushed = os.getpid(), 0, time.monotonic()
        self._parts.clear()

    def write(self, text: str) -> int:
        """Take text; it is sent on when the stream is flushed, or after a moment."""
        if not isinstance(text, str):
            message = f"write() argument must be str, not {type(text)}"  # type: ignore[unreachable]
            raise TypeError(message)
        if os.getpid() != self._owner:
            os.write(self._descriptor, text.encode("utf-8", "surrogateescape"))
            return len(text)
        with self._lock:
            if self.other is not None and self.other.waiting:
                self.other.flush()  # so that the two keep their order
            self._parts += [self._native(), text]
            due = time.monotonic() - self._flushed > _FLUSH_SECONDS
        if due:
            self.flush()
        return len(text)

    @property
    def waiting(self) -> bool:
        """Whether there is text that has not been sent on."""
        return bool(self._parts)

    def flush(self) -> None:
        """Send on what there is."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            text = "".join([*self._parts, self._native()])
            self._parts.clear()
            self._flushed = time.monotonic()
            if text:
                content = {"name": self._kind, "text": text}
                if self.session is None:
                    self._channel.send({"msg_type": "stream", "content": content})
                else:
                    # As everything else does, for there a filter may stand: `kernel_redaction`.
                    self.session.send(None, "stream", content)

    def _native(self) -> str:
        """Return what was written to the descriptor since it was last looked at."""
        found = bytearray()
        while data := os.pread(self._descriptor, _CHUNK, self._seen):
            found += data
            self._seen += len(data)
        return found.decode("utf-8", "replace")

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def isatty(self) -> bool:
        """Tell that nobody sits there."""
        return False

    def fileno(self) -> int:
        """Return the descriptor behind, for subprocesses and native code."""
        return self._descriptor


class CellApp(IPKernelApp):
    """ipykernel's application without its sockets; configuration and start-up files are the user's."""

    channel = AnyTrait()

    def init_connection_file(self) -> None:
        """There is none."""

    def init_poller(self) -> None:
        """Leave it to the fork server to see whether the caller lives."""

    def init_sockets(self) -> None:
        """There are none."""

    def init_heartbeat(self) -> None:
        """There is none."""

    def write_connection_file(self, **_: Any) -> None:  # noqa: ANN401
        """There is none."""

    def log_connection_info(self) -> None:
        """There is none."""

    def init_io(self) -> None:
        """Collect what is written."""
        out, err = CellStream("stdout", 1, self.channel), CellStream("stderr", 2, self.channel)
        out.other, err.other = err, out
        sys.stdout, sys.stderr = out, err
        self.patch_io()  # type: ignore[no-untyped-call]

    def init_kernel(self) -> None:
        """Make the kernel; what it sends goes through the channel."""
        self.session = PipeSession(parent=self, channel=self.channel)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, CellStream):
                stream.session = self.session
        self.kernel = LightKernel.instance(
            parent=self,
            session=self.session,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        # Cells run in the main thread; ipykernel asks where it cancels top-level `await` on an interrupt.
        self.kernel.shell_channel_thread = SimpleNamespace(parent_thread=threading.main_thread())


async def _serve(kernel: Any, channel: Channel, early: list[int]) -> None:  # noqa: ANN401 - an IPythonKernel
    loop = asyncio.get_running_loop()
    while True:
        messages = await loop.run_in_executor(None, channel.lines.receive)
        if messages is None:
            return
        for message in messages:
            await _execute(kernel, message, early)
            if kernel.shell.exit_now:
                return


async def _execute(kernel: Any, message: dict[str, Any], early: list[int]) -> None:  # noqa: ANN401
    """Execute a cell; an interrupt that came before it had begun is meant for it all the same."""
    parent = kernel.session.msg("execute_request", {"code": message["code"]})
    kernel.set_parent([], parent)
    kernel.shell.set_parent(parent)
    content = {"code": message["code"], "execution_count": kernel.execution_count}
    kernel.session.send(None, "execute_input", content)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if early:
            early.clear()
            raise KeyboardInterrupt  # noqa: TRY301 - as if it came now
        reply = await kernel.do_execute(
            message["code"], silent=False, store_history=True, allow_stdin=False, cell_id=message.get("id")
        )
    except KeyboardInterrupt:  # just before the cell, or just after it
        reply = {"status": "error", "ename": "KeyboardInterrupt", "evalue": "", "traceback": []}
    finally:
        signal.signal(signal.SIGINT, before)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {name: reply.get(name) for name in ("status", "ename", "evalue", "traceback", "execution_count")}
    kernel.session.send(None, "status", {"execution_state": "idle"})
    _share_secrets(kernel.session.channel)
    kernel.session.send(None, "execute_reply", kept)


def _share_secrets(channel: Channel) -> None:
    """Tell whoever writes the notebook which values the cells were handed: no file of the run may have them.

    The channel is a pair of sockets between the two processes that nobody else can open.
    """
    redaction = sys.modules.get("sta410kit._internal.redaction")  # the one that the cells have imported
    values = redaction.registered() if redaction is not None else frozenset()
    if values - channel.shared:
        channel.shared = values
        channel.send({"registered": sorted(values)})


def prepare(channel: Channel) -> CellApp:
    """Make the kernel and its shell, as ipykernel does at its start; nobody is listened to yet."""
    app = CellApp.instance(channel=channel)
    # In memory, as nbclient has it: nobody typed these cells.
    app.initialize(["--HistoryManager.hist_file=:memory:"])  # type: ignore[no-untyped-call]
    watch_figures(app.shell)
    return app


def serve(app: CellApp, channel: Channel) -> None:
    """Execute the cells that come in, until the other side closes."""
    kernel: Any = app.kernel
    early: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: early.append(number))
    channel.send({"ready": kernel.language_info})

    async def main() -> None:
        await _serve(kernel, channel, early)

    try:
        IOLoop.current().run_sync(main)
    finally:
        app.reset_io()  # type: ignore[no-untyped-call] # what still speaks at the end speaks to the descriptors


def standard_input() -> socket.socket:
    """Return the connection that came as standard input, where there is nothing to read from now on."""
    connection = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return connection


def run(arguments: list[str]) -> None:
    """Execute the cells that come in over standard input, until it is closed."""
    del arguments
    channel = Channel(standard_input())
    serve(prepare(channel), channel)
