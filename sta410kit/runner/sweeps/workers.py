"""Who executes the units of a sweep: processes on this machine, or a cluster, see `cluster`."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, Self

from sta410kit.runner.kernelspecs import is_this_python
from sta410kit.runner.notebook import python_cells, read_notebook
from sta410kit.runner.sweeps.preload import modules_to_load, needs_a_client
from sta410kit.runner.sweeps.template import read_template
from sta410kit.runner.sweeps.unit import UnitResult, execute_otherwise, execute_unit
from sta410kit.runner.warm.client import ServerUnavailableError
from sta410kit.runner.warm.nested import Nest
from sta410kit.runner.warm.session import CellSession, ProcessDiedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sta410kit.runner.limits import Watch
    from sta410kit.runner.registry import Registry

_NOT_HERE = (ServerUnavailableError, ProcessDiedError, OSError)


class Workers(Protocol):
    """Executes units, several at once; used in a `with` block."""

    count: int
    notes: list[str]

    def execute(self, values: Mapping[str, Any], output: Path, watch: Watch) -> UnitResult:
        """Execute the notebook with `values` and save it as `output`; called from several threads."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class LocalWorkers:
    """Processes on this machine, forked from one that has loaded what the notebook imports.

    Parameters
    ----------
    notebook : Path
        What they execute.
    count : int
        How many at once; 0 is one a processor.
    registry : Registry
        Remembers which modules the kit's modules import.

    Attributes
    ----------
    notes : list of str
        What a person should know of how it went.
    """

    def __init__(self, notebook: Path, count: int, registry: Registry) -> None:
        self.count = count or os.cpu_count() or 1
        self.notes: list[str] = []
        self._notebook = notebook
        self._template = read_template(notebook)
        sources = python_cells(read_notebook(notebook))
        self._modules = modules_to_load(sources, registry)
        self._forks = is_this_python(self._template.kernel) and not needs_a_client(sources)
        self._pool = ThreadPoolExecutor(1)
        self._nest: Future[Nest | None] | None = None

    def __enter__(self) -> Self:
        self._nest = self._pool.submit(self._open) if self._forks else None
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        nest = self._nest.result() if self._nest is not None else None
        if nest is not None:
            nest.close()

    def execute(self, values: Mapping[str, Any], output: Path, watch: Watch) -> UnitResult:
        """Execute a unit in a process of its own."""
        nest = self._nest.result() if self._nest is not None else None
        if nest is not None:
            try:
                session = CellSession(str(self._notebook.parent), watch, nest.path)
            except _NOT_HERE as error:
                self._note(error)
            else:
                return execute_unit(self._template, output, values, watch, session)
        return execute_otherwise(self._notebook, output, values, watch)

    def _open(self) -> Nest | None:
        """Open the nest; where a module cannot be shared, one without modules; else nothing."""
        reason: Exception | None = None
        for modules in (self._modules, []):
            try:
                return Nest(str(self._notebook.parent), modules)
            except _NOT_HERE as error:
                reason = reason or error
        self._note(reason)
        return None

    def _note(self, error: Exception | None) -> None:
        note = f"executed through papermill, which is slower: {error}"
        if note not in self.notes:
            self.notes.append(note)
