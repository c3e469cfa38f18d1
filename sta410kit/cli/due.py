"""``sta410 due``: whether a scheduled run is due."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sta410kit.cli.options import json_option, print_json
from sta410kit.cli.serve import open_registry, service_extra
from sta410kit.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sta410kit.runner.schedules import Record


@click.command()
@click.argument("schedule", default="")
@json_option
def due(schedule: str, *, as_json: bool) -> int:
    """Tell whether a session has closed since the last passed run of SCHEDULE.

    Schedules are declared in schedules.toml; without a name the only one is meant. Exits with 0 when a run is
    due and with 12 when not. `sta410 run --schedule NAME` asks the same and runs. Alerts tell of a
    session that was missed.
    """
    from sta410kit._internal.project import require_project
    from sta410kit.runner import schedules

    project = require_project("; change into one")
    name, found = schedules.read_schedule(project, schedule)
    with open_record(project) as record:
        answer = schedules.due(record, name, found)
    if answer.missed:
        from sta410kit.runner.alerts import report_missed

        report_missed(project, name, answer)
    if as_json:
        print_json({"schedule": name, **answer._asdict()})
    else:
        click.echo(f"{name}: {'due' if answer.due else 'not due'}: {answer.reason}")
    return ExitCode.PASSED if answer.due else ExitCode.NOT_DUE


@contextmanager
def open_record(project: Path) -> Iterator[Record]:
    """Give the record of schedules: the database that ``DATABASE_URL`` names, else files beside the runs."""
    from sta410kit.config import get_config
    from sta410kit.runner.schedules import FileRecord

    if not get_config().service.database_url.get_secret_value():
        yield FileRecord(project)
        return
    with service_extra():
        from sta410kit.service.leases import DatabaseRecord
    with open_registry(project) as database:
        yield DatabaseRecord(database)
