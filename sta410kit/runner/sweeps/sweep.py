"""Sweep: execute a notebook or the chain with every combination of some parameters, each in its own folder.

A unit's result is in its folder once it has ended (``units/0001/unit.json``). The manifest is written at the
start and at the end, so a sweep that was killed at any moment can be resumed with the units that are missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.project import MARKER, project_folder
from sta410kit._internal.redaction import redact
from sta410kit._internal.secret_files import files_with_secrets, found_message
from sta410kit._internal.text import pluralize
from sta410kit.config import load_config, set_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.execute import execute
from sta410kit.runner.identity import file_parts, named_paths
from sta410kit.runner.limits import Watch
from sta410kit.runner.manifest import (
    RECORD,
    UNITS,
    Manifest,
    StepRecord,
    begin,
    manifests,
    now,
    read_units,
)
from sta410kit.runner.notebook import python_cells, read_notebook
from sta410kit.runner.parameters import plain
from sta410kit.runner.pipeline import RUN_FOLDER
from sta410kit.runner.registry import Registry, content_digest
from sta410kit.runner.runs import LOCK, folder_errors, new_run, runs_folder
from sta410kit.runner.schedule import run_graph
from sta410kit.runner.sweeps.chains import run_chains
from sta410kit.runner.sweeps.plan import SweepOptions, SweepPlan, plan_chain_sweep, plan_sweep
from sta410kit.runner.sweeps.results import CHAIN, Sweep, write_results
from sta410kit.runner.warm.client import warm_up

if TYPE_CHECKING:
    from collections.abc import Sequence

KIND = "sweep"
_RESUME = "sta410 sweep --resume"


# Executes a unit: the notebook, its values, where the executed copy goes, and its limits.
Execute = Callable[[Path, Mapping[str, Any], Path, Watch], StepRecord]


def run_sweep(plan: SweepPlan, options: SweepOptions, on_unit: Callable[[StepRecord], None]) -> Sweep:
    """Execute a sweep in a run folder of its own."""
    folder = new_run(plan.runs)
    with folder_errors(folder, _RESUME), FileLock(folder / LOCK):
        return _run(plan, options, folder, [], on_unit)


def resume_sweep(
    found: tuple[Path, Manifest], options: SweepOptions, on_unit: Callable[[StepRecord], None]
) -> Sweep:
    """Execute those units of an earlier sweep, see `unfinished_sweep`, that have not passed."""
    folder, manifest = found
    swept, source = manifest.results["sweep"], Path(manifest.results["sweep"]["notebook"])
    plan = (
        plan_chain_sweep(project_folder(source.parent), swept["grid"], swept["fixed"])
        if source.name == MARKER.name
        else plan_sweep(source, swept["grid"], swept["fixed"])
    )
    try:
        with folder_errors(folder, _RESUME), FileLock(folder / LOCK, timeout=0):
            return _run(plan, options, folder, read_units(folder), on_unit)
    except Timeout as error:
        message = f"{folder} is still running; wait for it, or start a sweep of its own"
        raise ConfigurationError(message) from error


def unfinished_sweep(
    start: Path, notebook: Path | None, grid: Mapping[str, Sequence[str]], fixed: Mapping[str, str]
) -> tuple[Path, Manifest] | None:
    """Return folder and manifest of the newest sweep, if it has not passed."""
    for folder, manifest in manifests(runs_folder(start), KIND):
        swept = manifest.results["sweep"]
        if notebook is not None and Path(swept["notebook"]) != notebook.absolute():
            continue
        if (grid or fixed) and (swept["grid"], swept["fixed"]) != (dict(grid), dict(fixed)):
            continue
        return None if manifest.passed else (folder, manifest)
    return None


def _run(
    plan: SweepPlan,
    options: SweepOptions,
    folder: Path,
    before: Sequence[StepRecord],
    on_unit: Callable[[StepRecord], None],
) -> Sweep:
    """Execute what has not passed before, then write manifest, table and page."""
    with Registry(plan.runs) as registry, _executor(plan, options) as (unit, jobs):
        set_config(load_config(os.environ, project_folder(plan.notebook.parent)))
        kept = [record for record in before if record.passed]
        sweep = _begin(plan, folder, kept, registry)
        execute_units = run_chains if plan.chains else _execute
        interrupted, late = execute_units(Work(plan, options, sweep, registry, unit, jobs, on_unit))
        manifest = sweep.manifest
        order = {name: place for place, name in enumerate(plan.units)}
        manifest.steps.sort(key=lambda record: order[record.name])
        outcome = _outcome(manifest.steps, interrupted=interrupted, late=late)
        manifest.outcome, manifest.exit_code, manifest.finished = outcome.name, int(outcome), now()
        manifest.results["sweep"] |= {"recorded": sweep.recorded, "notes": sweep.notes}
        write_results(sweep)
        manifest.write(folder)
    return sweep


def _executor(plan: SweepPlan, options: SweepOptions) -> AbstractContextManager[tuple[Execute, int]]:
    """Give what executes a unit, and how many at once: here, or on the workers of a Dask scheduler."""
    if options.scheduler:
        if plan.chains:
            message = "--scheduler is for one notebook: sta410 sweep NOTEBOOK. The chain is swept here"
            raise ConfigurationError(message)
        from sta410kit.runner.sweeps.cluster import cluster

        given = [value for values in plan.units.values() for value in values.values()]
        paths = list(dict.fromkeys(path for value in given for path in named_paths(value)))
        return cluster(plan.notebook, options.workers, options.scheduler, paths)

    def unit(notebook: Path, values: Mapping[str, Any], output: Path, watch: Watch) -> StepRecord:
        return execute(notebook, output, values, watch=watch)

    warm_up()
    return nullcontext((unit, options.workers or os.cpu_count() or 1))


def _begin(plan: SweepPlan, folder: Path, kept: list[StepRecord], registry: Registry) -> Sweep:
    """Write the manifest of a sweep that begins, or goes on with what is kept from before."""
    identity = _identity(plan.notebooks)
    manifest = Manifest(
        run=folder.name,
        kind=KIND,
        title=CHAIN if plan.chains else plan.notebook.name,
        given={**plan.fixed, **{name: ",".join(texts) for name, texts in plan.grid.items()}},
        parameters={name: plain(values) for name, values in plan.units.items()},
        steps=kept,
        not_run=[name for name in plan.units if name not in {record.name for record in kept}],
        results={"sweep": {"notebook": str(plan.notebook), "grid": plan.grid, "fixed": plan.fixed}},
    )
    begin(manifest, folder, registry)
    earlier = sum(record.identity != identity for record in kept)
    remark = f"kept: {pluralize(earlier, 'unit')} that passed with an earlier version of the notebook"
    return Sweep(folder, manifest, [remark] if earlier else [])


def _identity(notebooks: Sequence[Path]) -> str:
    cells = [cell for notebook in notebooks for cell in python_cells(read_notebook(notebook))]
    return hashlib.sha256("\0".join(cells).encode()).hexdigest()


@dataclass
class Work:
    """A sweep to be done, and how."""

    plan: SweepPlan
    options: SweepOptions
    sweep: Sweep
    registry: Registry
    unit: Execute
    jobs: int
    on_unit: Callable[[StepRecord], None]
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        seconds = self.options.deadline
        self.deadline = monotonic() + seconds if seconds else None
        self.identity, self.digest = _identity(self.plan.notebooks), cache(_digest)

    @property
    def late(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and monotonic() > self.deadline

    def watch(self) -> Watch:
        """Return the limits of a notebook that begins now."""
        return Watch(self.options.timeout, self.options.memory, self.deadline, self.stop)

    def parts(self, unit: str) -> dict[str, str]:
        """Return what the result of a unit depends on."""
        return {"code": self.identity, **file_parts(self.plan.units[unit], self.digest)}

    def done(self, record: StepRecord) -> None:
        """Put a unit that has ended on record."""
        if record.outcome == ExitCode.INTERRUPTED.name:
            return  # resuming executes it again
        self.sweep.manifest.steps.append(record)
        self.sweep.manifest.not_run.remove(record.name)
        self.on_unit(record)


def _execute(one: Work) -> tuple[bool, bool]:
    """Execute the missing units; tell whether that was interrupted, and whether the deadline passed."""
    plan, manifest, folder = one.plan, one.sweep.manifest, one.sweep.folder

    def work(name: str) -> StepRecord:
        home = folder / UNITS / name
        values = {**plan.units[name], **({RUN_FOLDER: home} if plan.takes_folder else {})}
        output = home / plan.notebook.name
        try:
            home.mkdir(parents=True, exist_ok=True)
            result = one.unit(plan.notebook, values, output, one.watch())
            leaked = files_with_secrets(home)
            if leaked:
                result.outcome, result.message = ExitCode.SECRET_FOUND.name, found_message(leaked)
            return _keep(name, result, output, one.parts(name))
        except OSError as error:  # such as a full disk, which the other units will meet too
            message = f"{type(error).__name__}: {error}"
            return StepRecord(name, ExitCode.INTERNAL.name, message=message)

    interrupted = run_graph(
        dict.fromkeys(manifest.not_run, ()),
        work,
        good=lambda record: not one.late and record.outcome != ExitCode.INTERNAL.name,
        done=lambda _, record: one.done(record),
        jobs=one.jobs,
        stop=one.stop,
    )
    return interrupted, one.late and bool(manifest.not_run)


def _digest(path: Path) -> str:
    """Return the digest of a file that a parameter names; empty where it cannot be read, as its unit says."""
    return content_digest(path) if os.access(path, os.R_OK) else ""


def _keep(name: str, result: StepRecord, output: Path, parts: dict[str, str]) -> StepRecord:
    """Write the record of a unit beside its notebook and the files that it left."""
    home = output.parent
    record = replace(
        result,
        name=name,
        notebook=f"{UNITS}/{name}/{output.name}",
        identity=parts["code"],
        parts=parts,
        reads=None,
        artifacts={
            path.relative_to(home).as_posix(): content_digest(path)
            for path in sorted(home.rglob("*"))
            if path.is_file() and path.name not in {output.name, RECORD}
        },
    )
    if result.outcome != ExitCode.INTERRUPTED.name and home.is_dir():
        write_text(home / RECORD, redact(json.dumps(asdict(record), indent=1)) + "\n")
    return record


def _outcome(steps: Sequence[StepRecord], *, interrupted: bool, late: bool) -> ExitCode:
    """Return how a sweep ended: where all failed units met the same limit, or the kit itself failed, that."""
    if interrupted:
        return ExitCode.INTERRUPTED
    bad = {ExitCode[record.outcome] for record in steps if not record.passed}
    if ExitCode.INTERNAL in bad:
        return ExitCode.INTERNAL
    if late or bad == {ExitCode.TIMED_OUT}:
        return ExitCode.TIMED_OUT
    if bad == {ExitCode.OUT_OF_MEMORY}:
        return ExitCode.OUT_OF_MEMORY
    return ExitCode.NOTEBOOK_FAILED if bad else ExitCode.PASSED
