"""Run the chain as a graph: steps that have changed are executed, results of the others are reused."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from filelock import FileLock, Timeout

from sta410kit._internal.project import project_folder
from sta410kit._internal.redaction import registered
from sta410kit._internal.secret_files import files_with_secrets, found_message, redact_log
from sta410kit.config import load_config, set_config
from sta410kit.exceptions import ConfigurationError, NotebookError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.execute import kit_exception
from sta410kit.runner.identity import identity_of, step_parts
from sta410kit.runner.limits import Watch
from sta410kit.runner.manifest import Manifest, StepRecord, begin, manifests, now, read_manifest
from sta410kit.runner.notebook import read_notebook, require_kernel
from sta410kit.runner.notebook_pages import Pages, page_of
from sta410kit.runner.notebook_redaction import redact_notebook_file
from sta410kit.runner.parameters import plain
from sta410kit.runner.plan import Options, Plan, plan_chain
from sta410kit.runner.progress import Progress
from sta410kit.runner.registry import Registry
from sta410kit.runner.report import write_report
from sta410kit.runner.results import run_results
from sta410kit.runner.reuse import is_valid
from sta410kit.runner.run_log import RunLog
from sta410kit.runner.runs import DATA_DOCS, LOCK, MANIFEST, folder_errors, new_run, runs_folder
from sta410kit.runner.schedule import run_graph
from sta410kit.runner.scorecard import log_forecasts
from sta410kit.runner.steps import Site, do_step
from sta410kit.runner.warm.client import warm_up

_RESUME = "sta410 run --resume"
_ASKED = ("fresh", "first", "last", "session")  # options that a resumed run keeps


@dataclass(frozen=True)
class Run:
    """A finished run."""

    folder: Path  # ``runs/<id>``: executed notebooks, artifacts, data docs, manifest and report
    manifest: Manifest

    @property
    def outcome(self) -> ExitCode:
        """How the run ended: the first failed step's trouble, or ``PASSED``."""
        return ExitCode[self.manifest.outcome]

    @property
    def steps(self) -> list[StepRecord]:
        """The steps that were executed or reused, in the order of the chain."""
        return self.manifest.steps

    def require_passed(self) -> None:
        """Raise what ended the run; nothing when it has passed."""
        if self.outcome is ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        for step in self.steps:
            if step.failure.get("of_the_kit"):
                raise kit_exception(step.failure["error"])(step.failure["text"])
            if not step.passed:
                where = self.folder / step.notebook
                message = f"{step.name}: {step.message} [{step.outcome}; executed notebook: {where}]"
                raise NotebookError(message)


def run_plan(plan: Plan, progress: Progress) -> Run:
    """Execute a plan; where nothing would come out differently, return the newest run as it is."""
    _prepare(plan)
    with Registry(plan.runs) as registry:
        same = _unchanged_run(plan, registry)
        if same is not None:
            return same
        warm_up("pyarrow.compute", "pyarrow.parquet", "nbformat", "jinja2")  # while the first step runs
        folder = new_run(plan.runs)
        resume = _RESUME if plan.kind == "chain" else ""
        with folder_errors(folder, resume), FileLock(folder / LOCK):
            return _finish(plan, folder, _begin(plan, folder, [], registry), registry, progress)


def resume_run(project: Path, options: Options, progress: Progress) -> Run | None:
    """Go on with the newest run of the chain; nothing when it has passed or there is none."""
    for folder, manifest in manifests(runs_folder(project), "chain"):
        if manifest.passed:
            return None
        try:
            with folder_errors(folder, _RESUME), FileLock(folder / LOCK, timeout=0):
                latest = read_manifest(folder)  # by now another process may have finished it
                if latest.passed:
                    return None
                plan = plan_chain(project, latest.given, replace(options, **_as_asked(latest, options)))
                _prepare(plan)
                again = plan.after(options.first) if options.first else set()
                passed = [one for one in latest.steps if one.passed]
                passed = [one for one in passed if one.name not in again]
                with Registry(plan.runs) as registry:
                    return _finish(plan, folder, _begin(plan, folder, passed, registry), registry, progress)
        except Timeout as error:
            message = f"{folder} is still running; wait for it, or start a run of its own: sta410 run"
            raise ConfigurationError(message) from error
    return None


def _as_asked(manifest: Manifest, options: Options) -> dict[str, Any]:
    """Return which steps a run was to have, and whether afresh; what is asked for now wins."""
    before = {name: manifest.options.get(name) for name in _ASKED}
    return {name: getattr(options, name) or value for name, value in before.items() if value}


def _prepare(plan: Plan) -> None:
    """Refuse a missing kernel or a wrong configuration before anything runs; learn the secrets to redact."""
    for step in plan.steps:
        require_kernel(read_notebook(step.notebook), step.notebook.name)
    set_config(load_config(os.environ, project_folder(plan.steps[0].notebook.parent)))


def _unchanged_run(plan: Plan, registry: Registry) -> Run | None:
    """Return the newest chain when it passed and every step of the plan would come out as it did there."""
    if plan.forced or not all(plan.reusable(step) for step in plan.steps):
        return None
    newest = next(manifests(plan.runs, "chain"), None)
    if newest is None:
        return None
    folder, manifest = newest
    same = [one.name for one in manifest.steps] == [step.name for step in plan.steps]
    # A run that was made for another night is not this night's.
    same &= plan.options.session in {"", manifest.options.get("session")}
    if not manifest.passed or not same:
        return None
    for step, record in zip(plan.steps, manifest.steps, strict=True):
        inputs = plan.inputs(step, folder)
        if not all(path.is_file() for path in inputs.values()):
            return None
        identity = identity_of(step_parts(step, plan.values[step.name], inputs, registry))
        if not is_valid(record, identity, step, folder, registry):
            return None
    manifest.steps = [replace(record, reused=record.reused or folder.name) for record in manifest.steps]
    return Run(folder, manifest)


