"""Forecasts as order proposals, sized so that stops keep the loss within the risk limits.

No order is sent, and the proposals are checked independently by `sta410kit.guards.trading`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import require_positive
from sta410kit._internal.sectors import sectors_of
from sta410kit._internal.text import percent
from sta410kit.exceptions import DataValidationError
from sta410kit.research.forecasting import without_forecast
from sta410kit.research.frames import require_columns, require_prices, row_label
from sta410kit.research.target_names import RELATIVE, WORDS, target_of
from sta410kit.research.verdict import SKILL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sta410kit.config import TradingConfig

ORDER_COLUMNS = (
    "symbol", "date", "side", "shares", "reference_price", "stop_loss", "take_profit",
    "weight", "risk", "expected_return", "reason",
)  # fmt: skip
_UNREACHABLE = "its stop or its target would be at or below 0, which no price reaches"
_WHOLE = 1e-12  # 499.99999999999994 shares are 500


def propose_orders(
    forecasts: pd.DataFrame,
    prices: pd.DataFrame,
    equity: float,
    trading: TradingConfig,
    sectors: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return one proposal per symbol: buy, sell (short) or hold, with the reason.

    A forecast is traded when it exceeds the round-trip cost, twice the slippage. Orders share the capital
    equally, without borrowing, and are cut to the risk limits per trade, portfolio and sector. Shares are
    rounded down. A price that jumps over its stop loses more than planned. A symbol that has no forecast, see
    `forecasting.without_forecast`, is on hold, without a reference price. So is every symbol if the target is
    ``market_excess`` or ``rank``: these say which symbols do better than others, not whether prices rise.

    Parameters
    ----------
    forecasts : DataFrame
        A forecasts frame with one row per symbol, made on the last session of the prices.
    prices : DataFrame
        The prices the forecasts come from; the unadjusted close of the decision date is the reference price.
    equity : float
        Capital in quote currency, above 0.
    trading : TradingConfig
        Risk limits, stops and slippage, as fractions.
    sectors : mapping of str to str, optional
        The sector of each symbol; those without one share the sector ``unknown``. Ignored by default.

    Returns
    -------
    DataFrame
        Columns ``symbol, date, side, shares, reference_price, stop_loss, take_profit, weight, risk,
        expected_return, reason``. Prices in quote currency, `stop_loss` and `take_profit` NaN on hold;
        `weight` and `risk` (loss at the stop) as fractions of equity; `expected_return` the forecast as a
        simple return, NaN where none is forecast.

    Raises
    ------
    ConfigurationError
        If the equity is not a positive number, or the sectors are no mapping.
    DataValidationError
        If a forecast is duplicated, not finite, without a price, or older than the last session.
    """
    equity = require_positive("equity", equity, "the capital")
    require_columns(forecasts, ("symbol", "date", "predicted"), "forecasts", DataValidationError)
    require_prices(prices, DataValidationError)
    priced = forecasts.merge(prices[["symbol", "date", "close"]], on=["symbol", "date"], how="left")
    bad = ~np.isfinite(priced["predicted"]) | priced["close"].isna() | priced.duplicated("symbol")
    if bad.any():
        which = row_label(priced, bad.to_numpy())
        message = f"The forecast of {which} is duplicated, not finite, or without a price."
        raise DataValidationError(message)
    _require_current(priced, prices["date"].max())
    cost = 2 * trading.simulated_slippage
    relative = target_of(forecasts) in RELATIVE
    expected = np.expm1(priced["predicted"] * (np.nan if relative else 1.0))
    side = np.where(expected.abs() > cost, np.sign(expected), 0.0)
    stop, target = (1 - side * trading.stop_loss_pct, 1 + side * trading.take_profit_pct)
    unreachable = (stop <= 0) | (target <= 0)  # no price falls by 100 %
    side = np.where(unreachable, 0.0, side)
    weight = pd.Series(_weight(int(np.count_nonzero(side)), trading), index=priced.index)
    if sectors is not None:
        weight = weight.clip(upper=_sector_share(priced["symbol"], side, sectors, trading))
    shares = np.floor(equity * weight / priced["close"] * (1 + _WHOLE)).where(side != 0, 0.0)
    side = np.where(shares > 0, side, 0.0)
    reasons = [
        _UNREACHABLE if never else _reason(move, cost, count, close)
        for move, count, close, never in zip(expected, shares, priced["close"], unreachable, strict=True)
    ]
    if relative:
        words = f"no return is forecast but a {WORDS[target_of(forecasts)].outcome}"
        reasons = [
            f"{words}, {percent(value, '+.2%')}: trade the symbols' order as a portfolio"
            for value in priced["predicted"]
        ]
    used = shares * priced["close"] / equity
    table = priced[["symbol", "date"]].assign(
        side=np.select([side > 0, side < 0], ["buy", "sell"], "hold"),
        shares=shares.astype("int64"),
        reference_price=priced["close"],
        stop_loss=(priced["close"] * stop).where(side != 0),
        take_profit=(priced["close"] * target).where(side != 0),
        weight=used * side,
        risk=used * trading.stop_loss_pct,
        expected_return=expected,
        reason=pd.Series(reasons, index=priced.index, dtype="str"),
    )
    return _with_held(table[list(ORDER_COLUMNS)], without_forecast(forecasts, prices), prices["date"].max())


