"""``sta410 serve`` and ``sta410 ui``: the service for a team, and for one person."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import click

from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sta410kit.service.database import Database

port_option = click.option(
    "--port", default=8410, show_default=True, type=click.IntRange(0, 65535), help="0: any that is free."
)
concurrency_option = click.option(
    "--concurrency",
    default=1,
    show_default=True,
    type=click.IntRange(0, 64),
    help="Runs at the same time; 0 leaves them to other services over the same database.",
)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@port_option
@concurrency_option
@click.option(
    "--url", default="", help="Address people open, for links in messages: https://runs.example.org"
)
@click.option("--anonymous-read", is_flag=True, help="Let everyone who reaches the port read, never write.")
@click.option("--no-schedules", is_flag=True, help="Leave what schedules.toml declares to cron.")
@click.option(
    "--requests",
    default=1200,
    show_default=True,
    type=click.IntRange(1),
    help="How many a minute each token may make.",
)
def serve(*, no_schedules: bool, **how: object) -> None:
    """Serve pages and an API over the project's runs, with a queue and its schedules.

    It takes users with tokens: sta410 user add NAME --role viewer. For yourself alone: sta410 ui.
    """
    _run({**how, "schedules": not no_schedules})


@click.command()
@port_option
@concurrency_option
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def ui(*, no_browser: bool, **how: object) -> None:
    """Open the project's runs in a browser, for yourself on this machine, without a login.

    It answers only processes of yours on this machine.
    """
    _run({**how, "local": True, "schedules": False}, browser=not no_browser)


def _run(how: dict[str, object], *, browser: bool = False) -> None:
    from sta410kit._internal.project import require_project

    project = require_project("; change into one")
    with service_extra():
        import_module("python_multipart")  # FastAPI raises another error where it is missing
        from sta410kit.service.server import serve as run_server
        from sta410kit.service.site import ServiceOptions

    def announce(url: str) -> None:
        click.echo(f"serving {url} - press Ctrl-C to stop")
        if browser:
            import webbrowser

            webbrowser.open(url)

    run_server(project, ServiceOptions(**how), announce)  # type: ignore[arg-type] # click has checked them


@contextmanager
def open_registry(project: Path) -> Iterator[Database]:
    """Give the service's registry of a project until the end of the block."""
    with service_extra():
        from sta410kit.service.database import open_database
    database = open_database(project)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def service_extra() -> Iterator[None]:
    """Name the extra that is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"the service needs the package {error.name}: pip install 'sta410kit[serve]'"
        raise ConfigurationError(message) from error
