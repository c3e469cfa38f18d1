"""A cash account with shares, vectorised over strategies and symbols.

The loop runs over sessions. What is traded at an open was decided at the close before: the step of session
*t* only gets the decision of *t - 1* and the prices of *t*, so a decision cannot see the price it is filled
at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Booleans = NDArray[np.bool_]

_PASSES = 4  # of the search for the equity after costs; exact once no trade changes its direction
_NO_ORDER = 1e-9  # of equity; smaller trades are rounding and pay no fee


@dataclass(frozen=True)
class Market:
    """What can be traded, when, and at which price; arrays of shape (sessions, symbols, strategies or 1).

    `opens` and `closes` are adjusted for splits and dividends; where a symbol has no session they repeat its
    last close. `tradable` says where an order is filled, `last` is the last session of each symbol,
    `capacity` the largest order in quote currency, and `impact` the share of its amount that an order of 1
    pays; the share grows with the square root of the amount. Both may be None.
    """

    opens: Floats
    closes: Floats
    tradable: Booleans
    last: NDArray[np.int64]
    capacity: Floats | None = None
    impact: Floats | None = None


@dataclass(frozen=True)
class Terms:
    """Trading terms per strategy; arrays of shape (sessions or 1, strategies or 1).

    `buy` and `sell` are shares of the amount, `fee` is quote currency per order, `borrow` a share of the
    short value per session. `always`, of shape (strategies or 1,), rebalances each session; where it is
    False, only a changed weight trades. `interest` is the share that cash earns per session, `turnover` the
    largest share of equity traded in one.
    """

    buy: Floats
    sell: Floats
    fee: Floats
    borrow: Floats
    always: Booleans
    interest: float = 0.0
    turnover: float = np.inf


@dataclass(frozen=True)
class Books:
    """The accounts from the second session on; arrays of shape (sessions - 1, strategies).

    `equity` at the close and `cost` in quote currency; `turnover` bought plus sold at the open as a fraction
    of the equity before; `position` the net weight after it, and `exposure` the sum of absolute weights, None
    for one symbol, where it is the absolute position. `profit` is the gain of each symbol over all sessions
    after its costs, of shape (symbols, strategies) in quote currency; interest is not part of it.
    """

    equity: Floats
    cost: Floats
    turnover: Floats
    position: Floats
    exposure: Floats | None
    profit: Floats


def keep_books(weights: NDArray[np.generic], market: Market, terms: Terms, capital: float) -> Books:
    """Return the books of finite weights decided at each close, shape (sessions, symbols, strategies)."""
    sessions, symbols, strategies = weights.shape
    shape = (sessions - 1, strategies)
    exposure = np.empty(shape) if symbols > 1 else None
    profit = np.zeros((symbols, strategies))
    books = Books(np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape), exposure, profit)
    cash = np.full(strategies, float(capital))
    shares = np.zeros((symbols, strategies))
    filled = np.zeros((symbols, strategies))  # the weight that the shares were bought for
    buy, sell = (np.broadcast_to(rate, (sessions, rate.shape[1])) for rate in (terms.buy, -terms.sell))
    everything: Booleans = np.all(market.tradable, axis=(1, 2))
    always, plain = bool(terms.always.all()), _is_plain(market, terms)
    solvent = _cannot_fail(weights) and market.impact is None
    for now in range(1, sessions):
        wanted = weights[now - 1].astype(np.float64)
        opens = market.opens[now]
        values = shares * opens
        equity = cash + _total(values)
        if not solvent and equity.min() <= 0:
            _end(equity, cash, shares, values)
        moving = None  # every weight is traded
        if not (always and everything[now]):
            moving = terms.always | (wanted != filled)
            moving = moving if everything[now] else moving & market.tradable[now]
        left, rate = _after_costs(wanted, values, equity, moving, buy[now], sell[now])
        trade = wanted * left
        trade -= values
        if moving is not None:
            trade *= moving
        costs = rate * trade
        if not plain:
            state = (wanted, values, equity, buy[now], sell[now], rate)
            trade, costs, moving = _with_extras(now, state, trade, moving, market, terms)
        cost, paid = _total(costs), trade + costs
        cash -= _total(paid)
        profit -= paid
        values += trade
        np.divide(values, opens, out=shares)
        filled = wanted if moving is None else np.where(moving, wanted, filled)
        _enter(books, now - 1, trade, values, equity, cost)
        if terms.interest:
            cash *= 1 + terms.interest
        total = np.add(cash, _total(shares * market.closes[now]), out=books.equity[now - 1])
        if not solvent and total.min() <= 0:
            _end(total, cash, shares)
    profit += shares * market.closes[-1]
    return books


def _cannot_fail(weights: NDArray[np.generic]) -> bool:
    """Return whether no account can lose everything: nothing short, nothing borrowed."""
    return bool(weights.min() >= 0 and weights.sum(axis=1).max() <= 1)


def _is_plain(market: Market, terms: Terms) -> bool:
    """Return whether costs are proportional and every order is filled whole."""
    limited = market.capacity is not None or terms.turnover < np.inf
    return not (limited or market.impact is not None or terms.fee.any() or terms.borrow.any())


def _after_costs(  # noqa: PLR0913, PLR0917 - the whole state of an open
    wanted: Floats, values: Floats, equity: Floats, moving: Booleans | None, buy: Floats, sell: Floats
) -> tuple[Floats, Floats]:
    """Return the equity left after the costs of reaching the wanted weights *of it*, and each rate paid.

    Given the directions of the trades it is linear: ``left = equity - sum(rate * (wanted * left - value))``.
    They start as those without costs and are corrected until none changes; one symbol needs no correction.
    Rates of sales are negative, as their trades are.
    """
    buying = wanted * equity > values
    for _ in range(_PASSES):
        rate = np.where(buying, buy, sell)
        if moving is not None:
            rate *= moving
        left = (equity + _total(rate * values)) / (1 + _total(rate * wanted))
        if len(wanted) == 1:
            break
        before, buying = buying, wanted * left > values
        if (buying == before).all():
            break
    return left, rate


def _with_extras(  # noqa: PLR0913, PLR0917 - the whole state of an open
    now: int,
    state: tuple[Floats, Floats, Floats, Floats, Floats, Floats],
    trade: Floats,
    moving: Booleans | None,
    market: Market,
    terms: Terms,
) -> tuple[Floats, Floats, Booleans | None]:
    """Return trades, costs by symbol and which orders were filled whole, with all terms."""
    wanted, values, equity, buy, sell, rate = state
    shape = (len(market.opens), wanted.shape[1])
    fee, borrow = np.broadcast_to(terms.fee, shape)[now], np.broadcast_to(terms.borrow, shape)[now]
    impact = 0.0 if market.impact is None else market.impact[now]
    orders = np.abs(trade) > _NO_ORDER * equity
    for _ in range(1 if market.impact is None else 2 * _PASSES):
        fixed = fee * orders + impact * np.abs(trade) ** 1.5
        if not fixed.any():
            break
        # The wanted weights are those of what is left after these costs, and reached by these orders.
        left, rate = _after_costs(wanted, values, np.maximum(equity - _total(fixed), 0.0), orders, buy, sell)
        trade = (wanted * left - values) * orders
    whole = trade
    if market.capacity is not None:
        trade = np.clip(trade, -market.capacity[now], market.capacity[now])
    if terms.turnover < np.inf:
        ended = (now > market.last)[:, None]
        traded = _total(np.where(ended, 0.0, np.abs(trade)))
        room = np.minimum(terms.turnover * equity / np.where(traded > 0, traded, 1.0), 1.0)
        trade = np.where(ended | (traded == 0), trade, trade * room)
    if trade is not whole:  # the rest waits
        moving = trade == whole if moving is None else moving & (trade == whole)
    costs = np.abs(rate * trade) + fee * orders + impact * np.abs(trade) ** 1.5
    return trade, costs + borrow * np.maximum(-(values + trade), 0.0), moving


def _enter(  # noqa: PLR0913, PLR0917 - one line of the books
    books: Books, row: int, trade: Floats, held: Floats, equity: Floats, cost: Floats
) -> None:
    books.cost[row] = cost
    base = np.where(equity > 0, equity, np.inf)  # 0 / 0 is 0
    np.divide(_total(np.abs(trade)), base, out=books.turnover[row])
    base = base - cost
    np.divide(_total(held), base, out=books.position[row])
    if books.exposure is not None:
        np.divide(_total(np.abs(held)), base, out=books.exposure[row])


def _total(amounts: Floats) -> Floats:
    """Return the sum over the symbols; one symbol needs no sum, which matters in a long loop."""
    total: Floats = (
        amounts[0] if len(amounts) == 1 else np.add.reduce(amounts)
    )  # as `sum`, without its overhead
    return total


def _end(equity: Floats, *money: Floats) -> None:
    """Set bankrupt accounts to zero, in place: no debts, no comeback."""
    alive = equity > 0
    for each in (equity, *money):
        np.multiply(each, alive, out=each)