def _begin(plan: Plan, folder: Path, passed: list[StepRecord], registry: Registry) -> Manifest:
    """Write the manifest of a run that begins; what has `passed` in this folder before stays on record."""
    manifest = new_manifest(plan, folder, passed)
    begin(manifest, folder, registry)
    return manifest


def new_manifest(plan: Plan, folder: Path, passed: list[StepRecord]) -> Manifest:
    """Return the manifest of a run of a plan with what has `passed` in its folder before."""
    return Manifest(
        run=folder.name,
        kind=plan.kind,
        title=plan.title,
        given=plan.given,
        options={name: getattr(plan.options, name) for name in _ASKED},
        parameters={
            step: {name: plain(value) for name, value in values.items()}
            for step, values in plan.values.items()
        },
        steps=passed,
        not_run=[step.name for step in plan.steps if step.name not in {one.name for one in passed}],
    )


def _finish(plan: Plan, folder: Path, manifest: Manifest, registry: Registry, progress: Progress) -> Run:
    """Do every step, then write the report and the end of the manifest."""
    by_name = {step.name: step for step in plan.steps}
    log = RunLog(folder)
    log.say(f"begins as process {os.getpid()}" + (", resumed" if manifest.steps else ""))
    passed = {record.name: record for record in manifest.steps}
    site = Site(plan, folder, registry, progress, log, passed)
    options, whole, known, pages = plan.options, Watch(), registered(), Pages()
    deadline = monotonic() + options.deadline if options.deadline else None

    def work(name: str) -> StepRecord:
        watch = Watch(options.timeout, options.memory, deadline, whole.stop)
        return do_step(site, by_name[name], watch)

    def done(_: str, record: StepRecord) -> None:
        add_record(site, manifest, record)
        if len(manifest.not_run) == 1:  # beside the last step, and in one child
            pages.write(_notebooks(folder, manifest))

    before = {step.name: plan.before(step) for step in plan.steps}
    with progress.of(plan.steps):
        interrupted = run_graph(
            before,
            work,
            good=lambda record: record.passed,
            done=done,
            jobs=max(2, os.cpu_count() or 1),
            stop=whole.stop,
        )
    pages.write(_notebooks(folder, manifest))
    return close_run(folder, manifest, log, known, pages, interrupted=interrupted)


def _notebooks(folder: Path, manifest: Manifest) -> list[Path]:
    return [folder / record.notebook for record in manifest.steps if record.notebook]


def add_record(site: Site, manifest: Manifest, record: StepRecord) -> None:
    """Put a step that has ended on record."""
    site.done[record.name] = record
    order = [step.name for step in site.plan.steps]
    others = [one for one in manifest.steps if one.name in order and one.name != record.name]
    manifest.steps = sorted([*others, record], key=lambda one: order.index(one.name))
    manifest.not_run = [other for other in manifest.not_run if other != record.name]
    manifest.write(site.folder)


def close_run(  # noqa: PLR0913 - what a run has
    folder: Path,
    manifest: Manifest,
    log: RunLog,
    known: frozenset[str],
    pages: Pages | None = None,
    *,
    interrupted: bool,
) -> Run:
    """Write the end of a run: its outcome, results, report and manifest."""
    if registered() != known:
        if pages is not None:
            pages.finish()
        _look_again(folder, manifest)
    bad = [ExitCode[record.outcome] for record in manifest.steps if not record.passed]
    outcome = ExitCode.INTERRUPTED if interrupted else next(iter(bad), ExitCode.PASSED)
    manifest.outcome, manifest.exit_code, manifest.finished = outcome.name, int(outcome), now()
    manifest.results, manifest.warnings = run_results(folder, manifest.steps)
    manifest.warnings += filter(None, [manifest.ends_early])
    if manifest.kind == "chain" and outcome is ExitCode.PASSED:
        log_forecasts(folder, manifest)
    log.say(f"ends: {outcome.name}, exit code {int(outcome)}")
    if (folder / DATA_DOCS).is_dir():
        from sta410kit.guards.data_docs import refresh_index

        refresh_index(folder / DATA_DOCS)  # pages of reused steps are in it too
    if pages is not None:
        pages.finish()
    write_report(folder, manifest)
    manifest.write(folder)
    return Run(folder, manifest)


def _look_again(folder: Path, manifest: Manifest) -> None:
    """Look through the folder for values that a later step registered: redact logs and pages, fail steps."""
    for record in manifest.steps:
        if record.notebook:
            page_of(folder / record.notebook).unlink(missing_ok=True)
            found = redact_notebook_file(folder / record.notebook)
            record.warnings = list(dict.fromkeys([*record.warnings, *found]))
    for name in files_with_secrets(folder):
        if name.startswith(f"{DATA_DOCS}/") or name.endswith((".log", ".ipynb.html")):
            redact_log(folder / name)
        elif name != MANIFEST and manifest.steps:
            owner = next((one for one in manifest.steps if name in one.artifacts), manifest.steps[-1])
            owner.outcome, owner.message = ExitCode.SECRET_FOUND.name, found_message([name])
