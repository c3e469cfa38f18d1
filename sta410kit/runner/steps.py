"""One step of a run: its result is reused from an earlier run, or it is executed."""

import traceback
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sta410kit._internal.secret_files import files_with_secrets, found_message
from sta410kit.exceptions import STA410Exception
from sta410kit.exit_codes import ExitCode
from sta410kit.holdout import current_seal
from sta410kit.runner.execute import KERNEL_LOG, execute
from sta410kit.runner.identity import identity_of, step_parts
from sta410kit.runner.limits import Watch
from sta410kit.runner.manifest import DIFF, StepRecord, now
from sta410kit.runner.notebook_pages import page_of
from sta410kit.runner.pipeline import Step
from sta410kit.runner.plan import Plan
from sta410kit.runner.postconditions import gate_outcome, refused_gates
from sta410kit.runner.progress import Progress
from sta410kit.runner.reads import record_reads
from sta410kit.runner.registry import Registry, content_digest
from sta410kit.runner.results import data_coverage, parameter_values
from sta410kit.runner.reuse import altered_artifacts, break_link, find_result, is_valid, restore
from sta410kit.runner.run_log import NAME as LOG
from sta410kit.runner.run_log import RunLog
from sta410kit.runner.runs import DATA_DOCS, MANIFEST


@dataclass(frozen=True)
class Site:
    """What the steps of a run share: its plan, folder, log and progress bar, and the index of earlier runs.

    `passed` holds the steps that passed in this folder before, when the run is resumed; `done` those that
    have ended by now. `shared` names the run of the same sweep that has each step with the same parameters.
    """

    plan: Plan
    folder: Path
    registry: Registry
    progress: Progress
    log: RunLog
    passed: dict[str, StepRecord] = field(default_factory=dict)
    done: dict[str, StepRecord] = field(default_factory=dict)
    shared: "dict[str, Site]" = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The run as the index knows it: its folder below ``runs/``."""
        return self.folder.relative_to(self.plan.runs).as_posix()

    @property
    def log_names(self) -> set[str]:
        """The logs that the processes of steps write themselves; each is redacted when its step has ended."""
        return {step.notebook.with_suffix(KERNEL_LOG).name for step in self.plan.steps}


def do_step(site: Site, step: Step, watch: Watch) -> StepRecord:
    """Bring the result of `step` into the run folder and return its record, for every outcome."""
    began = now()
    try:
        record = _do(site, step, watch)
    except STA410Exception as error:
        text = f"{type(error).__name__}: {error}"
        record = StepRecord(step.name, error.exit_code.name, message=text, started=began)
    except OSError as error:
        text = f"the run folder cannot be used: {error}"
        record = StepRecord(step.name, ExitCode.NOTEBOOK_FAILED.name, message=text, started=began)
    except Exception as error:  # noqa: BLE001 - an ending, so that the run gets its manifest and report
        site.log.say("".join(traceback.format_exception(error)), step.name)
        text = f"{type(error).__name__}: {error}; more in run.log"
        record = StepRecord(step.name, ExitCode.INTERNAL.name, message=text, started=began)
    how = f"unchanged, from run {record.reused}" if record.reused else f"{record.seconds:.1f} s"
    site.log.say(f"{record.outcome} ({how}) {record.message}", step.name)
    for text in record.warnings:
        site.log.say(f"warning: {text}", step.name)
    return record


def _do(site: Site, step: Step, watch: Watch) -> StepRecord:
    plan, folder, registry = site.plan, site.folder, site.registry
    inputs = plan.inputs(step, folder)
    parts = step_parts(step, plan.values[step.name], inputs, registry)
    identity = identity_of(parts)
    kept = _kept(site, step, identity)
    if kept is not None:
        site.progress.skip(step.name)
        return kept
    site.log.say("begins", step.name)
    with site.progress.running(step.name):
        record = _execute(site, step, inputs, watch)
    if current_seal(step.notebook.parent).state != parts["holdout"]:
        # Which of the two it has seen is unknown, so it is never reused.
        parts["holdout"] = f"opened or sealed while it ran, in {folder.name}"
        identity = identity_of(parts)
    record.parts, record.identity = parts, identity
    site.log.notebook_said(folder / record.notebook, step.name)
    if record.passed and plan.kind == "chain":
        registry.passed(identity, site.name)
    return record


def _kept(site: Site, step: Step, identity: str) -> StepRecord | None:
    """Return the record of a result that can be reused: this folder's, or that of an earlier run."""
    plan, folder, registry = site.plan, site.folder, site.registry
    earlier = site.passed.get(step.name)
    if earlier is not None and is_valid(earlier, identity, step, folder, registry):
        return replace(earlier, reused=earlier.reused or site.name)
    found = _shared(site, step, identity)
    if found is None and plan.reusable(step) and step.name not in plan.forced:
        found = find_result(identity, step, plan.runs, registry)
    if found is None:
        return None
    source, earlier = found
    try:
        restore(earlier, source, folder)
    except OSError:  # the earlier run was removed a moment ago
        return None
    # Noted for this run too: the earlier one may be pruned, and what it left lives on here.
    registry.passed(identity, site.name)
    return replace(earlier, reused=earlier.reused or source.relative_to(plan.runs).as_posix())


