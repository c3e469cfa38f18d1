"""The plan of a run: its steps, their parameters and its options."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.notebook import parameters_of, read_notebook
from sta410kit.runner.parameters import all_as_typed, check_parameters
from sta410kit.runner.pipeline import RUN_FOLDER, Step, check_chain_parameters, read_pipeline
from sta410kit.runner.runs import runs_folder
from sta410kit.secrets import learn_configured_secrets


@dataclass(frozen=True)
class Options:
    """Options of a run."""

    fresh: bool = False  # execute every step, reuse nothing
    # execute `first` and all steps after it, changed or not; leave out the steps after `last`
    first: str = ""
    last: str = ""
    session: str = ""  # that a schedule wants prices of
    deadline: float | None = None
    timeout: float | None = None
    memory: int | None = None  # bytes that the process of a step may have


@dataclass
class Plan:
    """The steps to execute, their parameters, and where the results go."""

    steps: list[Step]
    values: dict[str, dict[str, Any]]
    runs: Path
    given: dict[str, str]
    kind: str = "chain"
    options: Options = field(default_factory=Options)

    @property
    def title(self) -> str:
        """The notebook that runs alone; empty for the chain."""
        return str(self.steps[0].notebook) if self.kind == "notebook" else ""

    def before(self, step: Step) -> set[str]:
        """Return the names of the steps that produce what `step` needs."""
        return {other.name for other in self.steps if set(other.produces) & set(step.needs)}

    def after(self, name: str) -> set[str]:
        """Return `name` and the names of all steps that follow from it."""
        found = {name}
        for step in self.steps:  # in order, so that one pass is enough
            if self.before(step) & found:
                found.add(step.name)
        return found

    def inputs(self, step: Step, folder: Path) -> dict[str, Path]:
        """Return where in a run folder the artifacts lie that `step` needs."""
        return {
            name: folder / other.produces[name]
            for name in step.needs
            for other in self.steps
            if name in other.produces
        }

    def handed(self, step: Step, folder: Path) -> dict[str, Path]:
        """Return the parameters that the runner sets: inputs, and the run folder where it is declared."""
        takes_folder = any(parameter.name == RUN_FOLDER for parameter in step.parameters)
        return self.inputs(step, folder) | ({RUN_FOLDER: folder} if takes_folder else {})

    def reusable(self, step: Step) -> bool:
        """Tell whether an earlier result of `step` may be reused."""
        if self.options.fresh or self.kind != "chain":
            return False
        values = self.values[step.name]
        for name, allowed in step.reusable_when.items():
            default = next(parameter.default for parameter in step.parameters if parameter.name == name)
            if values.get(name, default.strip("'\"")) not in allowed:
                return False
        return True

    @property
    def forced(self) -> set[str]:
        """The steps that run even if nothing has changed."""
        return self.after(self.options.first) if self.options.first else set()


def plan_chain(project: Path, given: Mapping[str, Any], options: Options) -> Plan:
    """Return the plan for the project's pipeline."""
    refuse_secrets(given, project)
    steps = read_pipeline(project)
    names = [step.name for step in steps]
    for name in filter(None, (options.first, options.last)):
        if name not in names:
            message = f"no step called '{name}'.{did_you_mean(name, names)} Steps: {', '.join(names)}."
            raise ConfigurationError(message)
    plan = Plan(steps, {}, runs_folder(project), all_as_typed(given), options=options)
    if options.last:
        wanted = {options.last}
        for step in reversed(steps):
            if step.name in wanted:
                wanted |= plan.before(step)
        plan.steps = [step for step in steps if step.name in wanted]
    plan.values = check_chain_parameters(given, plan.steps)
    return plan


def plan_notebook(notebook: Path, given: Mapping[str, Any], options: Options) -> Plan:
    """Return the plan for one notebook alone, on its own defaults and what was `given`."""
    notebook = notebook.absolute()
    refuse_secrets(given, notebook.parent)
    declared = parameters_of(read_notebook(notebook))
    values = {notebook.stem: check_parameters(given, declared, notebook)}
    step = Step(notebook, (), {}, tuple(declared))
    return Plan([step], values, runs_folder(notebook), all_as_typed(given), "notebook", options)


def refuse_secrets(given: Mapping[str, Any], folder: Path) -> None:
    """Refuse parameters that are secrets of the project in `folder`, before any message could quote one."""
    if given:
        from sta410kit.runner.secret_parameters import refuse_secret_parameters

        learn_configured_secrets(folder)
        refuse_secret_parameters(given)
