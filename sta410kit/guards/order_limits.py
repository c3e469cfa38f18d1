"""The limits themselves: on the state of the account, on each order, and on all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sta410kit.config import TradingConfig

ROUNDING = 1e-9  # a limit is not broken by the last digits of a float
_OLDEST = 4  # days: a session before a long weekend is still the last one
_SIDES = ("buy", "sell", "hold")


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
        day = pd.Timestamp(date.fromisoformat(value.strip()[:10]) if isinstance(value, str) else value)
    except (ValueError, OverflowError):  # pandas' errors of dates are ValueErrors
        return None
    return day.tz_localize(None).normalize()


def breaches_of_state(
    orders: pd.DataFrame, trading: TradingConfig, day_return: float, environment: str, age: int
) -> Iterator[Breach]:
    """Yield what forbids any order at all: the day's loss, and live trading that is not meant."""
    symbols = [str(symbol) for symbol in orders["symbol"][orders["side"] != "hold"]]
    if not symbols:
        return
    which = f"the orders of {', '.join(symbols)}" if len(symbols) > 1 else f"the order of {symbols[0]}"
    if day_return < trading.daily_loss_limit * (1 + ROUNDING):
        value, allowed = f"a day's return of {day_return:.4%}", f"not below {trading.daily_loss_limit:.4%}"
        yield Breach("daily_loss_limit", which, value, allowed, "Trade no more today.")
    if trading.paper_trading:
        return
    if not trading.live_trading_acknowledged or environment != "production":
        acknowledged = str(trading.live_trading_acknowledged).lower()
        value = f"real money behind, LIVE_TRADING_ACKNOWLEDGED={acknowledged}, ENVIRONMENT={environment}"
        advice = "Set PAPER_TRADING=true, or both of the others if real money is meant."
        yield Breach("paper_trading", which, value, "true and production", advice)
    if not 0 <= age <= _OLDEST:
        value = f"prices {age} days old"
        advice = "Load newer prices before trading with real money."
        yield Breach("stale_prices", which, value, f"0 to {_OLDEST} days", advice)


def breaches_of_each(
    orders: pd.DataFrame, equity: float, trading: TradingConfig, session: pd.Timestamp | None
) -> tuple[list[Breach], pd.DataFrame]:
    """Return what each order breaks by itself, and amount and risk of those that are sound as they stand."""
    found: list[Breach] = []
    usable = []
    seen: set[str] = set()
    for row in orders.to_dict("records"):
        mine = list(_of_one(row, session))
        if row["symbol"] in seen:
            value, advice = "another order beside it", "Make one order of them."
            mine.append(Breach("position", _name(row), value, "one order a symbol", advice))
        seen.add(row["symbol"])
        if not mine and row["side"] != "hold":
            order = {"symbol": str(row["symbol"]), **_amounts(row, equity)}
            usable.append(order)
            mine += _of_risk(row, order, trading)
        found += mine
    return found, pd.DataFrame(usable, columns=["symbol", "weight", "risk"])


def _of_one(row: Mapping[Any, Any], session: pd.Timestamp | None) -> Iterator[Breach]:
    """Yield what is wrong with an order as it stands."""
    if row["side"] not in _SIDES:
        yield Breach("side", _name(row), repr(row["side"]), "buy, sell or hold", "Correct the side.")
        return
    if not isinstance(row["symbol"], str) or not row["symbol"].strip():
        yield Breach("symbol", _name(row), repr(row["symbol"]), "a symbol", "Say what is to be traded.")
    holding = row["side"] == "hold"
    shares = _number(row["shares"])
    if holding:
        if shares != 0:
            advice = "Set shares to 0, or side to buy or sell: no limit would see them."
            yield Breach("position", _name(row), f"{row['shares']!r} shares", "0 shares on hold", advice)
        return
    if not (np.isfinite(shares) and shares > 0 and shares == np.floor(shares)):
        advice = "Round down to whole shares; the side says the direction."
        yield Breach("position", _name(row), f"{row['shares']!r} shares", "a whole number above 0", advice)
    yield from _of_prices(row)
    yield from _of_day(row, session)


