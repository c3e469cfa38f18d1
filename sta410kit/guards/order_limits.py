"""The limits themselves: on the state of the account, on each order, and on all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import as_number, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sta410kit.config import TradingConfig
    from sta410kit.guards.positions import Held

    Row = Mapping[Any, Any]

ROUNDING = 1e-9  # a limit is not broken by the last digits of a float
_OLDEST = 4  # days: a session before a long weekend is still the last one
_SIDES = ("buy", "sell", "hold")
_WRITTEN_OUT = 1e6  # a larger share of equity is a slip, and its digits say nothing


@dataclass(frozen=True)
class Breach:
    """One limit broken by one order, or by some together.

    Attributes
    ----------
    limit : str
        Its name; that of the setting where there is one.
    order : str
        Which order, or all of them.
    value, allowed : str
        What it came to, and what the limit allows.
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


def session_of(value: Any) -> pd.Timestamp | None:  # noqa: ANN401 - whatever stands in a table
    """Return the day that a value stands for; nothing where it is none. A number would be nanoseconds."""
    if not isinstance(value, str | date | np.datetime64) or pd.isna(value):
        return None
    try:
        day = pd.Timestamp(datetime.fromisoformat(value.strip()) if isinstance(value, str) else value)
    except (ValueError, OverflowError):  # pandas' errors of dates are ValueErrors
        return None
    return day.tz_localize(None).normalize()


def breaches_of_state(  # noqa: PLR0913, PLR0917 - what is known of the day
    rows: Sequence[Row], trading: TradingConfig, day_return: float, environment: str, age: int, held: Held
) -> Iterator[Breach]:
    """Yield what forbids any order at all: the day's loss, and live trading that is not meant."""
    traded = [row for row in rows if not _holds(row)]
    opening = [row for row in traded if _opens(row, held)]
    if opening and day_return < trading.daily_loss_limit * (1 + ROUNDING):
        value, allowed = _percents(day_return, trading.daily_loss_limit)
        value, allowed = f"a day's return of {value}", f"not below {allowed}"
        advice = "Trade no more today, but to close what is held."
        yield Breach("daily_loss_limit", _names(opening), value, allowed, advice)
    if trading.paper_trading or not traded:
        return
    if trading.live_trading_acknowledged is not True or environment != "production":
        acknowledged = str(trading.live_trading_acknowledged).lower()
        value = f"real money behind, LIVE_TRADING_ACKNOWLEDGED={acknowledged}, ENVIRONMENT={environment}"
        advice = "Set PAPER_TRADING=true, or both of the others if real money is meant."
        yield Breach("paper_trading", _names(traded), value, "true and production", advice)
    if not 0 <= age <= _OLDEST:
        value = f"prices {age} days old"
        advice = "Load newer prices before trading with real money."
        yield Breach("stale_prices", _names(traded), value, f"0 to {_OLDEST} days", advice)


def breaches_of_each(
    rows: Sequence[Row], equity: float, trading: TradingConfig, session: pd.Timestamp | None, held: Held
) -> tuple[list[Breach], pd.DataFrame]:
    """Return what each order breaks by itself, and what is used of equity when all of them are done.

    Returns
    -------
    list of Breach
        By order.
    DataFrame
        ``symbol, weight, risk, ordered``: the amount and the loss at the stop, as fractions of equity, of
        each sound order that opens something, and of what is left of each position.
    """
    found: list[Breach] = []
    used = []
    left = {symbol: abs(position.shares) for symbol, position in held.items()}
    seen: set[str] = set()
    for row in rows:
        opens = _opens(row, held)
        mine = list(_of_one(row, session, opens=opens))
        symbol = row["symbol"].casefold() if isinstance(row["symbol"], str) else ""
        if symbol in seen:
            value, advice = "another order beside it", "Make one order of them."
            mine.append(Breach("position", _name(row), value, "one order a symbol", advice))
        seen |= {symbol} - {""}
        if not mine and not _holds(row):
            closed = _closed(row, held)
            left[row["symbol"]] = left.get(row["symbol"], 0.0) - closed
            if opens:
                order = {"symbol": str(row["symbol"]), **_amounts(row, closed, equity), "ordered": True}
                used.append(order)
                mine += _of_risk(row, order, trading)
        found += mine
    for symbol, position in held.items():
        weight, risk = (left[symbol] * each / equity for each in (position.price, position.loss))
        if weight:
            used.append({"symbol": symbol, "weight": weight, "risk": risk, "ordered": False})
    return found, pd.DataFrame(used, columns=["symbol", "weight", "risk", "ordered"])


