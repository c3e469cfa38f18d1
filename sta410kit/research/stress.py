"""How a strategy fares under market conditions that its history did not hold.

Decisions stay the same: the account is stressed, not the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research.account import Market, Terms, keep_books
from sta410kit.research.simulation import simulation_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sta410kit.research.backtest import Backtest, Plan
    from sta410kit.research.simulation import Simulation

BASELINE = "baseline"


@dataclass(frozen=True)
class Scenario:
    """One adverse condition.

    `gap` moves every price overnight by that simple return, permanently, on the night when it costs the
    strategy most. `cost_factor` multiplies all costs, and only every `trade_every`-th session fills orders;
    both apply to the `length` sessions in which the strategy trades most, or throughout if `length` is None.
    """

    name: str
    gap: float = 0.0
    cost_factor: float = 1.0
    trade_every: int = 1
    length: int | None = None

    def __post_init__(self) -> None:
        for field, valid in (
            ("gap", -1 < self.gap < float("inf")),
            ("cost_factor", 0 <= self.cost_factor < float("inf")),
            ("trade_every", self.trade_every >= 1),
            ("length", self.length is None or self.length >= 1),
        ):
            if not valid:
                message = f"{field} of {self.name!r} is {getattr(self, field)!r}, which is out of range."
                raise ConfigurationError(message)


# The crash is near that of 19 October 1987 (Dow Jones: -22.6 %), for all symbols at once. Ten times the costs
# for a quarter is harsher than large stocks have seen; it exposes strategies that depend on cheap trades.
SCENARIOS = (
    Scenario("crash of 20 %", gap=-0.20),
    Scenario("jump of 10 %", gap=0.10),
    Scenario("liquidity drought", cost_factor=10, trade_every=5, length=63),
    Scenario("doubled costs", cost_factor=2),
)


def stress(backtest: Backtest, *, scenarios: Sequence[Scenario] = SCENARIOS) -> pd.DataFrame:
    """Return the strategy of a backtest in each scenario.

    Parameters
    ----------
    backtest : Backtest
        From `backtest.backtest`: its weights, costs, limits and capital.
    scenarios : sequence of Scenario
        The adverse conditions.

    Returns
    -------
    DataFrame
        One row per scenario after the row ``baseline``: ``scenario``, ``date`` (of the gap, or the first
        session of the bad time), ``total_return``, ``change`` (against the baseline), ``sharpe``,
        ``max_drawdown``, ``costs`` (fraction of the capital), ``turnover`` (mean per session).

    Raises
    ------
    ConfigurationError
        If two scenarios share a name.
    DataValidationError
        If the backtest has no plan.
    """
    names = [each.name for each in scenarios]
    if len({BASELINE, *names}) <= len(names):
        message = f"The scenarios are called {', '.join(names)}; give each a unique name, not {BASELINE!r}."
        raise ConfigurationError(message)
    ahead = backtest.plan
    if ahead is None:
        message = "The backtest has no plan to stress; make it with backtest()."
        raise DataValidationError(message)
    calm = _run(ahead, ahead.market, ahead.terms)
    every = (Scenario(BASELINE), *scenarios)
    begins = [_begin(each, calm) for each in every]
    done = _run(ahead, _markets(ahead.market, every, begins), _terms(every, ahead, begins))
    table = done.summary()
    table.insert(0, "scenario", [BASELINE, *names])
    table.insert(1, "date", pd.DatetimeIndex([pd.NaT if at is None else calm.sessions[at] for at in begins]))
    table["change"] = table["total_return"] - table["total_return"].iloc[0]
    table["costs"] /= ahead.capital
    columns = ("scenario", "date", "total_return", "change", "sharpe", "max_drawdown", "costs", "turnover")
    return table[list(columns)]


def _begin(scenario: Scenario, calm: Simulation) -> int | None:
    """Return the row of `calm` where the scenario hurts most; the gap comes before its open."""
    if scenario.gap:
        # The gap meets positions taken at the open before, which the first session does not have.
        carried = calm.position[0][:-1] * np.sign(scenario.gap)
        return int(carried.argmin()) + 1 if len(carried) else 0
    if scenario.length is None:
        return None
    window = np.ones(min(scenario.length, len(calm.sessions)))
    return int(np.convolve(calm.turnover[0], window, mode="valid").argmax())


def _markets(market: Market, scenarios: Sequence[Scenario], begins: Sequence[int | None]) -> Market:
    """Return one market per scenario, along the last axis."""
    shape = (len(market.opens), market.opens.shape[1], len(scenarios))
    level, dearer = np.ones(shape), np.ones(shape)
    tradable = np.broadcast_to(market.tradable, shape).copy()
    for number, (scenario, begin) in enumerate(zip(scenarios, begins, strict=True)):
        span = _span(scenario, begin)
        if scenario.gap:
            level[span.start :, :, number] = 1 + scenario.gap
        shut = np.arange(len(tradable[span])) % scenario.trade_every != 0
        tradable[span, :, number] &= ~shut[:, None]
        dearer[span, :, number] = scenario.cost_factor
    capacity = None if market.capacity is None else market.capacity * level
    impact = None if market.impact is None else market.impact * dearer / level**0.5
    return Market(market.opens * level, market.closes * level, tradable, market.last, capacity, impact)


def _terms(scenarios: Sequence[Scenario], ahead: Plan, begins: Sequence[int | None]) -> Terms:
    terms = ahead.terms
    factor = np.ones((len(ahead.sessions), len(scenarios)))
    for number, (scenario, begin) in enumerate(zip(scenarios, begins, strict=True)):
        factor[_span(scenario, begin), number] = scenario.cost_factor
    sell = np.minimum(terms.sell * factor, 1.0)  # a sale loses at most everything
    return replace(
        terms, buy=terms.buy * factor, sell=sell, fee=terms.fee * factor, borrow=terms.borrow * factor
    )


def _span(scenario: Scenario, begin: int | None) -> slice:
    """Return the sessions of the market that a scenario affects; those of the books begin one later."""
    if begin is None:
        return slice(0, None)
    return slice(begin + 1, None if scenario.length is None else begin + 1 + scenario.length)


def _run(ahead: Plan, market: Market, terms: Terms) -> Simulation:
    weights = np.repeat(ahead.weights[:, :, None], market.opens.shape[2], axis=2)
    books = keep_books(weights, market, terms, ahead.capital)
    return simulation_of(books, ahead.sessions, ahead.capital, ahead.costs)