def _of_prices(row: Mapping[Any, Any]) -> Iterator[Breach]:
    price, stop, target = (_number(row[name]) for name in ("reference_price", "stop_loss", "take_profit"))
    if not (np.isfinite(price) and price > 0):
        value = f"a reference price of {row['reference_price']!r}"
        yield Breach("reference_price", _name(row), value, "a price above 0", "Load its price again.")
        return
    sign = 1 if row["side"] == "buy" else -1
    below, above = ("below", "above") if sign > 0 else ("above", "below")
    if not (np.isfinite(stop) and stop > 0 and sign * (price - stop) > 0):
        value = f"its stop at {row['stop_loss']!r} and the price at {price:g}"
        advice = "Every order needs a stop on the losing side."
        yield Breach("stop_loss", _name(row), value, f"a stop {below} the price", advice)
    if not (np.isfinite(target) and target > 0 and sign * (target - price) > 0):
        value = f"its target at {row['take_profit']!r} and the price at {price:g}"
        advice = "Every order needs a target on the winning side."
        yield Breach("take_profit", _name(row), value, f"a target {above} the price", advice)


def _of_day(row: Mapping[Any, Any], session: pd.Timestamp | None) -> Iterator[Breach]:
    day = session_of(row["date"])
    if day is None or day != session:
        value = "a price without a date" if day is None else f"a price of {day:%Y-%m-%d}"
        allowed = "a date" if session is None else f"{session:%Y-%m-%d}"
        advice = "Make the forecast and the order again from the latest prices."
        yield Breach("stale_prices", _name(row), value, allowed, advice)


def _of_risk(row: Mapping[Any, Any], order: Mapping[str, Any], trading: TradingConfig) -> Iterator[Breach]:
    distance = abs(row["reference_price"] - row["stop_loss"]) / row["reference_price"]
    if _beyond(distance, trading.stop_loss_pct):
        value, allowed = f"its stop {distance:.4%} away", f"{trading.stop_loss_pct:.4%}"
        yield Breach("stop_loss_pct", _name(row), value, allowed, "Move the stop nearer to the price.")
    if _beyond(order["risk"], trading.per_trade_risk):
        value, allowed = f"{order['risk']:.4%} of equity at risk", f"{trading.per_trade_risk:.4%}"
        yield Breach("per_trade_risk", _name(row), value, allowed, "Trade fewer shares.")


def breaches_of_all(
    orders: pd.DataFrame, trading: TradingConfig, sectors: Mapping[str, str], unknown: str
) -> tuple[list[Breach], dict[str, float]]:
    """Return what the orders break together, and how much of equity they use.

    Buys and sells in a sector add up: what is sold short can lose as well.
    """
    names = f"all orders together ({', '.join(orders['symbol'])})"
    risk, invested = float(orders["risk"].sum()), float(orders["weight"].sum())
    found = []
    if _beyond(risk, trading.max_portfolio_risk):
        value, allowed = f"{risk:.4%} of equity at risk", f"{trading.max_portfolio_risk:.4%}"
        found.append(Breach("max_portfolio_risk", names, value, allowed, "Trade fewer shares."))
    if _beyond(invested, 1.0):
        value = f"{invested:.4%} of equity invested"
        found.append(Breach("equity", names, value, "100%", "Trade fewer shares; nothing is borrowed."))
    exposures = {}
    sector_of = orders["symbol"].map(lambda symbol: sectors.get(symbol, unknown))
    for name, inside in orders.groupby(sector_of):
        exposures[name] = exposure = float(inside["weight"].sum())
        if _beyond(exposure, trading.max_sector_exposure):
            value, allowed = f"{exposure:.4%} of equity in it", f"{trading.max_sector_exposure:.4%}"
            which = f"the sector '{name}' ({', '.join(inside['symbol'])})"
            advice = "Trade fewer shares, or give the symbols' sectors."
            found.append(Breach("max_sector_exposure", which, value, allowed, advice))
    used = {"at risk": risk, "invested": invested, "largest sector": max(exposures.values(), default=0.0)}
    return found, used


def _amounts(row: Mapping[Any, Any], equity: float) -> dict[str, float]:
    amount = float(row["shares"]) * float(row["reference_price"]) / equity
    loss = float(row["shares"]) * abs(float(row["reference_price"]) - float(row["stop_loss"])) / equity
    return {"weight": amount, "risk": loss}


def _beyond(value: float, allowed: float) -> bool:
    return value > allowed * (1 + ROUNDING)


def _number(value: Any) -> float:  # noqa: ANN401 - whatever stands in a table
    """Return a number as a float; NaN for anything else, a text of digits and a truth value included."""
    usable = isinstance(value, int | float | np.integer | np.floating) and not isinstance(
        value, bool | np.bool_
    )
    return float(value) if usable else float("nan")


def _name(row: Mapping[Any, Any]) -> str:
    return f"the {row['side']} order of {row['symbol']}"