def _shared(site: Site, step: Step, identity: str) -> tuple[Path, StepRecord] | None:
    """Return the result of the run that shares `step`: a live source is asked once in a sweep."""
    other = site.shared.get(step.name)
    record = other.done.get(step.name) if other else None
    if other is None or record is None or not is_valid(record, identity, step, other.folder, site.registry):
        return None
    return other.folder, record


def _execute(site: Site, step: Step, inputs: dict[str, Path], watch: Watch) -> StepRecord:
    folder, given = site.folder, site.plan.values[step.name]
    handed = site.plan.handed(step, folder)
    made = [folder / file for file in step.produces.values()]
    for path in made:  # left by an earlier try in this folder
        path.unlink(missing_ok=True)
    for path in inputs.values():
        break_link(path)
    began = datetime.now(UTC)
    record = execute(
        step.notebook,
        folder / step.notebook.name,
        # What was typed wins, for a notebook run alone may be given another run folder.
        {**handed, **given},
        on_cell=site.progress.advance,
        artifacts=tuple(made),
        watch=watch,
    )
    left = [path for path in made if path.is_file()] if site.plan.kind == "chain" else _files_in(folder, site)
    if record.passed:
        record.outcome, record.message = _judged(site, step, began)
    others = [one for one in site.plan.steps if one is not step]
    pages = {page_of(one.notebook).name for one in site.plan.steps}  # `close_run` redacts them
    ignore = {*(file for one in others for file in one.produces.values()), *site.log_names, *pages}
    leaked = files_with_secrets(folder, since=began.timestamp(), ignore=ignore)
    if leaked and record.outcome != ExitCode.INTERRUPTED.name:
        before = f". Before that: {record.message}" if record.message else ""
        record.outcome, record.message = ExitCode.SECRET_FOUND.name, found_message(leaked) + before
    record.parameters = parameter_values((one for one in step.parameters if one.name not in handed), given)
    record.data = _coverage(left)
    record.artifacts = {path.relative_to(folder).as_posix(): content_digest(path) for path in left}
    record.started = began.isoformat(timespec="milliseconds")
    if record.reads is not None:
        runs, begun = site.plan.runs, began.timestamp()
        record.reads = record_reads(record.reads, step.notebook, runs, begun, site.registry)
    return record


def _files_in(folder: Path, site: Site) -> list[Path]:
    """Return the files that a single notebook wrote into its run folder; it declares no artifacts."""
    own = [step.notebook for step in site.plan.steps]
    own += [page_of(path) for path in own]
    kits = {MANIFEST, DIFF, LOG, *(path.name for path in own), *site.log_names}
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name not in kits
        and not path.name.startswith(".")
        and DATA_DOCS not in path.relative_to(folder).parts
    ]


def _coverage(made: list[Path]) -> dict[str, dict[str, Any]]:
    """Return the data coverage of the Parquet files among the artifacts, by file name."""
    found = {path.name: data_coverage(path) for path in made if path.suffix == ".parquet"}
    return {name: coverage for name, coverage in found.items() if coverage is not None}


def _judged(site: Site, step: Step, began: datetime) -> tuple[str, str]:
    """Return outcome and message of a step whose notebook passed, by what it did to the rest of the run."""
    refused = refused_gates(site.folder / DATA_DOCS, step.name, (one.name for one in site.plan.steps), began)
    if refused:
        return gate_outcome(refused)
    lost = ", ".join(altered_artifacts(site.done.copy().values(), site.folder, site.registry))
    if lost:
        message = f"while it ran, {lost} was changed or removed; a step writes only what it produces"
        return ExitCode.NOTEBOOK_FAILED.name, message
    return ExitCode.PASSED.name, ""
