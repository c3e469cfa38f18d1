"""Who executes the units of a sweep: processes on this machine, or a cluster, see `cluster`."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Self

from sta410kit.runner.kernelspecs import is_this_python
from sta410kit.runner.limits import StepStoppedError
from sta410kit.runner.notebook import python_cells, read_notebook
from sta410kit.runner.preload import modules_to_load, needs_a_client
from sta410kit.runner.sweeps.template import read_template
from sta410kit.runner.sweeps.unit import UnitResult, execute_otherwise, execute_unit
from sta410kit.runner.warm.nested import NOT_HERE, OpeningNest
from sta410kit.runner.warm.session import CellSession

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sta410kit.runner.limits import Watch
    from sta410kit.runner.registry import Registry


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
        forks = is_this_python(self._template.kernel) and not needs_a_client(sources)
        modules = modules_to_load(sources, registry)
        self._nest = OpeningNest(str(notebook.parent), modules) if forks else None

    def __enter__(self) -> Self:
        if self._nest is not None:
            self._nest.open()
        return self

    def __exit__(self, *_: object) -> None:
        if self._nest is not None:
            self._nest.close()

    def execute(self, values: Mapping[str, Any], output: Path, watch: Watch) -> UnitResult:
        """Execute a unit in a process of its own."""
        if self._nest is not None:
            try:
                self._nest.wait(partial(watch, 0))
            except StepStoppedError as error:
                return UnitResult(error.outcome, str(error), 0.0)
        nest = self._nest.path if self._nest is not None else None
        if self._nest is not None and self._nest.reason is not None:
            self._note(self._nest.reason)
        if nest is not None:
            try:
                session = CellSession(str(self._notebook.parent), watch, nest)
            except NOT_HERE as error:
                self._note(error)
            else:
                return execute_unit(self._template, output, values, watch, session)
        return execute_otherwise(self._notebook, output, values, watch)

    def _note(self, error: Exception) -> None:
        note = f"executed through papermill, which is slower: {error}"
        if note not in self.notes:
            self.notes.append(note)
