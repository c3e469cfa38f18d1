"""A forked process takes its caller's place: its environment, folder, limits and standard streams."""

import contextlib
import ctypes
import os
import signal
import socket
import sys
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sta410kit.runner.warm.identity import INLINE
from sta410kit.runner.warm.wire import Lines

_PR_SET_PDEATHSIG = 1
_spec = find_spec("ipykernel_launcher")
_LAUNCHER = str(_spec.origin) if _spec else ""


def receive_order(descriptors: list[int]) -> dict[str, Any]:
    """Return the caller's order, received in the child so that the server never holds an environment."""
    *streams, order = descriptors
    with socket.socket(fileno=order) as connection:
        lines, messages = Lines(connection), None
        while not messages:
            messages = lines.receive()
            if messages is None:
                sys.exit("the caller went away before it said what to do")
    _take_place(messages[0], streams)
    sys.argv = [_LAUNCHER, *messages[0]["arguments"]]
    return messages[0]


def do_job(order: dict[str, Any]) -> None:
    """Call the function that the caller asked for."""
    module, _, function = order["job"].partition(":")
    getattr(import_module(module), function)(order["arguments"])


def run_kernel(arguments: list[str]) -> None:
    """Run ipykernel on its command line's `arguments`, as its own launcher does."""
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(arguments, parent_handle=os.getppid())


def _take_place(order: dict[str, Any], streams: list[int]) -> None:
    # Linux: end with the server, should it be killed; other systems have no such thing.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    os.setsid()
    for target, descriptor in enumerate(streams):
        os.dup2(descriptor, target)
        if descriptor > 2:  # noqa: PLR2004 - standard error is 2
            os.close(descriptor)
    os.environ.clear()
    os.environ.update({"MPLBACKEND": INLINE, **order["environ"]})
    os.umask(order["umask"])
    _limit(order["limits"])
    time.tzset()
    tempfile.tempdir = None
    os.chdir(order["folder"])
    # Modules that remember at import what belongs to the process.
    if "numpy" in sys.modules:  # Python's own `random` reseeds itself at a fork
        sys.modules["numpy"].random.seed()
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].rcParams["backend"] = os.environ["MPLBACKEND"]
    if "multiprocessing.process" in sys.modules:  # a spawned process starts there and imports from there
        sys.modules["multiprocessing.process"].ORIGINAL_DIR = order["folder"]  # type: ignore[attr-defined]


def _limit(limits: dict[str, list[int]]) -> None:
    import resource

    for name, (soft, hard) in limits.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (soft, hard))
