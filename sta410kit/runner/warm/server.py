"""The fork server: imports third-party packages and the kit once, then forks a process for every caller.

Two processes listen, each with one thread and one loop, and each forks its callers' processes directly. The
first serves Jupyter kernels and single functions. The second, forked from it after the imports, has also
made the shell in which `pipe_kernel` executes cells, which takes 31 ms, twice as long as a short notebook.
Jupyter kernels cannot share that process, for ipykernel makes its own shell and there is one per process.
"""

import atexit
import contextlib
import mmap
import os
import selectors
import signal
import socket
import struct
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from sta410kit.runner.warm.child import do_job, receive_order
from sta410kit.runner.warm.identity import FIRST, OTHERS, cells_path
from sta410kit.runner.warm.preload import freeze, kit_modules, preload
from sta410kit.runner.warm.wire import DESCRIPTORS, LONGEST, Lines, encode, peer_user

_LOOK = 5.0  # seconds between two checks of being idle


@dataclass
class _Caller:
    """One connection: first a request, then signals to pass on, until its child has ended."""

    lines: Lines
    child: int = 0


class Server:
    """The loop of one listening process."""

    def __init__(
        self,
        listener: socket.socket,
        idle_seconds: float,
        busy: mmap.mmap | None = None,
        *,
        once: bool = False,
    ) -> None:
        self._once = once
        self._listener = listener
        self._idle_seconds = idle_seconds
        self._selector = selectors.DefaultSelector()
        self._callers: dict[int, _Caller] = {}  # by child
        self._busy = busy if busy is not None else mmap.mmap(-1, 8)
        self._note_use()
        self._stopping = False
        self._waker, self._wakened = os.pipe()
        os.set_blocking(self._waker, False)
        os.set_blocking(self._wakened, False)

    def run(self) -> list[int] | None:
        """Serve until idle or asked to stop; in a forked child, return the descriptors it was sent."""
        self._listener.settimeout(0)
        signal.set_wakeup_fd(self._wakened, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._waker, selectors.EVENT_READ)
        while not self._finished():
            for key, _ in self._selector.select(timeout=min(self._idle_seconds, _LOOK)):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj == self._waker:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._waker, 4096)
                elif (descriptors := self._serve(key.data)) is not None:
                    return descriptors
            self._reap()
        return None

    def _note_use(self) -> None:
        self._busy[:8] = struct.pack("d", time.monotonic())

    def _finished(self) -> bool:
        if self._callers:
            self._note_use()
            return False
        idle = time.monotonic() - struct.unpack("d", self._busy[:8])[0]
        return self._stopping or idle > self._idle_seconds

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            connection, _ = self._listener.accept()
            if peer_user(connection) != os.getuid():
                connection.close()
                return
            connection.settimeout(0)
            self._note_use()
            caller = _Caller(Lines(connection, LONGEST))
            self._selector.register(connection, selectors.EVENT_READ, caller)

    def _serve(self, caller: _Caller) -> list[int] | None:
        """Act on what a caller sends; an error ends this caller's session only."""
        try:
            messages = caller.lines.receive()
            for message in messages or []:
                if message.get("ask") in {"status", "stop"}:
                    self._answer(caller, message["ask"])
                elif caller.child and type(number := message.get("signal")) is int and number in _SIGNALS:
                    self._signal(caller.child, number)
                elif message.get("fork") is True and not caller.child:
                    if len(caller.lines.descriptors) != DESCRIPTORS:
                        messages = None
                        break
                    if (descriptors := self._fork(caller)) is not None:
                        return descriptors
        except Exception:  # noqa: BLE001 - one caller's nonsense must not end the others' kernels
            messages = None
        if messages is None:
            self._forget(caller)
        return None

    def _answer(self, caller: _Caller, question: str) -> None:
        if question == "stop":
            self._stopping = True
        self._tell(caller, {"pid": os.getpid(), "children": sorted(self._callers)})

    def _fork(self, caller: _Caller) -> list[int] | None:
        # A signal that is passed on at once waits until the child has let go of the server's handlers.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        with warnings.catch_warnings():
            # Python 3.12 and later count native threads too; those of BLAS stop by themselves at a fork.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            self._leave(caller)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if child == 0:
            return caller.lines.descriptors
        _close(caller)
        caller.child = child
        self._callers[child] = caller
        if self._once:  # the others wait for the server that has more imported
            self._selector.unregister(self._listener)
            self._stopping = True
        self._tell(caller, {"pid": child})
        return None

    def _leave(self, mine: _Caller) -> None:
        """In a child: close everything that belongs to the server or to another caller."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
            if isinstance(key.data, _Caller) and key.data is not mine:
                _close(key.data)
        self._selector.close()
        os.close(self._waker)
        os.close(self._wakened)

    def _tell(self, caller: _Caller, message: dict[str, Any]) -> None:
        # A few bytes into an empty buffer: if they cannot be sent at once, the caller is not reading.
        with contextlib.suppress(OSError):
            caller.lines.connection.send(encode(message))

    def _signal(self, child: int, number: int) -> None:
        """Pass a signal on; an interrupt reaches the processes of the cell too, as Jupyter sends it."""
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGINT and os.getpgid(child) == child:
                os.killpg(child, number)
            else:
                os.kill(child, number)

    def _forget(self, caller: _Caller) -> None:
        """End the connection, and the child of a caller that has gone."""
        self._selector.unregister(caller.lines.connection)
        caller.lines.connection.close()
        _close(caller)
        if caller.child in self._callers:
            # The process too, not only its group: it may not lead one yet.
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
            caller = self._callers.pop(child, None)
            if caller is None:
                continue
            # What it has started and not waited for ends with it, as when an ordinary kernel is shut down.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child, signal.SIGKILL)
            if caller.lines.connection.fileno() >= 0:
                self._tell(caller, {"ended": os.waitstatus_to_exitcode(status)})
                caller.child = 0
                self._forget(caller)


_SIGNALS = frozenset(int(number) for number in signal.valid_signals())


def _close(caller: _Caller) -> None:
    for descriptor in caller.lines.descriptors:
        os.close(descriptor)
    caller.lines.descriptors.clear()


def main(path: Path, idle_seconds: float, ready: int) -> None:
    """Preload, listen, write a byte to `ready` and serve; a forked child does its caller's job and ends.

    The first caller is served after the first group of imports, by a process that is forked for it alone, so
    that its notebook runs while this one imports the others.
    """
    if os.fork():
        os._exit(0)  # the caller that started this waits for it no longer than this
    preload(FIRST)
    kernels, cells = _listen(path), _listen(cells_path(path))
    with contextlib.suppress(BrokenPipeError):  # the caller has stopped waiting
        os.write(ready, b"1")
    os.close(ready)
    if (early := os.fork()) == 0:
        kernels.close()
        _serve_cells(cells, idle_seconds, once=True)
        return
    preload([*OTHERS, *kit_modules()])
    os.kill(early, signal.SIGTERM)
    busy = mmap.mmap(-1, 8)
    if os.fork() == 0:
        kernels.close()
        _serve_cells(cells, idle_seconds, busy)
        _remove(cells_path(path), cells)
        return
    cells.close()
    descriptors = Server(kernels, idle_seconds, busy).run()
    if descriptors is not None:
        _end(do_job, descriptors)
    _remove(path, kernels)


def _serve_cells(
    cells: socket.socket, idle_seconds: float, busy: mmap.mmap | None = None, *, once: bool = False
) -> None:
    from sta410kit.runner.warm import pipe_kernel

    app = pipe_kernel.prepare()
    freeze()
    descriptors = Server(cells, idle_seconds, busy, once=once).run()
    if descriptors is not None:
        _end(partial(pipe_kernel.serve_caller, app), descriptors)


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    listener.bind(str(aside))
    listener.listen(128)
    aside.rename(path)
    return listener


def _remove(path: Path, listener: socket.socket) -> None:
    """Remove a server's socket, unless another server has replaced it."""
    with contextlib.suppress(OSError):
        listener.close()
        probe = socket.socket(socket.AF_UNIX)
        with probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
                path.with_suffix(".log").unlink(missing_ok=True)


def _end(work: Callable[[dict[str, Any]], None], descriptors: list[int]) -> NoReturn:
    """Do a child's work and exit as a script does, without taking a hundred thousand shared objects apart."""
    code: int | str | None = 0
    try:
        work(receive_order(descriptors))
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - shown, and the process ends here
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
        code = 1
    with contextlib.suppress(Exception):
        threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001 - waits for threads as the interpreter does
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()  # noqa: SLF001 - as the interpreter does
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    del sys.path[0]  # the folder it was started in
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
