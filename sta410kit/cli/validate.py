"""``sta410 validate``: judge a file by a suite."""

from pathlib import Path

import click

from sta410kit._internal.text import printable
from sta410kit.cli.options import FILE, PATH, exchange_option, suite_option
from sta410kit.exit_codes import ExitCode


@click.command()
@click.argument("file", type=PATH)
@suite_option
@click.option("--symbols", default=None, help="Symbols that must have rows, e.g. AAPL,MSFT.")
@click.option(
    "--snapshot",
    type=FILE,
    default=None,
    help="Parquet file of the last accepted data: compared with, and renewed when these are accepted.",
)
@click.option(
    "--max-age",
    type=click.IntRange(0),
    default=None,
    help="Whole sessions that may have passed since each symbol's last row.",
)
@exchange_option
@click.option("--strict", is_flag=True, help="Refuse FILE for any critical finding; quarantine nothing.")
def validate(  # noqa: PLR0913, PLR0917 - one for each option
    file: Path,
    suite: str,
    symbols: str | None,
    snapshot: Path | None,
    max_age: int | None,
    exchange: str | None,
    *,
    strict: bool,
) -> int:
    """Judge the data in FILE (CSV or Parquet) by a suite.

    The data docs show the whole validation, and what is quarantined. Exits with 3 when the suite refuses the
    data, and when FILE cannot be read.
    """
    from sta410kit.guards import keep_snapshot
    from sta410kit.guards import validate as judge
    from sta410kit.guards.data_docs import publish
    from sta410kit.market.selection import parse_symbols
    from sta410kit.runner.frames import read_repaired
    from sta410kit.runner.runs import DATA_DOCS, new_run, runs_folder

    asked = parse_symbols(symbols)
    frame, repairs = read_repaired(file, suite, asked)
    result = judge(
        frame,
        suite,
        symbols=asked,
        snapshot=snapshot,
        max_age=max_age,
        exchange=exchange,
        strict=strict,
        repairs=repairs,
    )
    folder = new_run(runs_folder(Path.cwd())) / DATA_DOCS
    page = publish(result, folder, "validate", frame=frame, repairs=repairs)
    click.echo(printable(result.summary()))
    for words in result.named:
        click.echo(printable(f"  {words}"))
    for failure in result.failures:
        settled = failure.quarantined and result.passed
        severity = f"{failure.severity}, quarantined" if settled else failure.severity
        click.echo(printable(f"  {severity}: {failure}"))
    for words in result.repairs:
        click.echo(printable(f"  repaired: {words}"))
    for words in result.accepted:
        click.echo(printable(f"  accepted: {words}"))
    if snapshot is not None and result.passed:
        click.echo(f"snapshot: {keep_snapshot(frame, result, snapshot)}")
    click.echo(f"data docs: {page}")
    return ExitCode.PASSED if result.passed else ExitCode.DATA_REJECTED
