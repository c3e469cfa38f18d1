"""``sta410 config``: the settings in use."""

from __future__ import annotations

import click

from sta410kit.outcomes import ExitCode


@click.command()
def config() -> int:
    """Show the current configuration as JSON, secrets masked."""
    import json

    from sta410kit.config import get_config

    click.echo(json.dumps(get_config().to_dict(), indent=2))
    return ExitCode.PASSED
