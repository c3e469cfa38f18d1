"""The guard that order proposals pass before anything else uses them: the trading limits.

Everything is recomputed from side, shares, reference price and stop; the columns `weight` and `risk` of the
orders are ignored. `check_orders` returns evidence, `approve_orders` raises.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sta410kit._internal.argument_checks import as_number, require_positive, shown
from sta410kit._internal.sectors import sectors_of
from sta410kit._internal.text import percent
from sta410kit.exceptions import ConfigurationError, TradingExecutionError

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.config import TradingConfig

Row = Mapping[Any, Any]
REQUIRED = ("symbol", "date", "side", "shares", "reference_price", "stop_loss", "take_profit")
_ROUNDING = 1e-9  # the last digits of a float break no limit
_OLDEST = 4  # days: before a long weekend that is the last session


@dataclass(frozen=True)
class Breach:
    """One limit broken by one order, or by several together.

    Attributes
    ----------
    limit : str
        Its name; that of the setting where there is one.
    order : str
        Which order, or all of them.
    value, allowed : str
        The value found, and what the limit allows.
    advice : str
        What to do.
    """

    limit: str
    order: str
    value: str
    allowed: str
    advice: str

    def __str__(self) -> str:
        return f"{self.limit}: {self.order} has {self.value}; allowed: {self.allowed}. {self.advice}"


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
            used = ", ".join(f"{name} {percent(value, '.2%')}" for name, value in self.used.items())
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
    import pandas as pd

    from sta410kit import config

    _require_table(orders)
    if not isinstance(trading, config.TradingConfig):
        message = f"trading is {shown(trading)}; give a TradingConfig, such as get_config().trading."  # type: ignore[unreachable]
        raise ConfigurationError(message)
    capital = require_positive("equity", equity, "the capital")
    if not -1 <= as_number(day_return) < math.inf:
        message = f"day_return is {shown(day_return)}; give the day's return as a fraction, such as -0.01."
        raise ConfigurationError(message)
    session = _session(as_of, orders)
    rows = orders.to_dict("records")
    traded = [row for row in rows if not _holds(row)]
    found = _of_the_account(traded, trading, float(day_return), environment, session) if traded else []
    used, seen = [], set[str]()
    for row in rows:
        symbol = row["symbol"].casefold() if isinstance(row["symbol"], str) else ""
        mine = _malformed(row, session, twice=symbol in seen)
        seen |= {symbol} - {""}
        if not mine and not _holds(row):
            names = ("shares", "reference_price", "stop_loss")
            shares, price, stop = (as_number(row[name]) for name in names)
            risk = shares * abs(price - stop) / capital
            used.append((row["symbol"], shares * price / capital, risk))
            mine = _risky(row, abs(price - stop) / price, risk, trading)
        found += mine
    usable = pd.DataFrame(used, columns=["symbol", "weight", "risk"])
    usable["sector"] = sectors_of(usable["symbol"], sectors)
    together, shares_of_equity = _together(usable, trading)
    return OrderReport((*found, *together), len(orders), shares_of_equity)


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


def _session(as_of: Any, orders: pd.DataFrame) -> pd.Timestamp | None:  # noqa: ANN401
    """Return the latest session; None without orders."""
    if as_of is None:
        return max(filter(None, map(_day, orders["date"])), default=None)
    day = _day(as_of)
    if day is None:
        message = f"as_of is {shown(as_of)}; give the latest session as YYYY-MM-DD."
        raise ConfigurationError(message)
    return day


def _day(value: Any) -> pd.Timestamp | None:  # noqa: ANN401 - a cell of a table
    """Return a cell as a day, or None; a number would be read as nanoseconds, so it is none."""
    import numpy as np
    import pandas as pd

    if not isinstance(value, str | date | np.datetime64) or pd.isna(value):
        return None
    try:
        day = pd.Timestamp(datetime.fromisoformat(value.strip()) if isinstance(value, str) else value)
    except (ValueError, OverflowError):  # pandas' errors of dates are ValueErrors
        return None
    return day.tz_localize(None).normalize()


def _holds(row: Row) -> bool:
    """Whether a row proposes to do nothing."""
    return isinstance(row["side"], str) and row["side"] == "hold"


def _name(row: Row) -> str:
    side, symbol = (v if isinstance(v, str) else shown(v) for v in (row["side"], row["symbol"]))
    return f"the {side} order of {symbol}"


def _of_the_account(
    traded: Sequence[Row],
    trading: TradingConfig,
    day_return: float,
    environment: str,
    session: pd.Timestamp | None,
) -> list[Breach]:
    """Return what forbids any order: the day's loss, and live trading that is not meant."""
    order = f"the order{'s' * (len(traded) > 1)} of {', '.join(str(row['symbol']) for row in traded)}"
    found = []
    if day_return < trading.daily_loss_limit * (1 + _ROUNDING):
        value, allowed = _percents(day_return, trading.daily_loss_limit)
        value, allowed = f"a day's return of {value}", f"not below {allowed}"
        found.append(Breach("daily_loss_limit", order, value, allowed, "Trade no more today."))
    if trading.paper_trading:
        return found
    acknowledged = trading.live_trading_acknowledged
    if not acknowledged or environment != "production":
        meant = f"LIVE_TRADING_ACKNOWLEDGED={str(acknowledged).lower()}, ENVIRONMENT={environment}"
        advice = "Set PAPER_TRADING=true, or both of the others if real money is meant."
        value, allowed = f"real money behind, {meant}", "true and production"
        found.append(Breach("paper_trading", order, value, allowed, advice))
    age = 0 if session is None else (datetime.now(UTC).date() - session.date()).days
    if not 0 <= age <= _OLDEST:
        value, allowed = f"prices {age} days old", f"0 to {_OLDEST} days"
        advice = "Load newer prices before trading with real money."
        found.append(Breach("stale_prices", order, value, allowed, advice))
    return found


