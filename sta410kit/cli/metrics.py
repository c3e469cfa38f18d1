"""``sta410 metrics``: what Prometheus is told of the project."""

from __future__ import annotations

import click

from sta410kit.exit_codes import ExitCode


@click.command()
@click.option("--write", is_flag=True, help="Write them to the file of METRICS_TEXTFILE instead.")
def metrics(*, write: bool) -> int:
    """Print the project's metrics in the text format of Prometheus."""
    from sta410kit._internal.project import require_project
    from sta410kit.runner.metrics import metrics_text, write_textfile

    project = require_project("; change into one")
    if write:
        click.echo(f"wrote {write_textfile(project, required=True)}")
    else:
        click.echo(metrics_text(project), nl=False)
    return ExitCode.PASSED
