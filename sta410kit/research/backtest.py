"""What following the predictions would have earned, after costs.

A prediction made at the close of *t* is traded at the open of the next session.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import require_positive
from sta410kit._internal.text import percent
from sta410kit._internal.universe import MEMBER
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research.account import Market, Terms, keep_books
from sta410kit.research.costs import SESSIONS_A_YEAR, Costs, Limits
from sta410kit.research.frames import require_predictions, require_prices
from sta410kit.research.performance import drawdowns
from sta410kit.research.simulation import CAPITAL, aligned, limited, market_of, simulation_of, terms_of
from sta410kit.research.targets import in_returns
from sta410kit.research.weights import Weighting, scaled_to_volatility, weights_of_decisions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.research.simulation import Simulation
    from sta410kit.research.weights import WeightingName

__all__ = ["SESSIONS_A_YEAR", "Backtest", "Plan", "backtest"]

DEFAULT_COSTS = Costs(slippage_bps=5.0)


@dataclass(frozen=True)
class Backtest:
    """A strategy through time, and its summary.

    ``frame`` has one row per session: ``date``, ``position`` (net weight after trading at the open),
    ``exposure`` (sum of absolute weights), ``turnover`` (bought plus sold), ``gross``, ``cost``, ``net``
    (simple returns from close to close, unit 1; gross is net plus cost), ``equity`` at the close (1.0 at the
    start), ``drawdown`` (0 or below) and ``benchmark`` (equity of buy and hold).

    ``summary`` and ``benchmark`` hold the figures of `performance.measure`, the mean ``turnover`` per
    session, all ``costs`` as a fraction of the capital, and ``sessions``. ``strategy`` describes what was
    chosen besides the predictions, for the trials ledger.

    ``contribution`` has one row per symbol and a last one ``cash``: ``symbol``, ``strategy`` and
    ``benchmark``, the gains after costs as fractions of the capital at the start. They sum to the total
    return. ``cash`` is interest, and what an account that lost everything did not pay.
    """

    frame: pd.DataFrame
    costs: Costs
    strategy: str
    summary: dict[str, float] = field(default_factory=dict)
    benchmark: dict[str, float] = field(default_factory=dict)
    contribution: pd.DataFrame = field(default_factory=pd.DataFrame)
    plan: Plan | None = field(default=None, repr=False)

    def table(self) -> pd.DataFrame:
        """Return the figures of strategy and benchmark as text, in percent where they are fractions."""
        both = {"strategy": self.summary, "buy and hold": self.benchmark}
        return pd.DataFrame(
            {who: {name: _shown(name, one[name]) for name in one} for who, one in both.items()}
        )


@dataclass(frozen=True)
class Plan:
    """The weights that predictions ask for, on the sessions in which they can be traded.

    ``weights`` has the shape (sessions, symbols): weights wanted at each close, within the limits. The first
    session is the first decision date, the second the first one traded. ``held``, of the same shape, are the
    benchmark's weights: equal ones of the symbols predicted on the first decision date. ``terms`` are those
    of `costs` and the limits.
    """

    sessions: pd.DatetimeIndex
    symbols: list[str]
    market: Market
    terms: Terms
    weights: NDArray[np.float64]
    held: NDArray[np.float64]
    costs: Costs
    capital: float


def backtest(  # noqa: PLR0913 - each is a choice of the experiment, by keyword
    predictions: pd.DataFrame,
    prices: pd.DataFrame,
    *,
    weighting: WeightingName | Weighting = "sign",
    costs: Costs = DEFAULT_COSTS,
    limits: Limits | None = None,
    threshold: float = 0.0,
    capital: float = CAPITAL,
) -> Backtest:
    """Return the result of trading the predictions.

    Each decision date splits the capital over the symbols predicted that day, by default equally: long where
    the prediction exceeds `threshold`, short where it lies below minus `threshold`, cash otherwise. With a
    horizon of *h* sessions each decision gets 1/*h* of the capital for *h* sessions (overlapping portfolios,
    Jegadeesh and Titman 1993). Weights are rebalanced each session.

    At a gap of the prices nothing is traded: a position, the benchmark's too, returns zero until the next
    known price and then takes the whole move. Where the prices are marked with a universe, both are closed at
    the first open after the membership.

    The benchmark buys equal amounts of the symbols predicted on the first decision date at the first open and
    holds them, at the same costs. Nothing is recorded: `overfitting.deflate` counts the trial.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame of one model and one horizon.
    prices : DataFrame
        The prices frame that the predictions come from.
    weighting : str or Weighting
        How predictions become weights; see `weights`.
    costs : Costs
        Trading costs; 5 basis points of slippage by default.
    limits : Limits, optional
        Bounds on positions and orders; a gross weight of 1 by default.
    threshold : float
        Smallest absolute prediction that is traded, in the unit of the target.
    capital : float
        Cash at the start, quote currency; only order fees, market impact and `max_participation` depend on
        it.

    Raises
    ------
    ConfigurationError
        If the weighting is unknown or not installed, or the threshold or the capital is out of range.
    DataValidationError
        If the predictions mix models or horizons, hold values that are not finite, do not match the prices,
        or leave no session to trade in.
    """
    capital = require_positive("capital", capital, "the cash at the start")
    limits = limits or Limits()
    weighting = weighting if isinstance(weighting, Weighting) else Weighting(weighting)
    ahead = _plan(predictions, prices, weighting, costs, limits, threshold, capital)
    both = np.stack([ahead.weights, ahead.held], axis=2)
    terms = replace(ahead.terms, always=np.array([True, False]))
    done = simulation_of(keep_books(both, ahead.market, terms, capital), ahead.sessions, capital, costs)
    summary, benchmark = _figures(done)
    chosen = {"weighting": (weighting, Weighting()), "limits": (limits, Limits())}
    parts = [f"{name}={value!r}" for name, (value, usual) in chosen.items() if value != usual]
    strategy = ", ".join([*parts, f"threshold={threshold!r}"])
    contribution = _contribution(done, ahead.symbols)
    return Backtest(_frame(done), costs, strategy, summary, benchmark, contribution, ahead)


def _plan(  # noqa: PLR0913, PLR0917 - as `backtest`
    predictions: pd.DataFrame,
    prices: pd.DataFrame,
    weighting: Weighting,
    costs: Costs,
    limits: Limits,
    threshold: float,
    capital: float,
) -> Plan:
    if not 0 <= threshold < np.inf:
        message = f"threshold is {threshold!r}; give a number of 0 or more."
        raise ConfigurationError(message)
    require_predictions(predictions, bounds=False)
    require_prices(prices, DataValidationError)
    horizon = int(predictions["horizon"].iloc[0])
    sessions, symbols, market = market_of(prices, costs, limits)
    if weighting.name == "mean_variance":  # beside a covariance, what is expected has to be a return
        predictions = in_returns(predictions, prices)
    # pivot refuses duplicates, pivot_table would average them
    predicted = predictions.pivot(index="date", columns="symbol", values="predicted")  # noqa: PD010
    predicted = aligned(predicted, sessions, symbols, "predictions")
    closes = prices.pivot(index="date", columns="symbol", values="adj_close").ffill().to_numpy(float)  # noqa: PD010
    wanted = weights_of_decisions(predicted, closes, weighting, horizon, threshold, limits)
    kept = kept_through(prices, sessions, symbols)
    weights = limited((wanted * kept)[:, :, None], limits, symbols, market.last)[:, :, 0].astype(float)
    if weighting.volatility is not None:
        scaled = scaled_to_volatility(weights, closes, weighting.volatility)
        weights = limited(scaled[:, :, None], limits, symbols)[:, :, 0].astype(float)
    ends = pd.DatetimeIndex([predictions["date"].min(), predictions["date"].max()])
    first, last = (int(place) for place in sessions.get_indexer(ends))
    stop = min(last + horizon + 2, len(sessions))  # includes the session that closes the last position
    if first + 1 >= stop:
        message = (
            "No open follows the predictions, so nothing can be traded; load prices that go on after them."
        )
        raise DataValidationError(message)
    span = slice(first, stop)
    chosen = predictions.loc[predictions["date"] == predictions["date"].min(), "symbol"]
    held = kept[span] * np.isin(symbols, chosen.astype(str)) / len(chosen)
    capacity, impact = (None if part is None else part[span] for part in (market.capacity, market.impact))
    return Plan(
        sessions[span],
        symbols,
        Market(
            market.opens[span],
            market.closes[span],
            market.tradable[span],
            market.last - first,
            capacity,
            impact,
        ),
        terms_of(costs, limits),
        weights[span],
        limited(held[:, :, None], limits, symbols)[:, :, 0].astype(float),
        costs,
        capital,
    )


def kept_through(prices: pd.DataFrame, sessions: pd.DatetimeIndex, symbols: list[str]) -> NDArray[np.bool_]:
    """Return whether a position may be held through the session after each, shape (sessions, symbols).

    Changes of membership are announced, so the one of the next session is known at the close.
    """
    if MEMBER not in prices:
        return np.ones((len(sessions), len(symbols)), dtype=bool)
    table = prices.pivot(index="date", columns="symbol", values=MEMBER)  # noqa: PD010
    following = table.reindex(index=sessions, columns=symbols).shift(-1)
    # The last session is not traded after; where a symbol has no session, it cannot be closed either.
    return following.astype("boolean").bfill().fillna(value=True).to_numpy(dtype=bool)


def _contribution(done: Simulation, symbols: list[str]) -> pd.DataFrame:
    gains = (done.profit / done.capital).T
    rest = done.equity[:, -1] / done.capital - 1 - gains.sum(axis=0)
    table = pd.DataFrame(np.vstack([gains, rest]), columns=["strategy", "benchmark"])
    table.insert(0, "symbol", [*symbols, "cash"])
    return table


def _shown(name: str, value: float) -> str:
    if np.isnan(value):
        return "-"  # a strategy that never trades has no Sharpe ratio
    if name == "sessions":
        return f"{value:,.0f}"
    return f"{value:z.2f}" if name in {"sharpe", "sortino", "calmar"} else percent(value, "z,.2%")


def _frame(done: Simulation) -> pd.DataFrame:
    """Return the strategy, row 0 of the simulation, beside the benchmark, row 1."""
    equity, net = done.equity[0] / done.capital, done.returns[0]
    before = np.concatenate([[done.capital], done.equity[0][:-1]])
    cost = np.divide(done.cost[0], before, out=np.zeros_like(before), where=before > 0)
    return pd.DataFrame(
        {
            "date": done.sessions,
            "position": done.position[0],
            "exposure": done.exposure[0],
            "turnover": done.turnover[0],
            "gross": net + cost,
            "cost": cost,
            "net": net,
            "equity": equity,
            "drawdown": drawdowns(equity),
            "benchmark": done.equity[1] / done.capital,
        }
    )


def _figures(done: Simulation) -> list[dict[str, float]]:
    table = done.summary()
    table["costs"] /= done.capital
    return [
        {str(name): float(value) for name, value in row.items()} | {"sessions": len(done.sessions)}
        for row in table.to_dict("records")
    ]
