"""The guard that order proposals pass before anything else uses them.

Everything is recomputed from side, shares, reference price and stop; the columns `weight` and `risk` of the
orders are ignored. `check_orders` returns evidence, `approve_orders` raises.
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
    """The result of the order guard.

    Attributes
    ----------
    breaches : tuple of Breach
        Every broken limit, with the order, its value and what is allowed.
    orders : int
        Number of orders checked, holds included.
    used : dict of str to float
        The equity that all orders together use, as fractions: ``at risk``, ``invested``, ``largest sector``.
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


def check_orders(  # noqa: PLR0913 - the orders, the limits, and the state of the account
    orders: pd.DataFrame,
    equity: float,
    trading: TradingConfig,
    *,
    as_of: date | str | None = None,
    day_return: float = 0.0,
    sectors: Mapping[str, str] | None = None,
    environment: str = "development",
) -> OrderReport:
    """Return every trading limit that the orders break; a value at its limit passes.

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
        The latest session; an order on an older price is stale. Defaults to the latest date of the orders.
        With live trading it may be at most four days old.
    day_return : float
        The account's return since the last close, as a fraction; below ``daily_loss_limit`` every order is
        refused.
    sectors : mapping of str to str, optional
        The sector of each symbol. Symbols without one count together as the sector ``unknown``, so that a
        missing line hides nothing.
    environment : str
        ``config.environment``; live trading needs ``production``.

    Returns
    -------
    OrderReport
        Its `breaches` name limit, value and order.

    Raises
    ------
    ConfigurationError
        The equity, the day's return, `as_of`, the limits or the sectors are invalid.
    TradingExecutionError
        The orders are no table of orders.
    """
    from sta410kit.guards.order_limits import account_breaches, holds, order_breaches, portfolio_breaches

    _require_table(orders)
    _require_limits(trading)
    capital = require_positive("equity", equity, "the capital")
    day = _day_return(day_return)
    session = _session(as_of, orders)
    rows = orders.to_dict("records")
    traded = [row for row in rows if not holds(row)]
    account = account_breaches(traded, trading, day, environment, _age(session))
    each, usable = order_breaches(rows, capital, trading, session)
    usable["sector"] = sectors_of(usable["symbol"], sectors)
    together, used = portfolio_breaches(usable, trading)
    return OrderReport((*account, *each, *together), len(orders), used)


def approve_orders(orders: pd.DataFrame, equity: float, trading: TradingConfig, **how: Any) -> OrderReport:  # noqa: ANN401
    """Return the report of `check_orders`, which takes the same arguments, if no limit is broken.

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
    """Read the sector of each symbol from a CSV file with the columns ``symbol`` and ``sector``.

    Returns an empty dict without a path.

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


def _require_table(orders: Any) -> None:  # noqa: ANN401
    import pandas as pd

    message = ""
    if not isinstance(orders, pd.DataFrame):
        message = f"orders are a DataFrame as from propose_orders, not {type(orders).__name__}."
    elif missing := [name for name in REQUIRED if name not in orders.columns]:
        message = f"orders lack the columns {', '.join(missing)}; give them as from propose_orders."
    elif twice := [name for name in REQUIRED if list(orders.columns).count(name) > 1]:
        message = f"orders have the columns {', '.join(twice)} more than once."
    if message:
        raise TradingExecutionError(message)


def _require_limits(trading: Any) -> None:  # noqa: ANN401
    """Refuse missing limits: a limit that is NaN would refuse no order."""
    for name in _LIMITS:
        value = getattr(trading, name, None)
        if not math.isfinite(as_number(value)):
            message = f"trading.{name} is {shown(value)}; give a TradingConfig, such as get_config().trading."
            raise ConfigurationError(message)
    paper = getattr(trading, "paper_trading", None)
    if not isinstance(paper, bool):
        message = f"trading.paper_trading is {shown(paper)}; give True or False."
        raise ConfigurationError(message)


def _day_return(value: object) -> float:
    number = as_number(value)
    if not -1 <= number < math.inf:
        message = f"day_return is {shown(value)}; give the day's return as a fraction, such as -0.01."
        raise ConfigurationError(message)
    return number


def _session(as_of: Any, orders: pd.DataFrame) -> pd.Timestamp | None:  # noqa: ANN401
    """Return the latest session; None without orders."""
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
