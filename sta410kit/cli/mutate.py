"""``sta410 mutate``: corrupt clean data in every known way and check that the suite notices."""

from pathlib import Path

import click

from sta410kit.cli.options import PATH, json_option, print_json
from sta410kit.exit_codes import ExitCode


@click.command()
@click.option("--suite", default="prices", show_default=True, help="Name of the suite to test.")
@click.option(
    "--data",
    type=PATH,
    default=None,
    help="Clean data (CSV or Parquet); made from the embedded prices when left out.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Draws sizes and places.")
@click.option(
    "--repeats", default=1, show_default=True, type=click.IntRange(1), help="Mutants of each corruption."
)
@click.option("--only", default=None, help="Only these corruptions, e.g. spike,bars_repeated.")
@json_option
def mutate(  # noqa: PLR0913 - one for each option
    suite: str, data: Path | None, seed: int, repeats: int, only: str | None, *, as_json: bool
) -> int:
    """Test a suite with corrupted data.

    Realistic corruptions are injected one at a time; the report says which expectation caught each, and what
    was left out. Exits with 3 when a corruption survives, or when the suite refuses the data as they are.
    """
    from sta410kit.guards.mutation import mutate as inject
    from sta410kit.guards.suites import read_suite
    from sta410kit.market.columns import COLUMNS
    from sta410kit.runner.frames import example_frame, read_frame

    contract = read_suite(suite)  # refused before the data are read or made
    name = contract.name
    frame = read_frame(data, prices=contract.judges_prices) if data else example_frame(name)
    if name == "prices":
        frame = frame[list(COLUMNS)]  # the suite has no rule for others, so it could not notice
    kinds = [kind.strip() for kind in only.split(",") if kind.strip()] if only else None
    report = inject(frame, suite, seed=seed, repeats=repeats, kinds=kinds)
    if as_json:
        print_json(report.to_dict())
        return ExitCode.PASSED if report.passed else ExitCode.DATA_REJECTED
    for mutant in report.mutants:
        if mutant.outcome:
            left_out = "refused" if mutant.outcome == "refused" else f"{mutant.outcome} quarantined"
            what = f"{left_out} ({', '.join(mutant.caught_by)})"
        elif mutant.caught_by:
            what = f"SURVIVED: not exactly what was corrupted is left out ({', '.join(mutant.caught_by)})"
        else:
            what = f"SURVIVED. {mutant.about}" if mutant.applies else "no place for it"
        click.echo(f"  {mutant.corruption}: {what}")
    idle = report.idle()
    if idle and not kinds:
        click.echo(f"caught nothing: {', '.join(idle)}")
    click.echo(report.summary())
    if report.survivors:
        click.echo(
            f"a survivor is an error that '{name}' would accept in these data. Tighten a threshold in its "
            "file; docs/guards.md says what no rule can see",
            err=True,
        )
    return ExitCode.PASSED if report.passed else ExitCode.DATA_REJECTED
