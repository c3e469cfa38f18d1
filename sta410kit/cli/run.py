"""``sta410 run``: the chain of the project, or one notebook."""

from __future__ import annotations

from pathlib import Path

import click

from sta410kit.cli.parameters import pairs
from sta410kit.exceptions import ConfigurationError


@click.command()
@click.argument("notebook", required=False, type=click.Path(path_type=Path))
@click.option(
    "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE",
    help="Set a notebook parameter; may be given several times. Lists: -p symbols=AAPL,MSFT.",
)  # fmt: skip
def run(notebook: Path | None, parameters: tuple[str, ...]) -> int:
    """Run the chain of the project, or one NOTEBOOK, headless."""
    from sta410kit.project import find_project
    from sta410kit.runner.chain import run_chain, run_notebook
    from sta410kit.runner.progress import Progress
    from sta410kit.runner.summary import print_summary

    given = pairs(parameters)
    if notebook is not None:
        done = run_notebook(notebook, given, Progress())
    else:
        project = find_project()
        if project is None:
            message = (
                f"{Path.cwd()} lies in no project (no notebooks/pipeline.toml here or above); "
                "change into one, or name a notebook: sta410 run NOTEBOOK"
            )
            raise ConfigurationError(message)
        done = run_chain(project, given, Progress())
    print_summary(done)
    return done.outcome
