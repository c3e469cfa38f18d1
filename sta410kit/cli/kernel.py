"""``sta410 kernel``: the fork server behind warm kernels."""

from __future__ import annotations

import click

from sta410kit.exit_codes import ExitCode


@click.group()
def kernel() -> None:
    """Look after the fork server that warm kernels come from."""


@kernel.command()
def status() -> int:
    """Say whether the server runs, and how many processes it has."""
    from sta410kit.runner.warm.client import IDLE_SECONDS, ServerUnavailableError, ask

    try:
        answer = ask("status")
    except ServerUnavailableError as error:
        click.echo(f"{error}; the first notebook starts it, or: sta410 kernel start")
        return ExitCode.PASSED
    click.echo(f"the server runs as process {answer['pid']}, {len(answer['children'])} kernels")
    click.echo(f"it leaves after {IDLE_SECONDS / 60:.0f} minutes without any")
    return ExitCode.PASSED


@kernel.command()
def start() -> int:
    """Start the server now.

    The first notebook need not wait for it then.
    """
    from sta410kit.exceptions import ConfigurationError
    from sta410kit.runner.warm.client import ServerUnavailableError, ask, connect

    try:
        connect().close()
        click.echo(f"the server runs as process {ask('status')['pid']}")
    except ServerUnavailableError as error:
        message = f"{error}; notebooks run in ordinary kernels, slower"
        raise ConfigurationError(message) from error
    return ExitCode.PASSED


@kernel.command()
def stop() -> int:
    """Have the server leave once its kernels have ended."""
    from sta410kit.runner.warm.client import ServerUnavailableError, ask

    try:
        ask("stop")
        click.echo("the server leaves when its last kernel has ended")
    except ServerUnavailableError as error:
        click.echo(str(error))
    return ExitCode.PASSED
