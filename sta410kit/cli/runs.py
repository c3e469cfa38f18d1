"""``sta410 runs``, ``show``, ``diff`` and ``verify``: what earlier runs did."""

from pathlib import Path

import click

from sta410kit.cli.completion import run_ids
from sta410kit.cli.options import SECONDS, json_option, print_json


@click.group(invoke_without_command=True)
@click.option("-n", "limit", default=20, show_default=True, type=click.IntRange(1), help="How many at most.")
@json_option
@click.pass_context
def runs(ctx: click.Context, limit: int, *, as_json: bool) -> None:
    """List the runs, newest first.

    `sta410 runs prune` removes old ones.
    """
    if ctx.invoked_subcommand is not None:
        return
    from sta410kit.runner.listing import list_runs, print_runs
    from sta410kit.runner.runs import runs_folder

    folder = runs_folder(Path.cwd())
    found = list_runs(folder, limit)
    if as_json:
        print_json([one.to_dict() for one in found])
    else:
        print_runs(found, folder)


@runs.command()
@click.option("--older-than", type=SECONDS, metavar="AGE", help="Remove runs older than this: 12h, 30d, 8w.")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="The newest N stay, however old.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@json_option
def prune(older_than: float | None, keep: int | None, *, dry_run: bool, as_json: bool) -> None:
    """Remove old runs with their logs and data docs.

    With both limits, a run goes if it is older than AGE and not among the newest N. A run that is going on
    stays, and so does every result that a later run has reused.
    """
    from sta410kit._internal.project import require_project
    from sta410kit.config import get_config
    from sta410kit.runner.prune import print_removal
    from sta410kit.runner.prune import prune as remove

    project = require_project("; change into the project whose runs to remove")
    removal = remove(
        project / "runs",
        project / get_config().logging.log_dir,
        older_than=older_than,
        keep=keep,
        dry_run=dry_run,
    )
    if as_json:
        content = {"runs": [one.to_dict() for one in removal.runs], "logs": list(map(str, removal.logs))}
        print_json({**content, "bytes": removal.freed, "removed": not dry_run})
    else:
        print_removal(removal, dry_run=dry_run)


@click.command()
@click.argument("run", metavar="[RUN]", default="latest", shell_complete=run_ids)
@json_option
def show(run: str, *, as_json: bool) -> None:
    """Show RUN in detail, the newest by default.

    RUN is an id, a unique prefix of one, `latest`, or a path.
    """
    from sta410kit.runner.runs import find_run, runs_folder
    from sta410kit.runner.summary import print_details, run_details

    folder = find_run(runs_folder(Path.cwd()), run)
    if as_json:
        print_json(run_details(folder))
    else:
        print_details(folder)


@click.command()
@click.argument("first", metavar="[A", required=False, shell_complete=run_ids)
@click.argument("second", metavar="[B]]", required=False, shell_complete=run_ids)
@json_option
def diff(first: str | None, second: str | None, *, as_json: bool) -> None:
    """Compare the runs A (first) and B (second); the newest with the one before of its kind when left out.

    Compares metrics, then code, parameters, data, packages, settings, seed and git, then outcomes, recorded
    values and artifacts. Ends with 0 whether they differ or not; `--json` has a field `same`. For the outputs
    of two notebooks, use nbdime: nbdiff-web FIRST.ipynb SECOND.ipynb.
    """
    from sta410kit.runner.comparison.runs import compare_runs, previous_run, print_comparison
    from sta410kit.runner.runs import LATEST, find_run, runs_folder

    folder = runs_folder(Path.cwd())
    later = find_run(folder, second or LATEST)
    found = compare_runs(find_run(folder, first) if first else previous_run(later), later)
    if as_json:
        print_json(found.to_dict())
    else:
        print_comparison(found)


@click.command()
@click.argument("run", metavar="RUN", shell_complete=run_ids)
@click.option("--anyway", is_flag=True, help="Also if packages, settings, modules or data have changed.")
@json_option
def verify(run: str, *, anyway: bool, as_json: bool) -> int:
    """Execute RUN once more and compare the results.

    Recorded values and artifacts must be equal. The notebooks are those saved with the run, with its
    parameters. Ends with 10 if a result differs, and with 2 if packages, settings, modules or data have
    changed since.
    """
    from sta410kit.runner.progress import Progress
    from sta410kit.runner.runs import find_run, runs_folder
    from sta410kit.runner.verify import print_verification, verify_run

    found = verify_run(find_run(runs_folder(Path.cwd()), run), Progress(), anyway=anyway)
    if as_json:
        print_json(found.to_dict())
    else:
        print_verification(found)
    return found.outcome
