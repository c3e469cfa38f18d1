"""Reuse results of earlier runs: checked against their digests, linked instead of copied; and say why not."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from sta410kit._internal.atomic_files import replacing
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.identity import differences, identity_of, step_parts
from sta410kit.runner.manifest import StepRecord, manifests, read_manifest
from sta410kit.runner.notebook_pages import page_of
from sta410kit.runner.pipeline import Step
from sta410kit.runner.plan import Plan
from sta410kit.runner.reads import changed_reads
from sta410kit.runner.registry import Registry, content_digest
from sta410kit.runner.runs import DATA_DOCS


def find_result(identity: str, step: Step, runs: Path, registry: Registry) -> tuple[Path, StepRecord] | None:
    """Return the newest run folder that holds a valid result of this identity, and its record.

    A result does not count if its files are gone or altered, or if a file that it was made from has changed.
    """
    for name in registry.runs_with(identity):
        folder = runs / name
        try:
            record = read_manifest(folder).step(step.name)
        except ConfigurationError:
            continue
        if record is not None and is_valid(record, identity, step, folder, registry):
            return folder, record
    return None


def last_passed(step: Step, runs: Path) -> StepRecord | None:
    """Return the record of the newest run of the chain in which `step` passed."""
    records = (manifest.step(step.name) for _, manifest in manifests(runs, "chain"))
    return next((one for one in records if one is not None and one.passed), None)


def is_valid(record: StepRecord, identity: str, step: Step, folder: Path, registry: Registry) -> bool:
    """Tell whether the result in a run folder passed, is complete, and would come out the same today."""
    return (
        record.identity == identity
        and is_complete(record, folder, registry)
        and not changed_reads(record.reads, step.notebook, registry)
    )


def is_complete(record: StepRecord, folder: Path, registry: Registry) -> bool:
    """Tell whether a step passed and all it left in its run folder is there, unaltered."""
    return (
        record.passed
        and (folder / record.notebook).is_file()
        and all(_unchanged(folder / file, digest, registry) for file, digest in record.artifacts.items())
    )


def restore(record: StepRecord, source: Path, folder: Path) -> None:
    """Link a step's files from the run folder `source` into `folder`: artifacts, notebook, pages."""
    for name in [*record.artifacts, record.notebook]:
        _link(source / name, folder / name)
    pages = [page for page in [page_of(source / record.notebook)] if page.is_file()]
    pages += [*source.glob(f"{DATA_DOCS}/validations/*/{record.name}/*/*")]
    pages += [*source.glob(f"{DATA_DOCS}/expectations/*")]
    for page in pages:
        _link(page, folder / page.relative_to(source))


def altered_artifacts(records: Iterable[StepRecord], folder: Path, registry: Registry) -> list[str]:
    """Return the artifacts in a run folder that differ from what the steps of these records left."""
    return [
        f"{file} of step {record.name}"
        for record in records
        for file, digest in record.artifacts.items()
        if not _unchanged(folder / file, digest, registry)
    ]


def break_link(path: Path) -> None:
    """Break the hard link so that the notebook cannot modify the cached copy."""
    if path.stat().st_nlink > 1:
        with replacing(path) as aside:
            shutil.copy2(path, aside)


def _unchanged(path: Path, digest: str, registry: Registry) -> bool:
    try:
        return path.is_file() and registry.remembered(path, content_digest) == digest
    except OSError:  # removed at this moment, or unreadable
        return False


def _link(source: Path, target: Path) -> None:
    """Link a file: the kit changes none in place. For the inputs of notebooks see `break_link`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.part")
    aside.unlink(missing_ok=True)  # left by a run that was killed here
    try:
        os.link(source, aside)
        aside.replace(target)
        aside.unlink(missing_ok=True)  # a rename between two names of one file does nothing
    except OSError:  # another file system, or one without links
        shutil.copy2(source, aside)
        aside.replace(target)


def explain(plan: Plan) -> list[tuple[str, bool, str]]:
    """Return for each step its name, whether it would be executed, and why."""
    rows: list[tuple[str, bool, str]] = []
    will_run: set[str] = set()
    forced = plan.forced
    places: dict[str, Path] = {}
    with Registry(plan.runs, make=False) as registry:
        for step in plan.steps:
            upstream = sorted(plan.before(step) & will_run)
            reason = _why_always(plan, step, forced)
            if not reason and upstream:
                reason = f"after {', '.join(upstream)}, if its result changes"
            if not reason:
                inputs = {name: places[name] for name in step.needs}
                parts = step_parts(step, plan.values[step.name], inputs, registry)
                found = find_result(identity_of(parts), step, plan.runs, registry)
                if found is not None:
                    places |= {name: found[0] / file for name, file in step.produces.items()}
                    rows.append((step.name, False, f"unchanged since {found[1].reused or found[0].name}"))
                    continue
                last = last_passed(step, plan.runs)
                reason = "it has never passed"
                if last is not None:
                    changed = differences(parts, last.parts)
                    changed = changed or changed_reads(last.reads, step.notebook, registry)
                    gone = "its earlier result is gone or was altered"
                    reason = f"changed: {', '.join(changed)}" if changed else gone
            will_run.add(step.name)
            rows.append((step.name, True, reason))
    return rows


def _why_always(plan: Plan, step: Step, forced: set[str]) -> str:
    if plan.options.fresh:
        return "--fresh"
    if step.name in forced:
        return f"--from {plan.options.first}"
    if plan.kind != "chain":
        return "a single notebook always runs"
    return "" if plan.reusable(step) else "its source may return new data"
