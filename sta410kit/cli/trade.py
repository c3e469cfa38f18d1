"""``sta410 trade``: send the order proposals of a run."""

from __future__ import annotations

from pathlib import Path

import click

from sta410kit.cli.completion import run_ids
from sta410kit.cli.options import json_option, print_json, show_only_warnings


@click.command()
@click.option(
    "--run", "run", default="latest", shell_complete=run_ids, help="Whose proposals; the newest run's."
)
@click.option("--send", "sending", is_flag=True, help="Send the orders; without it they are only shown.")
@click.option("--exchange", default="XNYS", show_default=True, help="Calendar of the newest session.")
@json_option
def trade(run: str, exchange: str, *, sending: bool, as_json: bool) -> int:
    """Show what the approved order proposals of a run would send to Alpaca, and send it with --send.

    Orders go to the paper endpoint unless PAPER_TRADING=false and both acknowledgements are set. Equity and
    positions are read from the account, and the order limits are applied to them. An order
    whose stop or target the newest price has passed is left out. Each is sent once: calling again shows what
    became of it. Exits with 4 when the broker refuses one.
    """
    from dataclasses import asdict

    from sta410kit.market.brokerage import brokerage
    from sta410kit.market.sources.alpaca import AlpacaSource
    from sta410kit.runner.runs import find_run, runs_folder
    from sta410kit.runner.trade import leave_out_passed, look_up, outcome_of, print_trades, send, trades_of

    show_only_warnings()
    folder = find_run(runs_folder(Path.cwd()), run)
    with brokerage() as broker:
        account = broker.account()
        trades = trades_of(folder, account, exchange=exchange)
        look_up(trades, broker)
        unsent = [one.symbol for one in trades if one.order and one.sent is None]
        leave_out_passed(trades, AlpacaSource().latest(unsent) if unsent else {})
        if sending:
            send(trades, broker)
    if as_json:
        rows = [{**asdict(one), "outcome": one.outcome} for one in trades]
        print_json({"run": folder.name, "account": asdict(account), "sent": sending, "trades": rows})
    else:
        print_trades(trades, account, folder.name, sending=sending)
    return outcome_of(trades)
