"""``sta410 run``: the chain of the project, or one notebook."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sta410kit.cli.completion import step_names
from sta410kit.cli.options import (
    PATH,
    from_file,
    json_option,
    limit_options,
    pairs,
    parameter_options,
    print_json,
)
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sta410kit.runner.chain import Run
    from sta410kit.runner.plan import Options, Plan


@click.command()
@click.argument("notebook", required=False, type=PATH)
@parameter_options(
    "Set a notebook parameter; may be given several times. Lists: -p symbols=AAPL,MSFT.", "-p wins"
)
@click.option("--dry-run", is_flag=True, help="Show what would run and why, and run nothing.")
@click.option("--fresh", is_flag=True, help="Execute every step, even if nothing has changed.")
@click.option("--resume", is_flag=True, help="Continue the newest run that did not pass.")
@click.option(
    "--from",
    "first",
    default="",
    metavar="STEP",
    shell_complete=step_names,
    help="Execute STEP and what follows from it.",
)
@click.option(
    "--to",
    "last",
    default="",
    metavar="STEP",
    shell_complete=step_names,
    help="Execute only STEP and what it needs.",
)
@click.option(
    "--schedule", metavar="NAME", help="Run once a session, as schedules.toml declares; else exit 12."
)
@click.option("--alert", is_flag=True, help="Send alerts of this run of the chain, as --schedule does.")
@limit_options("run", "step")
@json_option
def run(  # noqa: PLR0913 - a command has many options
    notebook: Path | None,
    parameters: tuple[str, ...],
    file: Path | None,
    *,
    dry_run: bool,
    resume: bool,
    schedule: str | None,
    alert: bool,
    as_json: bool,
    **how: Any,  # noqa: ANN401 - the fields of `Options`
) -> int:
    """Run the chain of the project, or one NOTEBOOK, headless.

    Results of steps that have not changed since they last passed are reused.
    """
    if notebook or how["fresh"] or not _runs().is_dir():
        from sta410kit.runner.warm.client import warm_up

        warm_up()  # its imports take longer than those below
    from sta410kit.runner.chain import resume_run, run_plan
    from sta410kit.runner.plan import Options
    from sta410kit.runner.progress import Progress
    from sta410kit.runner.reuse import explain
    from sta410kit.runner.summary import print_explanation

    given = {**from_file(file), **pairs(parameters)}
    if resume and (given or notebook or how["fresh"] or dry_run):
        message = "--resume continues a run as it was: no NOTEBOOK, -p, --params, --fresh or --dry-run"
        raise ConfigurationError(message)
    options = Options(**how)
    if schedule is not None:
        if given or notebook or resume or dry_run or options.first or options.last:
            message = "--schedule runs the chain as schedules.toml declares it; it takes limits and --fresh"
            raise ConfigurationError(message)
        return _scheduled(schedule, options, as_json=as_json)
    if alert and (notebook or dry_run):
        message = "--alert is for runs of the chain: no NOTEBOOK and no --dry-run"
        raise ConfigurationError(message)
    if dry_run:
        rows = explain(_plan(notebook, given, options))
        if as_json:
            print_json([{"step": name, "run": runs, "why": why} for name, runs, why in rows])
        else:
            print_explanation(rows)
        return ExitCode.PASSED
    with _alerts("chain") if alert else nullcontext(_no_alert) as finished:
        if not resume:
            done = run_plan(_plan(notebook, given, options), Progress())
        elif (found := resume_run(_project(), options, Progress())) is None:
            message = "nothing to resume: the newest run of the chain has passed, or there is none"
            return _nothing(message, ExitCode.PASSED, as_json=as_json)
        else:
            done = found
        code = _show(done, as_json=as_json)
        finished(done)
    return code


def _no_alert(_: Run) -> None: ...


@contextmanager
def _alerts(name: str) -> Iterator[Callable[[Run], object]]:
    """Report errors of the block, and the run that it hands over; then write the metrics."""
    from sta410kit.runner import alerts
    from sta410kit.runner.alert_channels import channel_urls
    from sta410kit.runner.metrics import textfile, write_textfile

    project = _project()
    channel_urls()  # a missing package is refused before anything runs
    textfile(project)
    try:
        with alerts.errors_reported(project, name):
            yield lambda done: alerts.report_run(project, name, done)
    finally:
        try:
            write_textfile(project)
        except OSError as error:  # the run has its outcome
            click.echo(f"sta410: warning: the metrics could not be written: {error}", err=True)


def _scheduled(schedule: str, options: Options, *, as_json: bool) -> int:
    """Run the chain for a schedule, once a session and never twice at the same time."""
    from dataclasses import replace

    from sta410kit.cli.due import open_record
    from sta410kit.runner import alerts, schedules
    from sta410kit.runner.chain import run_plan
    from sta410kit.runner.progress import Progress

    project = _project()
    name, declared = schedules.read_schedule(project, schedule)
    with (
        _alerts(name) as finished,
        open_record(project) as record,
        schedules.turn(record, name, declared) as answer,
    ):
        if answer.missed:
            alerts.report_missed(project, name, answer)
        if not answer.due:
            return _nothing(f"{name}: not due: {answer.reason}", ExitCode.NOT_DUE, as_json=as_json)
        plan = _plan(None, declared.parameters, replace(options, session=answer.session))
        done = run_plan(plan, Progress())
        if done.outcome == ExitCode.PASSED:
            record.note_passed(name, answer.session, done.folder.name)
        code = _show(done, as_json=as_json)
        finished(done)
        return code


def _nothing(message: str, code: ExitCode, *, as_json: bool) -> int:
    """Say why nothing was run."""
    if as_json:
        print_json({"outcome": code.name, "exit_code": int(code), "run": None, "message": message})
    else:
        click.echo(message)
    return code


def _show(done: Run, *, as_json: bool) -> int:
    from sta410kit.runner.summary import as_json_values, print_summary

    if as_json:
        print_json(as_json_values(done))
    else:
        print_summary(done)
    return done.outcome


def _runs() -> Path:
    from sta410kit.runner.runs import runs_folder

    return runs_folder(Path.cwd())


def _plan(notebook: Path | None, given: dict[str, Any], options: Options) -> Plan:
    from sta410kit.runner.plan import plan_chain, plan_notebook

    if notebook is None:
        return plan_chain(_project(), given, options)
    if options.first or options.last:
        message = "--from and --to are for the chain; a single notebook has no other steps"
        raise ConfigurationError(message)
    return plan_notebook(notebook, given, options)


def _project() -> Path:
    from sta410kit._internal.project import require_project

    return require_project("; change into one, or name a notebook: sta410 run NOTEBOOK")
