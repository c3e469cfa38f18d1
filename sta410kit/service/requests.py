"""What callers ask to be run, checked as the command line checks it before it is queued."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.parameters import TypedValue, all_as_typed, as_typed, single_values
from sta410kit.runner.plan import Options, plan_chain, plan_notebook
from sta410kit.runner.sweeps.plan import plan_chain_sweep, plan_sweep

_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")  # JSON can hold it; no file name, database or header can


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    parameters: dict[str, Any] = Field(
        {},
        description="By name, as after `-p`; paths inside the project",
        examples=[{"model": "naive"}],
    )
    notebook: str = Field(
        "",
        max_length=500,
        description="A notebook of the project to run alone; the chain when left out",
        examples=["notebooks/04_train.ipynb"],
    )


class RunRequest(_Request):
    """A run of the chain, or of one notebook."""

    fresh: bool = Field(default=False, description="Execute every step, even if nothing has changed")

    def checked(self, project: Path) -> dict[str, Any]:
        """Return the request as the queue keeps it, values as they would be typed.

        Raises
        ------
        ConfigurationError
            The command line would refuse it, or a path leads out of the project.
        SecretFoundError
            A parameter holds a secret.
        """
        given, notebook = _typed(project, self.parameters), _notebook(project, self.notebook)
        if notebook is None:
            plan = plan_chain(project, given, Options())
        else:
            plan = plan_notebook(notebook, given, Options())
        _confine(project, (value for values in plan.values.values() for value in values.values()))
        return {"notebook": self.notebook, "parameters": given, "fresh": self.fresh}


class SweepRequest(_Request):
    """The chain, or one notebook, with every combination of some values."""

    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(
        min_length=1, examples=[{"model": ["naive", "ridge"], "horizon": [1, 5]}]
    )

    def checked(self, project: Path) -> dict[str, Any]:
        """Return the request as the queue keeps it; see `RunRequest.checked`."""
        fixed, notebook = _typed(project, self.parameters), _notebook(project, self.notebook)
        grid = {name: [as_typed(value) for value in values] for name, values in self.grid.items()}
        for name, texts in grid.items():
            _refuse_outside(project, name, texts)
        plan = (
            plan_chain_sweep(project, grid, fixed) if notebook is None else plan_sweep(notebook, grid, fixed)
        )
        _confine(project, (value for unit in plan.units.values() for value in unit.values()))
        return {"notebook": self.notebook, "parameters": fixed, "grid": grid}


def _typed(project: Path, parameters: Mapping[str, Any]) -> dict[str, str]:
    given = all_as_typed(parameters)
    for name, value in parameters.items():
        _refuse_outside(project, name, single_values(value))
    return given


def _notebook(project: Path, name: str) -> Path | None:
    if not name:
        return None
    _refuse_outside(project, "notebook", [name])
    if not name.endswith(".ipynb"):
        message = f"{name!r} is no notebook: its name does not end with .ipynb"
        raise ConfigurationError(message)
    return project / name


def _refuse_outside(project: Path, name: str, values: Iterable[object]) -> None:
    """Refuse a text that would name a path outside the project, before anything looks whether it exists."""
    for text in map(str, values):
        if _NO_TEXT.search(text):
            message = f"{name}: the value holds a null character or half of a surrogate pair"
            raise ConfigurationError(message)
        path = Path(text)
        if path.is_absolute() or text.startswith("~") or ".." in path.parts or "://" in text:
            raise _outside(name)
        _confine_path(project, name, project / path)


def _confine(project: Path, values: Iterable[object]) -> None:
    """Refuse what a declared path leads to through a symbolic link."""
    for value in values:
        for path in value.paths if isinstance(value, TypedValue) else ():
            _confine_path(project, "a parameter", path)


def _confine_path(project: Path, name: str, path: Path) -> None:
    try:
        inside = path.resolve().is_relative_to(project)
    except (OSError, RuntimeError):  # a name that is too long, a loop of links
        return  # no path
    if not inside:
        raise _outside(name)


def _outside(name: str) -> ConfigurationError:
    return ConfigurationError(f"{name}: the value leads out of the project; give a path inside of it")
