"""What a sweep will execute, all of it checked before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.notebook import parameters_of, read_notebook, require_kernel
from sta410kit.runner.parameters import all_as_typed
from sta410kit.runner.pipeline import RUN_FOLDER
from sta410kit.runner.plan import refuse_secrets
from sta410kit.runner.runs import runs_folder
from sta410kit.runner.sweeps.grid import combinations, grid_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class SweepOptions:
    """How a sweep is to be done."""

    # how many units run at once; 0 is one a processor, or with a scheduler one a thread of its workers
    workers: int = 0
    timeout: float | None = None
    deadline: float | None = None
    memory: int | None = None  # bytes that the process of a unit may have
    scheduler: str = ""  # address of a Dask scheduler; empty for this machine


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep will execute."""

    notebook: Path
    # what is swept and what is the same everywhere, as typed
    grid: dict[str, list[str]]
    fixed: dict[str, str]
    units: dict[str, dict[str, Any]]  # the parameters of each unit by its name
    takes_folder: bool  # whether the notebook declares `run_dir`

    @property
    def runs(self) -> Path:
        """Where run folders are made."""
        return runs_folder(self.notebook)


def plan_sweep(notebook: Path, grid: Mapping[str, Sequence[str]], fixed: Mapping[str, Any]) -> SweepPlan:
    """Return what a sweep over `grid` will execute; nothing has run when something is wrong."""
    notebook = notebook.absolute()
    refuse_secrets({**fixed, **grid}, notebook.parent)
    content = read_notebook(notebook)
    require_kernel(content, notebook.name)
    declared = parameters_of(content)
    if not declared:
        message = f"{notebook} has no cell tagged 'parameters', or an empty one: there is nothing to sweep"
        raise ConfigurationError(message)
    if RUN_FOLDER in grid or RUN_FOLDER in fixed:
        message = f"'{RUN_FOLDER}' is set by the sweep: each unit writes to a folder of its own"
        raise ConfigurationError(message)
    values, given = grid_values(grid, fixed, declared, notebook)
    units = combinations(values, given)
    takes_folder = any(parameter.name == RUN_FOLDER for parameter in declared)
    swept = {name: list(texts) for name, texts in grid.items()}
    return SweepPlan(notebook, swept, all_as_typed(fixed), units, takes_folder)
