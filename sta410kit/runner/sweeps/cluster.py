"""Execute the units of a sweep on a Dask cluster, whose workers may be on machines without a shared disk.

Each worker is sent the notebook, the Python files beside it and the parameters. The executed notebook, its
recorded values and the files in its ``run_dir`` come back; a unit fails if one of them is too large to be
sent. If a worker is lost, another executes its unit again. Files that parameters name are not sent: each
worker must see the same content under the same path, or nothing runs.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import sta410kit
from sta410kit._internal.atomic_files import replacing
from sta410kit._internal.redaction import redact, redact_values
from sta410kit.exceptions import ConfigurationError, SchedulerUnavailableError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.execute import execute
from sta410kit.runner.limits import Watch
from sta410kit.runner.manifest import StepRecord
from sta410kit.runner.pipeline import RUN_FOLDER
from sta410kit.runner.registry import content_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PATIENCE = 10.0  # seconds for the scheduler to answer, and for its first worker
_POLL_SECONDS = 0.2  # between two checks whether to stop
_MEBIBYTE = 1024**2
_LARGEST = 64 * _MEBIBYTE  # bytes of a file that travels
_RETRIES = 3  # of a unit whose worker was lost or has raised


@contextmanager
def cluster(
    notebook: Path, count: int, address: str, paths: Sequence[Path] = ()
) -> Iterator[tuple[Any, int]]:
    """Give a function that executes a unit on the workers of a scheduler, and how many units at once."""
    files = {path.name: path.read_bytes() for path in [notebook, *notebook.parent.glob("*.py")]}
    run = uuid.uuid4().hex[:8]
    with _connect(address) as client:
        threads = _check_workers(client)
        _refuse_unseen(client, [str(path) for path in paths])

        def unit(notebook: Path, values: Mapping[str, Any], output: Path, watch: Watch) -> StepRecord:
            order = {
                "files": files,
                "notebook": notebook.name,
                "values": {name: value for name, value in values.items() if name != RUN_FOLDER},
                "takes_folder": RUN_FOLDER in values,
                "seconds": watch.seconds,
                "memory": watch.memory,
            }
            key = f"{output.stem}-{output.parent.name}-{run}"
            future = client.submit(execute_order, order, key=key, pure=False, retries=_RETRIES)
            answer = _wait(future, output, watch)
            return answer if isinstance(answer, StepRecord) else _unpacked(answer, output)

        yield unit, count or threads


def _wait(future: Any, output: Path, watch: Watch) -> StepRecord | dict[str, Any]:  # noqa: ANN401 - a distributed.Future
    """Return what a worker sends back, or the outcome if nothing will come."""
    from distributed import KilledWorker
    from distributed import TimeoutError as NotYet

    began = monotonic()

    def ended(outcome: ExitCode, message: str) -> StepRecord:
        return StepRecord(output.stem, outcome.name, monotonic() - began, redact(message))

    while True:
        stopped = watch.stop.is_set()
        if stopped or (watch.deadline is not None and monotonic() > watch.deadline):
            future.cancel()
            if stopped:
                return ended(ExitCode.INTERRUPTED, "interrupted")
            return ended(ExitCode.TIMED_OUT, "the run's deadline is over")
        try:
            answer: dict[str, Any] = future.result(timeout=_POLL_SECONDS)
        except NotYet:
            continue
        except KilledWorker as error:
            return ended(ExitCode.NOTEBOOK_FAILED, f"its workers died: {error}")
        except Exception as error:  # noqa: BLE001 - what the cluster raises ends this unit only
            message = f"the cluster could not execute it: {type(error).__name__}: {error}"
            return ended(ExitCode.SCHEDULER_UNAVAILABLE, message)
        return answer


def _unpacked(answer: dict[str, Any], output: Path) -> StepRecord:
    """Write the files that a worker has sent back, and return its result."""
    _unpack(answer["files"], output.parent)
    found = StepRecord(**redact_values(answer["result"]))
    if answer["left_behind"] and found.passed:
        found.outcome = ExitCode.NOTEBOOK_FAILED.name
        found.message = redact(_too_large_message(answer["left_behind"]))
    return found


def execute_order(order: dict[str, Any]) -> dict[str, Any]:
    """On a worker: execute a unit in a folder that is gone afterwards, and return all it left."""
    with tempfile.TemporaryDirectory(prefix="sta410-unit-") as folder:
        home, left = Path(folder) / "notebook", Path(folder) / "left"
        for path in (home, left):
            path.mkdir()
        _unpack(order["files"], home)
        notebook, output = home / order["notebook"], left / order["notebook"]
        values = order["values"] | ({RUN_FOLDER: str(left)} if order["takes_folder"] else {})
        result = execute(notebook, output, values, watch=Watch(order["seconds"], order["memory"]))
        files, left_behind = _packed(left)
        return {"result": asdict(result), "files": files, "left_behind": left_behind}


def _packed(folder: Path) -> tuple[dict[str, bytes], dict[str, int]]:
    """Return the files in a folder by their relative names, and the sizes of those too large to travel."""
    files = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    sizes = {name: path.stat().st_size for name, path in files.items()}
    large = {name: size for name, size in sizes.items() if size > _LARGEST}
    return {name: path.read_bytes() for name, path in files.items() if name not in large}, large


def _too_large_message(left_behind: Mapping[str, int]) -> str:
    """Return the message on files that were too large to be sent back."""
    names = ", ".join(f"{name} ({size / _MEBIBYTE:,.0f} MiB)" for name, size in left_behind.items())
    return (
        f"too large to be sent back from the worker, and lost: {names}; a file may have "
        f"{_LARGEST // _MEBIBYTE} MiB. Write smaller ones, or leave --scheduler out"
    )


def _refuse_unseen(client: Any, paths: list[str]) -> None:  # noqa: ANN401 - a distributed.Client
    """Refuse files that some worker does not see as they are here."""
    if not paths:
        return
    here = seen(paths)
    for worker, there in client.run(seen, paths).items():
        for path in paths:
            if there[path] != here[path]:
                fault = "sees other content under" if there[path] else "does not see"
                message = (
                    f"worker {worker} {fault} {path}, which a parameter names; such files are not sent. "
                    "Put it on a disk that all workers share, or leave --scheduler out"
                )
                raise ConfigurationError(message)


def seen(paths: list[str]) -> dict[str, str]:
    """On a worker: return the digest of each file, a word for a folder, and nothing for what is not there."""
    return {
        path: content_digest(Path(path)) if Path(path).is_file() else "folder" if Path(path).is_dir() else ""
        for path in paths
    }


def _unpack(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files that were sent, each whole or not at all and none outside the folder."""
    for name, content in files.items():
        target = Path(os.path.normpath(folder / name))
        if not target.is_relative_to(folder):
            continue
        with replacing(target) as aside:
            text = content.decode("utf-8", "replace") if name.endswith(".ipynb") else None
            aside.write_bytes(content if text is None else redact(text).encode())


