"""Strategies given as weights, traded at the next open: one call for one or for thousands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import require_positive
from sta410kit._internal.sectors import sectors_of
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research import performance
from sta410kit.research.account import Market, Terms, keep_books
from sta410kit.research.costs import SESSIONS_A_YEAR, Costs, Limits
from sta410kit.research.frames import require_prices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sta410kit.research.account import Books, Floats

Rebalance = Literal["each session", "on change"]
CAPITAL = 100_000.0
_DIMENSIONS = 3
_USUAL = 21  # sessions whose mean dollar volume bounds an order
_AT_ONCE = 64  # strategies summarised at once, so that they stay in the processor cache


@dataclass(frozen=True)
class Simulation:
    """The books of one or many strategies.

    ``sessions`` begins with the second session of the prices, the first that a decision can be traded in. The
    arrays have the shape (strategies, sessions): ``equity`` at the close and ``cost`` in quote currency,
    ``turnover`` (bought plus sold), ``position`` (net weight) and ``exposure`` (sum of absolute weights)
    after trading at the open, as fractions of equity. ``profit``, of shape (strategies, symbols), is what
    each symbol gained over all sessions after its costs, in quote currency. ``riskless`` is the interest of a
    session, above which Sharpe and Sortino ratios are measured.
    """

    sessions: pd.DatetimeIndex
    capital: float
    equity: Floats
    cost: Floats
    turnover: Floats
    position: Floats
    exposure: Floats
    profit: Floats
    riskless: float = 0.0

    @property
    def returns(self) -> Floats:
        """Simple returns after costs, close to close, shape (strategies, sessions)."""
        return performance.session_returns(self.equity, self.capital)

    def summary(self) -> pd.DataFrame:
        """Return the figures of `performance.measure`, mean turnover per session and total costs.

        One row per strategy; ``costs`` in quote currency.
        """
        parts = []
        for begin in range(0, len(self.equity), _AT_ONCE):
            some = slice(begin, begin + _AT_ONCE)
            figures = performance.measure(
                self.equity[some], self.capital, exposure=self.exposure[some], riskless=self.riskless
            )
            figures["turnover"] = self.turnover[some].mean(axis=1)
            figures["costs"] = self.cost[some].sum(axis=1)
            parts.append(figures)
        table = pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
        return table.assign(sessions=self.equity.shape[1])


def simulate(  # noqa: PLR0913 - each is a choice of the experiment, by keyword
    signals: pd.DataFrame | NDArray[np.generic],
    prices: pd.DataFrame,
    *,
    costs: Costs | None = None,
    limits: Limits | None = None,
    capital: float = CAPITAL,
    rebalance: Rebalance = "each session",
) -> Simulation:
    """Return the books of strategies that follow given weights.

    A weight decided at the close of a session is traded at the next open of the symbol and valued at the
    closes. Prices are adjusted for splits and dividends, opens with the factor of their own session, so a
    split earns nothing and a dividend is reinvested. Costs are paid out of the equity: after a trade the
    weights are those wanted, of what is then left.

    Where a symbol has no session, a gap or no volume, its order waits. A position held over a gap returns
    zero until the next known price and then takes the whole move. A symbol whose rows end before the others'
    is sold at its last close, at the usual cost. An account that falls to zero stays there.

    Parameters
    ----------
    signals : DataFrame or array
        Weights as fractions of equity, negative for short; NaN is 0. A DataFrame is one strategy, indexed by
        date with one column per symbol; missing dates and symbols are 0. An array has the shape (sessions,)
        or (strategies, sessions) for prices of one symbol, and (strategies, sessions, symbols) otherwise,
        sessions and symbols in ascending order.
    prices : DataFrame
        A prices frame.
    costs, limits
        No costs and a gross weight of 1 by default.
    capital : float
        Cash at the start, quote currency; only order fees, market impact and `max_participation` depend on
        it.
    rebalance : {"each session", "on change"}
        Whether weights are rebalanced each session, or only traded when the wanted weight changes.

    Raises
    ------
    ConfigurationError
        If the capital or `rebalance` is invalid.
    DataValidationError
        If the signals do not match the prices, have another shape or infinite values, or leave no session to
        trade in.
    """
    require_prices(prices, DataValidationError)
    costs, limits = costs or Costs(), limits or Limits()
    sessions, symbols, market = market_of(prices, costs, limits)
    weights = limited(_weights_of(signals, sessions, symbols), limits, symbols, market.last)
    capital = require_positive("capital", capital, "the cash at the start")
    terms = terms_of(costs, limits, rebalance)
    return simulation_of(keep_books(weights, market, terms, capital), sessions, capital, costs)


def market_of(
    prices: pd.DataFrame, costs: Costs, limits: Limits
) -> tuple[pd.DatetimeIndex, list[str], Market]:
    """Return the sessions, the symbols and the market of a prices frame."""
    factor = prices["adj_close"] / prices["close"]
    wide = prices.assign(open=prices["open"] * factor, close=prices["adj_close"], raw=prices["close"], row=1)
    # pivot refuses duplicates, pivot_table would average them
    columns = ["open", "close", "raw", "volume", "row"]
    table = wide.pivot(index="date", columns="symbol", values=columns).sort_index()  # noqa: PD010
    symbols = [str(name) for name in table["open"].columns]
    opens, closes = table["open"].to_numpy(dtype=float), table["close"].ffill()
    there = np.isfinite(opens)
    volume = table["volume"].to_numpy(dtype=float)
    tradable = there & (np.nan_to_num(volume) > 0)
    last_close = closes.shift().to_numpy(dtype=float)
    opens = np.where(there, opens, np.nan_to_num(last_close, nan=1.0))
    closes_ = np.nan_to_num(closes.to_numpy(dtype=float), nan=1.0)
    last = len(there) - 1 - table["row"].notna().to_numpy()[::-1].argmax(axis=0)
    for column, end in enumerate(last):
        tradable[end + 1 : end + 2, column] = True  # delisted: positions are closed at the last close
    capacity = impact = None
    if limits.max_participation is not None or costs.impact:
        # Of what was traded before: the session's own volume and volatility are not known yet.
        usual = (table["raw"] * table["volume"]).rolling(_USUAL, min_periods=1).mean().shift()
        usual = np.nan_to_num(usual.to_numpy(dtype=float))[:, :, None]
        if limits.max_participation is not None:
            capacity = np.where(there[:, :, None], limits.max_participation * usual, np.inf)
        if costs.impact:
            spread = closes.pct_change(fill_method=None).rolling(_USUAL, min_periods=2).std().shift()
            rate = costs.impact * np.nan_to_num(spread.to_numpy(dtype=float))[:, :, None]
            impact = np.divide(rate, usual**0.5, out=np.zeros_like(usual), where=usual > 0)
    market = Market(opens[:, :, None], closes_[:, :, None], tradable[:, :, None], last, capacity, impact)
    return pd.DatetimeIndex(table.index), symbols, market


def terms_of(costs: Costs, limits: Limits, rebalance: Rebalance = "each session") -> Terms:
    """Return trading terms that are the same for all strategies and sessions."""
    if rebalance not in ("each session", "on change"):
        message = f"rebalance is {rebalance!r}; use 'each session' or 'on change'."
        raise ConfigurationError(message)
    rates = (costs.buy_rate, costs.sell_rate, costs.order_fee, costs.borrow_bps / 10_000 / SESSIONS_A_YEAR)
    buy, sell, fee, borrow = (np.full((1, 1), rate) for rate in rates)
    always, turnover = np.array([rebalance == "each session"]), limits.max_turnover or np.inf
    return Terms(buy, sell, fee, borrow, always, costs.riskless, turnover)


def limited(
    weights: NDArray[np.generic],
    limits: Limits,
    symbols: Sequence[str],
    last: NDArray[np.int64] | None = None,
) -> NDArray[np.generic]:
    """Return the weights within the limits, shape (sessions, symbols, strategies); 0 from `last` on."""
    if last is not None and (last < len(weights) - 1).any():
        weights = np.where(np.arange(len(weights))[:, None, None] < last[:, None], weights, 0)
    low = 0.0 if limits.long_only else -limits.max_weight
    if weights.size and (weights.min() < low or weights.max() > limits.max_weight):
        weights = np.clip(weights, low, limits.max_weight)
    if limits.max_sector is not None:
        weights = np.array(weights, dtype=float)
        sector = np.array(sectors_of(symbols, limits.sectors))
        for one in np.unique(sector):
            weights[:, sector == one] = _shrunk(weights[:, sector == one], limits.max_sector)
    if weights.shape[1] * limits.max_weight > limits.max_gross:
        weights = _shrunk(weights, limits.max_gross)
    return weights


def _shrunk(weights: NDArray[np.generic], most: float) -> NDArray[np.generic]:
    """Return weights whose absolute values sum to at most `most` over the symbols, in proportion."""
    gross = np.abs(weights).sum(axis=1, keepdims=True)
    over = gross > most
    return weights * np.where(over, most / np.where(over, gross, 1.0), 1.0) if over.any() else weights


def simulation_of(books: Books, sessions: pd.DatetimeIndex, capital: float, costs: Costs) -> Simulation:
    """Return the books with strategies as the first axis."""
    exposure = np.abs(books.position) if books.exposure is None else books.exposure
    kept = (books.equity, books.cost, books.turnover, books.position, exposure, books.profit)
    equity, cost, turnover, position, exposure, profit = (each.T for each in kept)
    return Simulation(
        sessions[1:], capital, equity, cost, turnover, position, exposure, profit, costs.riskless
    )


def _weights_of(
    signals: pd.DataFrame | NDArray[np.generic], sessions: pd.DatetimeIndex, symbols: list[str]
) -> NDArray[np.generic]:
    """Return the signals with shape (sessions, symbols, strategies), NaN as 0."""
    if len(sessions) < 2:  # noqa: PLR2004 - a decision and an open after it
        message = "The prices have one session, but a decision is traded at the next open; load more."
        raise DataValidationError(message)
    if isinstance(signals, pd.DataFrame):
        values = aligned(signals, sessions, symbols).to_numpy(dtype=float)[None]
    else:
        values = np.asarray(signals)
        values = values[None] if values.ndim == 1 else values
        values = values[:, :, None] if values.ndim < _DIMENSIONS else values
    wanted = (len(sessions), len(symbols))
    if values.ndim != _DIMENSIONS or values.shape[1:] != wanted or not len(values):
        message = (
            f"The signals have the shape {np.shape(signals)}; these prices have {wanted[0]} sessions of "
            f"{wanted[1]} symbol(s), so give (strategies, {wanted[0]}, {wanted[1]}), or a DataFrame."
        )
        raise DataValidationError(message)
    if values.dtype.kind not in "bif":
        try:
            values = values.astype(float)
        except (TypeError, ValueError) as error:
            message = f"The signals hold {values.dtype}, not numbers."
            raise DataValidationError(message) from error
    if values.dtype.kind == "f":
        values = _without_gaps(values)
    return values.transpose(1, 2, 0)


def aligned(
    signals: pd.DataFrame, sessions: pd.DatetimeIndex, symbols: list[str], what: str = "signals"
) -> pd.DataFrame:
    """Return the signals on all sessions and symbols; raise `DataValidationError` if they do not fit."""
    days = signals.index.difference(sessions)
    names = signals.columns.difference(pd.Index(symbols))
    if len(days) or len(names):
        strange = [f"{day:%Y-%m-%d}" if hasattr(day, "strftime") else repr(day) for day in days[:3]]
        strange += [str(name) for name in names[:3]]
        message = (
            f"The {what} have {', '.join(strange)}, the prices do not; use the prices they were made from."
        )
        raise DataValidationError(message)
    if signals.index.has_duplicates or signals.columns.has_duplicates:
        message = f"The {what} have a date or a symbol twice."
        raise DataValidationError(message)
    return signals.reindex(index=sessions, columns=symbols)


def _without_gaps(values: NDArray[np.generic]) -> NDArray[np.generic]:
    finite = np.isfinite(values)
    if finite.all():
        return values
    if np.isinf(values).any():
        strategy, session, symbol = (int(where[0]) for where in np.nonzero(np.isinf(values)))
        message = (
            f"The signal of strategy {strategy}, session {session}, symbol {symbol} is infinite; "
            "give weights as fractions of equity, NaN for none."
        )
        raise DataValidationError(message)
    return np.where(finite, values, 0)
