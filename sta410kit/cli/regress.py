"""``sta410 regress``: whether the notebooks still come out as they are committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sta410kit.cli.json_command import JsonCommand, json_option, print_json
from sta410kit.cli.typed_path import TypedPath
from sta410kit.exit_codes import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from sta410kit.runner.comparison.tolerance import Tolerance

_NUMBER = click.FloatRange(min=0)


@click.command(cls=JsonCommand)
@click.argument("notebooks", nargs=-1, type=TypedPath())
@click.option("--rtol", type=_NUMBER, metavar="X", help="Relative tolerance of numbers; 1e-6 unless given.")
@click.option("--atol", type=_NUMBER, metavar="X", help="Absolute tolerance of numbers; 1e-12 unless given.")
@click.option(
    "--figure-rms", type=_NUMBER, metavar="X", help="Tolerance of figures, 0 to 255; 2 unless given."
)
@click.option("--update", is_flag=True, help="Replace the committed outputs of the cells that differ.")
@click.option("--jobs", default=0, type=click.IntRange(0), help="Notebooks side by side; 0: one a processor.")
@click.option("--timeout", metavar="TIME", help="How long each notebook may take: 90, 15m.")
@json_option
def regress(  # noqa: PLR0913 - a command has many options
    notebooks: tuple[Path, ...],
    rtol: float | None,
    atol: float | None,
    figure_rms: float | None,
    *,
    jobs: int,
    timeout: str | None,
    update: bool,
    as_json: bool,
) -> int:
    """Compare NOTEBOOKS with their committed outputs.

    Each is executed on its defaults; without NOTEBOOKS, all of the project's chain. Times, durations, paths
    and addresses are ignored. Tags of a cell: rtol=1e-3, atol=1e-9, figure-rms=5, regress-skip; those of
    nbval are honoured. Ends with 4 when a notebook differs.
    """
    from sta410kit.runner.limits import parse_seconds
    from sta410kit.runner.regression.run import print_regressions, regress_all

    found = regress_all(
        list(notebooks),
        _tolerance(rtol, atol, figure_rms),
        update=update,
        jobs=jobs,
        timeout=parse_seconds(timeout, "--timeout") if timeout is not None else None,
    )
    bad = [one.outcome for one in found if one.outcome is not ExitCode.PASSED]
    outcome = next(iter(bad), ExitCode.PASSED)
    if as_json:
        content = [one.to_dict() for one in found]
        print_json({"outcome": outcome.name, "exit_code": int(outcome), "notebooks": content})
    else:
        print_regressions(found)
    return outcome


def _tolerance(rtol: float | None, atol: float | None, figure_rms: float | None) -> Tolerance:
    from sta410kit.runner.comparison.tolerance import Tolerance

    given = {"rtol": rtol, "atol": atol, "figure_rms": figure_rms}
    return Tolerance(**{name: value for name, value in given.items() if value is not None})