def hold_without_skill(orders: pd.DataFrame, verdict: str) -> pd.DataFrame:
    """Return the orders in force under a verdict: the proposals with skill, else a hold for each.

    The reason of such a hold says what the order would have been.

    Parameters
    ----------
    orders : DataFrame
        From `propose_orders`.
    verdict : str
        Of `skill.assess_skill`; empty where none was reached.
    """
    if verdict == SKILL:
        return orders
    traded = orders["side"] != "hold"
    reasons = [
        f"{verdict or 'not evaluated'}, so not traded; would have been a {row['side']} of {row['shares']:,} "
        f"at {row['reference_price']:,.2f}, {percent(abs(row['weight']), '.1%')} of equity"
        for row in orders[traded].to_dict("records")
    ]
    held = orders.copy()
    held.loc[traded, "reason"] = reasons
    held.loc[traded, "side"] = "hold"
    held.loc[traded, "shares"] = 0
    held.loc[traded, ["weight", "risk"]] = 0.0
    held.loc[traded, ["stop_loss", "take_profit"]] = np.nan
    return held


def _with_held(table: pd.DataFrame, reasons: Mapping[str, str], day: pd.Timestamp) -> pd.DataFrame:
    """Return the proposals with a hold per symbol that has no forecast, sorted by symbol."""
    if not reasons:
        return table
    held = pd.DataFrame({"symbol": list(reasons), "date": day, "side": "hold", "shares": 0, "weight": 0.0})
    held = held.assign(risk=0.0, reason=list(reasons.values())).reindex(columns=table.columns)
    held = held.astype(table.dtypes.to_dict())
    return pd.concat([table, held]).sort_values("symbol", kind="stable", ignore_index=True)


def _require_current(forecasts: pd.DataFrame, end: pd.Timestamp) -> None:
    """Raise for forecasts made before the last session: an order would trade on an old view."""
    stale = forecasts[forecasts["date"] < end]
    if len(stale):
        made = ", ".join(
            f"{symbol} on {day:%Y-%m-%d}" for symbol, day in zip(stale["symbol"], stale["date"], strict=True)
        )
        message = (
            f"Forecasts made before the last session of the prices, {end:%Y-%m-%d}, are stale: {made}. "
            "Make them again from these prices with forecast(fitted, prices)."
        )
        raise DataValidationError(message)


def _weight(orders: int, trading: TradingConfig) -> float:
    """Return the weight of each order: the smallest that capital and the two risk limits allow."""
    if orders == 0:
        return 0.0
    by_risk = min(trading.per_trade_risk, trading.max_portfolio_risk / orders) / trading.stop_loss_pct
    return min(by_risk, 1 / orders)


def _sector_share(
    symbols: pd.Series[str], side: np.ndarray, sectors: Mapping[str, str], trading: TradingConfig
) -> pd.Series[float]:
    """Return the largest weight per order that keeps its sector within the limit."""
    names = pd.Series(sectors_of(symbols, sectors), index=symbols.index)
    ordered = names.map(names[side != 0].value_counts()).fillna(1)
    return trading.max_sector_exposure / ordered


def _reason(expected: float, cost: float, shares: float, close: float) -> str:
    move = f"expected move {percent(expected, '+.3%')}"
    limit = f"the round-trip cost of {percent(cost, '.3%')}"
    if abs(expected) <= cost:
        return f"{move} does not exceed {limit}"
    if shares == 0:
        return f"the share of capital does not buy one share at {close:,.2f}"
    return f"{move} exceeds {limit}"