def _holds(row: Row) -> bool:
    return isinstance(row["side"], str) and row["side"] == "hold"


def _closed(row: Row, held: Held) -> float:
    """Return how many of an order's shares close what is held of its symbol."""
    position = held.get(row["symbol"]) if isinstance(row["symbol"], str) else None
    sign = {"buy": 1, "sell": -1}.get(row["side"], 0) if isinstance(row["side"], str) else 0
    return position.closed_by(sign, as_number(row["shares"])) if position is not None and sign else 0.0


def _opens(row: Row, held: Held) -> bool:
    """Whether an order does more than close what is held; one whose shares are no number does."""
    closed = _closed(row, held)
    return not _holds(row) and not (closed > 0 and closed == as_number(row["shares"]))


def _of_one(row: Row, session: pd.Timestamp | None, *, opens: bool) -> Iterator[Breach]:
    """Yield what is wrong with an order as it stands."""
    if not isinstance(row["side"], str) or row["side"] not in _SIDES:
        yield Breach("side", _name(row), shown(row["side"]), "buy, sell or hold", "Correct the side.")
        return
    if not isinstance(row["symbol"], str) or not row["symbol"].strip():
        yield Breach("symbol", _name(row), shown(row["symbol"]), "a symbol", "Say what is to be traded.")
    elif row["symbol"] != row["symbol"].strip():
        advice = "Take the spaces away; they would make another symbol of it."
        yield Breach("symbol", _name(row), shown(row["symbol"]), "a symbol without spaces around it", advice)
    shares = as_number(row["shares"])
    if _holds(row):
        if shares != 0:
            advice = "Set shares to 0, or side to buy or sell: no limit would see them."
            yield Breach("position", _name(row), f"{shown(row['shares'])} shares", "0 shares on hold", advice)
        return
    if not (np.isfinite(shares) and shares > 0 and shares == np.floor(shares)):
        advice = "Round down to whole shares; the side says the direction."
        value = f"{shown(row['shares'])} shares"
        yield Breach("position", _name(row), value, "a whole number above 0", advice)
    yield from _of_prices(row, opens=opens)
    yield from _of_day(row, session)


def _of_prices(row: Row, *, opens: bool) -> Iterator[Breach]:
    price, stop, target = (as_number(row[name]) for name in ("reference_price", "stop_loss", "take_profit"))
    if not (np.isfinite(price) and price > 0):
        value = f"a reference price of {shown(row['reference_price'])}"
        yield Breach("reference_price", _name(row), value, "a price above 0", "Load its price again.")
        return
    if not opens:
        return
    sign = 1 if row["side"] == "buy" else -1
    below, above = ("below", "above") if sign > 0 else ("above", "below")
    if not (np.isfinite(stop) and stop > 0 and sign * (price - stop) > 0):
        value = f"its stop at {shown(row['stop_loss'])} and the price at {price:g}"
        advice = "Every order needs a stop on the losing side."
        yield Breach("stop_loss", _name(row), value, f"a stop {below} the price", advice)
    if not (np.isfinite(target) and target > 0 and sign * (target - price) > 0):
        value = f"its target at {shown(row['take_profit'])} and the price at {price:g}"
        advice = "Every order needs a target on the winning side."
        yield Breach("take_profit", _name(row), value, f"a target {above} the price", advice)


def _of_day(row: Row, session: pd.Timestamp | None) -> Iterator[Breach]:
    day = session_of(row["date"])
    if day is None or day != session:
        value = "a price without a date" if day is None else f"a price of {day:%Y-%m-%d}"
        allowed = "a date" if session is None else f"{session:%Y-%m-%d}"
        advice = "Make the forecast and the order again from the latest prices."
        yield Breach("stale_prices", _name(row), value, allowed, advice)


