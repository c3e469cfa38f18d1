"""``sta410 night``: what is different from yesterday."""

from __future__ import annotations

from pathlib import Path

import click

from sta410kit.cli.completion import run_ids
from sta410kit.cli.options import json_option, print_json
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode


@click.command()
@click.argument("run", metavar="[RUN]", default="", shell_complete=run_ids)
@json_option
def night(run: str, *, as_json: bool) -> int:
    """Show what is different in RUN from the run of the chain that passed before it.

    Forecasts, verdict, metrics, data that the source has revised, findings of gates, duration. Without RUN
    it is the newest run of the chain.
    """
    from sta410kit.runner.manifest import manifests
    from sta410kit.runner.night import night_of
    from sta410kit.runner.runs import find_run, no_runs, runs_folder
    from sta410kit.runner.terminal import say

    runs = runs_folder(Path.cwd())
    folder = find_run(runs, run) if run else next((folder for folder, _ in manifests(runs, "chain")), None)
    if folder is None:
        raise ConfigurationError(no_runs(runs))
    found = night_of(folder)
    if as_json:
        print_json(found.to_dict())
    else:
        say(
            f"run {found.run}: {found.outcome}" + (f", beside {found.before}" if found.before else ""), "bold"
        )
        for line in found.lines:
            say(line)
    return ExitCode.PASSED
