"""Execute a run once more and compare the results.

The notebooks are those saved with the run, so editing them since does no harm, and they get the run's
parameters. Packages, settings, modules and data are the current ones, and must be what they were.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sta410kit._internal.project import project_folder
from sta410kit._internal.redaction import redact
from sta410kit.config import load_config, set_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.research.ledger import FILE as LEDGER
from sta410kit.research.ledger import VARIABLE, Ledger
from sta410kit.runner.comparison.runs import compare_results
from sta410kit.runner.execute import execute
from sta410kit.runner.identity import code_parts, differences, step_parts
from sta410kit.runner.manifest import Manifest, StepRecord, read_manifest
from sta410kit.runner.notebook import INJECTED, Notebook, parameters_of, read_notebook, tags_of
from sta410kit.runner.parameters import check_parameters
from sta410kit.runner.pipeline import Step, check_chain_parameters
from sta410kit.runner.plan import Options, Plan, plan_chain, plan_notebook
from sta410kit.runner.progress import Progress
from sta410kit.runner.reads import changed_reads
from sta410kit.runner.registry import Registry, content_digest
from sta410kit.runner.runs import is_running
from sta410kit.runner.terminal import say

REPRODUCED, DIFFERENT, FAILED, KEPT = "reproduced", "different", "failed", "not executed"
_GOOD = {REPRODUCED, KEPT}
_NO_RESULTS = "it left no artifact and recorded no value, so only that it still runs was checked"


@dataclass(frozen=True)
class StepCheck:
    """The outcome of executing one step once more."""

    # its name; ``reproduced``, ``different``, ``failed`` or ``not executed``
    step: str
    state: str
    differences: list[str] = field(default_factory=list)  # where its results differ, or why it failed
    note: str = ""  # why it was not executed, or that there was nothing to compare
    seconds: float = 0.0  # wall-clock time of this execution


@dataclass(frozen=True)
class Verification:
    """The outcome of verifying a run."""

    run: str
    checks: list[StepCheck]  # one per step, up to the first that differs
    changed: list[str]  # what the results depend on and has changed since; only with ``anyway``
    scratch: Path | None  # the folder of the new results, kept if something differs

    @property
    def outcome(self) -> ExitCode:
        """``PASSED``, or ``NOT_REPRODUCED`` if a step differs or failed."""
        good = all(check.state in _GOOD for check in self.checks)
        return ExitCode.PASSED if good else ExitCode.NOT_REPRODUCED

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "run": self.run,
            "outcome": self.outcome.name,
            "exit_code": int(self.outcome),
            "steps": [asdict(check) for check in self.checks],
            "changed": self.changed,
            "scratch": str(self.scratch) if self.scratch else None,
        }


def verify_run(folder: Path, progress: Progress, *, anyway: bool = False) -> Verification:
    """Execute the run in `folder` once more, in a scratch folder beside it, and compare the results.

    Recorded values and artifacts must be equal, see `compare_results`. A step that recorded the moment as of
    which it read the store of prices reads what was stored then; the artifacts of a step with another live
    source are copied. The first difference ends the verification.
    """
    manifest = read_manifest(folder)
    plan = _plan(folder, manifest)
    set_config(load_config(os.environ, project_folder(plan.steps[0].notebook.parent)))
    with Registry(plan.runs) as registry:
        changed = _changed(plan, folder, manifest, registry)
    if changed and not anyway:
        commit = manifest.git.get("commit")
        message = (
            f"run {manifest.run} cannot be verified because these have changed: {', '.join(changed)}. "
            f"Restore them{f' (git checkout {commit[:10]})' if commit else ''}, or verify it all the same: "
            f"sta410 verify {manifest.run} --anyway"
        )
        raise ConfigurationError(message)
    scratch = Path(tempfile.mkdtemp(prefix=".verify-", dir=folder.parent))
    found: list[StepCheck] = []
    try:
        # Trials are counted in a copy of the ledger as the verdict saw it, or as it was when the run ended.
        counted = manifest.results.get("verdict", {}).get("evidence", {}).get("newest_trial")
        ledger = Ledger(folder.parent / LEDGER.name).copy_as_of(
            manifest.last_end, scratch / LEDGER.name, counted
        )
        with progress.of(plan.steps):
            for step, record in zip(plan.steps, manifest.steps, strict=True):
                with progress.running(step.name):
                    found.append(
                        _check(plan, step, folder, scratch, record, progress, {VARIABLE: str(ledger)})
                    )
                if found[-1].state not in _GOOD:
                    break
    finally:
        if all(check.state in _GOOD for check in found):
            shutil.rmtree(scratch, ignore_errors=True)
    return Verification(manifest.run, found, changed, scratch if scratch.exists() else None)


def _plan(folder: Path, manifest: Manifest) -> Plan:
    """Return the plan of the run, with its steps as the project declares them today."""
    if is_running(folder):
        message = f"run {manifest.run} is still running; wait for it to end"
        raise ConfigurationError(message)
    if manifest.kind not in {"chain", "notebook"}:
        message = f"run {manifest.run} is a {manifest.kind}; only chains and notebooks can be verified"
        raise ConfigurationError(message)
    if not manifest.passed:
        message = f"run {manifest.run} has not passed ({manifest.outcome}); there is nothing to reproduce"
        raise ConfigurationError(message)
    if manifest.kind == "notebook":
        plan = plan_notebook(Path(manifest.title), {}, Options())
    else:
        plan = plan_chain(folder.parent.parent, {}, Options())
    steps = {step.name: step for step in plan.steps}
    gone = [record.name for record in manifest.steps if record.name not in steps]
    if gone:
        message = f"the pipeline no longer has the step {', '.join(gone)} of run {manifest.run}"
        raise ConfigurationError(message)
    files = [folder / record.notebook for record in manifest.steps]
    files += [path for record in manifest.steps for path in plan.inputs(steps[record.name], folder).values()]
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        message = f"{', '.join(missing)} is gone; run {manifest.run} cannot be verified"
        raise ConfigurationError(message)
    # The parameters that the notebooks declared when they were executed.
    plan.steps = [
        replace(steps[record.name], parameters=tuple(parameters_of(_executed(folder, record))))
        for record in manifest.steps
    ]
    plan.runs, plan.given = folder.parent, manifest.given
    if manifest.kind == "notebook":
        (step,) = plan.steps
        plan.values = {step.name: check_parameters(manifest.given, step.parameters, step.notebook)}
    else:
        plan.values = check_chain_parameters(manifest.given, plan.steps)
    return plan


def _changed(plan: Plan, folder: Path, manifest: Manifest, registry: Registry) -> list[str]:
    """Return what the results depend on and has changed, other than the notebooks, which are saved."""
    changed: dict[str, None] = {}
    for step, record in zip(plan.steps, manifest.steps, strict=True):
        notebook = _executed(folder, record)
        if code_parts(notebook)["code"] != record.parts.get("code"):
            message = (
                f"{folder / record.notebook} is not what was executed; run {manifest.run} cannot be verified"
            )
            raise ConfigurationError(message)
        parts = step_parts(step, plan.values[step.name], plan.inputs(step, folder), registry, notebook)
        names = differences(parts, record.parts)
        names += changed_reads(record.reads, step.notebook, registry) if record.reads else []
        # An altered artifact of the run is found when it is compared, see `_check`.
        changed |= dict.fromkeys(name for name in names if not name.startswith("input "))
    return list(changed)


def _check(  # noqa: PLR0913, PLR0917 - a step, where it was executed, and where it is repeated
    plan: Plan,
    step: Step,
    folder: Path,
    scratch: Path,
    record: StepRecord,
    progress: Progress,
    environment: Mapping[str, str],
) -> StepCheck:
    altered = [
        f"{name} is gone, or was changed after the run"
        for name, digest in record.artifacts.items()
        if not (folder / name).is_file() or content_digest(folder / name) != digest
    ]
    moment = {"as_of": record.recorded["as_of"]} if "as_of" in record.recorded else {}
    if not plan.reusable(step) and plan.kind == "chain" and not moment:
        for name in record.artifacts:
            if (folder / name).is_file():
                shutil.copy2(folder / name, scratch / name)
        note = "its source may return other data today"
        return StepCheck(step.name, DIFFERENT if altered else KEPT, altered, note)
    output = scratch / step.notebook.name
    done = execute(
        folder / record.notebook,
        output,
        {**plan.handed(step, scratch), **plan.values[step.name], **moment},
        artifacts=tuple(scratch / name for name in record.artifacts),
        on_cell=progress.advance,
        folder=step.notebook.parent,
        environment=environment,
    )
    if done.outcome == ExitCode.INTERRUPTED.name:
        raise KeyboardInterrupt
    if not done.passed:
        return StepCheck(step.name, FAILED, [*altered, done.message], seconds=done.seconds)
    artifacts = dict.fromkeys(record.artifacts, "")
    repeated = replace(record, notebook=output.name, recorded=done.recorded, artifacts=artifacts)
    found = [redact(str(one)) for one in compare_results(folder, record, scratch, repeated)]
    note = "" if record.artifacts or record.recorded else _NO_RESULTS
    state = DIFFERENT if altered or found else REPRODUCED
    return StepCheck(step.name, state, [*altered, *found], note, done.seconds)


def _executed(folder: Path, record: StepRecord) -> Notebook:
    """Return the notebook of a step as it was executed, without the cell of injected parameters."""
    found = read_notebook(folder / record.notebook)
    found.content["cells"] = [cell for cell in found.cells if INJECTED not in tags_of(cell)]
    return found


def print_verification(found: Verification) -> None:
    """Print the outcome of each step; differences go to standard error."""
    if found.changed:
        say(f"changed since the run: {', '.join(found.changed)}", "yellow")
    for check in found.checks:
        colour = {REPRODUCED: "green", KEPT: "dim"}.get(check.state, "red")
        say(f"{check.step}: {check.state}{f': {check.note}' if check.note else ''}", colour)
        for text in check.differences:
            say(f"  {text}", err=True)
    if found.outcome is ExitCode.PASSED:
        say(f"run {found.run} is reproduced", "bold green")
    elif found.scratch is not None:
        say(f"first: run {found.run}; second: this execution, kept in {found.scratch}")
