"""Limits on the time and memory of a step, and the watch that enforces them."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SPANS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class StepStoppedError(Exception):
    """A step was stopped: it met a limit, or the run was interrupted."""

    def __init__(self, outcome: ExitCode, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


@dataclass
class Watch:
    """Checks the process of a step several times a second while it runs."""

    seconds: float | None = None
    memory: int | None = None
    deadline: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    peak: int = 0  # the most memory the process has had so far, in bytes
    _began: float | None = None  # first check of a process: waiting for the fork server does not count

    def __call__(self, pid: int) -> None:
        """Raise `StepStoppedError` if the process `pid` has to end; 0 means there is none yet."""
        if self.stop.is_set():
            raise StepStoppedError(ExitCode.INTERRUPTED, "interrupted")
        now = time.monotonic()
        if self.deadline is not None and now > self.deadline:
            raise StepStoppedError(ExitCode.TIMED_OUT, "the run's deadline is over")
        if not pid:
            return
        self._began = self._began or now
        if self.seconds is not None and now - self._began > self.seconds:
            message = f"it took longer than {self.seconds:g} {'second' if self.seconds == 1 else 'seconds'}"
            raise StepStoppedError(ExitCode.TIMED_OUT, message)
        self.peak = max(self.peak, peak_memory(pid))
        if self.memory is not None and self.peak > self.memory:
            message = (
                f"it used {self.peak / 1024**2:,.0f} MiB of memory, {self.memory / 1024**2:,.0f} are allowed"
            )
            raise StepStoppedError(ExitCode.OUT_OF_MEMORY, message)


def peak_memory(pid: int) -> int:
    """Return the most physical memory a process has had, in bytes; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = (line.split() for line in status.splitlines() if line.startswith("VmHWM:"))
    return next((int(words[1]) * 1024 for words in found), 0)


def parse_memory(text: str, option: str) -> int:
    """Return bytes for a text such as ``512M`` or ``2G``; else a `ConfigurationError` that names `option`."""
    number = text.upper().removesuffix("IB").removesuffix("B")
    return int(_parse(number, _UNITS, f"{option} takes something like 512M or 2G, got {text!r}"))


def parse_seconds(text: str, option: str) -> float:
    """Return seconds for a text such as ``90``, ``15m`` or ``30d``; else an error that names `option`."""
    return _parse(text.lower(), _SPANS, f"{option} takes something like 90, 15m, 2h or 30d, got {text!r}")


def _parse(text: str, units: dict[str, int], refusal: str) -> float:
    number, unit = (text[:-1], text[-1:]) if text[-1:] in units and text[-1:] else (text, "")
    try:
        value = float(number) * units[unit]
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ConfigurationError(refusal)
    return value