def _connect(address: str) -> Any:  # noqa: ANN401 - a distributed.Client
    try:
        from distributed import Client
    except ImportError as error:
        message = '--scheduler needs Dask: pip install "sta410kit[dask]"'
        raise ConfigurationError(message) from error
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        message = f"--scheduler takes an address such as tcp://127.0.0.1:8786, got {address!r}"
        raise ConfigurationError(message)
    try:
        return Client(address, timeout=_PATIENCE, set_as_default=False, name="sta410-sweep")  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        message = (
            f"no Dask scheduler answers at {address}: {error}; "
            f"start one with `dask scheduler --port {port}`, or leave --scheduler out"
        )
        raise SchedulerUnavailableError(message) from error


def _check_workers(client: Any) -> int:  # noqa: ANN401 - a distributed.Client
    """Return how many units the workers can do at once; all of them must have this version of the kit."""
    address = client.scheduler.address
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        message = f"the scheduler at {address} has no workers; start one with `dask worker {address}`"
        raise SchedulerUnavailableError(message) from error
    try:
        versions = client.run(kit_version)
    except Exception as error:
        message = f'a worker of {address} cannot load the kit: {error}; there: pip install "sta410kit[dask]"'
        raise ConfigurationError(message) from error
    others = {worker: found for worker, found in versions.items() if found != sta410kit.__version__}
    if others:
        worker, found = next(iter(others.items()))
        message = (
            f"worker {worker} has sta410kit {found}, here it is {sta410kit.__version__}; install the same"
        )
        raise ConfigurationError(message)
    threads: dict[str, int] = client.nthreads()
    return max(1, sum(threads.values()))


def kit_version() -> str:
    """On a worker: return the version of the kit that is installed there."""
    return sta410kit.__version__
