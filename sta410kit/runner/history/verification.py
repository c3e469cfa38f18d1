"""``sta410 verify``: a run is executed once more, and what comes out is compared with what it left.

The notebooks are those the run has saved, so that an edit since then does no harm; they get the parameters of
the run. All else that a result depends on, packages, settings, modules and data, is today's, and has to be
what it was, or the answer would be about something else.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.project import project_folder
from sta410kit._internal.redaction import redact
from sta410kit.config import load_config, set_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.research.ledger import FILE as LEDGER
from sta410kit.research.ledger import as_of
from sta410kit.runner.execute import execute
from sta410kit.runner.history.difference import cell_apart
from sta410kit.runner.identity import code_parts, differences, step_parts
from sta410kit.runner.limits import Watch
from sta410kit.runner.manifest import Manifest, StepRecord, read_manifest
from sta410kit.runner.notebook import INJECTED, MARK, Notebook, parameters_of, read_notebook
from sta410kit.runner.parameters import check_parameters
from sta410kit.runner.pipeline import RUN_FOLDER, Step, check_chain_parameters
from sta410kit.runner.plan import Options, Plan, plan_chain, plan_notebook
from sta410kit.runner.registry import Registry, content_digest
from sta410kit.runner.runs import is_running
from sta410kit.runner.schedule import run_graph

if TYPE_CHECKING:
    from sta410kit.runner.progress import Progress

REPRODUCED, DIFFERENT, FAILED, KEPT = "reproduced", "different", "failed", "not executed"


@dataclass(frozen=True)
class StepCheck:
    """What executing one step once more has shown.

    Attributes
    ----------
    step, state : str
        Its name; ``reproduced``, ``different``, ``failed`` or ``not executed``.
    differences : list of str
        What differs, each beginning with the artifact, or why it failed.
    seconds : float
        How long it took this time.
    outcome : ExitCode
        How its notebook ended this time.
    """

    step: str
    state: str
    differences: list[str] = field(default_factory=list)
    seconds: float = 0.0
    outcome: ExitCode = ExitCode.PASSED


@dataclass(frozen=True)
class Verification:
    """What verifying a run has shown.

    Attributes
    ----------
    run : str
        Its id.
    checks : list of StepCheck
        Step by step, up to the first that differs.
    changed : list of str
        What is not as it was then; only with ``anyway``.
    scratch : Path or None
        Where the new results are; only kept when something differs.
    """

    run: str
    checks: list[StepCheck]
    changed: list[str]
    scratch: Path | None

    @property
    def outcome(self) -> ExitCode:
        """``PASSED``, or ``NOT_REPRODUCED`` where a step differs or has failed this time."""
        bad = any(check.state in {DIFFERENT, FAILED} for check in self.checks)
        return ExitCode.NOT_REPRODUCED if bad else ExitCode.PASSED

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        checks = [{**asdict(check), "outcome": check.outcome.name} for check in self.checks]
        return {
            "run": self.run,
            "outcome": self.outcome.name,
            "exit_code": int(self.outcome),
            "steps": checks,
            "changed": self.changed,
            "scratch": str(self.scratch) if self.scratch else None,
        }


def verify_run(folder: Path, progress: Progress, *, anyway: bool = False, jobs: int = 0) -> Verification:
    """Execute the run in `folder` once more, in a scratch folder beside it, and compare.

    Artifacts must hold the same, see `comparison.artifacts`; of a notebook that ran alone it is the outputs
    of its cells. A step whose source may say something else today is not executed: what it left is taken as
    given. The first difference ends it, for what follows from it would differ too.

    Parameters
    ----------
    folder : Path
        The run.
    progress : Progress
        Shows how far it is.
    anyway : bool
        Also where packages, settings, modules or the kit's data are not as they were.
    jobs : int
        Steps side by side; 0 is one a processor.

    Raises
    ------
    ConfigurationError
        The run has not passed, its notebooks, pipeline or data are not there any more, or, without `anyway`,
        something else that its results depend on has changed.
    """
    manifest = read_manifest(folder)
    plan = _plan(folder, manifest)
    set_config(load_config(os.environ, project_folder(plan.steps[0].notebook.parent)))
    scratch = Path(tempfile.mkdtemp(prefix=".verify-", dir=folder.parent))
    found: list[StepCheck] = []
    try:
        with Registry(plan.runs) as registry:
            changed = _changed(plan, folder, manifest, registry)
        if changed and not anyway:
            message = (
                f"run {manifest.run} cannot be verified, since these have changed: {', '.join(changed)}. "
                f"Bring them back{_to_commit(manifest)}, or ask whether it comes out the same all the same: "
                f"sta410 verify {manifest.run} --anyway"
            )
            raise ConfigurationError(message)
        with as_of(manifest.last_end, folder.parent / LEDGER.name, scratch / LEDGER.name):
            found = _check_all(plan, folder, scratch, manifest, progress, jobs)
    finally:
        if all(check.state in {REPRODUCED, KEPT} for check in found):
            shutil.rmtree(scratch, ignore_errors=True)
    return Verification(manifest.run, found, changed, scratch if scratch.exists() else None)


def _plan(folder: Path, manifest: Manifest) -> Plan:
    """Return the plan of the run, as its project declares it today."""
    if is_running(folder):
        message = f"run {manifest.run} still goes on; wait for its end"
        raise ConfigurationError(message)
    if manifest.outcome != ExitCode.PASSED.name:
        message = f"run {manifest.run} has not passed ({manifest.outcome}); there is nothing to reproduce"
        raise ConfigurationError(message)
    if manifest.kind == "notebook":
        plan = plan_notebook(Path(manifest.title), {}, Options())
    elif manifest.kind == "chain":
        plan = plan_chain(folder.parent.parent, {}, Options())
        names = [step.name for step in plan.steps]
        gone = [record.name for record in manifest.steps if record.name not in names]
        if gone:
            message = f"the pipeline has no step {', '.join(gone)} any more, which run {manifest.run} has"
            raise ConfigurationError(message)
        plan.steps = [step for step in plan.steps if manifest.step(step.name) is not None]
    else:
        message = (
            f"run {manifest.run} is of the kind '{manifest.kind}'; the chain and notebooks can be verified"
        )
        raise ConfigurationError(message)
    plan.steps = [_as_saved(step, folder, manifest) for step in plan.steps]
    plan.runs, plan.given = folder.parent, manifest.given
    if manifest.kind == "notebook":
        (step,) = plan.steps
        plan.values = {step.name: check_parameters(manifest.given, step.parameters, step.notebook)}
    else:
        plan.values = check_chain_parameters(manifest.given, plan.steps)
    return plan


def _as_saved(step: Step, folder: Path, manifest: Manifest) -> Step:
    """Return a step with the parameters that its notebook declared when it was executed."""
    saved = folder / _record(manifest, step).notebook
    if not saved.is_file():
        message = f"{saved} is gone; nothing can be said about run {manifest.run}"
        raise ConfigurationError(message)
    return replace(step, parameters=tuple(parameters_of(_as_it_was(saved))))


def _changed(plan: Plan, folder: Path, manifest: Manifest, registry: Registry) -> list[str]:
    """Return what the results depend on and is not as it was, the notebooks apart: those are saved."""
    changed: dict[str, None] = {}
    for step in plan.steps:
        record = _record(manifest, step)
        saved = folder / record.notebook
        if code_parts(_as_it_was(saved))["code"] != record.parts.get("code"):
            message = f"{saved} is not what was executed; nothing can be said about run {manifest.run}"
            raise ConfigurationError(message)
        inputs = plan.inputs(step, folder)
        absent = [str(path) for path in inputs.values() if not path.exists()]
        if absent:
            message = f"{', '.join(absent)} is gone; nothing can be said about run {manifest.run}"
            raise ConfigurationError(message)
        values = plan.values[step.name]
        parts = step_parts(step, values, inputs, registry, notebook=_as_it_was(saved))
        names = differences(parts, record.parts)
        # What was handed over is judged by what it was made of, further up; see `_check`.
        changed |= dict.fromkeys(name for name in names if not name.startswith("input "))
    return list(changed)


def _check_all(  # noqa: PLR0913, PLR0917 - a run, where to repeat it, and how
    plan: Plan, folder: Path, scratch: Path, manifest: Manifest, progress: Progress, jobs: int
) -> list[StepCheck]:
    before = {step.name: plan.before(step) for step in plan.steps}
    steps, whole = {step.name: step for step in plan.steps}, Watch()
    found: dict[str, StepCheck] = {}

    def work(name: str) -> StepCheck:
        progress.begin(name)
        try:
            return _check(plan, steps[name], folder, scratch, _record(manifest, steps[name]), whole, progress)
        finally:
            progress.end(name)

    seconds = {record.name: record.seconds for record in manifest.steps}
    jobs = jobs or os.cpu_count() or 1
    with progress.of(plan.steps, before, seconds, jobs):
        interrupted = run_graph(
            before,
            work,
            good=lambda check: check.state in {REPRODUCED, KEPT},
            done=found.__setitem__,
            jobs=jobs,
            stop=whole.stop,
        )
    if interrupted:
        raise KeyboardInterrupt
    return [found[name] for name in steps if name in found]


def _check(  # noqa: PLR0913, PLR0917 - one step of it
    plan: Plan, step: Step, folder: Path, scratch: Path, record: StepRecord, whole: Watch, progress: Progress
) -> StepCheck:
    altered = [
        f"{name} is not what the run wrote: its content was changed since, or it is gone"
        for name, digest in record.artifacts.items()
        if not (folder / name).is_file() or content_digest(folder / name) != digest
    ]
    if not plan.reusable(step) and plan.kind == "chain":
        for name in record.artifacts:
            if (folder / name).is_file():
                shutil.copy2(folder / name, scratch / name)
        return StepCheck(step.name, DIFFERENT if altered else KEPT, altered)
    ready, output = scratch / "notebooks" / step.notebook.name, scratch / step.notebook.name
    _write_as_it_was(folder / record.notebook, ready)
    handed: dict[str, Any] = dict(plan.inputs(step, scratch))
    if any(parameter.name == RUN_FOLDER for parameter in step.parameters):
        handed[RUN_FOLDER] = scratch
    done = execute(
        ready,
        output,
        {**handed, **plan.values[step.name]},
        artifacts=tuple(scratch / name for name in record.artifacts),
        watch=Watch(stop=whole.stop),
        on_cell=lambda: progress.advance(step.name),
        folder=step.notebook.parent,
    )
    if done.outcome is not ExitCode.PASSED:
        return StepCheck(step.name, FAILED, [*altered, done.message], done.seconds, done.outcome)
    apart = _apart(plan, folder, scratch, record)
    # What a file that was altered has lost is said by the rows in which it differs from what came out now.
    differences_ = [redact(text) for text in [*altered, *apart]]
    state = DIFFERENT if differences_ else REPRODUCED
    return StepCheck(step.name, state, differences_, done.seconds, done.outcome)


def _apart(plan: Plan, folder: Path, scratch: Path, record: StepRecord) -> list[str]:
    from sta410kit.runner.comparison.artifacts import differences_of_files

    found = []
    for name in record.artifacts:
        if (folder / name).is_file():
            found += [f"{name}: {text}" for text in differences_of_files(folder / name, scratch / name)]
    if plan.kind == "notebook":
        cell = cell_apart(folder / record.notebook, scratch / record.notebook)
        found += (
            [f"cell {cell['cell']} ({cell['code']}): {text}" for text in cell["differences"]] if cell else []
        )
    return found


def _record(manifest: Manifest, step: Step) -> StepRecord:
    record = manifest.step(step.name)
    if record is None or not record.notebook:
        message = f"run {manifest.run} has no result of {step.name}"
        raise ConfigurationError(message)
    return record


def _as_it_was(path: Path) -> Notebook:
    """Return a saved notebook as it was before papermill put its cells in."""
    found = read_notebook(path)
    return replace(found, cells=tuple(cell for cell in found.cells if not {INJECTED, MARK} & set(cell.tags)))


def _write_as_it_was(path: Path, target: Path) -> None:
    import nbformat

    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    notebook.cells = [
        cell for cell in notebook.cells if not {INJECTED, MARK} & set(cell.metadata.get("tags", []))
    ]
    notebook.metadata.pop("papermill", None)
    target.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, target)  # type: ignore[no-untyped-call]


def _to_commit(manifest: Manifest) -> str:
    commit = manifest.git.get("commit")
    return f" (git checkout {commit[:10]})" if commit else ""


def print_verification(found: Verification) -> None:
    """Print what executing a run once more has shown; what differs goes to standard error."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    if found.changed:
        console.print(f"not as it was then: {', '.join(found.changed)}", style="yellow", markup=False)
    for check in found.checks:
        colour = {REPRODUCED: "green", KEPT: "dim"}.get(check.state, "red")
        why = ": its source may say something else today" if check.state == KEPT else ""
        console.print(f"{check.step}: {check.state}{why}", style=colour, markup=False)
        for text in check.differences:
            errors.print(f"  {check.step}: {text}", markup=False)
    if found.outcome is ExitCode.PASSED:
        console.print(f"run {found.run} is reproduced", style="bold green", markup=False)
    elif found.scratch is not None:
        console.print(f"what came out now is kept in {found.scratch}", markup=False)
