"""``sta410 regress``: notebooks against their committed outputs, and against a reference run."""

from pathlib import Path

import click

from sta410kit.cli.completion import run_ids
from sta410kit.cli.options import PATH, SECONDS, json_option, print_json
from sta410kit.exit_codes import ExitCode

_NUMBER = click.FloatRange(min=0)


@click.command()
@click.argument("notebooks", nargs=-1, type=PATH)
@click.option(
    "--reference", metavar="RUN", shell_complete=run_ids, help="Also run what RUN ran, and compare."
)
@click.option(
    "--rtol", type=_NUMBER, default=1e-6, show_default=True, help="Relative tolerance, for --reference."
)
@click.option(
    "--atol", type=_NUMBER, default=1e-12, show_default=True, help="Absolute tolerance, for --reference."
)
@click.option("--timeout", type=SECONDS, help="How long each cell may take: 90, 15m.")
@json_option
def regress(  # noqa: PLR0913 - a command has many options
    notebooks: tuple[Path, ...],
    reference: str | None,
    rtol: float,
    atol: float,
    *,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Compare NOTEBOOKS with their committed outputs, with nbval.

    Each is executed on its defaults; without NOTEBOOKS, all in notebooks/ are. With --reference, the
    chain or notebook of RUN is also run with RUN's parameters, and its recorded values and artifacts are
    compared within the tolerance. Ends with 4 when anything differs. Needs the extra `test`.
    """
    from sta410kit.runner.regress import print_reference, print_regression, run_nbval, run_reference

    found = run_nbval(notebooks, timeout)
    outcome, content = found.outcome, found.to_dict()
    if not as_json:
        print_regression(found)
    if reference is not None:
        from sta410kit.runner.comparison.files import Tolerance
        from sta410kit.runner.progress import Progress
        from sta410kit.runner.runs import find_run, runs_folder

        folder = find_run(runs_folder(Path.cwd()), reference)
        run, differences = run_reference(folder, Tolerance(rtol, atol), Progress())
        different = ExitCode.NOTEBOOK_FAILED if differences else run.outcome
        outcome = outcome or different
        content |= {"run": run.folder.name, "differences": [one._asdict() for one in differences]}
        if not as_json:
            print_reference(run, folder.name, differences)
    if as_json:
        print_json({"outcome": outcome.name, "exit_code": int(outcome), **content})
    return outcome
