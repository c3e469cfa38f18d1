"""The one guard that order proposals pass before anything else sees them.

Everything is computed anew from side, shares, reference price and stop; what the orders claim about
themselves (`weight`, `risk`) is not believed. `check_orders` returns evidence, `approve_orders` raises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.argument_checks import as_number, require_positive, shown
from sta410kit._internal.sectors import sectors_of
from sta410kit.exceptions import ConfigurationError, TradingExecutionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from sta410kit.config import TradingConfig
    from sta410kit.guards.order_limits import Breach

REQUIRED = ("symbol", "date", "side", "shares", "reference_price", "stop_loss", "take_profit")
_LIMITS = (
    "daily_loss_limit", "max_portfolio_risk", "max_sector_exposure", "per_trade_risk", "stop_loss_pct",
)  # fmt: skip


@dataclass(frozen=True)
class OrderReport:
    """What the guard found.

    Attributes
    ----------
    breaches : tuple of Breach
        Every limit that is broken, by which order, with its value and what is allowed.
    orders : int
        How many orders were looked at, holds included.
    used : dict of str to float
        How much of each limit on the whole is used, as a fraction of equity.
    """

    breaches: tuple[Breach, ...]
    orders: int
    used: dict[str, float]

    @property
    def passed(self) -> bool:
        """Whether no limit is broken."""
        return not self.breaches

    def __str__(self) -> str:
        if self.passed:
            used = ", ".join(f"{name} {value:.2%}" for name, value in self.used.items())
            return f"{self.orders} order proposals within every limit ({used} of equity)"
        return "\n".join(map(str, self.breaches))


def check_orders(  # noqa: PLR0913 - three things it needs, and what is known of the day
    orders: pd.DataFrame,
    equity: float,
    trading: TradingConfig,
    *,
    as_of: date | str | None = None,
    day_return: float = 0.0,
    sectors: Mapping[str, str] | None = None,
    environment: str = "development",
    positions: pd.DataFrame | None = None,
) -> OrderReport:
    """Return every trading limit that the orders break.

    A value at a limit passes, a value beyond it does not; the last digits of a float do not count.

    Parameters
    ----------
    orders : DataFrame
        As from `propose_orders`: ``symbol, date, side, shares, reference_price, stop_loss, take_profit``;
        other columns are ignored. `date` is the session of the reference price.
    equity : float
        Capital in quote currency, above 0.
    trading : TradingConfig
        The limits.
    as_of : date or str, optional
        The latest session there are prices of; an order on an older price is stale. The latest date of the
        orders when omitted. With live trading it may be at most four days old.
    day_return : float
        The account's return since the last close, as a fraction; below ``daily_loss_limit`` nothing is
        traded.
    sectors : mapping of str to str, optional
        The sector of each symbol. Symbols without one count together as the sector ``unknown``, so that a
        missing line hides nothing.
    environment : str
        ``config.environment``; live trading needs ``production``.
    positions : DataFrame, optional
        What is held already: ``symbol, shares, reference_price, stop_loss``, one row a symbol, shares below 0
        when sold short. It counts in every limit on the whole; one without a stop may lose all of its
        amount. An order on the other side of a position closes it as far as the shares go, and that part
        breaks no limit of risk, stop, sector or the day's loss. Nothing is held when omitted.

    Returns
    -------
    OrderReport
        Its `breaches` name limit, value and order.

    Raises
    ------
    ConfigurationError
        The equity, the day's return, `as_of`, the limits or the sectors are not what they should be.
    TradingExecutionError
        The orders are no table of orders, or the positions none of positions.
    """
    from sta410kit.guards.order_limits import breaches_of_all, breaches_of_each, breaches_of_state
    from sta410kit.guards.positions import read_positions, require_table

    require_table(orders, REQUIRED, "orders", "as from propose_orders")
    _require_limits(trading)
    capital = require_positive("equity", equity, "the capital")
    day = _day_return(day_return)
    session = _session(as_of, orders)
    held = read_positions(positions)
    rows = orders.to_dict("records")
    each, usable = breaches_of_each(rows, capital, trading, session, held)
    found = [*breaches_of_state(rows, trading, day, environment, _age(session), held), *each]
    usable["sector"] = sectors_of(usable["symbol"], sectors)
    together, used = breaches_of_all(usable, trading)
    return OrderReport((*found, *together), len(orders), used)


def approve_orders(orders: pd.DataFrame, equity: float, trading: TradingConfig, **how: Any) -> OrderReport:  # noqa: ANN401
    """Return the report of `check_orders`, whose arguments it takes, when no limit is broken.

    Raises
    ------
    TradingExecutionError
        Names every broken limit, the value and the order.
    """
    report = check_orders(orders, equity, trading, **how)
    if not report.passed:
        raise TradingExecutionError(str(report))
    return report


def read_sectors(path: str | Path | None) -> dict[str, str]:
    """Return the sector of each symbol from a CSV file with the columns ``symbol`` and ``sector``.

    Nothing without a path.

    Raises
    ------
    ConfigurationError
        The file cannot be read, lacks a column, or names a symbol twice or without a sector.
    """
    if path is None:
        return {}
    import csv

    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        message = f"sectors: {path} cannot be read ({error}); it is a CSV file with symbol and sector"
        raise ConfigurationError(message) from error
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        symbol, sector = (str(row.get(name) or "").strip() for name in ("symbol", "sector"))
        if not symbol or not sector or symbol in found:
            message = f"sectors: {path}, line {number}: each line is a symbol, once, and its sector"
            raise ConfigurationError(message)
        found[symbol] = sector
    if not found:
        message = f"sectors: {path} names no symbol; it is a CSV file with symbol and sector"
        raise ConfigurationError(message)
    return found


def _require_limits(trading: Any) -> None:  # noqa: ANN401
    """Refuse what are no limits: by a limit that is NaN nothing would ever be held back."""
    for name in _LIMITS:
        value = getattr(trading, name, None)
        if not math.isfinite(as_number(value)):
            message = f"trading.{name} is {shown(value)}; give a TradingConfig, such as get_config().trading."
            raise ConfigurationError(message)
    if not isinstance(getattr(trading, "paper_trading", None), bool):
        message = (
            f"trading.paper_trading is {shown(getattr(trading, 'paper_trading', None))}; give True or False."
        )
        raise ConfigurationError(message)


def _day_return(value: object) -> float:
    number = as_number(value)
    if not -1 <= number < math.inf:
        message = f"day_return is {shown(value)}; give the day's return as a fraction, such as -0.01."
        raise ConfigurationError(message)
    return number


def _session(as_of: Any, orders: pd.DataFrame) -> pd.Timestamp | None:  # noqa: ANN401
    """Return the latest session there are prices of; nothing without orders."""
    from sta410kit.guards.order_limits import session_of

    if as_of is None:
        return max(filter(None, map(session_of, orders["date"])), default=None)
    day = session_of(as_of)
    if day is None:
        message = f"as_of is {shown(as_of)}; give the latest session as YYYY-MM-DD."
        raise ConfigurationError(message)
    return day


def _age(session: pd.Timestamp | None) -> int:
    """Return how many days ago a session was."""
    return 0 if session is None else (datetime.now(UTC).date() - session.date()).days
