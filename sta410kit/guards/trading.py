"""The one guard that order proposals pass before anything else sees them.

Everything is computed anew from side, shares, reference price and stop; what the orders claim about
themselves (`weight`, `risk`) is not believed. `check_orders` returns evidence, `approve_orders` raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError, TradingExecutionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from sta410kit.config import TradingConfig
    from sta410kit.guards.order_limits import Breach

REQUIRED = ("symbol", "date", "side", "shares", "reference_price", "stop_loss", "take_profit")
UNKNOWN_SECTOR = "unknown"


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

    Returns
    -------
    OrderReport
        Its `breaches` name limit, value and order.

    Raises
    ------
    ConfigurationError
        The equity, the day's return or `as_of` is not what it should be.
    TradingExecutionError
        The orders are no table of orders.
    """
    from sta410kit.guards.order_limits import breaches_of_all, breaches_of_each, breaches_of_state

    _require_table(orders)
    _require_numbers(equity, day_return)
    session = _session(as_of, orders)
    found = list(breaches_of_state(orders, trading, day_return, environment, _age(session)))
    each, usable = breaches_of_each(orders, equity, trading, session)
    found += each
    together, used = breaches_of_all(usable, trading, sectors or {}, UNKNOWN_SECTOR)
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


def _require_table(orders: Any) -> None:  # noqa: ANN401 - whatever somebody hands over
    import pandas as pd

    if not isinstance(orders, pd.DataFrame):
        message = f"orders are a DataFrame as from propose_orders, not {type(orders).__name__}."
        raise TradingExecutionError(message)
    missing = [name for name in REQUIRED if name not in orders.columns]
    if missing:
        message = f"orders lack the columns {', '.join(missing)}; propose_orders makes them."
        raise TradingExecutionError(message)


def _require_numbers(equity: Any, day_return: Any) -> None:  # noqa: ANN401
    if isinstance(equity, bool) or not isinstance(equity, int | float) or not 0 < equity < float("inf"):
        message = f"equity is {equity!r}; give the capital as a positive number."
        raise ConfigurationError(message)
    usable = isinstance(day_return, int | float) and not isinstance(day_return, bool)
    if not usable or not -1 <= day_return < float("inf"):
        message = f"day_return is {day_return!r}; give the day's return as a fraction, such as -0.01."
        raise ConfigurationError(message)


def _session(as_of: Any, orders: pd.DataFrame) -> pd.Timestamp | None:  # noqa: ANN401
    """Return the latest session there are prices of; nothing without orders."""
    from sta410kit.guards.order_limits import session_of

    if as_of is None:
        return max(filter(None, map(session_of, orders["date"])), default=None)
    day = session_of(as_of)
    if day is None:
        message = f"as_of is {as_of!r}; give the latest session as YYYY-MM-DD."
        raise ConfigurationError(message)
    return day


def _age(session: pd.Timestamp | None) -> int:
    """Return how many days ago a session was."""
    return 0 if session is None else (datetime.now(UTC).date() - session.date()).days
