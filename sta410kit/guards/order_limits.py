"""The trading limits: on the account, on each order, and on all orders together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import as_number, shown

if TYPE_CHECKING:
    from sta410kit.config import TradingConfig

Row = Mapping[Any, Any]

_ROUNDING = 1e-9  # the last digits of a float break no limit
_OLDEST = 4  # days: before a long weekend that is the last session
_WRITTEN_OUT = 1e6  # of a larger share of equity the digits say nothing


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


def session_of(value: Any) -> pd.Timestamp | None:  # noqa: ANN401 - a cell of a table
    """Return a cell as a day, or None; a number would be read as nanoseconds, so it is none."""
    if not isinstance(value, str | date | np.datetime64) or pd.isna(value):
        return None
    try:
        day = pd.Timestamp(datetime.fromisoformat(value.strip()) if isinstance(value, str) else value)
    except (ValueError, OverflowError):  # pandas' errors of dates are ValueErrors
        return None
    return day.tz_localize(None).normalize()


def holds(row: Row) -> bool:
    """Whether a row proposes to do nothing."""
    return isinstance(row["side"], str) and row["side"] == "hold"


def account_breaches(
    traded: Sequence[Row], trading: TradingConfig, day_return: float, environment: str, age: int
) -> Iterator[Breach]:
    """Yield what forbids any order: the day's loss, and live trading that is not meant.

    Parameters
    ----------
    traded : sequence of mapping
        The orders that are not on hold.
    trading : TradingConfig
        The limits.
    day_return : float
        The account's return since the last close, as a fraction.
    environment : str
        ``config.environment``.
    age : int
        Days since the latest session.
    """
    if not traded:
        return
    symbols = ", ".join(str(row["symbol"]) for row in traded)
    names = f"the order{'s' if len(traded) > 1 else ''} of {symbols}"
    if day_return < trading.daily_loss_limit * (1 + _ROUNDING):
        value, allowed = _percents(day_return, trading.daily_loss_limit)
        value, allowed = f"a day's return of {value}", f"not below {allowed}"
        yield Breach("daily_loss_limit", names, value, allowed, "Trade no more today.")
    if trading.paper_trading:
        return
    if trading.live_trading_acknowledged is not True or environment != "production":
        acknowledged = str(trading.live_trading_acknowledged).lower()
        value = f"real money behind, LIVE_TRADING_ACKNOWLEDGED={acknowledged}, ENVIRONMENT={environment}"
        advice = "Set PAPER_TRADING=true, or both of the others if real money is meant."
        yield Breach("paper_trading", names, value, "true and production", advice)
    if not 0 <= age <= _OLDEST:
        advice = "Load newer prices before trading with real money."
        yield Breach("stale_prices", names, f"prices {age} days old", f"0 to {_OLDEST} days", advice)


def order_breaches(
    rows: Sequence[Row], equity: float, trading: TradingConfig, session: pd.Timestamp | None
) -> tuple[list[Breach], pd.DataFrame]:
    """Return what each order breaks by itself, and how much of equity the sound ones use.

    Returns
    -------
    list of Breach
        By order.
    DataFrame
        ``symbol, weight, risk`` of each sound order: its amount and its loss at the stop, as fractions of
        equity.
    """
    found: list[Breach] = []
    used = []
    seen: set[str] = set()
    for row in rows:
        mine = list(_malformed(row, session))
        symbol = row["symbol"].casefold() if isinstance(row["symbol"], str) else ""
        if symbol in seen:
            value, advice = "another order beside it", "Make one order of them."
            mine.append(Breach("position", _name(row), value, "one order per symbol", advice))
        seen |= {symbol} - {""}
        if not mine and not holds(row):
            shares, price, stop = (
                as_number(row[name]) for name in ("shares", "reference_price", "stop_loss")
            )
            risk = shares * abs(price - stop) / equity
            used.append((str(row["symbol"]), shares * price / equity, risk))
            mine += _risky(row, abs(price - stop) / price, risk, trading)
        found += mine
    return found, pd.DataFrame(used, columns=["symbol", "weight", "risk"])


def _malformed(row: Row, session: pd.Timestamp | None) -> Iterator[Breach]:
    """Yield what makes a row an invalid order, apart from the limits."""
    name, side, symbol = _name(row), row["side"], row["symbol"]
    if not isinstance(side, str) or side not in {"buy", "sell", "hold"}:
        yield Breach("side", name, shown(side), "buy, sell or hold", "Correct the side.")
        return
    if not isinstance(symbol, str) or not symbol or symbol != symbol.strip():
        yield Breach(
            "symbol", name, shown(symbol), "a symbol without spaces around it", "Correct the symbol."
        )
    shares, value = as_number(row["shares"]), f"{shown(row['shares'])} shares"
    if holds(row):
        if shares != 0:
            advice = "Set shares to 0, or side to buy or sell: no limit would see them."
            yield Breach("position", name, value, "0 shares on hold", advice)
        return
    if not (np.isfinite(shares) and shares > 0 and shares == np.floor(shares)):
        advice = "Round down to whole shares; the side gives the direction."
        yield Breach("position", name, value, "a whole number above 0", advice)
    day = session_of(row["date"])
    if day is None or day != session:
        value = "a price without a date" if day is None else f"a price of {day:%Y-%m-%d}"
        allowed = "a date" if session is None else f"{session:%Y-%m-%d}"
        advice = "Make the forecast and the order again from the latest prices."
        yield Breach("stale_prices", name, value, allowed, advice)
    yield from _bad_prices(row)


def _bad_prices(row: Row) -> Iterator[Breach]:
    price = as_number(row["reference_price"])
    if not (np.isfinite(price) and price > 0):
        value = f"a reference price of {shown(row['reference_price'])}"
        yield Breach("reference_price", _name(row), value, "a price above 0", "Load its price again.")
        return
    sides = {"buy": ("below", "above"), "sell": ("above", "below")}[row["side"]]
    for column, what, place in (
        ("stop_loss", "stop", sides[0]),
        ("take_profit", "target", sides[1]),
    ):
        level = as_number(row[column])
        right = level < price if place == "below" else level > price
        if not (np.isfinite(level) and level > 0 and right):
            value = f"its {what} at {shown(row[column])} and the price at {price:g}"
            advice = f"Every order needs a {what} {place} the price when it is to {row['side']}."
            yield Breach(column, _name(row), value, f"a {what} {place} the price", advice)


def _risky(row: Row, distance: float, risk: float, trading: TradingConfig) -> Iterator[Breach]:
    if _beyond(distance, trading.stop_loss_pct):
        value, allowed = _percents(distance, trading.stop_loss_pct)
        advice = "Move the stop nearer to the price."
        yield Breach("stop_loss_pct", _name(row), f"its stop {value} away", allowed, advice)
    if _beyond(risk, trading.per_trade_risk):
        value, allowed = _percents(risk, trading.per_trade_risk)
        value = f"{value} of equity at risk"
        yield Breach("per_trade_risk", _name(row), value, allowed, "Trade fewer shares.")


def portfolio_breaches(used: pd.DataFrame, trading: TradingConfig) -> tuple[list[Breach], dict[str, float]]:
    """Return what the orders break together, and how much of equity is used.

    Buys and sells in a sector add up, because what is sold short can lose as well.

    Parameters
    ----------
    used : DataFrame
        As from `order_breaches`, with a column ``sector``.
    trading : TradingConfig
        The limits.
    """
    risk, invested = float(used["risk"].sum()), float(used["weight"].sum())
    sectors = used.groupby("sector")["weight"].sum()
    names = f"all orders together ({', '.join(used['symbol'])})"
    fewer = "Trade fewer shares"
    checks = [
        ("max_portfolio_risk", names, risk, "at risk", trading.max_portfolio_risk, f"{fewer}."),
        ("equity", names, invested, "invested", 1.0, f"{fewer}; nothing is borrowed."),
    ]
    for name, exposure in sectors.items():
        which = f"the sector '{name}' ({', '.join(used.loc[used['sector'] == name, 'symbol'])})"
        advice = f"{fewer}, or give the symbols' sectors."
        limit = trading.max_sector_exposure
        checks.append(("max_sector_exposure", which, float(exposure), "in it", limit, advice))
    found = []
    for setting, which, value, what, limit, advice in checks:
        if _beyond(value, limit):
            text, allowed = _percents(value, limit)
            found.append(Breach(setting, which, f"{text} of equity {what}", allowed, advice))
    return found, {"at risk": risk, "invested": invested, "largest sector": float(sectors.max() or 0.0)}


def _beyond(value: float, allowed: float) -> bool:
    return value > allowed * (1 + _ROUNDING)


def _percents(value: float, allowed: float) -> tuple[str, str]:
    """Return both in percent, with as many digits as distinguish them."""
    for digits in (4, 8, 12):
        texts = f"{value:.{digits}%}", f"{allowed:.{digits}%}"
        if texts[0] != texts[1]:
            break
    return (texts[0] if value < _WRITTEN_OUT else f"{100 * value:.3g}%"), texts[1]


def _name(row: Row) -> str:
    side, symbol = (v if isinstance(v, str) else shown(v) for v in (row["side"], row["symbol"]))
    return f"the {side} order of {symbol}"
