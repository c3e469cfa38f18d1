"""What a sweep executes: every combination of what was typed as ``-g NAME=A,B,C``, checked first."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from sta410kit._internal.project import MARKER
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.notebook import parameters_of, read_notebook, require_kernel
from sta410kit.runner.parameters import Asked, all_as_typed, typed_values
from sta410kit.runner.pipeline import RUN_FOLDER, chain_values
from sta410kit.runner.plan import Options, plan_chain, refuse_secrets
from sta410kit.runner.runs import runs_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sta410kit.runner.parameters import Parameter
    from sta410kit.runner.plan import Plan

MOST_UNITS = 100_000
_CLOSING = {"[": "]", "{": "}", "(": ")"}
_QUOTES = "\"'"


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
    """What a sweep executes."""

    notebook: Path  # the declaration of the pipeline, where the whole chain is swept
    # what is swept and what is the same everywhere, as typed
    grid: dict[str, list[str]]
    fixed: dict[str, str]
    units: dict[str, dict[str, Any]]  # the parameters of each unit by its name
    takes_folder: bool = False  # whether the notebook declares `run_dir`
    chains: dict[str, Plan] = field(default_factory=dict)  # the plan of each unit, where the chain is swept

    @property
    def notebooks(self) -> list[Path]:
        """The notebooks that a unit executes."""
        plan = next(iter(self.chains.values()), None)
        return [step.notebook for step in plan.steps] if plan else [self.notebook]

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


def plan_chain_sweep(project: Path, grid: Mapping[str, Sequence[str]], fixed: Mapping[str, Any]) -> SweepPlan:
    """Return what a sweep of the chain of a project over `grid` will execute."""
    refuse_secrets({**fixed, **grid}, project)
    base = plan_chain(project, {}, Options())
    for step in base.steps:
        require_kernel(read_notebook(step.notebook), step.notebook.name)
    asked = {**{name: [value] for name, value in fixed.items()}, **grid}
    values = chain_values(asked, base.steps, _problems(grid, fixed))
    by_name = {name: found for mine in values.values() for name, found in mine.items()}
    _refuse_twice(grid, by_name)
    places = combinations({name: range(len(texts)) for name, texts in grid.items()}, dict.fromkeys(fixed, 0))
    chains = {
        unit: replace(
            base,
            given=all_as_typed({**fixed, **{name: grid[name][place[name]] for name in grid}}),
            values={
                step: {name: found[place[name]] for name, found in mine.items()}
                for step, mine in values.items()
            },
        )
        for unit, place in places.items()
    }
    units = {
        unit: {name: by_name[name][number] for name, number in place.items()}
        for unit, place in places.items()
    }
    swept = {name: list(texts) for name, texts in grid.items()}
    return SweepPlan(project / MARKER, swept, all_as_typed(fixed), units, chains=chains)


def split_values(text: str) -> list[str]:
    """Return the values in a text such as ``1,5,20``.

    A comma inside brackets or quotation marks separates nothing: ``[AAPL,MSFT],[IBM]`` are two lists, and
    ``"a,b",c`` two texts. Quotation marks around a whole value are taken off, and so are brackets around
    words that are not JSON.
    """
    parts, start, waiting = [], 0, [""]
    for place, letter in enumerate(text):
        if waiting[-1] in _QUOTES and waiting[-1]:
            if letter == waiting[-1]:
                waiting.pop()
        elif letter in _QUOTES and (len(waiting) > 1 or not text[start:place].strip()):
            waiting.append(letter)
        elif letter in _CLOSING:
            waiting.append(_CLOSING[letter])
        elif letter == waiting[-1]:
            waiting.pop()
        elif letter == "," and len(waiting) == 1:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    if len(waiting) > 1:
        message = (
            f"{text!r} misses a {waiting[-1]}; values are separated by commas, lists are put in brackets"
        )
        raise ConfigurationError(message)
    if any(not part.strip() for part in parts):
        message = f'{text!r} has nothing between two commas; an empty text is written ""'
        raise ConfigurationError(message)
    return [_bare(part.strip()) for part in parts]


def _bare(value: str) -> str:
    """Return a value without quotation marks around it, and a list of plain words without its brackets."""
    if value[0] in _QUOTES and value[-1] == value[0] and len(value) > 1:
        return value[1:-1]
    if value.startswith("[") and value.endswith("]"):
        try:
            json.loads(value)
        except ValueError:
            return value[1:-1]
    return value


def grid_values(
    grid: Mapping[str, Sequence[str]], fixed: Mapping[str, Any], declared: Sequence[Parameter], notebook: Path
) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Return the values of a grid and those that are fixed, each as its parameter declares it.

    Every value of every parameter is looked at; a parameter's type does not depend on the others, so this
    checks every combination.
    """
    asked = Asked(notebook, declared, {**{name: [value] for name, value in fixed.items()}, **grid})
    (found,) = typed_values([asked], _problems(grid, fixed))
    _refuse_twice(grid, found)
    return {name: found[name] for name in grid}, {name: found[name][0] for name in fixed}


def _problems(grid: Mapping[str, Sequence[str]], fixed: Mapping[str, Any]) -> list[str]:
    problems = [f"'{name}' is given with -p and with -g" for name in grid if name in fixed]
    count = prod(len(texts) for texts in grid.values())
    if count > MOST_UNITS:
        problems.append(f"that makes {count:,} combinations; a sweep takes up to {MOST_UNITS:,}")
    return problems


def _refuse_twice(grid: Mapping[str, Sequence[str]], found: Mapping[str, Sequence[Any]]) -> None:
    """Refuse a value that is swept twice, also in two spellings."""
    for name, texts in grid.items():
        for place, text in enumerate(texts):
            if found[name][place] in found[name][:place]:
                message = f"-g {name} has the value {text!r} twice"
                raise ConfigurationError(message)


def combinations(grid: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters of each unit by its name, ``0001`` and on; the last swept changes fastest."""
    found = list(product(*grid.values()))
    width = max(4, len(str(len(found))))
    return {
        f"{number:0{width}}": {**fixed, **dict(zip(grid, chosen, strict=True))}
        for number, chosen in enumerate(found, 1)
    }
