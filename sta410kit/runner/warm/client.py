"""Reaching the fork server of this user and environment, started on first need."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit.runner.warm.identity import import_environment, server_folder, server_identity
from sta410kit.runner.warm.wire import Lines, encode, send_request

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO, TextIO

IDLE_SECONDS = 900.0
GLANCE = 0.1  # seconds between two looks of somebody who waits
_PATIENCE = 120.0  # seconds for the imports of the first start on a slow machine


class ServerUnavailableError(Exception):
    """No fork server can be had here; an ordinary process does the work."""


def socket_path() -> Path:
    """Return where the server for this process's environment listens, whether it runs or not."""
    surroundings, installed = server_identity(os.environ)
    return server_folder() / f"{surroundings}-{installed}.sock"


def go_on() -> None:
    """Wait on, whatever the time."""


def connect(look: Callable[[], None] = go_on) -> socket.socket:
    """Return a connection to the server, which is started when it does not run.

    Parameters
    ----------
    look : callable, optional
        Called several times a second while it starts; what it raises ends the wait, and the server goes on
        to start for whoever comes next.

    Raises
    ------
    ServerUnavailableError
        It does not run and could not be started.
    """
    try:
        path = socket_path()
        return _try(path) or _start(path, look)
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerUnavailableError(str(error)) from error


def connect_to(path: Path) -> socket.socket:
    """Return a connection to the server that listens on `path`; `ServerUnavailableError` when none does."""
    try:
        connection = _try(path)
    except OSError as error:
        raise ServerUnavailableError(str(error)) from error
    if connection is None:
        message = f"no server listens on {path}"
        raise ServerUnavailableError(message)
    return connection


def ask(question: str, path: Path | None = None) -> dict[str, Any]:
    """Ask the server for its ``status`` or to ``stop``, and return its answer.

    Parameters
    ----------
    question : str
        ``status`` or ``stop``.
    path : Path, optional
        Where it listens; the one of this process's environment when omitted.

    Raises
    ------
    ServerUnavailableError
        It does not run, or has nothing to say.
    """
    try:
        connection = _try(path or socket_path())
        if connection is not None:
            with connection:
                connection.sendall(encode({"ask": question}))
                answer = Lines(connection).receive()
            if answer:
                return answer[0]
    except OSError as error:
        raise ServerUnavailableError(str(error)) from error
    message = "no server runs"
    raise ServerUnavailableError(message)


def run_job(job: str, arguments: list[str]) -> bool:
    """Have a warm process do a job, and tell whether it ended well; what it has to say goes nowhere.

    A fork server is not started for it, which may take longer than the job.

    Parameters
    ----------
    job : str
        ``module:function``; the function is given `arguments`.

    Raises
    ------
    ServerUnavailableError
        No fork server runs.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        with connect_to(socket_path()) as connection:
            send_request(connection, request(job, arguments), [nothing] * 3)
            lines = Lines(connection)
            while (messages := lines.receive()) is not None:
                for message in messages:
                    if "ended" in message:
                        return bool(message["ended"] == 0)
    except OSError as error:
        raise ServerUnavailableError(str(error)) from error
    finally:
        os.close(nothing)
    return False


def request(job: str, arguments: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the first message of a connection: what to do, and all of this process it is done with."""
    import resource

    kinds = sorted(name for name in vars(resource) if name.startswith("RLIMIT_"))
    return {
        "job": job,
        "arguments": arguments,
        "environ": dict(os.environ),
        "folder": str(Path.cwd()),
        "umask": _umask(),
        "limits": {name: resource.getrlimit(getattr(resource, name)) for name in kinds},
    }


def _umask() -> int:
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        found = dict(line.split(":", 1) for line in lines if ":" in line)
        if "Umask" in found:
            return int(found["Umask"], 8)
    # Elsewhere it can only be learnt by setting it, for all threads.
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _retire(path: Path) -> None:
    """Ask servers with packages of yesterday to leave, and remove what those that are gone left behind."""
    for other in path.parent.glob(f"{path.stem.partition('-')[0]}-*.sock"):
        try:
            ask("stop", other)
        except ServerUnavailableError:
            other.unlink(missing_ok=True)
            other.with_suffix(".log").unlink(missing_ok=True)


def _try(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):
            return None
        raise
    return connection


def _start(path: Path, look: Callable[[], None]) -> socket.socket:
    """Start the server and wait until it listens; of several callers at once, one starts it."""
    with (path.parent / "start.lock").open("w") as lock:
        _take(lock, look)
        connection = _try(path)
        if connection is not None:
            return connection
        _retire(path)
        log = path.with_suffix(".log")
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as ready, log.open("wb") as output:
            try:
                # As in the kernel specification of ipykernel: the debugger cannot break in frozen modules.
                program = [sys.executable, "-Xfrozen_modules=off", "-m", "sta410kit.runner.warm.server"]
                subprocess.run(  # noqa: S603 - this Python, and a module beside this one
                    [*program, str(path), str(IDLE_SECONDS), str(writing)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    env={"PATH": os.environ.get("PATH", ""), **import_environment(os.environ)},
                    pass_fds=[writing],
                    start_new_session=True,
                    check=True,
                )
            finally:
                os.close(writing)
            # The server writes a byte when it listens; when it dies before, the pipe closes by itself.
            connection = _try(path) if _comes(ready, look) and ready.read(1) else None
        if connection is None:
            message = f"the fork server did not start; {log} says why"
            raise ServerUnavailableError(message)
        return connection


def _take(lock: TextIO, look: Callable[[], None]) -> None:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            look()
            time.sleep(GLANCE)
        else:
            return


def _comes(ready: BinaryIO, look: Callable[[], None]) -> bool:
    """Wait for something to read, or for patience to end."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if select.select([ready], [], [], GLANCE)[0]:
            return True
        look()
    return False
