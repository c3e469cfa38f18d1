"""The chain that a project declares in ``notebooks/pipeline.toml``."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from sta410kit._internal.project import MARKER
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.manifest import DIFF
from sta410kit.runner.notebook import parameters_of, read_notebook
from sta410kit.runner.parameters import Asked, Parameter, typed_values, unknown_parameter
from sta410kit.runner.run_log import NAME as LOG
from sta410kit.runner.runs import MANIFEST, REPORT

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


class _Entry(BaseModel):
    """A ``[[step]]`` of the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    notebook: str
    needs: list[str] = []
    produces: dict[str, str] = {}
    reusable_when: dict[str, list[Any]] = {}


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
    steps = [_step(entry, path, number) for number, entry in enumerate(entries, 1)]
    problem = next(chain(_problems(steps), _clashes(steps)), None)
    if problem:
        message = f"{path}: {problem}"
        raise ConfigurationError(message)
    return steps


def open_parameters(steps: Sequence[Step]) -> list[Parameter]:
    """Return the parameters of the chain that can be given: read by a step, and not set by the run itself."""
    made = {name for step in steps for name in step.produces} | {RUN_FOLDER}
    found = {one.name: one for step in steps for one in step.parameters if one.read and one.name not in made}
    return list(found.values())


def _step(entry: object, path: Path, number: int) -> Step:
    try:
        found = _Entry.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        message = f"{path}: step {number}: {place}: {first['msg']}"
        raise ConfigurationError(message) from error
    notebook = path.parent / found.notebook
    if not notebook.resolve().is_relative_to(path.parents[1].resolve()):
        message = f"{path}: step {number} names {found.notebook}, which lies outside the project"
        raise ConfigurationError(message)
    parameters = tuple(parameters_of(read_notebook(notebook)))
    return Step(notebook, tuple(found.needs), found.produces, parameters, found.reusable_when)


def _problems(steps: list[Step]) -> Iterator[str]:
    """Yield what does not fit together."""
    made: set[str] = set()
    for step in steps:
        declared = {parameter.name for parameter in step.parameters}
        for name in step.needs:
            if name not in declared:
                yield f"{step.name} needs {name} but declares no such parameter"
            if name not in made:
                yield f"{step.name} needs {name}, which no step before it produces"
        for name in step.reusable_when.keys() - declared:
            yield f"reusable_when of {step.name} names {name}, which is no parameter"
        made |= set(step.produces)


def _clashes(steps: list[Step]) -> Iterator[str]:
    """Yield names of files that are none, or that two steps would write to the run folder."""
    made: dict[str, str] = {}
    writer = dict.fromkeys((MANIFEST, REPORT, LOG, DIFF), "the run")
    for step in steps:
        if step.notebook.name in writer:
            yield f"two steps are called {step.name}; a run has one folder for all"
        writer[step.notebook.name] = step.name
        for name, file in step.produces.items():
            if Path(file).name != file or file[:1] in {"", "."}:
                yield f"{step.name} produces {name} = {file!r}, which is not the name of a file"
            for taken, what in ((made, name), (writer, file)):
                if what in taken:
                    yield f"{step.name} produces {what}, and so does {taken[what]}"
                taken[what] = step.name


def check_chain_parameters(given: Mapping[str, Any], steps: list[Step]) -> dict[str, dict[str, Any]]:
    """Return, for each step's name, the values of those of `given` that it declares."""
    found = chain_values({name: [value] for name, value in given.items()}, steps)
    return {step: {name: values[0] for name, values in mine.items()} for step, mine in found.items()}


def chain_values(
    given: Mapping[str, Sequence[Any]], steps: list[Step], problems: Sequence[str] = ()
) -> dict[str, dict[str, list[Any]]]:
    """Return, for each step's name, all values of those of `given` that it declares."""
    handed = {RUN_FOLDER, *(name for step in steps for name in step.produces)}
    declared = {p.name for step in steps for p in step.parameters} - handed
    problems = [*problems]
    problems += [unknown_parameter(name, declared, "the chain") for name in given if name not in declared]
    # One notebook that reads it is enough: others may declare it for the sake of a common head.
    read = {p.name for step in steps for p in step.parameters if p.read}
    asked = []
    for step in steps:
        parameters = [replace(p, read=p.name in read) for p in step.parameters]
        names = {p.name for p in parameters} & declared
        mine = {name: values for name, values in given.items() if name in names}
        asked.append(Asked(step.notebook, parameters, mine))
    found = typed_values(asked, problems)
    return {step.name: mine for step, mine in zip(steps, found, strict=True)}
