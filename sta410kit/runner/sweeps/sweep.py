"""A sweep: one notebook with every combination of some parameters, each in a process and folder of its own.

A unit's result lies in its folder as soon as it is there (``units/0001/unit.json``). The manifest is written
at the start and at the end, so a sweep that was killed at any moment goes on with what is not there yet.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.project import project_folder
from sta410kit._internal.redaction import redact
from sta410kit._internal.text import pluralize
from sta410kit.config import load_config, set_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.identity import file_parts, named_paths
from sta410kit.runner.limits import Watch
from sta410kit.runner.manifest import Manifest, StepRecord, begin, now, read_manifest
from sta410kit.runner.notebook import python_cells, read_notebook
from sta410kit.runner.parameters import plain
from sta410kit.runner.pipeline import RUN_FOLDER
from sta410kit.runner.registry import Registry, content_digest
from sta410kit.runner.runs import LOCK, new_run, run_folders, runs_folder, told
from sta410kit.runner.schedule import run_graph
from sta410kit.runner.sweeps.plan import SweepOptions, SweepPlan, plan_sweep
from sta410kit.runner.sweeps.unit import UnitResult
from sta410kit.runner.sweeps.workers import LocalWorkers, Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KIND = "sweep"
UNITS = "units"
RECORD = "unit.json"
_RESUME = "sta410 sweep --resume"


@dataclass
class Sweep:
    """A sweep that has come to an end, and what its units recorded.

    Attributes
    ----------
    folder : Path
        ``runs/<id>``.
    manifest : Manifest
        What is also written there; a step for each unit that ran.
    recorded : dict of str to dict
        By unit, what it recorded.
    notes : list of str
        What is to be known of the whole.
    """

    folder: Path
    manifest: Manifest
    recorded: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> ExitCode:
        """How it ended."""
        return ExitCode[self.manifest.outcome]

    @property
    def swept(self) -> list[str]:
        """The names of the parameters that differ between units."""
        return list(self.manifest.results["sweep"]["grid"])


def run_sweep(plan: SweepPlan, options: SweepOptions, on_unit: Callable[[StepRecord], None]) -> Sweep:
    """Execute a sweep in a run folder of its own.

    Parameters
    ----------
    plan, options
        What, and how.
    on_unit : callable
        Called with the record of each unit that has ended.
    """
    folder = new_run(plan.runs)
    with told(folder, _RESUME), FileLock(folder / LOCK):
        return _run(plan, options, folder, {}, on_unit)


def resume_sweep(
    found: tuple[Path, Manifest], options: SweepOptions, on_unit: Callable[[StepRecord], None]
) -> Sweep:
    """Execute those units of an earlier sweep, see `unfinished_sweep`, that have not passed.

    Raises
    ------
    ConfigurationError
        It is still running, or the notebook does not take its parameters any more.
    """
    folder, manifest = found
    swept = manifest.results["sweep"]
    plan = plan_sweep(Path(swept["notebook"]), swept["grid"], swept["fixed"])
    try:
        with told(folder, _RESUME), FileLock(folder / LOCK, timeout=0):
            return _run(plan, options, folder, read_units(folder), on_unit)
    except Timeout as error:
        message = f"{folder} is still running; wait for it, or start a sweep of its own"
        raise ConfigurationError(message) from error


def unfinished_sweep(
    start: Path, notebook: Path | None, grid: Mapping[str, Sequence[str]], fixed: Mapping[str, str]
) -> tuple[Path, Manifest] | None:
    """Return folder and manifest of the newest sweep, if it has not passed.

    Parameters
    ----------
    start : Path
        Whose runs are looked at.
    notebook : Path, optional
        Only sweeps of this notebook count.
    grid, fixed : mapping
        When not empty, only sweeps over exactly these count.
    """
    for folder in run_folders(runs_folder(start)):
        try:
            manifest = read_manifest(folder)
        except ConfigurationError:
            continue
        swept = manifest.results.get("sweep")
        if manifest.kind != KIND or not swept:
            continue
        if notebook is not None and Path(swept["notebook"]) != notebook.absolute():
            continue
        if (grid or fixed) and (swept["grid"], swept["fixed"]) != (dict(grid), dict(fixed)):
            continue
        return None if manifest.outcome == ExitCode.PASSED.name else (folder, manifest)
    return None


def read_units(folder: Path) -> dict[str, tuple[StepRecord, dict[str, Any]]]:
    """Return record and recorded values of each unit whose result lies in a run folder."""
    found = {}
    for path in sorted((folder / UNITS).glob(f"*/{RECORD}")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            found[path.parent.name] = (StepRecord(**content["record"]), dict(content["recorded"]))
        except (OSError, ValueError, TypeError, KeyError):
            continue  # it will be executed again
    return found


def _run(
    plan: SweepPlan,
    options: SweepOptions,
    folder: Path,
    before: dict[str, tuple[StepRecord, dict[str, Any]]],
    on_unit: Callable[[StepRecord], None],
) -> Sweep:
    """Execute what has not passed before, then write manifest, table and page."""
    from sta410kit.runner.sweeps.results import write_results

    with Registry(plan.runs) as registry, _workers(plan, options, registry) as workers:
        # While the workers start: the secrets to scrub, and what the manifest says of this place.
        set_config(load_config(os.environ, project_folder(plan.notebook.parent)))
        kept = {name: one for name, one in before.items() if one[0].outcome == ExitCode.PASSED.name}
        sweep = _begin(plan, folder, kept, registry)
        interrupted, late = _execute(plan, options, sweep, workers, on_unit)
        manifest = sweep.manifest
        outcome = _outcome(manifest.steps, interrupted=interrupted, late=late)
        manifest.outcome, manifest.exit_code, manifest.finished = outcome.name, int(outcome), now()
        sweep.notes += workers.notes
        manifest.results["sweep"] |= {"recorded": sweep.recorded, "notes": sweep.notes}
        write_results(sweep)
        manifest.write(folder)
    return sweep


def _workers(plan: SweepPlan, options: SweepOptions, registry: Registry) -> Workers:
    if not options.scheduler:
        return LocalWorkers(plan.notebook, options.workers, registry)
    from sta410kit.runner.sweeps.cluster import ClusterWorkers

    return ClusterWorkers(plan.notebook, options.workers, options.scheduler, _paths(plan))


def _paths(plan: SweepPlan) -> list[Path]:
    """Return the files and folders that parameters name and that are there."""
    given = [value for values in plan.units.values() for value in values.values()]
    return list(dict.fromkeys(path for value in given for path in named_paths(value)))


def _begin(
    plan: SweepPlan, folder: Path, kept: dict[str, tuple[StepRecord, dict[str, Any]]], registry: Registry
) -> Sweep:
    """Write the manifest of a sweep that begins, or goes on with what is kept from before."""
    identity = _identity(plan.notebook)
    manifest = Manifest(
        run=folder.name,
        kind=KIND,
        title=plan.notebook.name,
        given={**plan.fixed, **{name: ",".join(texts) for name, texts in plan.grid.items()}},
        parameters={name: plain(values) for name, values in plan.units.items()},
        steps=[record for record, _ in kept.values()],
        not_run=[name for name in plan.units if name not in kept],
        results={"sweep": {"notebook": str(plan.notebook), "grid": plan.grid, "fixed": plan.fixed}},
    )
    begin(manifest, folder, registry)
    earlier = sum(record.identity != identity for record, _ in kept.values())
    remark = f"kept: {pluralize(earlier, 'unit')} that passed with an earlier version of the notebook"
    notes = [remark] if earlier else []
    return Sweep(folder, manifest, {name: values for name, (_, values) in kept.items()}, notes)


def _identity(notebook: Path) -> str:
    return hashlib.sha256("\0".join(python_cells(read_notebook(notebook))).encode()).hexdigest()


def _execute(
    plan: SweepPlan,
    options: SweepOptions,
    sweep: Sweep,
    workers: Workers,
    on_unit: Callable[[StepRecord], None],
) -> tuple[bool, bool]:
    """Execute the units that are not there yet; tell whether that was interrupted, and whether too slow."""
    manifest, folder, whole = sweep.manifest, sweep.folder, Watch()
    deadline = monotonic() + options.deadline if options.deadline else None
    identity, digest = _identity(plan.notebook), cache(_digest)

    def late() -> bool:
        return deadline is not None and monotonic() > deadline

    def work(name: str) -> tuple[StepRecord, dict[str, Any]]:
        home = folder / UNITS / name
        home.mkdir(parents=True, exist_ok=True)
        values = {**plan.units[name], **({RUN_FOLDER: home} if plan.takes_folder else {})}
        watch = Watch(options.timeout, options.memory, deadline, whole.stop)
        output = home / plan.notebook.name
        try:
            result = workers.execute(values, output, watch)
        except OSError as error:  # a full disk, say: this unit has no result, and the others will see it too
            result = UnitResult(ExitCode.INTERNAL, f"{type(error).__name__}: {error}", 0.0)
        parts = {"code": identity, **file_parts(plan.units[name], digest)}
        return _keep(name, result, output, parts), result.recorded

    def done(name: str, found: tuple[StepRecord, dict[str, Any]]) -> None:
        record, recorded = found
        if record.outcome == ExitCode.INTERRUPTED.name:
            return  # it has not run, as far as anybody is concerned
        sweep.recorded[name] = recorded
        manifest.steps.append(record)
        manifest.not_run.remove(name)
        on_unit(record)

    interrupted = run_graph(
        dict.fromkeys(manifest.not_run, ()),
        work,
        good=lambda found: not late() and found[0].outcome != ExitCode.INTERNAL.name,
        done=done,
        jobs=workers.count,
        stop=whole.stop,
    )
    order = {name: place for place, name in enumerate(plan.units)}
    manifest.steps.sort(key=lambda record: order[record.name])
    return interrupted, late() and bool(manifest.not_run)


def _digest(path: Path) -> str:
    """Return the digest of what a parameter names; nothing where it cannot be read, which its unit tells."""
    return content_digest(path) if os.access(path, os.R_OK) else ""


def _keep(name: str, result: UnitResult, output: Path, parts: dict[str, str]) -> StepRecord:
    """Write down how a unit ended, beside its notebook and what it left."""
    home = output.parent
    record = StepRecord(
        name=name,
        outcome=result.outcome.name,
        seconds=round(result.seconds, 3),
        message=result.message,
        notebook=f"{UNITS}/{name}/{output.name}",
        peak_memory=result.peak_memory,
        warnings=list(result.warnings),
        identity=parts["code"],
        parts=parts,
        artifacts={
            path.relative_to(home).as_posix(): content_digest(path)
            for path in sorted(home.rglob("*"))
            if path.is_file() and path.name not in {output.name, RECORD}
        },
    )
    if result.outcome is not ExitCode.INTERRUPTED and home.is_dir():
        content = {"record": asdict(record), "recorded": result.recorded}
        write_text(home / RECORD, redact(json.dumps(content, indent=1)) + "\n")
    return record


def _outcome(steps: Sequence[StepRecord], *, interrupted: bool, late: bool) -> ExitCode:
    """Return how a sweep ended: where all failed units met the same limit, or the kit itself failed, that."""
    if interrupted:
        return ExitCode.INTERRUPTED
    bad = {ExitCode[record.outcome] for record in steps if record.outcome != ExitCode.PASSED.name}
    if ExitCode.INTERNAL in bad:
        return ExitCode.INTERNAL
    if late or bad == {ExitCode.TIMED_OUT}:
        return ExitCode.TIMED_OUT
    if bad == {ExitCode.OUT_OF_MEMORY}:
        return ExitCode.OUT_OF_MEMORY
    return ExitCode.NOTEBOOK_FAILED if bad else ExitCode.PASSED
