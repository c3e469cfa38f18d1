"""The job of a forked process that is itself a fork server, for many notebooks of one caller.

What each of these would do anew is done once here: the caller's environment is taken over, the kernel and its
shell are made, and modules that the notebooks import are loaded. A process forked from here begins with its
first cell. The nest ends with its caller, and its children with it.
"""

from __future__ import annotations

import contextlib
import gc
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

from sta410kit.runner.warm.child import take_place
from sta410kit.runner.warm.pipe_kernel import CellStream, Channel, prepare, serve, standard_input
from sta410kit.runner.warm.server import Server

_FOREVER = float("inf")


def run(arguments: list[str]) -> None:
    """Listen on the socket named first, the modules named behind it loaded; serve until the caller is gone.

    Of ``module:function`` the function is called too, without arguments.

    A module that starts a thread makes a fork unsafe: the caller is told, and nobody is forked.
    """
    path, *modules = arguments
    caller = standard_input()
    channel = Channel(caller)
    app = prepare(channel)
    for name in modules:
        # What a notebook cannot import is its own affair: the cell that tries shows why.
        with contextlib.suppress(Exception):
            module, _, function = name.partition(":")
            loaded = import_module(module)
            if function:
                getattr(loaded, function)()
    threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if threads:
        channel.send({"ready": None, "threads": threads})
        return
    gc.collect()
    gc.freeze()  # what is here now is never looked at again by a child's collector, and so stays shared
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(128)
    channel.send({"ready": path})
    job = Server(listener, _FOREVER).run()
    if job is None:
        Path(path).unlink(missing_ok=True)
        return
    caller.close()
    take_place(job)
    _hatch(app, channel)


def _hatch(app: Any, channel: Channel) -> None:  # noqa: ANN401 - a CellApp
    """In a forked child: speak to its own caller, and execute what that one sends."""
    del sys.argv[1:]  # those were the nest's
    channel.adopt(standard_input())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, CellStream):
            stream.adopt()
    serve(app, channel)
