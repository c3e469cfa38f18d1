"""Run one function in a forked child of the warm server, away from the calling process.

The child has the caller's environment, limits and user, and the folder it is asked for; what it imports or
changes is gone with it. Where no fork server can be had, a new interpreter does the same, slower.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from sta410kit.runner.warm.client import ServerUnavailableError, connect, fork
from sta410kit.runner.warm.wire import Lines, WireError

_OUTPUT_TAIL = 2000  # characters of the child's output in an error message


class ChildFailedError(Exception):
    """The function raised, or its process died or took too long; the text ends with its last output."""


def run_in_child(
    function: str,
    argument: Any,  # noqa: ANN401 - JSON
    *,
    folder: Path,
    timeout: float = 30.0,
    start: bool = True,
) -> Any:  # noqa: ANN401 - JSON
    """Call ``function(argument)`` in a child process and return its result."""
    with tempfile.TemporaryDirectory(prefix="sta410-child-") as home:
        order, result, output = (Path(home) / name for name in ("order.json", "result.json", "output.txt"))
        order.write_text(json.dumps({"function": function, "argument": argument}), encoding="utf-8")
        arguments = [str(order), str(result)]
        with output.open("w+b") as stream:
            code = _run(arguments, folder, stream.fileno(), timeout, start=start)
        if code == 0 and result.is_file():
            return json.loads(result.read_text(encoding="utf-8"))
        printed = output.read_text(encoding="utf-8", errors="replace")[-_OUTPUT_TAIL:].strip()
        reason = (
            f"it took longer than {timeout:g} s"
            if code is None
            else f"its process ended with exit code {code}"
        )
        message = reason + (f":\n{printed}" if printed else "")
        raise ChildFailedError(message)


def _run(arguments: list[str], folder: Path, output: int, timeout: float, *, start: bool) -> int | None:
    """Return the exit code of the child; nothing when it took too long."""
    try:
        return _run_forked(arguments, folder, output, timeout, start=start)
    except (ServerUnavailableError, WireError, OSError):
        program = [sys.executable, "-m", "sta410kit.runner.child", *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - this module, in this Python
                program, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=timeout,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
        return done.returncode


def _run_forked(
    arguments: list[str], folder: Path, output: int, timeout: float, *, start: bool
) -> int | None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        with connect(start=start) as connection:
            fork(connection, [nothing, output, output], "sta410kit.runner.child:run", arguments, str(folder))
            lines, deadline = Lines(connection), time.monotonic() + timeout
            while (left := deadline - time.monotonic()) > 0:
                connection.settimeout(left)
                try:
                    messages = lines.receive()
                except TimeoutError:
                    break
                if messages is None:
                    message = "the fork server has gone"
                    raise ServerUnavailableError(message)
                for message_ in messages:
                    if "ended" in message_:
                        return int(message_["ended"])
            return None  # closing the connection kills the child
    finally:
        os.close(nothing)


def run(arguments: list[str]) -> None:
    """In the child: read the order, call the function, write its result."""
    order, result = map(Path, arguments)
    wanted = json.loads(order.read_text(encoding="utf-8"))
    if sys.path[:1] != [str(Path.cwd())]:
        sys.path.insert(0, str(Path.cwd()))
    module, _, name = wanted["function"].partition(":")
    answer = getattr(import_module(module), name)(wanted["argument"])
    aside = result.with_suffix(".part")
    aside.write_text(json.dumps(answer), encoding="utf-8")
    aside.replace(result)


if __name__ == "__main__":
    run(sys.argv[1:])
