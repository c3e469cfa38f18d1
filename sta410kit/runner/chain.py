"""The chain: every step in order into one run folder, stopping at the first that does not pass."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import sta410kit
from sta410kit.atomic import write_text
from sta410kit.config import load_config, set_config
from sta410kit.guards.parameters import check_parameters
from sta410kit.outcomes import ExitCode
from sta410kit.project import project_folder
from sta410kit.redaction import redact
from sta410kit.runner.execute import StepResult, execute
from sta410kit.runner.notebook import parameters_of, read_notebook, require_kernel
from sta410kit.runner.pipeline import RUN_FOLDER, Step, check_chain_parameters, read_pipeline
from sta410kit.runner.report import write_report
from sta410kit.runner.runs import MANIFEST, new_run, runs_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sta410kit.runner.progress import Progress


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    folder : Path
        ``runs/<id>``: executed notebooks, artifacts, data docs, manifest and report.
    steps : tuple of StepResult
        Those that ran, in order; the last one is the failed one if any.
    planned : tuple of str
        Names of all steps of the run.
    """

    folder: Path
    steps: tuple[StepResult, ...]
    planned: tuple[str, ...]

    @property
    def outcome(self) -> ExitCode:
        """How the run ended: the first step's trouble, or ``PASSED``."""
        return next((s.outcome for s in self.steps if s.outcome is not ExitCode.PASSED), ExitCode.PASSED)


def run_chain(project: Path, given: Mapping[str, str], progress: Progress) -> Run:
    """Run all steps of the project's pipeline.

    Raises
    ------
    ConfigurationError
        The pipeline or a parameter is wrong; nothing has run then.
    """
    steps = read_pipeline(project)
    values = check_chain_parameters(given, steps)
    return _run(steps, values, runs_folder(project), progress)


def run_notebook(notebook: Path, given: Mapping[str, str], progress: Progress) -> Run:
    """Run one notebook alone, on its own defaults and what was `given`.

    Raises
    ------
    ConfigurationError
        There is no such notebook or a parameter is wrong; nothing has run then.
    """
    notebook = notebook.absolute()
    declared = parameters_of(read_notebook(notebook))
    values = {notebook.stem: check_parameters(given, declared, notebook.name)}
    step = Step(notebook, (), {}, tuple(declared))
    return _run([step], values, runs_folder(notebook), progress)


def _run(steps: list[Step], values: Mapping[str, dict[str, Any]], runs: Path, progress: Progress) -> Run:
    _prepare(steps)
    folder, started = new_run(runs), datetime.now(UTC)
    artifacts: dict[str, Path] = {}
    results: list[StepResult] = []
    with progress.of(steps):
        for step in steps:
            handed = {name: artifacts[name] for name in step.needs}
            if any(parameter.name == RUN_FOLDER for parameter in step.parameters):
                handed[RUN_FOLDER] = folder
            made = {name: folder / file for name, file in step.produces.items()}
            output = folder / step.notebook.name
            progress.begin(step.name)
            results.append(
                execute(
                    step.notebook,
                    output,
                    # What was typed wins, for a notebook run alone may be told its own run folder.
                    {**handed, **values[step.name]},
                    on_cell=progress.advance,
                    artifacts=tuple(made.values()),
                )
            )
            artifacts |= made
            if results[-1].outcome is not ExitCode.PASSED:
                break
    run = Run(folder, tuple(results), tuple(step.name for step in steps))
    _write_manifest(run, values, started)
    write_report(run.folder, run.steps, run.planned, run.outcome)
    return run


def _prepare(steps: list[Step]) -> None:
    """Refuse, before anything runs, what the kernels would stumble over; and learn the secrets to scrub."""
    for step in steps:
        require_kernel(read_notebook(step.notebook), step.notebook.name)
    set_config(load_config(os.environ, project_folder(steps[0].notebook.parent)))


def _write_manifest(run: Run, values: Mapping[str, dict[str, Any]], started: datetime) -> None:
    packages = ("great-expectations", "numpy", "pandas", "papermill", "scikit-learn")
    content = {
        "run": run.folder.name,
        "started": started.isoformat(timespec="seconds"),
        "outcome": run.outcome.name,
        "exit_code": int(run.outcome),
        "parameters": values,
        "steps": [
            {
                "name": step.name,
                "outcome": step.outcome.name,
                "seconds": round(step.seconds, 3),
                "message": step.message,
                "warnings": step.warnings,
                "notebook": step.notebook.name,
            }
            for step in run.steps
        ],
        "not_run": [name for name in run.planned if name not in {step.name for step in run.steps}],
        "versions": {
            "sta410kit": sta410kit.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in packages},
        },
    }
    write_text(run.folder / MANIFEST, redact(json.dumps(content, indent=2, default=str)) + "\n")