def _of_risk(row: Row, order: Mapping[str, Any], trading: TradingConfig) -> Iterator[Breach]:
    price, stop = as_number(row["reference_price"]), as_number(row["stop_loss"])
    distance = abs(price - stop) / price
    if _beyond(distance, trading.stop_loss_pct):
        value, allowed = _percents(distance, trading.stop_loss_pct)
        advice = "Move the stop nearer to the price."
        yield Breach("stop_loss_pct", _name(row), f"its stop {value} away", allowed, advice)
    if _beyond(order["risk"], trading.per_trade_risk):
        value, allowed = _percents(order["risk"], trading.per_trade_risk)
        yield Breach(
            "per_trade_risk", _name(row), f"{value} of equity at risk", allowed, "Trade fewer shares."
        )


def breaches_of_all(used: pd.DataFrame, trading: TradingConfig) -> tuple[list[Breach], dict[str, float]]:
    """Return what the orders break together, on top of what is held, and how much of equity is used.

    Buys and sells in a sector add up: what is sold short can lose as well. What is held breaks nothing by
    itself, only with an order that opens more.

    Parameters
    ----------
    used : DataFrame
        As from `breaches_of_each`, and ``sector``.
    trading : TradingConfig
        The limits.
    """
    names = f"all orders together ({_listed(used)})"
    ordered = bool(used["ordered"].any())
    risk, invested = float(used["risk"].sum()), float(used["weight"].sum())
    found = []
    if ordered and _beyond(risk, trading.max_portfolio_risk):
        value, allowed = _percents(risk, trading.max_portfolio_risk)
        value = f"{value} of equity at risk"
        found.append(Breach("max_portfolio_risk", names, value, allowed, "Trade fewer shares."))
    if ordered and _beyond(invested, 1.0):
        value = f"{_percents(invested, 1.0)[0]} of equity invested"
        found.append(Breach("equity", names, value, "100%", "Trade fewer shares; nothing is borrowed."))
    exposures = {}
    for name, inside in used.groupby("sector"):
        exposures[name] = exposure = float(inside["weight"].sum())
        if inside["ordered"].any() and _beyond(exposure, trading.max_sector_exposure):
            value, allowed = _percents(exposure, trading.max_sector_exposure)
            which = f"the sector '{name}' ({_listed(inside)})"
            advice = "Trade fewer shares, or give the symbols' sectors."
            value = f"{value} of equity in it"
            found.append(Breach("max_sector_exposure", which, value, allowed, advice))
    total = {"at risk": risk, "invested": invested, "largest sector": max(exposures.values(), default=0.0)}
    return found, total


def _amounts(row: Row, closed: float, equity: float) -> dict[str, float]:
    """Return the amount of what an order opens, and its loss at the stop, as fractions of equity."""
    price, stop = as_number(row["reference_price"]), as_number(row["stop_loss"])
    shares = as_number(row["shares"]) - closed
    return {"weight": shares * price / equity, "risk": shares * abs(price - stop) / equity}


def _beyond(value: float, allowed: float) -> bool:
    return value > allowed * (1 + ROUNDING)


def _percents(value: float, allowed: float) -> tuple[str, str]:
    """Return both in percent, with as many digits as tell them apart."""
    for digits in (4, 8, 12):
        told = f"{value:.{digits}%}", f"{allowed:.{digits}%}"
        if told[0] != told[1]:
            break
    return (told[0] if value < _WRITTEN_OUT else f"{100 * value:.3g}%"), told[1]


def _listed(used: pd.DataFrame) -> str:
    held = ~used["ordered"].to_numpy(dtype=bool)
    return ", ".join(used["symbol"].where(~held, used["symbol"] + " as held"))


def _names(rows: Sequence[Row]) -> str:
    symbols = ", ".join(str(row["symbol"]) for row in rows)
    return f"the orders of {symbols}" if len(rows) > 1 else f"the order of {symbols}"


def _name(row: Row) -> str:
    side, symbol = (
        value if isinstance(value, str) else shown(value) for value in (row["side"], row["symbol"])
    )
    return f"the {side} order of {symbol}"
