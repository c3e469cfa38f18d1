"""Explain what a run would execute and why."""

from pathlib import Path

from sta410kit.runner.identity import differences, identity_of, step_parts
from sta410kit.runner.pipeline import Step
from sta410kit.runner.plan import Plan
from sta410kit.runner.reads import changed_reads
from sta410kit.runner.registry import Registry
from sta410kit.runner.reuse import find_result, last_passed


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
