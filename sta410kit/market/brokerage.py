"""The account at Alpaca: its equity and positions, and orders that are sent once.

An order has an id that its sender chooses, and Alpaca takes each id once. So a request that was lost, or a
process that died after sending, is repeated safely: the order is found by its id.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sta410kit._internal.argument_checks import as_number, shown
from sta410kit._internal.settings.fields import is_loopback
from sta410kit._internal.settings.sections import PAPER_ENDPOINT
from sta410kit.config import get_config
from sta410kit.exceptions import APIError, ConfigurationError
from sta410kit.secrets import get_alpaca_base_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sta410kit.market.resilience import HttpClient, Timeouts


@dataclass(frozen=True)
class Account:
    """Equity now and at the last close, in quote currency, and signed shares and market value by symbol."""

    equity: float
    last_equity: float
    shares: dict[str, int]
    market_values: dict[str, float]

    @property
    def day_return(self) -> float:
        """The account's return since the last close, as a fraction."""
        return self.equity / self.last_equity - 1


@dataclass(frozen=True)
class SentOrder:
    """An order as the broker has it."""

    status: str  # Alpaca's: accepted, filled, partially_filled, rejected, canceled ...
    shares: float
    filled: float
    price: float | None  # average of what is filled


class Brokerage:
    """A connection to the trading endpoint; use `brokerage` to open one."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def account(self) -> Account:
        """Return the state of the account.

        Raises
        ------
        APIError
            The account is blocked, or the answer is not one of an account.
        """
        answer = self._client.get("/v2/account", {})
        if answer.get("trading_blocked") or answer.get("account_blocked"):
            message = "Alpaca has blocked this account for trading; look at its dashboard."
            raise APIError(message)
        equity, last = (_number(answer, name) for name in ("equity", "last_equity"))
        if equity <= 0 or last <= 0:
            message = f"the account's equity is {equity:,.2f}, {last:,.2f} at the last close"
            raise APIError(message)
        held = self._client.get("/v2/positions", {}, kind=list)
        shares = {str(one["symbol"]): _number(one, "qty") for one in held}
        broken = [symbol for symbol, count in shares.items() if count != int(count)]
        if broken:
            message = f"the position in {', '.join(broken)} is no whole number of shares; close it first"
            raise APIError(message)
        values = {str(one["symbol"]): _number(one, "market_value") for one in held}
        return Account(equity, last, {symbol: int(count) for symbol, count in shares.items()}, values)

    def order(self, client_id: str) -> SentOrder | None:
        """Return the order that was sent under an id, or None if there is none."""
        from sta410kit.market.resilience import RefusedRequestError

        try:
            answer = self._client.get("/v2/orders:by_client_order_id", {"client_order_id": client_id})
        except RefusedRequestError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return _sent(answer)

    def submit(self, order: Mapping[str, Any]) -> SentOrder:
        """Send an order, in the form of Alpaca's API with a ``client_order_id``, once, and return its state.

        Raises
        ------
        RefusedRequestError
            The broker refuses it, for want of buying power for instance.
        APIError
            No answer came; the order may have been sent, and sending it again is safe.
        """
        from sta410kit.market.resilience import RefusedRequestError

        try:
            return _sent(self._client.post("/v2/orders", order))
        except RefusedRequestError as error:
            # An answer that was lost: the repeated request is refused because the id is taken.
            known = self.order(str(order["client_order_id"]))
            if known is None or error.status not in {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT}:
                raise
            return known


@contextmanager
def brokerage(timeouts: Timeouts | None = None) -> Iterator[Brokerage]:
    """Open the trading endpoint of the settings.

    Raises
    ------
    ConfigurationError
        ``ALPACA_BASE_URL`` is a live endpoint while ``PAPER_TRADING`` is true.
    SecretsManagementError
        The keys are missing.
    """
    from sta410kit.market.alpaca_client import open_client

    config = get_config()
    host = urlsplit(config.api.alpaca_base_url).hostname or ""
    if config.trading.paper_trading and host != urlsplit(PAPER_ENDPOINT).hostname and not is_loopback(host):
        message = (
            f"PAPER_TRADING is true and ALPACA_BASE_URL is {config.api.alpaca_base_url}, where orders use "
            f"real money; set ALPACA_BASE_URL={PAPER_ENDPOINT}"
        )
        raise ConfigurationError(message)
    client = open_client(get_alpaca_base_url(), timeouts=timeouts)
    try:
        yield Brokerage(client)
    finally:
        client.close()


def _sent(answer: Mapping[str, Any]) -> SentOrder:
    price = answer.get("filled_avg_price")
    return SentOrder(
        str(answer.get("status")),
        _number(answer, "qty"),
        _number(answer, "filled_qty"),
        None if price is None else _number(answer, "filled_avg_price"),
    )


def _number(answer: Mapping[str, Any], name: str) -> float:
    """Return a number, which Alpaca sends as text."""
    value = answer.get(name)
    try:
        number = float(value) if isinstance(value, str) else as_number(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        message = f"Alpaca's answer has {name} {shown(value)}, which is no number."
        raise APIError(message)
    return number
