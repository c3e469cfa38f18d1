"""Connect to the fork server of this user and environment; the first caller starts it."""

import contextlib
import fcntl
import os
import select
import socket
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from sta410kit.runner.warm.identity import cells_path, import_environment, server_folder, server_identity
from sta410kit.runner.warm.wire import Lines, encode, peer_user

IDLE_SECONDS = 900.0
_PATIENCE = 60.0  # seconds for the first group of imports on a slow machine
_ANSWER = 60.0  # seconds for the answer to a question, which may wait for imports


class ServerUnavailableError(Exception):
    """There is no fork server; an ordinary process has to do the work."""


def socket_path() -> Path:
    """Return where the server for this process's environment listens, running or not."""
    surroundings, installed = server_identity(os.environ)
    return server_folder() / f"{surroundings}-{installed}.sock"


def connect(*, for_cells: bool = False, start: bool = True) -> socket.socket:
    """Return a connection to the server, or to its part for cells; one that does not run is started."""
    try:
        path = socket_path()
        wanted = cells_path(path) if for_cells else path
        connection = _try(wanted)
        if connection is None and not start:
            message = "no server runs"
            raise ServerUnavailableError(message)
        return connection or _start(path, wanted)
    except OSError as error:
        raise ServerUnavailableError(str(error)) from error


def warm_up(*modules: str) -> None:
    """Start the server in the background unless it runs, and import what this process needs later."""
    import threading

    def start() -> None:
        with contextlib.suppress(ServerUnavailableError):
            connect().close()
        for name in modules:
            import_module(name)

    threading.Thread(target=start, daemon=True).start()


def ask(question: str) -> list[dict[str, Any]]:
    """Ask the server for its ``status`` or to ``stop``, and return the answers of its two processes."""
    try:
        path = socket_path()
        answers = [answer for one in (path, cells_path(path)) if (answer := _ask(one, question))]
    except OSError as error:
        raise ServerUnavailableError(str(error)) from error
    if not answers:
        message = "no server runs"
        raise ServerUnavailableError(message)
    return answers


def _ask(path: Path, question: str) -> dict[str, Any] | None:
    connection = _try(path)
    if connection is None:
        return None
    with connection:
        connection.settimeout(_ANSWER)
        connection.sendall(encode({"ask": question}))
        answers = Lines(connection).receive()
    return answers[0] if answers else None


def fork(  # noqa: PLR0913, PLR0917 - what a process starts with
    connection: socket.socket,
    streams: list[int],
    job: str,
    arguments: list[str],
    folder: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Have the server fork a process that does `job` in this process's place.

    Environment, mask and limits are sent to the forked process itself. The server never has them.
    """
    import resource

    kinds = sorted(name for name in vars(resource) if name.startswith("RLIMIT_"))
    order = {
        "job": job,
        "arguments": arguments,
        "environ": {**os.environ, **(environment or {})},
        "folder": folder or str(Path.cwd()),
        "umask": _umask(),
        "limits": {name: resource.getrlimit(getattr(resource, name)) for name in kinds},
    }
    mine, theirs = socket.socketpair()
    with mine:
        with theirs:
            socket.send_fds(connection, [encode({"fork": True})], [*streams, theirs.fileno()])
        mine.sendall(encode(order))


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
    """Stop servers whose packages are out of date, and remove what dead ones left behind."""
    for other in path.parent.glob(f"{path.stem.partition('-')[0]}-*.sock"):
        if not other.name.startswith(path.stem) and _ask(other, "stop") is None:
            other.unlink(missing_ok=True)
            other.with_suffix(".log").unlink(missing_ok=True)


def _try(path: Path) -> socket.socket | None:
    """Return a connection to the server on `path`; nothing when none listens there."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
        if peer_user(connection) != os.getuid():
            message = f"the server on {path} belongs to another user; remove {path.parent}"
            raise PermissionError(message)
    except OSError as error:
        connection.close()
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):
            return None
        raise
    return connection


def _start(path: Path, wanted: Path) -> socket.socket:
    """Start the server and wait until it listens; of several callers at once, one starts it."""
    with (path.parent / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = _try(wanted)
        if connection is not None:
            return connection
        with os.fdopen(_launch(path), "rb") as ready:
            # The server writes a byte when it listens; when it dies before, the pipe closes by itself.
            listens = select.select([ready], [], [], _PATIENCE)[0] and ready.read(1)
            connection = _try(wanted) if listens else None
        if connection is None:
            message = f"the fork server did not start; {path.with_suffix('.log')} says why"
            raise ServerUnavailableError(message)
        return connection


def _launch(path: Path) -> int:
    """Start the server's process and return the pipe in which it says that it listens."""
    import subprocess  # here, for most callers find the server running

    _retire(path)
    reading, writing = os.pipe()
    try:
        with path.with_suffix(".log").open("wb") as output:
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
    except subprocess.SubprocessError as error:
        os.close(reading)
        raise ServerUnavailableError(str(error)) from error
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return reading
