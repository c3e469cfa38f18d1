"""``sta410 unseal``: open the sealed holdout on record, and list who did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sta410kit.cli.options import json_option, print_json
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from sta410kit.holdout import Unsealing


@click.command()
@click.option("--why", default=None, metavar="TEXT", help="The question to be answered; stays on record.")
@click.option("--hours", default=1.0, show_default=True, type=float, help="For how long, at most a week.")
@click.option("--list", "listing", is_flag=True, help="Show every unsealing so far, and open nothing.")
@json_option
def unseal(why: str | None, hours: float, *, listing: bool, as_json: bool) -> None:
    """Open the sealed holdout for some hours, on record.

    Prices from HOLDOUT_START on can then be loaded. Who, when and why is recorded in holdout.jsonl in the
    project folder; commit it.
    """
    from dataclasses import asdict

    from sta410kit._internal.project import require_project
    from sta410kit.holdout import RECORD, unsealings
    from sta410kit.holdout import unseal as opened

    if listing == (why is not None):
        message = 'sta410 unseal takes --why "the question to be answered", or --list'
        raise ConfigurationError(message)
    project = require_project(", so it has no record of unsealings; change into one")
    found = unsealings() if listing else [opened(str(why), hours)]
    if as_json:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        click.echo(_line(one))
    if listing and not found:
        click.echo(f"the holdout was never unsealed: there is nothing in {project / RECORD}")
    if not listing:
        click.echo("recorded in holdout.jsonl; commit it. The holdout is sealed again when the time is over.")


def _line(one: Unsealing) -> str:
    commit = f", commit {one.commit[:10]}{'+' if one.commit.endswith('+') else ''}" if one.commit else ""
    return (
        f"{one.at} to {one.until}: from {one.holdout_start} on, by {one.who} on {one.host}{commit}: {one.why}"
    )