def _malformed(row: Row, session: pd.Timestamp | None, *, twice: bool) -> list[Breach]:
    """Return what makes a row an invalid order, apart from the limits."""
    order, side, symbol = _name(row), row["side"], row["symbol"]
    if not isinstance(side, str) or side not in {"buy", "sell", "hold"}:
        return [Breach("side", order, shown(side), "buy, sell or hold", "Correct the side.")]
    shares, held = as_number(row["shares"]), f"{shown(row['shares'])} shares"
    spelled = isinstance(symbol, str) and bool(symbol) and symbol == symbol.strip()
    allowed = "a symbol without spaces around it"
    checks = [("symbol", not spelled, shown(symbol), allowed, "Correct the symbol.")]
    if _holds(row):
        advice = "Set shares to 0, or side to buy or sell: no limit would see them."
        checks.append(("position", shares != 0, held, "0 shares on hold", advice))
    else:
        whole = 0 < shares < math.inf and shares.is_integer()
        advice = "Round down to whole shares; the side gives the direction."
        checks.append(("position", not whole, held, "a whole number above 0", advice))
        day = _day(row["date"])
        dated = "a price without a date" if day is None else f"a price of {day:%Y-%m-%d}"
        allowed = "a date" if session is None else f"{session:%Y-%m-%d}"
        advice = "Make the forecast and the order again from the latest prices."
        checks += [("stale_prices", day is None or day != session, dated, allowed, advice), *_prices(row)]
    advice = "Make one order of them."
    checks.append(("position", twice, "another order beside it", "one order per symbol", advice))
    return [Breach(limit, order, *words) for limit, broken, *words in checks if broken]


def _prices(row: Row) -> list[tuple[str, bool, str, str, str]]:
    """Return the checks of an order's price, stop and target."""
    price = as_number(row["reference_price"])
    if not 0 < price < math.inf:
        value = f"a reference price of {shown(row['reference_price'])}"
        return [("reference_price", True, value, "a price above 0", "Load its price again.")]
    stop, target = ("below", "above") if row["side"] == "buy" else ("above", "below")
    checks = []
    for column, what, place in (("stop_loss", "stop", stop), ("take_profit", "target", target)):
        level = as_number(row[column])
        right = 0 < level < price if place == "below" else price < level < math.inf
        value = f"its {what} at {shown(row[column])} and the price at {price:g}"
        advice = f"Every order needs a {what} {place} the price when it is to {row['side']}."
        checks.append((column, not right, value, f"a {what} {place} the price", advice))
    return checks


def _risky(row: Row, distance: float, risk: float, trading: TradingConfig) -> list[Breach]:
    """Return what a sound order risks beyond its limits."""
    stop, fewer = "Move the stop nearer to the price.", "Trade fewer shares."
    return _exceeded(
        ("stop_loss_pct", _name(row), distance, "its stop {} away", trading.stop_loss_pct, stop),
        ("per_trade_risk", _name(row), risk, "{} of equity at risk", trading.per_trade_risk, fewer),
    )


def _together(used: pd.DataFrame, trading: TradingConfig) -> tuple[list[Breach], dict[str, float]]:
    """Return what the orders break together, and how much of equity is used.

    Buys and sells in a sector add up, because what is sold short can lose as well. `used` has ``symbol,
    weight, risk, sector`` of each sound order: its amount and its loss at the stop, as fractions of equity.
    """
    risk, invested = float(used["risk"].sum()), float(used["weight"].sum())
    sectors = used.groupby("sector")["weight"].sum()
    names, fewer = f"all orders together ({', '.join(used['symbol'])})", "Trade fewer shares"
    most, of_sector = trading.max_portfolio_risk, trading.max_sector_exposure
    checks = [
        ("max_portfolio_risk", names, risk, "{} of equity at risk", most, f"{fewer}."),
        ("equity", names, invested, "{} of equity invested", 1.0, f"{fewer}; nothing is borrowed."),
    ]
    for name, exposure in sectors.items():
        which = f"the sector '{name}' ({', '.join(used.loc[used['sector'] == name, 'symbol'])})"
        advice = f"{fewer}, or give the symbols' sectors."
        checks.append(
            ("max_sector_exposure", which, float(exposure), "{} of equity in it", of_sector, advice)
        )
    largest = float(sectors.max()) if len(sectors) else 0.0
    return _exceeded(*checks), {"at risk": risk, "invested": invested, "largest sector": largest}


def _exceeded(*checks: tuple[str, str, float, str, float, str]) -> list[Breach]:
    """Return a breach for each limit, of an order, whose value with its words is beyond what is allowed."""
    found = []
    for limit, order, value, words, allowed, advice in checks:
        if value > allowed * (1 + _ROUNDING):
            text, most = _percents(value, allowed)
            found.append(Breach(limit, order, words.format(text), most, advice))
    return found


def _percents(value: float, allowed: float) -> tuple[str, str]:
    """Return both in percent, with as many digits as distinguish them."""
    pairs = [(percent(value, form), percent(allowed, form)) for form in (".4%", ".8%", ".12%")]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[-1])
