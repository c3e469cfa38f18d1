"""The fork server: imports once, then forks a ready process for every caller; started by `client.connect`.

One thread, one loop: accept, fork, forward signals, report endings, leave when idle.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import gc
import inspect
import logging
import os
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

from sta410kit.runner.warm.child import Job, become, kit_modules
from sta410kit.runner.warm.identity import PRELOADED
from sta410kit.runner.warm.wire import Lines, WireError, encode, peer_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class _Caller:
    """One connection: first a request, then signals to pass on, until its child has ended."""

    lines: Lines
    child: int = 0
    outgoing: bytes = field(default=b"", repr=False)


class Server:
    """The loop. `run` returns a job in each forked child, and nothing in the server when it ends."""

    def __init__(self, listener: socket.socket, idle_seconds: float) -> None:
        self._listener = listener
        self._idle_seconds = idle_seconds
        self._selector = selectors.DefaultSelector()
        self._callers: dict[int, _Caller] = {}  # by child
        self._busy = time.monotonic()
        self._stopping = False
        self._kit = tuple(kit_modules())
        self._waker, self._wakened = os.pipe()
        os.set_blocking(self._waker, False)
        os.set_blocking(self._wakened, False)

    def run(self) -> Job | None:
        """Serve until idle for long or told to stop; in a forked child, return what it has to do."""
        self._listener.settimeout(0)
        signal.set_wakeup_fd(self._wakened, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._waker, selectors.EVENT_READ)
        while not self._finished():
            for key, _ in self._selector.select(timeout=min(self._idle_seconds, 5.0)):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj == self._waker:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._waker, 4096)
                else:
                    job = self._listen_to(key.data)
                    if job is not None:
                        return job
            self._reap()
        return None

    def _finished(self) -> bool:
        if self._callers:
            self._busy = time.monotonic()
            return False
        return self._stopping or time.monotonic() - self._busy > self._idle_seconds

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            connection, _ = self._listener.accept()
            if peer_user(connection) != os.getuid():
                connection.close()
                return
            connection.settimeout(0)
            self._busy = time.monotonic()
            self._selector.register(connection, selectors.EVENT_READ, _Caller(Lines(connection)))

    def _listen_to(self, caller: _Caller) -> Job | None:
        try:
            messages = caller.lines.receive()
        except WireError:
            messages = None
        if messages is None:
            self._forget(caller)
            return None
        for message in messages:
            if "signal" in message and caller.child:
                self._signal(caller.child, int(message["signal"]))
            elif message.get("ask") == "status":
                self._tell(caller, {"pid": os.getpid(), "children": sorted(self._callers)})
            elif message.get("ask") == "stop":
                self._stopping = True
                self._tell(caller, {"stopping": True})
            elif "job" in message and not caller.child:
                job = self._fork(caller, message)
                if job is not None:
                    return job
        return None

    def _fork(self, caller: _Caller, message: dict[str, Any]) -> Job | None:
        # A signal that is passed on at once waits until the child has let go of the server's handlers.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        with warnings.catch_warnings():
            # Python 3.12 and later count native threads too; those of BLAS put themselves to rest at a fork.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            self._leave()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if child == 0:
            return Job(message, caller.lines.descriptors, self._kit)
        for descriptor in caller.lines.descriptors:
            os.close(descriptor)
        caller.lines.descriptors.clear()
        caller.child = child
        self._callers[child] = caller
        self._tell(caller, {"pid": child})
        return None

    def _leave(self) -> None:
        """In a child: let go of everything that is the server's."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()
        os.close(self._waker)
        os.close(self._wakened)

    def _tell(self, caller: _Caller, message: dict[str, Any]) -> None:
        # A few bytes into an empty buffer: what cannot be sent at once has nobody listening.
        with contextlib.suppress(OSError):
            caller.lines.connection.send(encode(message))

    def _signal(self, child: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.kill(child, number)

    def _forget(self, caller: _Caller) -> None:
        """End the connection; a child whose caller has gone is ended with it."""
        self._selector.unregister(caller.lines.connection)
        caller.lines.connection.close()
        for descriptor in caller.lines.descriptors:
            os.close(descriptor)
        if caller.child in self._callers:
            # By itself too: it may not have come to lead a group of its own yet.
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError):
                    kill(caller.child, signal.SIGKILL)

    def _reap(self) -> None:
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if child == 0:
                return
            # What it has started and not waited for ends with it, as when an ordinary kernel is shut down.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child, signal.SIGKILL)
            caller = self._callers.pop(child, None)
            if caller is None or caller.lines.connection.fileno() < 0:
                continue
            self._tell(caller, {"ended": os.waitstatus_to_exitcode(status)})
            caller.child = 0
            self._forget(caller)


def main(path: Path, idle_seconds: float, ready: int) -> None:
    """Preload, listen on `path`, write a byte to `ready`, serve; a forked child goes to its job from here."""
    if os.fork():
        os._exit(0)  # whoever started this waits for it no longer than this
    with _as_in_a_kernel():
        for name in PRELOADED:
            with contextlib.suppress(ImportError):
                import_module(name)
    # Great Expectations turns it on, and everybody's warnings would be lost.
    logging.captureWarnings(capture=False)
    # A traceback asks which module its file belongs to, and thousands are looked at; now that is known.
    inspect.getmodule(main.__code__, "<nowhere>")
    gc.collect()
    gc.freeze()  # what is here now is never looked at again by a child's collector, and so stays shared
    listener = socket.socket(socket.AF_UNIX)
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    listener.bind(str(aside))
    listener.listen(128)
    aside.rename(path)
    with contextlib.suppress(BrokenPipeError):  # whoever started this has stopped waiting
        os.write(ready, b"1")
    os.close(ready)
    server = Server(listener, idle_seconds)
    job = server.run()
    if job is not None:
        _end(become, job)
    path.unlink(missing_ok=True)
    path.with_suffix(".log").unlink(missing_ok=True)


@contextlib.contextmanager
def _as_in_a_kernel() -> Iterator[None]:
    """Let modules find, while they are imported, what tells pandas how wide a table may be."""
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None, config={})  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del builtins.get_ipython  # type: ignore[attr-defined]


def _end(work: Callable[[Job], None], job: Job) -> NoReturn:
    """Do a child's work and end as a script does, but for taking a hundred thousand shared objects apart."""
    code: int | str | None = 0
    try:
        work(job)
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - whatever it was, it is shown, and the process ends here
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
        code = 1
    with contextlib.suppress(Exception):
        threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001 - waits for threads as the interpreter does
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()  # noqa: SLF001 - what was registered for the end is done
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    del sys.path[0]  # the folder it was started in
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
