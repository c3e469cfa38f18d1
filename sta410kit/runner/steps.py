"""One step of a run: its result is taken over from an earlier run, or it is executed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sta410kit.holdout import current_seal
from sta410kit.outcomes import ExitCode
from sta410kit.runner.execute import execute
from sta410kit.runner.identity import identity_of, step_parts
from sta410kit.runner.manifest import StepRecord
from sta410kit.runner.pipeline import RUN_FOLDER
from sta410kit.runner.registry import content_digest
from sta410kit.runner.reuse import find_result, take_over

if TYPE_CHECKING:
    from pathlib import Path

    from sta410kit.runner.limits import Watch
    from sta410kit.runner.pipeline import Step
    from sta410kit.runner.plan import Plan
    from sta410kit.runner.progress import Progress
    from sta410kit.runner.registry import Registry


@dataclass(frozen=True)
class Site:
    """Where steps are done: the plan, the run's folder, the index of earlier runs, and who watches."""

    plan: Plan
    folder: Path
    registry: Registry
    progress: Progress


def do_step(site: Site, step: Step, watch: Watch) -> StepRecord:
    """Bring the result of `step` into the run folder and return how that ended."""
    plan, folder, registry, progress = site.plan, site.folder, site.registry, site.progress
    inputs = plan.inputs(step, folder)
    parts = step_parts(step, plan.values[step.name], inputs, registry)
    if plan.reusable(step) and step.name not in plan.forced:
        found = find_result(identity_of(parts), step.name, plan.runs, registry)
        if found is not None:
            source, earlier = found
            take_over(earlier, source, folder)
            progress.skip(step.name)
            return replace(earlier, reused=earlier.reused or source.name)
    progress.begin(step.name)
    record = _execute(site, step, inputs, watch)
    progress.end(step.name)
    if current_seal(step.notebook.parent).state != parts["holdout"]:
        # Nobody knows which of the two it has seen, so it stands for neither.
        parts["holdout"] = f"opened or sealed while it ran, in {folder.name}"
    record.parts, record.identity = parts, identity_of(parts)
    if record.outcome == ExitCode.PASSED.name and plan.kind == "chain":
        registry.passed(record.identity, step.name, folder.name, parts)
    return record


def _execute(site: Site, step: Step, inputs: dict[str, Path], watch: Watch) -> StepRecord:
    folder, given = site.folder, site.plan.values[step.name]
    handed: dict[str, Any] = dict(inputs)
    if any(parameter.name == RUN_FOLDER for parameter in step.parameters):
        handed[RUN_FOLDER] = folder
    made = [folder / file for file in step.produces.values()]
    for path in made:  # left by an earlier try in this folder
        path.unlink(missing_ok=True)
    result = execute(
        step.notebook,
        folder / step.notebook.name,
        # What was typed wins, for a notebook run alone may be told its own run folder.
        {**handed, **given},
        on_cell=site.progress.advance,
        artifacts=tuple(made),
        watch=watch,
    )
    return StepRecord(
        name=step.name,
        outcome=result.outcome.name,
        seconds=round(result.seconds, 3),
        message=result.message,
        notebook=result.notebook.name,
        peak_memory=result.peak_memory,
        warnings=list(result.warnings),
        artifacts={path.name: content_digest(path) for path in made if path.is_file()},
    )
