"""``sta410 profile``: where the time and memory of a run went."""

from __future__ import annotations

from pathlib import Path

import click

from sta410kit.cli.completion import run_ids
from sta410kit.cli.options import json_option, print_json
from sta410kit.exit_codes import ExitCode


@click.command()
@click.argument("run", default="latest", shell_complete=run_ids)
@json_option
def profile(run: str, *, as_json: bool) -> int:
    """Show where the time and memory of RUN went, by step and by cell; without RUN, of the newest."""
    from sta410kit.runner.profile import print_profile, profile_run
    from sta410kit.runner.runs import find_run, runs_folder

    found = profile_run(find_run(runs_folder(Path.cwd()), run))
    if as_json:
        print_json(found.to_dict())
    else:
        print_profile(found)
    return ExitCode.PASSED
