"""Sweep the chain: each combination is a run of its own, and what several share is executed once.

A step is shared by the combinations that give it and every step before it the same parameters. Its first
combination executes it; the others link its result, as a run does with those of earlier runs.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.redaction import redact, registered
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.chain import add_record, close_run, new_manifest
from sta410kit.runner.manifest import RECORD, UNITS, StepRecord, now, read_manifest
from sta410kit.runner.parameters import plain
from sta410kit.runner.progress import Progress
from sta410kit.runner.run_log import RunLog
from sta410kit.runner.runs import REPORT
from sta410kit.runner.schedule import run_graph
from sta410kit.runner.steps import Site, do_step

if TYPE_CHECKING:
    from sta410kit.runner.chain import Run
    from sta410kit.runner.pipeline import Step
    from sta410kit.runner.plan import Plan
    from sta410kit.runner.sweeps.results import Sweep
    from sta410kit.runner.sweeps.sweep import Work


def run_chains(one: Work) -> tuple[bool, bool]:
    """Execute the missing combinations; tell whether it was interrupted, and whether the deadline passed."""
    units = _Units(one)
    interrupted = run_graph(
        {node: units.needs(*where) for node, where in units.nodes.items()},
        units.work,
        good=lambda record: record is None or not (one.late or record.outcome == ExitCode.INTERNAL.name),
        done=units.done,
        jobs=one.jobs,
        stop=one.stop,
    )
    for name in one.sweep.manifest.not_run:
        if units.manifests[name].started:
            units.close(name)
    count_trials(one.sweep)
    return interrupted, one.late and bool(one.sweep.manifest.not_run)


class _Units:
    """The combinations of a sweep: a graph whose nodes are the steps of all of them."""

    def __init__(self, one: Work) -> None:
        self.one, self.known, whole = one, registered(), one.sweep.manifest
        kept, missing = [record.name for record in whole.steps], list(whole.not_run)
        self.sites = {name: _site(one, name) for name in [*kept, *missing]}
        for name in kept:
            self.sites[name].done.update(self.sites[name].passed)
        _share(self.sites)
        facts = {name: getattr(whole, name) for name in ("seed", "settings", "git", "host", "versions")}
        self.manifests = {
            name: replace(new_manifest(site.plan, site.folder, [*site.passed.values()]), **facts)
            for name, site in self.sites.items()
        }
        steps = {name: self.sites[name].plan.steps for name in missing}
        self.nodes = {f"{name}/{step.name}": (name, step) for name in missing for step in steps[name]}
        self.left = {name: {f"{name}/{step.name}" for step in steps[name]} for name in missing}
        self.lock = threading.Lock()

    def needs(self, name: str, step: Step) -> list[str]:
        """Return the nodes that a step of a combination waits for."""
        site = self.sites[name]
        other = site.shared.get(step.name)
        first = [f"{other.folder.name}/{step.name}"] if other else []
        before = [f"{name}/{needed}" for needed in site.plan.before(step)]
        return [node for node in [*before, *first] if node in self.nodes]

    def work(self, node: str) -> StepRecord | None:
        """Execute or reuse a step; nothing where a step before it has failed."""
        name, step = self.nodes[node]
        site, manifest = self.sites[name], self.manifests[name]
        with self.lock:  # two steps of a combination may begin together
            if not manifest.started:
                site.folder.mkdir(parents=True, exist_ok=True)
                manifest.started = now()
                manifest.write(site.folder)
        if not all(_passed(site.done.get(needed)) for needed in site.plan.before(step)):
            return None
        other = site.shared.get(step.name)
        record = other.done.get(step.name) if other else None
        if other and record and not _passed(record):
            message = f"{record.message} (as in unit {other.folder.name}, which shares this step)"
            return replace(record, reused=other.name, message=message, notebook="", artifacts={})
        return do_step(site, step, self.one.watch())

    def done(self, node: str, record: StepRecord | None) -> None:
        """Put a step on record, and its combination with the last one."""
        name, _ = self.nodes[node]
        if record is not None:
            add_record(self.sites[name], self.manifests[name], record)
        self.left[name].discard(node)
        if not self.left[name] and name in self.one.sweep.manifest.not_run:
            self.one.done(_keep(self.one, name, self.close(name)))

    def close(self, name: str) -> Run:
        """Write the end of the run of a combination."""
        site, manifest = self.sites[name], self.manifests[name]
        stopped = any(record.outcome == ExitCode.INTERRUPTED.name for record in manifest.steps)
        stopped = stopped or bool(self.left[name])
        return close_run(site.folder, manifest, site.log, self.known, interrupted=stopped)


def _site(one: Work, name: str) -> Site:
    """Return where a combination runs, with the steps that have passed there before."""
    plan, folder = one.plan.chains[name], one.sweep.folder / UNITS / name
    try:
        steps = read_manifest(folder).steps
    except ConfigurationError:
        steps = []
    passed = {record.name: record for record in steps if _passed(record)}
    return Site(plan, folder, one.registry, Progress(silent=True), RunLog(folder), passed)


def _share(sites: dict[str, Site]) -> None:
    """Enter for each step which combination executes it, where that is another one."""
    first: dict[str, Site] = {}
    for site in sites.values():
        for step in site.plan.steps:
            other = first.setdefault(_values(site.plan, step), site)
            if other is not site:
                site.shared[step.name] = other


def _values(plan: Plan, step: Step) -> str:
    """Return the parameters of a step and of all steps before it, as one text."""
    names, by_name = {step.name}, {other.name: other for other in plan.steps}
    for other in reversed(plan.steps):
        if other.name in names:
            names |= plan.before(by_name[other.name])
    values = {name: plain(plan.values[name]) for name in sorted(names)}
    return json.dumps([step.name, values], sort_keys=True)


def _passed(record: StepRecord | None) -> bool:
    return record is not None and record.passed


def _keep(one: Work, name: str, run: Run) -> StepRecord:
    """Write and return the record of a combination: its run in one line of the table."""
    failed = next((step for step in run.steps if not _passed(step)), None)
    record = StepRecord(
        name,
        run.outcome.name,
        seconds=sum(step.seconds for step in run.steps if not step.reused),
        message=f"{failed.name}: {failed.message}" if failed else "",
        notebook=f"{UNITS}/{name}/{REPORT}",
        peak_memory=max((step.peak_memory for step in run.steps), default=0),
        recorded={key: value for step in run.steps for key, value in step.recorded.items()},
        parts=one.parts(name),
        identity=one.identity,
        artifacts={file: digest for step in run.steps for file, digest in step.artifacts.items()},
        started=run.manifest.started,
    )
    if run.outcome is not ExitCode.INTERRUPTED:
        write_text(run.folder / RECORD, redact(json.dumps(asdict(record), indent=1)) + "\n")
    return record


def count_trials(sweep: Sweep) -> None:
    """Correct the verdict of each combination for all trials on what the sweep predicts.

    That includes every combination of the sweep and what was tried before it.
    """
    found: dict[str, Any] = {}
    for record in sweep.manifest.steps:
        path = sweep.folder / UNITS / record.name / "verdict.json"
        if path.is_file() and "verdict.json" in record.artifacts:
            found[record.name] = json.loads(path.read_text(encoding="utf-8"))
    if not found:
        return
    from sta410kit.research.ledger import Ledger
    from sta410kit.research.recount import recount

    numbers = {int(one["evidence"]["newest_trial"]) for one in found.values()}
    trials = Ledger.of_project().beside(*sorted(numbers))
    for record in sweep.manifest.steps:
        if record.name in found:
            record.recorded |= recount(found[record.name], trials)
    sweep.manifest.results["sweep"]["trials"] = trials.count
