"""The chain that a project declares in ``notebooks/pipeline.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.project import MARKER
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.manifest import DIFF
from sta410kit.runner.notebook import parameters_of, read_notebook
from sta410kit.runner.parameters import Asked, Parameter, typed_values, unknown_parameter
from sta410kit.runner.run_log import NAME as LOG
from sta410kit.runner.runs import MANIFEST, REPORT

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS: dict[str, type] = {"needs": list, "produces": dict, "reusable_when": dict}
RUN_FOLDER = "run_dir"  # the parameter by which a notebook learns where to write


@dataclass(frozen=True)
class Step:
    """One notebook of the chain."""

    notebook: Path  # the notebook; its stem is the name of the step
    needs: tuple[str, ...]  # artifacts it reads; each is passed by a parameter of that name
    produces: dict[str, str]  # artifacts it must write to the run folder, and their file names
    parameters: tuple[Parameter, ...]
    # values of parameters with which an earlier result may be reused; with others, such as a live source of
    # prices, the step always runs. Empty if its result depends on nothing outside.
    reusable_when: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The step's name."""
        return self.notebook.stem


def read_pipeline(project: Path) -> list[Step]:
    """Return the steps of the chain, in order."""
    path = project / MARKER
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read: {error}"
        raise ConfigurationError(message) from error
    entries = content.get("step")
    if not isinstance(entries, list) or not entries:
        message = f"{path} declares no [[step]]"
        raise ConfigurationError(message)
    steps: list[Step] = []
    made: set[str] = set()
    for number, entry in enumerate(entries, 1):
        step = _step(entry, path, number)
        lacking = [name for name in step.needs if name not in made]
        if lacking:
            message = f"{path}: {step.name} needs {', '.join(lacking)}, which no step before it produces"
            raise ConfigurationError(message)
        made |= set(step.produces)
        steps.append(step)
    _check_names(steps, path)
    return steps


def _check_names(steps: list[Step], path: Path) -> None:
    """Refuse file names that two steps would write to the run folder."""
    writer = dict.fromkeys((MANIFEST, REPORT, LOG, DIFF), "the run")
    for step in steps:
        if step.notebook.name in writer:
            message = f"{path}: two steps are called {step.name}; a run has one folder for all"
            raise ConfigurationError(message)
        writer[step.notebook.name] = step.name
    made: dict[str, str] = {}
    for step in steps:
        for name, file in step.produces.items():
            if not isinstance(file, str) or Path(file).name != file or file[:1] in {"", "."}:
                message = f"{path}: {step.name} produces {name} = {file!r}, which is not the name of a file"
                raise ConfigurationError(message)
            for taken, what in ((made, name), (writer, file)):
                if what in taken:
                    message = f"{path}: {step.name} produces {what}, and so does {taken[what]}"
                    raise ConfigurationError(message)
                taken[what] = step.name


def check_chain_parameters(given: Mapping[str, Any], steps: list[Step]) -> dict[str, dict[str, Any]]:
    """Return, for each step's name, the values of those of `given` that it declares."""
    handed = {RUN_FOLDER, *(name for step in steps for name in step.produces)}
    declared = {p.name for step in steps for p in step.parameters} - handed
    problems = [unknown_parameter(name, declared, "the chain") for name in given if name not in declared]
    # One notebook that reads it is enough: others may declare it for the sake of a common head.
    read = {p.name for step in steps for p in step.parameters if p.read}
    asked = []
    for step in steps:
        parameters = [replace(p, read=p.name in read) for p in step.parameters]
        names = {p.name for p in parameters} & declared
        mine = {name: [value] for name, value in given.items() if name in names}
        asked.append(Asked(step.notebook, parameters, mine))
    found = typed_values(asked, problems)
    return {
        step.name: {name: values[0] for name, values in mine.items()}
        for step, mine in zip(steps, found, strict=True)
    }


def _step(entry: Any, path: Path, number: int) -> Step:  # noqa: ANN401 - parsed TOML
    if not isinstance(entry, dict) or not isinstance(entry.get("notebook"), str):
        message = f"{path}: step {number} names no notebook"
        raise ConfigurationError(message)
    extra = sorted(set(entry) - {"notebook", *_KINDS})
    if extra:
        message = f"{path}: step {number} has unknown keys: {', '.join(extra)}"
        raise ConfigurationError(message)
    for key, kind in _KINDS.items():
        if not isinstance(entry.get(key, kind()), kind):
            message = f"{path}: {key} of step {number} is not a {'list' if kind is list else 'table'}"
            raise ConfigurationError(message)
    notebook = path.parent / entry["notebook"]
    if not notebook.resolve().is_relative_to(path.parents[1].resolve()):
        message = f"{path}: step {number} names {entry['notebook']}, which lies outside the project"
        raise ConfigurationError(message)
    parameters = tuple(parameters_of(read_notebook(notebook)))
    needs, produces = tuple(map(str, entry.get("needs", ()))), dict(entry.get("produces", {}))
    undeclared = [name for name in needs if name not in {p.name for p in parameters}]
    if undeclared:
        message = f"{notebook.name} needs {', '.join(undeclared)} but declares no such parameter"
        raise ConfigurationError(message)
    reusable_when = dict(entry.get("reusable_when", {}))
    strangers = sorted(set(reusable_when) - {parameter.name for parameter in parameters})
    if strangers:
        message = (
            f"{path}: reusable_when of {notebook.name} names {', '.join(strangers)}, which are not parameters"
        )
        raise ConfigurationError(message)
    for name, values in reusable_when.items():
        if not isinstance(values, list):  # in a text, any part of it would be a value
            message = f"{path}: reusable_when of {notebook.name}: {name} is {values!r}, which is not a list"
            raise ConfigurationError(message)
    return Step(notebook, needs, produces, parameters, reusable_when)
