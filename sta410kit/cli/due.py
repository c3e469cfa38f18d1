"""``sta410 due``: whether a scheduled run is due."""

from __future__ import annotations

import click

from sta410kit.cli.options import json_option, print_json
from sta410kit.exit_codes import ExitCode


@click.command()
@click.argument("schedule", default="")
@json_option
def due(schedule: str, *, as_json: bool) -> int:
    """Tell whether a session has closed since the last passed run of SCHEDULE.

    Schedules are declared in schedules.toml; without a name the only one is meant. Exits with 0 when a run is
    due and with 12 when not. `sta410 run --schedule NAME` asks the same and runs.
    """
    from sta410kit._internal.project import require_project
    from sta410kit.runner import schedules

    project = require_project("; change into one")
    name, found = schedules.read_schedule(project, schedule)
    answer = schedules.due(project, name, found)
    if as_json:
        print_json({"schedule": name, **answer._asdict()})
    else:
        click.echo(f"{name}: {'due' if answer.due else 'not due'}: {answer.reason}")
    return ExitCode.PASSED if answer.due else ExitCode.NOT_DUE
