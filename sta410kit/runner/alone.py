"""One notebook, from Python: its ending as the exception that ended it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sta410kit.exceptions import NotebookError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.chain import Run, run_plan
from sta410kit.runner.execute import kit_exception
from sta410kit.runner.plan import Options, plan_notebook
from sta410kit.runner.progress import Progress


def execute_alone(
    notebook: str | Path,
    parameters: Mapping[str, Any],
    *,
    check: bool = True,
    timeout: float | None = None,
    memory: int | None = None,
) -> Run:
    """Execute one notebook; see `sta410kit.runner.run_notebook`."""
    plan = plan_notebook(Path(notebook), parameters, Options(timeout=timeout, memory=memory))
    run = run_plan(plan, Progress(silent=True))
    if check:
        require_passed(run)
    return run


def require_passed(run: Run) -> None:
    """Raise what ended `run`; nothing when it has passed."""
    if run.outcome is ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    for step in run.steps:
        if step.outcome == ExitCode.PASSED.name:
            continue
        if step.failure.get("of_the_kit"):
            raise kit_exception(step.failure["error"])(step.failure["text"])
        message = (
            f"{step.name}: {step.message} [{step.outcome}; executed notebook: {run.folder / step.notebook}]"
        )
        raise NotebookError(message)
