"""``sta410 fetch``: fill the store of prices."""

from __future__ import annotations

import click

from sta410kit.cli.options import exchange_option, json_option, print_json, show_only_warnings


@click.command()
@click.argument("symbols", nargs=-1)
@click.option("--source", default="alpaca", show_default=True, help="Which source to ask.")
@click.option(
    "--from", "start", metavar="DAY", help="First day, 2015-01-02 or 2015; that of what is stored by default."
)
@click.option("--to", "end", metavar="DAY", help="Last day; the last session that has closed by default.")
@exchange_option
@click.option("--again", is_flag=True, help="Ask again for what is stored too, to find revisions.")
@json_option
def fetch(  # noqa: PLR0913, PLR0917 - one for each option
    symbols: tuple[str, ...],
    source: str,
    start: str | None,
    end: str | None,
    exchange: str | None,
    again: bool,  # noqa: FBT001 - a flag
    as_json: bool,  # noqa: FBT001 - a flag
) -> int:
    """Store the daily bars and corporate actions of SYMBOLS, all that are stored already by default.

    Only what is missing is asked for. Exits with 3 if the source has revised what is stored and the gate
    does not accept that, and with 11 if the source does not answer.
    """
    from sta410kit.market.selection import parse_period, parse_symbols
    from sta410kit.runner import fetch as fetching

    show_only_warnings()
    wanted = parse_symbols([part for text in symbols for part in text.split(",")]) if symbols else None
    first, last = parse_period(_day(start, "01-01"), _day(end, "12-31"))
    period = (first and first.date(), last and last.date())
    found = fetching.fetch(source, wanted, period, exchange, again=again)
    if as_json:
        print_json(found.to_dict())
    else:
        fetching.print_fetched(found)
    return found.outcome


def _day(text: str | None, of_year: str) -> str | None:
    """Return a day as it is written, or that of a year."""
    return f"{text.strip()}-{of_year}" if text and text.strip().isdigit() else text
