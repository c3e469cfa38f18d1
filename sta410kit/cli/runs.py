"""``sta410 runs``, ``show``, ``diff`` and ``verify``: what earlier runs did."""

from __future__ import annotations

from pathlib import Path

import click

from sta410kit.cli.completion import run_ids
from sta410kit.cli.json_command import JsonCommand, JsonGroup, json_option, print_json
from sta410kit.exit_codes import ExitCode


@click.group(cls=JsonGroup, invoke_without_command=True)
@click.option("-n", "limit", default=20, show_default=True, type=click.IntRange(1), help="How many at most.")
@json_option
@click.pass_context
def runs(ctx: click.Context, limit: int, *, as_json: bool) -> int:
    """List the runs, newest first.

    `sta410 runs prune` removes old ones.
    """
    if ctx.invoked_subcommand is not None:
        return ExitCode.PASSED
    from sta410kit.runner.history.listing import list_runs
    from sta410kit.runner.history.tables import as_json_values, print_runs
    from sta410kit.runner.runs import runs_folder

    folder = runs_folder(Path.cwd())
    found = list_runs(folder, limit)
    if as_json:
        print_json([as_json_values(one) for one in found])
    else:
        print_runs(found, folder)
    return ExitCode.PASSED


@runs.command(cls=JsonCommand)
@click.option("--older-than", metavar="AGE", help="Remove runs older than this: 12h, 30d, 8w.")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="The newest N stay, however old.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@json_option
def prune(older_than: str | None, keep: int | None, *, dry_run: bool, as_json: bool) -> int:
    """Remove old runs with their logs and data docs.

    With both limits a run goes when it is older than AGE and not among the newest N. A run that still goes on
    stays, and so does every result that a later run has taken over.
    """
    from sta410kit._internal.project import project_folder
    from sta410kit.config import get_config
    from sta410kit.runner.history.listing import prune as remove
    from sta410kit.runner.history.tables import as_json_values, print_removal
    from sta410kit.runner.limits import parse_seconds
    from sta410kit.runner.runs import runs_folder

    removal = remove(
        runs_folder(Path.cwd()),
        project_folder() / get_config().logging.log_dir,
        older_than=parse_seconds(older_than, "--older-than") if older_than is not None else None,
        keep=keep,
        dry_run=dry_run,
    )
    if as_json:
        content = {
            "runs": [as_json_values(one) for one in removal.runs],
            "logs": list(map(str, removal.logs)),
        }
        print_json({**content, "bytes": removal.freed, "removed": not dry_run})
    else:
        print_removal(removal, dry_run=dry_run)
    return ExitCode.PASSED


@click.command(cls=JsonCommand)
@click.argument("run", metavar="RUN", shell_complete=run_ids)
@json_option
def show(run: str, *, as_json: bool) -> int:
    """Explain RUN: an id, the beginning of one, `latest`, or a path."""
    from sta410kit.runner.history.explanation import explained, print_explained
    from sta410kit.runner.runs import find_run, runs_folder

    content = explained(find_run(runs_folder(Path.cwd()), run))
    (print_json if as_json else print_explained)(content)
    return ExitCode.PASSED


@click.command(cls=JsonCommand)
@click.argument("first", metavar="A", shell_complete=run_ids)
@click.argument("second", metavar="B", shell_complete=run_ids)
@json_option
def diff(first: str, second: str, *, as_json: bool) -> int:
    """Say in what the runs A and B differ.

    The first cell that came out differently is named. Ends with 0 whether they differ or not, for the
    comparison has been made; `--json` has a field `same`.
    """
    from sta410kit.runner.history.difference import compare_runs, print_comparison
    from sta410kit.runner.runs import find_run, runs_folder

    folder = runs_folder(Path.cwd())
    content = compare_runs(find_run(folder, first), find_run(folder, second))
    (print_json if as_json else print_comparison)(content)
    return ExitCode.PASSED


@click.command(cls=JsonCommand)
@click.argument("run", metavar="RUN", shell_complete=run_ids)
@click.option("--anyway", is_flag=True, help="Also where packages, settings or modules are not as they were.")
@click.option("--jobs", default=0, type=click.IntRange(0), help="Steps side by side; 0: one a processor.")
@json_option
def verify(run: str, *, anyway: bool, jobs: int, as_json: bool) -> int:
    """Execute RUN once more and compare what comes out.

    It is executed beside what it left. The notebooks are those the run has saved, with its parameters. Ends
    with 10 when an artifact differs, and with 2 when the packages, settings, modules or data of the run are
    not there any more.
    """
    from sta410kit.runner.history.verification import print_verification, verify_run
    from sta410kit.runner.progress import Progress
    from sta410kit.runner.runs import find_run, runs_folder

    found = verify_run(find_run(runs_folder(Path.cwd()), run), Progress(), anyway=anyway, jobs=jobs)
    if as_json:
        print_json(found.to_dict())
    else:
        print_verification(found)
    return found.outcome
