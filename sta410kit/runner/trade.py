"""Send the order proposals of a run to the broker, each once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sta410kit._internal.calendars import newest_closed
from sta410kit._internal.parquet import read_table
from sta410kit._internal.text import percent
from sta410kit.config import get_config
from sta410kit.exceptions import ConfigurationError, TradingExecutionError
from sta410kit.exit_codes import ExitCode
from sta410kit.guards import approve_orders, read_sectors
from sta410kit.market.resilience import RefusedRequestError
from sta410kit.runner.manifest import read_manifest
from sta410kit.runner.registry import content_digest
from sta410kit.runner.terminal import say, show_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from sta410kit.market.brokerage import Account, Brokerage, SentOrder
    from sta410kit.runner.manifest import Manifest

_ORDERS = "orders.parquet"


@dataclass
class Trade:
    """What is to be sent for one symbol, and what became of it."""

    symbol: str
    order: dict[str, Any]  # in the form of Alpaca's API; empty where nothing is to be sent
    why: str
    sent: SentOrder | None = None
    refused: str = ""

    @property
    def outcome(self) -> str:
        """In words: not sent, refused, or as the broker has it."""
        if self.sent is None:
            return f"refused: {self.refused}" if self.refused else "not sent" if self.order else ""
        price = f" at {self.sent.price:,.2f}" if self.sent.price else ""
        return f"{self.sent.status}, {self.sent.filled:g} of {self.sent.shares:g} filled{price}"


def trades_of(folder: Path, account: Account, *, exchange: str = "XNYS") -> list[Trade]:
    """Return what brings an account to the positions that a run proposes, after the limits have approved it.

    A proposal is a target: shares that are held already are not bought again. A position the other way is
    closed, and the new one opened by the next run. A symbol on hold is left as it is; its stop and target,
    sent with the order that opened it, are with the broker.

    Raises
    ------
    ConfigurationError
        The run has no proposals, or not those that it wrote.
    TradingExecutionError
        The proposals are not from the newest session that has closed, or break a limit for this account.
    """
    manifest = read_manifest(folder)
    orders = _proposals(folder, manifest)
    _require_newest(orders, manifest.run, exchange)
    _approve(orders, account, manifest)
    return [
        _trade({str(name): value for name, value in row.items()}, account, manifest.run)
        for row in orders.to_dict("records")
    ]


def leave_out_passed(trades: list[Trade], newest: Mapping[str, tuple[datetime, float]]) -> None:
    """Leave out what the newest price has overtaken: beyond its stop or target, an order makes no sense."""
    for trade in trades:
        if trade.sent or trade.symbol not in newest or "stop_loss" not in trade.order:
            continue
        moment, price = newest[trade.symbol]
        ends = sorted(
            (float(trade.order["stop_loss"]["stop_price"]), float(trade.order["take_profit"]["limit_price"]))
        )
        if not ends[0] < price < ends[1]:
            trade.order = {}
            trade.why = (
                f"{price:,.2f} at {moment:%H:%M} UTC is beyond the stop or target, {ends[0]:,.2f} and "
                f"{ends[1]:,.2f}"
            )


def send(trades: list[Trade], broker: Brokerage) -> None:
    """Send what has not been sent; what the broker refuses is noted, and the others are sent."""
    for trade in trades:
        if trade.order and trade.sent is None:
            try:
                trade.sent = broker.submit(trade.order)
            except RefusedRequestError as error:
                trade.refused = str(error)


def look_up(trades: list[Trade], broker: Brokerage) -> None:
    """Note what became of orders that were sent before."""
    for trade in trades:
        if trade.order:
            trade.sent = broker.order(trade.order["client_order_id"])


def outcome_of(trades: list[Trade]) -> ExitCode:
    """Return how it went: the broker has refused or rejected an order, or not."""
    bad = any(one.refused or (one.sent and one.sent.status == "rejected") for one in trades)
    return ExitCode.NOTEBOOK_FAILED if bad else ExitCode.PASSED


def print_trades(trades: list[Trade], account: Account, run: str, *, sending: bool) -> None:
    """Print what was or would be sent."""
    moved = percent(account.day_return, "+.2%")
    say(f"run {run}: account of {account.equity:,.2f}, {moved} since the last close")
    rows = [
        (one.symbol, one.order.get("side", ""), str(one.order.get("qty", "")), one.why, one.outcome)
        for one in trades
    ]
    show_table(("symbol", "side", "shares", "why", "broker"), rows, right=("shares",))
    waiting = sum(bool(one.order) and one.sent is None for one in trades)
    if not sending and waiting:
        say("nothing was sent; to send: sta410 trade --send")


def _proposals(folder: Path, manifest: Manifest) -> pd.DataFrame:
    step = next((one for one in manifest.steps if _ORDERS in one.artifacts), None)
    if not manifest.passed or step is None:
        message = f"run {manifest.run} has no approved order proposals: it is {manifest.outcome}"
        raise ConfigurationError(message)
    if content_digest(folder / _ORDERS) != step.artifacts[_ORDERS]:
        message = f"{folder / _ORDERS} is not what the run wrote; make the proposals again: sta410 run"
        raise ConfigurationError(message)
    orders: pd.DataFrame = read_table(folder / _ORDERS).to_pandas()
    return orders


def _require_newest(orders: pd.DataFrame, run: str, exchange: str) -> None:
    """Raise unless the proposals are from the newest session: a forecast that is a day old is no view."""
    newest, made = newest_closed(exchange, datetime.now(UTC)), orders["date"].max()
    if made.date() != newest:
        message = (
            f"the proposals of run {run} are from the session {made:%Y-%m-%d}, the newest of {exchange} that "
            f"has closed is {newest}; run the chain on newer prices, or name the calendar with --exchange"
        )
        raise TradingExecutionError(message)


def _approve(orders: pd.DataFrame, account: Account, manifest: Manifest) -> None:
    """Put the proposals through the order limits with the account's equity, return and other positions."""
    config = get_config()
    given = {name: value for step in manifest.parameters.values() for name, value in step.items()}
    approve_orders(
        orders,
        account.equity,
        config.trading,
        day_return=account.day_return,
        sectors=read_sectors(given.get("sectors")),
        environment=config.environment,
    )
    traded = orders[orders["side"] != "hold"]
    asked = float((traded["shares"] * traded["reference_price"]).sum())
    others = sum(
        abs(value) for name, value in account.market_values.items() if name not in set(traded["symbol"])
    )
    if len(traded) and asked + others > account.equity:
        message = (
            f"equity: proposals of {asked:,.2f} beside other positions of {others:,.2f} exceed the account's "
            f"{account.equity:,.2f}; run the chain with -p equity={max(account.equity - others, 0):.0f}"
        )
        raise TradingExecutionError(message)


def _trade(row: dict[str, Any], account: Account, run: str) -> Trade:
    symbol, side = str(row["symbol"]), row["side"]
    held = account.shares.get(symbol, 0)
    target = int(row["shares"]) * {"buy": 1, "sell": -1}.get(side, 0)
    if not target:
        return Trade(symbol, {}, str(row["reason"]))
    order: dict[str, Any] = {"symbol": symbol, "type": "market", "time_in_force": "day"}
    order["client_order_id"] = f"sta410-{run}-{symbol}"
    if held * target < 0:
        why = f"closes {held:+,} shares, held the other way"
        return Trade(symbol, {**order, "side": side, "qty": str(abs(held))}, why)
    missing = abs(target) - abs(held)
    if missing <= 0:
        return Trade(symbol, {}, f"{held:+,} shares are held already, {target:+,} proposed")
    bracket = {
        "side": side,
        "qty": str(missing),
        "order_class": "bracket",
        "stop_loss": {"stop_price": f"{row['stop_loss']:.2f}"},
        "take_profit": {"limit_price": f"{row['take_profit']:.2f}"},
    }
    return Trade(symbol, {**order, **bracket}, f"{target:+,} proposed, {held:+,} held")
