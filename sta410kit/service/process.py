"""The process of a job: a command line in a process group of its own, which outlives the service.

A job's process holds a lock, which it inherits when it is started and which the kernel releases when it ends.
So a service that has been restarted knows whether the process still runs, whatever its number is by now.
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from bisect import bisect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.redaction import redact
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.manifest import JOB, RUNNING, Manifest, read_manifest, resume_command
from sta410kit.service.queue import KILLED, Ending, Job

COMMAND_LINE = [sys.executable, "-P", "-m", "sta410kit"]
FOLDER = ".jobs"  # in ``runs/``
_LOCK, _OUTPUT, _ERRORS, _PARAMETERS = "lock", "output.json", "errors.txt", "parameters.json"
_TAIL = 2000  # characters of standard error in a message
_EARLIER = 60.0  # seconds that the clocks of database and host may differ


class JobProcess:
    """The process of one job, started by this service or by an earlier one."""

    def __init__(self, project: Path, job: Job) -> None:
        self.job = job
        self.run = job.run
        self._project = project
        self._folder = project / "runs" / FOLDER / job.key
        self._interrupted: float | None = None  # when
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, may_start: Callable[[], bool]) -> bool:
        """Start the process, unless it runs already or, with its lock held, it may not start any more."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with _locked(self._folder / _LOCK) as descriptor:
            if descriptor is None or not may_start():
                return False
            command = self._command()
            with (self._folder / _OUTPUT).open("wb") as output, (self._folder / _ERRORS).open("wb") as errors:
                self._child = subprocess.Popen(  # noqa: S603 - this Python, with words as checked by the API
                    command,
                    cwd=self._project,
                    env={**os.environ, JOB: self.job.key},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    start_new_session=True,
                    pass_fds=[descriptor],
                )
            os.pwrite(descriptor, str(self._child.pid).encode(), 0)
        return True

    def _command(self) -> list[str]:
        request = self.job.request
        words = [*COMMAND_LINE, self.job.kind, "--json"]
        if self.job.schedule:
            words += ["--schedule", self.job.schedule]
        if request.get("parameters"):
            write_text(self._folder / _PARAMETERS, json.dumps(request["parameters"]))
            words += ["--params", str(self._folder / _PARAMETERS)]
        for name, values in request.get("grid", {}).items():
            words += ["-g", f"{name}={','.join(map(_quoted, values))}"]
        words += ["--fresh"] if request.get("fresh") else []
        for limit in ("deadline", "timeout", "memory"):
            words += [f"--{limit}", f"{request[limit]:g}"] if request.get(limit) else []
        return [*words, "--", request["notebook"]] if request.get("notebook") else words

    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        if self._child is not None:
            return self._child.poll() is None
        return is_locked(self._folder / _LOCK)

    def interrupt(self, grace: float) -> None:
        """Interrupt the run once, as Ctrl-C would; kill it and all it has started after `grace` seconds."""
        if self._interrupted is None:
            self._interrupted = time.monotonic()
            self._signal(signal.SIGTERM)
        elif time.monotonic() - self._interrupted > grace:
            self._signal(signal.SIGKILL, group=True)

    def _signal(self, number: int, *, group: bool = False) -> None:
        with suppress(OSError, ValueError):  # it has just ended, or was never started
            pid = self._child.pid if self._child else int((self._folder / _LOCK).read_text())
            if self.is_alive():
                (os.killpg if group else os.kill)(pid, number)

    def find_run(self) -> str:
        """Return the name of its run folder; empty while there is none."""
        if not self.run:
            started = datetime.fromtimestamp((self.job.started or self.job.created) - _EARLIER, UTC)
            runs = self._project / "runs"
            names = sorted(name for name in os.listdir(runs) if name[:1].isdigit())  # noqa: PTH208 - thousands
            for name in names[bisect(names, f"{started:%Y%m%d-%H%M%S}") :]:  # the first, if it started others
                with suppress(ConfigurationError):
                    if read_manifest(runs / name).job == self.job.key:
                        self.run = name
                        break
        return self.run

    def ending(self) -> Ending | None:
        """Return how it ended, by its output, else by its run folder; nothing when no run began."""
        code = self._child.poll() if self._child else None
        answer, run = self._answer(), self.find_run()
        manifest = None
        with suppress(ConfigurationError):
            manifest = read_manifest(self._project / "runs" / run) if run else None
        if answer:
            error = answer.get("error", {}).get("message") or answer.get("message") or ""
            run = answer.get("run") or run
            return Ending(answer["outcome"], answer["exit_code"], run, error or _reason(manifest))
        if manifest and manifest.outcome != RUNNING:
            return Ending(manifest.outcome, manifest.exit_code, run, _reason(manifest))
        if code is not None and code > 0:
            name = ExitCode(code).name if code in list(ExitCode) else ExitCode.INTERNAL.name
            return Ending(name, code, run, self._last_words())
        if run:
            why = f"its process was ended by signal {-code}" if code else "its process is gone"
            command = resume_command(self._project / "runs" / run, manifest) if manifest else ""
            why += f"; as long as there is no newer run, continue with: {command}" if command else ""
            return Ending(KILLED, None, run, why)
        return None

    def _answer(self) -> dict[str, Any]:
        answer = None
        with suppress(OSError, ValueError):
            answer = json.loads((self._folder / _OUTPUT).read_text(encoding="utf-8"))
        return answer if isinstance(answer, dict) and answer.get("exit_code") is not None else {}

    def _last_words(self) -> str:
        with suppress(OSError):
            words = (self._folder / _ERRORS).read_text(encoding="utf-8", errors="replace")
            return redact(words)[-_TAIL:].strip()
        return ""

    def forget(self) -> None:
        """Remove its files; its end is on record."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _quoted(value: object) -> str:
    """Return a value of a grid so that the command line splits it nowhere."""
    if isinstance(value, str):
        return f"'{value}'" if '"' in value else f'"{value}"'
    return json.dumps(value)


def _reason(manifest: Manifest | None) -> str:
    """Return why a run did not pass: the message of its first step that failed."""
    steps = manifest.steps if manifest else []
    return next((f"{step.name}: {step.message}" for step in steps if not step.passed), "")


@contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    """Hold a lock that child processes can inherit; give its descriptor, or None if another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Tell whether a process holds the lock of a file."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def hold_lock(path: Path) -> IO[bytes]:
    """Lock a file until it is closed or this process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("ab")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def store_id(runs: Path) -> str:
    """Return the id of a run store, made at the first call: workers over one store see its locks."""
    path = runs / FOLDER / "store"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        aside = path.with_name(f".{secrets.token_hex(8)}")
        aside.write_text(secrets.token_hex(8), encoding="utf-8")
        with suppress(FileExistsError):  # of several workers the first
            os.link(aside, path)
        aside.unlink()
    return path.read_text(encoding="utf-8")
