"""``sta410 kernel``: the fork server that notebooks' processes come from."""

import click

from sta410kit._internal.text import pluralize


@click.group()
def kernel() -> None:
    """Control the fork server that notebooks' processes come from."""


@kernel.command()
def status() -> None:
    """Show whether the server runs, and how many kernels it has."""
    from sta410kit.runner.warm.client import IDLE_SECONDS, ServerUnavailableError, ask

    try:
        answers = ask("status")
    except ServerUnavailableError as error:
        click.echo(f"{error}; the first notebook starts it, or: sta410 kernel start")
        return
    running = sum(len(answer["children"]) for answer in answers)
    pids = " and ".join(str(answer["pid"]) for answer in answers)
    click.echo(f"the server runs as processes {pids}, with {pluralize(running, 'kernel')}")
    click.echo(f"it stops after {IDLE_SECONDS / 60:.0f} minutes without any")


@kernel.command()
def start() -> None:
    """Start the server now, so that the first notebook does not wait for it."""
    from sta410kit.exceptions import ConfigurationError
    from sta410kit.runner.warm.client import ServerUnavailableError, ask, connect

    try:
        connect().close()
        click.echo(f"the server runs as process {ask('status')[0]['pid']}")
    except ServerUnavailableError as error:
        message = f"{error}; notebooks run in ordinary kernels, slower"
        raise ConfigurationError(message) from error


@kernel.command()
def stop() -> None:
    """Stop the server once its kernels have ended."""
    from sta410kit.runner.warm.client import ServerUnavailableError, ask

    try:
        ask("stop")
        click.echo("the server stops when its last kernel has ended")
    except ServerUnavailableError as error:
        click.echo(str(error))
