"""``sta410 user``: who may use the service."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sta410kit.cli.options import json_option, print_json
from sta410kit.cli.serve import open_registry, service_extra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sta410kit.service.users import Users


@click.group()
def user() -> None:
    """Add, list and revoke users of the service.

    A viewer reads, a runner also starts and cancels runs, an admin also manages users.
    """


@user.command()
@click.argument("name")
@click.option(
    "--role",
    default="viewer",
    show_default=True,
    type=click.Choice(["viewer", "runner", "admin"]),
    help="What the user may do.",
)
def add(name: str, role: str) -> None:
    """Add the user NAME and print the token, which is shown this once.

    Standard output holds the token alone: sta410 user add NAME > FILE.
    """
    with _users() as users:
        token = users.add(name, role)
    click.echo(f"{name} has the role {role}; the token is shown this once, only its hash is kept:", err=True)
    click.echo(token)


@user.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Remove the user NAME; a running service refuses the token within five seconds."""
    with _users() as users:
        users.revoke(name)
    click.echo(f"revoked {name}")


@user.command("list")
@json_option
def list_users(*, as_json: bool) -> None:
    """List users with their roles."""
    with _users() as users:
        found = users.all()
    rows = [
        {
            "name": one.name,
            "role": one.role,
            "created": f"{one.created:%Y-%m-%d %H:%M}",
            "last used": f"{one.last_used:%Y-%m-%d %H:%M}" if one.last_used else "",
        }
        for one in found
    ]
    if as_json:
        print_json([{name.replace(" ", "_"): value for name, value in row.items()} for row in rows])
    elif rows:
        from sta410kit.runner.terminal import show_table

        columns = ("name", "role", "created", "last used")
        show_table(columns, [tuple(row.values()) for row in rows], title="users, times in UTC", lines=False)
    else:
        click.echo("no users yet: sta410 user add NAME --role viewer")


@contextmanager
def _users() -> Iterator[Users]:
    from sta410kit._internal.project import require_project

    project = require_project("; change into one")
    with service_extra():
        from sta410kit.service.users import Users
    with open_registry(project) as database:
        yield Users(database)
