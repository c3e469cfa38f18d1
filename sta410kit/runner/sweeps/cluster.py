"""Units of a sweep on a Dask cluster, whose workers may lie on other machines without a shared disk.

Each worker is sent the notebook, the Python files beside it and the parameters. The executed notebook, what
it recorded and the files it left in its ``run_dir`` come back; a unit that left one too large to travel has
failed. A unit whose worker is lost is done again by another. Files that parameters name do not travel: each
worker must see the same content under the same path, or nothing runs.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from dataclasses import asdict, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

import sta410kit
from sta410kit._internal.atomic_files import replacing
from sta410kit._internal.redaction import redact
from sta410kit.exceptions import ConfigurationError, SchedulerUnavailableError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.kernelspecs import is_this_python
from sta410kit.runner.limits import Watch
from sta410kit.runner.notebook import python_cells, read_notebook
from sta410kit.runner.pipeline import RUN_FOLDER
from sta410kit.runner.preload import needs_a_client
from sta410kit.runner.registry import content_digest
from sta410kit.runner.sweeps.template import read_template
from sta410kit.runner.sweeps.unit import UnitResult, execute_otherwise, execute_unit
from sta410kit.runner.warm.nested import NOT_HERE
from sta410kit.runner.warm.session import CellSession

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PATIENCE = 10.0  # seconds for the scheduler to answer, and for its first worker
_GLANCE = 0.2  # seconds between two looks whether to stop
_MEBIBYTE = 1024**2
_LARGEST = 64 * _MEBIBYTE  # bytes of a file that travels
_RETRIES = 3  # of a unit whose worker was lost or has raised


class ClusterWorkers:
    """The workers of a Dask scheduler; see `workers.Workers`.

    Parameters
    ----------
    notebook : Path
        What they execute.
    count : int
        How many units at once; 0 is one for each of their threads.
    address : str
        The scheduler's: ``tcp://HOST:PORT``.
    paths : sequence of Path
        Files and folders that parameters name.

    Raises
    ------
    ConfigurationError
        Dask is not installed here, the address is none, the notebook is too large to be sent, or a worker has
        another version of the kit or does not see one of `paths` as it is here.
    SchedulerUnavailableError
        No scheduler answers there, or it has no workers.
    """

    def __init__(self, notebook: Path, count: int, address: str, paths: Sequence[Path] = ()) -> None:
        files = {path.name: path for path in [notebook, *sorted(notebook.parent.glob("*.py"))]}
        for path in files.values():
            _refuse_to_send(path)
        self.count = count
        self.notes: list[str] = []
        self._client = _connect(address)
        self._key = uuid.uuid4().hex[:8]
        self._files = {name: path.read_bytes() for name, path in files.items() if path.is_file()}
        self._notebook = notebook.name
        self._paths = [str(path) for path in paths]

    def __enter__(self) -> Self:
        try:
            found = _look_at(self._client)
            _refuse_unseen(self._client, self._paths)
        except BaseException:
            self._client.close()
            raise
        self.count = self.count or found
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def execute(self, values: Mapping[str, Any], output: Path, watch: Watch) -> UnitResult:
        """Have a worker execute a unit, and write down here what it sends back."""
        order = {
            "files": self._files,
            "notebook": self._notebook,
            "values": {name: value for name, value in values.items() if name != RUN_FOLDER},
            "takes_folder": RUN_FOLDER in values,
            "seconds": watch.seconds,
            "memory": watch.memory,
        }
        key = f"{output.stem}-{output.parent.name}-{self._key}"
        future = self._client.submit(execute_order, order, key=key, pure=False, retries=_RETRIES)
        answer = self._wait(future, watch)
        if isinstance(answer, UnitResult):
            return answer
        _unpack(answer["files"], output.parent)
        outcome = ExitCode[answer["result"].pop("outcome")]
        result = UnitResult(outcome=outcome, **answer["result"])
        if answer["left_behind"] and outcome is ExitCode.PASSED:
            result = replace(result, outcome=ExitCode.NOTEBOOK_FAILED, message=_sorry(answer["left_behind"]))
        return replace(result, message=redact(result.message))

    def _wait(self, future: Any, watch: Watch) -> UnitResult | dict[str, Any]:  # noqa: ANN401 - a distributed.Future
        """Return what a worker sends back, or why there is nothing to come."""
        from distributed import KilledWorker
        from distributed import TimeoutError as NotYet

        began = monotonic()
        while True:
            stopped = watch.stop.is_set()
            if stopped or (watch.deadline is not None and monotonic() > watch.deadline):
                future.cancel()
                outcome = ExitCode.INTERRUPTED if stopped else ExitCode.TIMED_OUT
                message = "interrupted" if stopped else "the run's deadline is over"
                return UnitResult(outcome, message, monotonic() - began)
            try:
                answer: dict[str, Any] = future.result(timeout=_GLANCE)
            except NotYet:
                continue
            except KilledWorker as error:
                return UnitResult(ExitCode.NOTEBOOK_FAILED, f"its workers died: {error}", monotonic() - began)
            except Exception as error:  # noqa: BLE001 - whatever the cluster has to say ends this unit only
                message = f"the cluster could not execute it: {type(error).__name__}: {error}"
                return UnitResult(ExitCode.SCHEDULER_UNAVAILABLE, message, monotonic() - began)
            return answer


def execute_order(order: dict[str, Any]) -> dict[str, Any]:
    """On a worker: execute a unit in a folder that is gone afterwards, and return all it left."""
    with tempfile.TemporaryDirectory(prefix="sta410-unit-") as folder:
        home, left = Path(folder) / "notebook", Path(folder) / "left"
        for path in (home, left):
            path.mkdir()
        _unpack(order["files"], home)
        notebook, output = home / order["notebook"], left / order["notebook"]
        values = order["values"] | ({RUN_FOLDER: str(left)} if order["takes_folder"] else {})
        watch = Watch(order["seconds"], order["memory"])
        result = _execute_here(notebook, output, values, watch)
        files, left_behind = _packed(left)
        told = asdict(result) | {"outcome": result.outcome.name}
        return {"result": told, "files": files, "left_behind": left_behind}


def _execute_here(notebook: Path, output: Path, values: dict[str, Any], watch: Watch) -> UnitResult:
    template = read_template(notebook)
    if is_this_python(template.kernel) and not needs_a_client(python_cells(read_notebook(notebook))):
        try:
            session = CellSession(str(notebook.parent), watch)
        except NOT_HERE:
            pass  # an ordinary kernel does it
        else:
            return execute_unit(template, output, values, watch, session)
    return execute_otherwise(notebook, output, values, watch)


def _packed(folder: Path) -> tuple[dict[str, bytes], dict[str, int]]:
    """Return the files in a folder by their relative names, and the sizes of those too large to travel."""
    files = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    sizes = {name: path.stat().st_size for name, path in files.items()}
    large = {name: size for name, size in sizes.items() if size > _LARGEST}
    return {name: path.read_bytes() for name, path in files.items() if name not in large}, large


def _sorry(left_behind: Mapping[str, int]) -> str:
    """Return the sentence about files that did not come back."""
    names = ", ".join(f"{name} ({size / _MEBIBYTE:,.0f} MiB)" for name, size in left_behind.items())
    return (
        f"too large to come back from the worker, and lost: {names}; a file may have "
        f"{_LARGEST // _MEBIBYTE} MiB. Write smaller ones, or leave --scheduler out"
    )


def _refuse_to_send(path: Path) -> None:
    size = path.stat().st_size if path.is_file() else 0
    if size > _LARGEST:
        message = (
            f"{path} has {size / _MEBIBYTE:,.0f} MiB; the workers are sent the notebook and the Python files "
            f"beside it, each up to {_LARGEST // _MEBIBYTE} MiB. Make it smaller, or leave --scheduler out"
        )
        raise ConfigurationError(message)


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


def _look_at(client: Any) -> int:  # noqa: ANN401 - a distributed.Client
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
