"""Execute a notebook's cells in a forked process, one by one, over a pipe.

This is how the kit executes notebooks: ipykernel's own kernel and shell with two parts replaced. What they
would send to a client goes through a pipe as JSON, and what is written to the standard streams is collected
in order. Displays, figures, tracebacks, magics, top-level ``await`` and the refusal of ``input()`` are
therefore ipykernel's. Written for ipykernel 6.29 to 7.4, see ``tests/runner/warm/test_pipe_kernel.py``.
"""

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

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session
from tornado.ioloop import IOLoop
from traitlets import Any as AnyTrait

from sta410kit.runner.figures import watch_figures
from sta410kit.runner.warm.observer import Observer
from sta410kit.runner.warm.wire import Lines, encode

_FLUSH_SECONDS = 0.2  # how long text may wait in a stream before the other side sees it
_CHUNK = 1 << 20


class Channel:
    """The pipe to the caller; used from any thread, by one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._connection: socket.socket | None = None
        self.shared: frozenset[str] = frozenset()

    def open(self, connection: socket.socket) -> Lines:
        """Belong to this process from now on; return what arrives."""
        self._connection, self._owner = connection, os.getpid()
        return Lines(connection)

    @property
    def owned(self) -> bool:
        """Whether this process may use the channel; one that a cell forked may not."""
        return os.getpid() == self._owner

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; nothing is sent by a process that a cell forked."""
        if self.owned and self._connection is not None:
            with self._lock:
                self._connection.sendall(encode(message))


class PipeSession(Session):
    """A session whose messages go through the channel instead of a socket."""

    channel = AnyTrait()

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *_: Any, **__: Any) -> Any:  # noqa: ANN401
        """Pass on type and content."""
        del stream
        if isinstance(msg_or_type, dict):
            kind, content = msg_or_type["header"]["msg_type"], msg_or_type["content"]
        else:
            kind = msg_or_type
        if kind == "execute_reply":
            self.channel.send({"reply": content})
        elif kind != "status":  # the reply says as much; `kernel_redaction` needs to see it pass here
            self.channel.send({"msg_type": kind, "content": content or {}})
        return {"header": {"msg_type": kind}, "content": content}

    def share_secrets(self) -> None:
        """Tell the caller at once which secrets the cells were handed: the process may die."""
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
        self._seen = 0
        self._flushed = time.monotonic()
        self._lock = threading.RLock()
        self.other: CellStream | None = None
        self.session: PipeSession | None = None

    def write(self, text: str) -> int:
        """Take text; it is sent on when the stream is flushed, or after a moment."""
        if not isinstance(text, str):
            message = f"write() argument must be str, not {type(text)}"  # type: ignore[unreachable]
            raise TypeError(message)
        if not self._channel.owned:
            os.write(self._descriptor, text.encode("utf-8", "replace"))
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
        if not self._channel.owned:
            return
        with self._lock:
            text = "".join([*self._parts, self._native()])
            self._parts.clear()
            self._flushed = time.monotonic()
            if text and self.session is not None:
                # Through the session like everything else: `kernel_redaction` filters there.
                self.session.send(None, "stream", {"name": self._kind, "text": text})

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

    def fileno(self) -> int:
        """Return the descriptor, for subprocesses and native code."""
        return self._descriptor


class CellApp(IPKernelApp):
    """ipykernel's application without its sockets; configuration and start-up files are the user's."""

    channel = AnyTrait()

    def _nothing(self, **_: Any) -> None:  # noqa: ANN401
        """There are no sockets; the fork server sees whether the caller lives."""

    init_connection_file = init_poller = init_sockets = init_heartbeat = _nothing
    write_connection_file = log_connection_info = _nothing

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
        self.kernel = IPythonKernel.instance(
            parent=self,
            session=self.session,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        # Cells run in the main thread; ipykernel asks where it cancels top-level `await` on an interrupt.
        self.kernel.shell_channel_thread = SimpleNamespace(parent_thread=threading.main_thread())

    def _run_startup_files(self) -> None:
        """Leave the user's start-up files to the forked process."""

    def begin(self) -> None:
        """In the forked process: do what depends on the caller's environment."""
        self.kernel.shell.init_environment()
        super()._run_startup_files()  # type: ignore[no-untyped-call]


def prepare() -> CellApp:
    """Make the kernel and its shell, in the server."""
    app = CellApp.instance(channel=Channel())
    # In memory, as nbclient has it: no user typed these cells.
    app.initialize(["--HistoryManager.hist_file=:memory:"])  # type: ignore[no-untyped-call]
    shell: Any = app.shell
    watch_figures(shell)
    shell.display_formatter.format("")  # makes the formatters: a fifth of the time of a short notebook
    Observer.ignored()
    return app


def serve_caller(app: CellApp, order: dict[str, Any]) -> None:
    """In the forked process: execute the cells that the caller sends, until it closes the pipe."""
    del order  # `receive_order` has applied it
    kernel: Any = app.kernel
    lines = app.channel.open(_standard_input())
    early: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: early.append(number))
    app.begin()
    observer = Observer()
    app.channel.send({"ready": kernel.language_info})

    async def main() -> None:
        loop, arrived = asyncio.get_running_loop(), asyncio.Queue[list[dict[str, Any]] | None]()

        def receive() -> None:
            arrived.put_nowait(messages := lines.receive())
            if messages is None:
                loop.remove_reader(lines.connection)

        loop.add_reader(lines.connection, receive)  # a thread that waits costs a tenth of a short notebook
        while (messages := await arrived.get()) is not None:
            for message in messages:
                if message.get("ask") == "reads":
                    app.channel.send({"reads": observer.observed()})
                    continue
                await _execute(kernel, message, early)
                if kernel.shell.exit_now:
                    return

    try:
        IOLoop.current().run_sync(main)
    finally:
        app.reset_io()  # type: ignore[no-untyped-call] # what is printed from now on goes to the descriptors


async def _execute(kernel: Any, message: dict[str, Any], early: list[int]) -> None:  # noqa: ANN401
    """Execute a cell; an interrupt that came before it began is meant for it all the same."""
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
    if not kernel.session.channel.owned:
        os._exit(0)  # forked by the cell, and it did not exit: the next cell is not for this process
    kept = {name: reply.get(name) for name in ("status", "ename", "evalue", "traceback", "execution_count")}
    kernel.session.send(None, "status", {"execution_state": "idle"})
    _share_secrets(kernel.session.channel)
    kernel.session.send(None, "execute_reply", kept)


def _share_secrets(channel: Channel) -> None:
    """Tell the caller, which writes the notebook, the secrets that the cells were handed.

    The channel is a pair of sockets between the two processes that no other process can open.
    """
    redaction = sys.modules.get("sta410kit._internal.redaction")  # the one that the cells have imported
    values = redaction.registered() if redaction is not None else frozenset()
    if values - channel.shared:
        channel.shared = values
        channel.send({"registered": sorted(values)})


def _standard_input() -> socket.socket:
    """Return the connection that came as standard input, which is empty from now on."""
    connection = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return connection
