"""``sta410 serve`` and ``sta410 ui``: the service for a team, and for one person."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

port_option = click.option("--port", default=8410, show_default=True, type=click.IntRange(0, 65535))
concurrency_option = click.option(
    "--concurrency", default=1, show_default=True, type=click.IntRange(1), help="Runs at the same time."
)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@port_option
@concurrency_option
@click.option(
    "--url", default="", help="Address people open, for links in messages: https://runs.example.org"
)
@click.option("--anonymous-read", is_flag=True, help="Let everyone read pages and API; never write.")
@click.option("--no-schedules", is_flag=True, help="Leave what schedules.toml declares to cron.")
def serve(  # noqa: PLR0913 - a command has many options
    host: str, port: int, concurrency: int, url: str, *, anonymous_read: bool, no_schedules: bool
) -> None:
    """Serve pages and an API over the project's runs.

    Users and their tokens: sta410 user add NAME --role viewer.
    """
    from sta410kit._internal.project import require_project

    project = require_project("; change into one")
    with service_extra():
        from sta410kit.service.server import serve as run_server
        from sta410kit.service.site import ServiceOptions
    options = ServiceOptions(
        host, port, url, concurrency, anonymous_read=anonymous_read, schedules=not no_schedules
    )
    run_server(project, options)


@click.command()
@port_option
@concurrency_option
def ui(port: int, concurrency: int) -> None:
    """Open the pages of the service in a browser, for yourself on this machine, without a login."""
    from sta410kit._internal.project import require_project

    project = require_project("; change into one")
    with service_extra():
        from sta410kit.service.server import serve as run_server
        from sta410kit.service.site import ServiceOptions
    run_server(project, ServiceOptions(port=port, concurrency=concurrency, local=True, schedules=False))


@contextmanager
def service_extra() -> Iterator[None]:
    """Name the extra that is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        message = (
            f"the service needs the package {error.name}: install it with pip install 'sta410kit[serve]'"
        )
        raise ConfigurationError(message) from error
