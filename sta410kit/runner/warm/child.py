"""A forked process becomes what its caller asked for, and keeps nothing of anybody else."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


@dataclass
class Job:
    """What a caller asked for.

    Attributes
    ----------
    message : dict
        ``job`` (``module:function``), ``arguments``, and the caller's ``environ``, ``folder``, ``umask`` and
        ``limits``.
    descriptors : list of int
        The caller's standard input, output and error.
    kit : sequence of str
        The kit's own modules that the server has imported.
    """

    message: dict[str, Any]
    descriptors: list[int]
    kit: Sequence[str] = ()


def become(job: Job) -> None:
    """Take the caller's place, then do the job."""
    message = job.message
    take_place(job)
    module, _, function = message["job"].partition(":")
    # Looking through all modules would make this process a copy of its own of every one of them.
    ours = job.kit if module in sys.modules else None
    work = getattr(import_module(module), function)
    # Read afresh by whoever imports it: the kit is edited while the server lives.
    for name in kit_modules() if ours is None else ours:
        del sys.modules[name]
    sys.argv = [str(find_spec("ipykernel_launcher").origin), *message["arguments"]]  # type: ignore[union-attr]
    work(message["arguments"])


def take_place(job: Job) -> None:
    """Become like the caller in everything a process can differ in."""
    message = job.message
    _die_with_the_server()
    os.setsid()
    for target, descriptor in enumerate(job.descriptors):
        os.dup2(descriptor, target)
        if descriptor > 2:  # noqa: PLR2004 - standard error is 2
            os.close(descriptor)
    os.environ.clear()
    os.environ.update(message["environ"])
    os.umask(message["umask"])
    _limit(message["limits"])
    time.tzset()
    tempfile.tempdir = None
    _new_luck()
    _follow_the_environment()
    os.chdir(message["folder"])


def kit_modules() -> list[str]:
    """Return the names of the kit's own modules that are imported."""
    return [name for name in sys.modules if name.partition(".")[0] == "sta410kit"]


def _die_with_the_server() -> None:
    """Leave no orphan when the server is killed; other systems than Linux have no such thing."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _limit(limits: dict[str, list[int]]) -> None:
    import resource

    for name, (soft, hard) in limits.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (soft, hard))


def _new_luck() -> None:
    """Give global generators states of their own; Python's own `random` sees to itself at a fork."""
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def _follow_the_environment() -> None:
    """Matplotlib reads its backend's name while it is imported; say it again for this caller."""
    if "matplotlib" in sys.modules and os.environ.get("MPLBACKEND"):
        sys.modules["matplotlib"].rcParams["backend"] = os.environ["MPLBACKEND"]
