"""Many strategies at once, against an event loop with whole accounts, and against a public backtester."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research.costs import Costs, Limits
from sta410kit.research.simulation import simulate
from tests.research.simulated import bars

pytestmark = pytest.mark.unit

WIDE = Limits(max_weight=10.0, max_gross=10.0)
COSTS = Costs(commission_bps=3, spread_bps=4, slippage_bps=5)


class Broker:
    """An account as a broker keeps it: cash, unadjusted shares, one event after the other."""

    def __init__(self, prices, costs, capital):
        self.costs, self.cash, self.shares = costs, capital, {}
        self.bars = {(row.date, row.symbol): row for row in prices.itertuples()}
        self.days, self.symbols = sorted(prices["date"].unique()), sorted(prices["symbol"].unique())
        self.factor, self.close = {}, {}

    def morning(self, day):
        """Split shares and reinvest dividends, both of which `adj_close` knows; return what opens."""
        opens = {}
        for symbol in self.symbols:
            bar = self.bars.get((day, symbol))
            if bar is None:
                continue
            factor = bar.adj_close / bar.close
            if symbol in self.factor:
                self.shares[symbol] = self.shares.get(symbol, 0.0) * factor / self.factor[symbol]
            self.factor[symbol] = factor
            opens[symbol] = bar.open
        return opens

    def worth(self, quotes):
        marks = self.close | quotes
        return self.cash + sum(count * marks[symbol] for symbol, count in self.shares.items())

    def bill(self, left, wishes, opens):
        """Return what it costs to hold the wished weights of `left`."""
        total = 0.0
        for symbol, weight in wishes.items():
            amount = weight * left - self.shares.get(symbol, 0.0) * opens[symbol]
            total += amount * self.costs.buy_rate if amount > 0 else -amount * self.costs.sell_rate
        return total

    def trade(self, wishes, opens):
        equity = self.worth(opens)
        low, high = 0.5 * equity, equity
        for _ in range(45):  # bisection: what is left after paying for the weights of what is left
            middle = (low + high) / 2
            low, high = (
                (middle, high) if middle + self.bill(middle, wishes, opens) < equity else (low, middle)
            )
        away = (self.costs.spread_bps / 2 + self.costs.slippage_bps) / 10_000
        for symbol, weight in wishes.items():
            count = weight * low / opens[symbol] - self.shares.get(symbol, 0.0)
            filled_at = opens[symbol] * (1 + away if count > 0 else 1 - away)
            self.cash -= count * filled_at + abs(count) * filled_at * self.costs.commission_bps / 10_000
            self.shares[symbol] = self.shares.get(symbol, 0.0) + count

    def evening(self, day):
        for symbol in self.symbols:
            if (day, symbol) in self.bars:
                self.close[symbol] = self.bars[day, symbol].close
        return self.worth({})


def by_events(prices, signals, costs, capital, *, on_change=False):
    """Return the equity at each close, the first session without a trade left out."""
    broker, path, done = Broker(prices, costs, capital), [], {}
    for number, day in enumerate(broker.days):
        opens = broker.morning(day)
        if number:
            decided = signals.loc[broker.days[number - 1]]
            wishes = {name: 0.0 if np.isnan(decided[name]) else decided[name] for name in opens}
            if on_change:
                wishes = {name: want for name, want in wishes.items() if want != done.get(name, 0.0)}
            broker.trade(wishes, opens)
            done |= wishes
        path.append(broker.evening(day))
    return np.array(path[1:])


def signals_for(prices, seed=0, every=3):
    """Return weights from -0.4 to 0.4 that change every few sessions, with gaps."""
    days, symbols = np.sort(prices["date"].unique()), sorted(prices["symbol"].unique())
    values = np.random.default_rng(seed).uniform(-0.4, 0.4, (len(days) // every + 1, len(symbols)))
    values[::7] = np.nan
    return pd.DataFrame(values.repeat(every, axis=0)[: len(days)], index=days, columns=symbols)


@pytest.mark.parametrize("on_change", [False, True])
def test_thirteen_years_agree_with_a_broker_to_the_cent(sample, on_change):
    """Five symbols, three splits, dividends and a late listing: equal equity to the cent at each close."""
    sample = sample[sample["date"] < "2006-01-01"] if on_change else sample  # after the last split
    signals = signals_for(sample)
    rebalance = "on change" if on_change else "each session"
    ours = simulate(signals, sample, costs=COSTS, limits=Limits(max_gross=2.0), rebalance=rebalance)
    theirs = by_events(sample, signals, COSTS, 100_000.0, on_change=on_change)
    assert np.abs(ours.equity[0] - theirs).max() < 0.005
    assert ours.cost.sum() > 5_000  # costs were there to agree on


@given(st.integers(0, 10_000), st.floats(0, 300), st.booleans())
def test_any_weights_and_costs_agree_with_a_broker(seed, bps, on_change):
    """Random long and short weights of three symbols, at costs up to 3 %, agree to the cent."""
    rng = np.random.default_rng(seed)
    prices = pd.concat(
        [bars(100 * np.exp(np.cumsum(rng.normal(0, 0.03, 15))), symbol=name) for name in "ABC"]
    )
    weights = rng.uniform(-0.5, 0.5, (15, 3)).round(1)
    signals = pd.DataFrame(weights, sorted(prices["date"].unique()), list("ABC"))
    costs = Costs(commission_bps=bps / 2, slippage_bps=bps / 2)
    rebalance = "on change" if on_change else "each session"
    ours = simulate(signals, prices, costs=costs, limits=Limits(max_gross=3.0), rebalance=rebalance)
    theirs = by_events(prices, signals, costs, 100_000.0, on_change=on_change)
    assert np.abs(ours.equity[0] - theirs).max() < 0.005


def test_holes_in_the_sessions_agree_with_a_broker(sample):
    """Over missing sessions, shares are kept at the last close."""
    prices = sample[sample["date"] < "2001-01-01"]
    absent = np.isin(np.arange(len(prices)) % 7, (3, 4))
    prices = prices[~((prices["symbol"] == "IBM") & (prices["date"] < "2000-12-20") & absent)]
    signals = signals_for(prices, seed=1)
    ours = simulate(signals, prices, costs=COSTS, limits=Limits(max_gross=2.0))
    assert np.abs(ours.equity[0] - by_events(prices, signals, COSTS, 100_000.0)).max() < 0.005


def test_many_strategies_are_each_as_alone(sample):
    """A strategy among a thousand has the equity it has alone."""
    prices = sample[(sample["symbol"] == "MSFT") & (sample["date"] < "2002-01-01")]
    signals = np.random.default_rng(0).integers(-1, 2, (1000, len(prices)))
    every = simulate(signals, prices, costs=COSTS)
    assert every.equity.shape == (1000, len(prices) - 1)
    for row in (0, 500, 999):
        alone = simulate(signals[row].astype(float), prices, costs=COSTS)
        assert every.equity[row] == pytest.approx(alone.equity[0], rel=1e-12)
        assert every.summary().iloc[row].to_dict() == pytest.approx(
            alone.summary().iloc[0].to_dict(), nan_ok=True
        )


@pytest.mark.filterwarnings("ignore")  # its own: trades open at the end, and what its plotting imports
def test_it_agrees_with_a_public_backtester(sample):
    """Long, flat and short over a split, as the package `backtesting` counts it, to 1e-9.

    The package trades whole units, so its capital is large. It takes a spread of the entry only; a commission
    it takes of both ends, as the kit does.
    """
    from backtesting import Backtest, Strategy

    prices = sample[(sample["symbol"] == "AAPL") & sample["date"].between("2004-01-01", "2006-12-31")]
    wish = np.random.default_rng(3).integers(-1, 2, len(prices) // 8 + 1).repeat(8)[: len(prices)]

    class Follow(Strategy):
        def init(self):
            self.was = 0

        def next(self):
            want = wish[len(self.data) - 1]
            if want != self.was:
                self.position.close()
                if want:
                    (self.buy if want > 0 else self.sell)()
                self.was = want

    factor = prices["adj_close"] / prices["close"]
    table = pd.DataFrame(
        {name.title(): prices[name] * factor for name in ("open", "high", "low", "close")}
    ).set_index(pd.DatetimeIndex(prices["date"]))
    stats = Backtest(table, Follow, cash=1e13, commission=0.001).run()
    theirs = stats["_equity_curve"]["Equity"].to_numpy()
    first = np.flatnonzero(wish)[0]
    assert first < 10  # the package calls `next` from the second bar on
    wish[0] = 0
    ours = simulate(wish, prices, costs=Costs(commission_bps=10), capital=1e13, rebalance="on change")
    assert ours.equity[0] == pytest.approx(theirs[1:], rel=1e-9)
    assert len(stats["_trades"]) > 30


@given(st.integers(1, 38), st.floats(0.2, 5.0), st.integers(0, 1000))
def test_no_decision_sees_the_price_it_is_filled_at(cut, factor, seed):
    """Changing prices after session *t* does not change the equity up to *t*.

    The decisions of *t* itself are changed too: they are filled later.
    """
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, 40)))
    prices = bars(close * 1.001, close)
    signals = rng.uniform(-1, 1, (3, 40))
    after = np.arange(40) > cut
    names = ["open", "high", "low", "close", "adj_close"]
    other = prices.assign(**{name: prices[name].where(~after, prices[name] * factor) for name in names})
    changed = np.where(np.arange(40) >= cut, -signals, signals)
    before = simulate(signals, prices, costs=COSTS).equity[:, :cut]
    assert np.array_equal(simulate(changed, other, costs=COSTS).equity[:, :cut], before)


def test_a_decision_is_filled_at_the_next_open():
    """Decided at the close of 10, bought at the open of 12: at 15 a quarter is gained."""
    prices = bars([10, 12, 15], [10, 15, 15])
    ours = simulate(np.array([1.0, 1.0, 1.0]), prices)
    assert ours.equity[0].tolist() == pytest.approx([125_000, 125_000])


def test_what_a_purchase_and_a_sale_cost():
    """Spread and slippage move the fill to 100.2 and 99.8; half a percent of that is commission."""
    prices = bars([100, 100, 100, 100])
    ours = simulate(np.array([1, 0, 0, 0]), prices, costs=Costs(50, 20, 10))
    shares = 100_000 / (100.2 * 1.005)
    assert ours.equity[0] == pytest.approx([100 * shares, 99.8 * 0.995 * shares, 99.8 * 0.995 * shares])


def test_each_order_pays_its_fee():
    """Two orders of one symbol at 7 each; holding pays none, and no fee drives cash below zero."""
    prices = bars([100, 100, 100, 100, 100])
    ours = simulate(np.array([1, 1, 0, 0, 0]), prices, costs=Costs(order_fee=7))
    assert ours.equity[0].tolist() == pytest.approx([99_993, 99_993, 99_986, 99_986])
    assert ours.cost[0].tolist() == pytest.approx([7, 0, 7, 0])


@pytest.mark.parametrize("rebalance", ["each session", "on change"])
def test_a_held_position_pays_its_fee_once(rebalance):
    """A year fully invested at 5 an order and 5 bps costs 5 and 49.97 on the first day, then nothing."""
    prices = bars(100 * np.exp(0.01 * np.random.default_rng(0).standard_normal(253)))
    costs = Costs(slippage_bps=5, order_fee=5)
    ours = simulate(np.ones(253), prices, costs=costs, rebalance=rebalance)
    assert ours.cost[0, 0] == pytest.approx(5 + 99_995 * 0.0005 / 1.0005)
    assert ours.cost[0, 1:].tolist() == [0] * 251


def test_rounding_errors_place_no_order():
    """Weights that prices have not moved pay their fees once, although 0.3 is not exact in binary."""
    prices = pd.concat([bars([0.1] * 6, symbol=name) for name in "AB"])
    ours = simulate(np.full((1, 6, 2), 0.3), prices, costs=Costs(order_fee=7))
    assert ours.cost[0].tolist() == [14, 0, 0, 0, 0]


def test_a_short_position_pays_a_borrowing_fee():
    """252 bps a year are 1 bp a session on what is borrowed."""
    ours = simulate(np.array([-1, -1, 0, 0]), bars([100] * 4), costs=Costs(borrow_bps=252))
    assert ours.equity[0] == pytest.approx([99_990, 99_980.001, 99_980.001])


def test_cash_earns_interest_and_debts_pay_it():
    """252 bps a year are 1 bp a session, of all the cash: the proceeds of a short sale, or a debt of half."""
    for weight, expected in ((0.0, 100_010), (-1.0, 100_020), (1.5, 99_995)):
        ours = simulate(np.full(3, weight), bars([100] * 3), costs=Costs(cash_bps=252), limits=WIDE)
        assert ours.equity[0, 0] == pytest.approx(expected)
    idle = simulate(np.zeros(5), bars([100] * 5), costs=Costs(cash_bps=252)).summary().iloc[0]
    assert idle["total_return"] == pytest.approx(1.0001**4 - 1)
    assert np.isnan(idle["sharpe"])  # interest alone is no excess return


def swinging(sessions=30, volume=1000.0):
    """Return bars that gain and lose a tenth in turn: closes of 110, 100, 110, ..."""
    return bars(np.where(np.arange(sessions) % 2, 100.0, 110.0), volume=volume)


def impact_of(amount, *, volume=1000.0, coefficient=1.0):
    """Return the cost of one purchase on session 25, as a share of its amount."""
    wishes = np.zeros(30)
    wishes[24] = 1e-6 * amount
    ours = simulate(wishes, swinging(volume=volume), costs=Costs(impact=coefficient), capital=1e6)
    return ours.cost[0, 24] / (ours.position[0, 24] * (1e6 - ours.cost[0, 24]))


def test_market_impact_is_volatility_times_the_root_of_participation():
    """By hand, from the 21 sessions before, of which ten or eleven gained a tenth."""
    moves = np.array([0.1, -1 / 11] * 11)[1:22]  # the last is the fall of session 24
    dollars = np.mean([110 * 1000, 100 * 1000] * 10 + [110 * 1000])
    expected = moves.std(ddof=1) * (100 / dollars) ** 0.5
    assert impact_of(100.0) == pytest.approx(expected, rel=1e-3)


def test_market_impact_follows_the_square_root_law():
    """Four times the order, or a quarter of the volume, doubles the rate; no coefficient costs nothing."""
    once = impact_of(100.0)
    assert impact_of(400.0) == pytest.approx(2 * once, rel=2e-3)
    assert impact_of(100.0, volume=250.0) == pytest.approx(2 * once, rel=2e-3)
    assert impact_of(100.0, coefficient=0.5) == pytest.approx(once / 2, rel=1e-3)
    assert impact_of(100.0, coefficient=0.0) == 0.0
    assert simulate(np.zeros(30), swinging(), costs=Costs(impact=1.0)).cost.sum() == 0


def test_after_impact_the_weights_are_those_wanted_of_what_is_left():
    """All the capital, a tenth of a session's volume: no cash is left over, and none is owed."""
    wishes = np.zeros(30)
    wishes[24:] = 1.0
    ours = simulate(wishes, swinging(volume=10_000), costs=Costs(impact=1.0, order_fee=7))
    assert ours.cost[0, 24] > 2_000
    assert ours.position[0, 24] == pytest.approx(1.0, abs=1e-6)


def test_a_turnover_limit_spreads_a_purchase_over_sessions():
    """At most a quarter a session: four sessions to invest everything, as much to sell it."""
    wishes = np.array([1.0] * 6 + [0.0] * 6)
    ours = simulate(wishes, bars([100] * 12), limits=Limits(max_turnover=0.25))
    assert ours.position[0].tolist() == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 0.75, 0.5, 0.25, 0, 0])


@given(st.integers(0, 1000), st.floats(0.01, 1.0), st.booleans())
def test_a_turnover_limit_is_never_exceeded_and_contributions_sum_to_the_gain(seed, most, dear):
    """With all costs or none, on long and short weights that change every session."""
    rng = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.03, (25, 3)), axis=0))
    prices = pd.concat(bars(closes[:, one], symbol="ABC"[one]) for one in range(3))
    costs = Costs(5, 5, 5, order_fee=3, borrow_bps=100, impact=0.5) if dear else Costs()
    limits = Limits(max_gross=3.0, max_turnover=most, max_participation=0.9)
    ours = simulate(rng.uniform(-0.6, 0.6, (2, 25, 3)), prices, costs=costs, limits=limits)
    assert ours.turnover.max() <= most + 1e-12
    assert ours.profit.sum(axis=1) == pytest.approx(ours.equity[:, -1] - 100_000)


def test_what_each_symbol_gained():
    """A rises by a tenth, B falls by a fifth with half the weight; each pays its own costs of 1 %."""
    prices = pd.concat([bars([100, 100, 110], symbol="A"), bars([100, 100, 80], symbol="B")])
    ours = simulate(np.array([[[0.5, -0.25]] * 3]), prices, limits=WIDE, rebalance="on change")
    assert ours.profit[0].tolist() == pytest.approx([5_000, 5_000])
    paid = simulate(np.array([[[0.5, -0.25], [0, 0], [0, 0]]]), prices, costs=Costs(commission_bps=100))
    left = 100_000 / 1.0075
    assert paid.profit[0].tolist() == pytest.approx(
        [0.5 * left * (0.1 - 0.01 - 0.011), 0.25 * left * (0.2 - 0.01 - 0.008)]
    )


def test_a_symbol_that_ends_is_closed_whatever_the_turnover_limit():
    """Half the equity in A, which ends on the tenth session, is sold at once although 5 % are allowed."""
    prices = pd.concat([bars([100] * 10, symbol="A"), bars([100] * 20, symbol="B")])
    wishes = np.array([[[0.5, 0.0]] * 20])
    ours = simulate(wishes, prices, limits=Limits(max_turnover=0.05))
    assert ours.position[0].tolist() == pytest.approx([*np.arange(0.05, 0.5, 0.05), 0.0, *[0.0] * 9])


def test_a_sector_is_cut_to_its_limit():
    """A and B, 0.8 together in tech, share 0.4; C and D, short and long 0.4 in energy, keep their weights."""
    prices = pd.concat([bars([100, 100, 100], symbol=name) for name in "ABCD"])
    limits = Limits(max_sector=0.4, sectors={"A": "Tech", "B": "tech ", "C": "energy", "D": "energy"})
    ours = simulate(np.array([[[0.6, -0.2, 0.1, -0.3]] * 3]), prices, limits=limits)
    assert ours.position[0, 0] == pytest.approx(0.3 - 0.1 + 0.1 - 0.3)
    assert ours.exposure[0, 0] == pytest.approx(0.8)


def test_weights_are_cut_to_the_limits():
    """Weights beyond a limit are cut, proportionally for the gross limit; long-only drops shorts."""
    prices = pd.concat([bars([100, 100, 100], symbol=name) for name in "AB"])
    wishes = np.array([[[3.0, -1.0]] * 3])
    for limits, expected in (
        (Limits(), [0.5, -0.5]),
        (Limits(max_gross=4.0), [1.0, -1.0]),
        (Limits(max_weight=3.0, max_gross=2.0), [1.5, -0.5]),
        (Limits(long_only=True), [1.0, 0.0]),
    ):
        ours = simulate(wishes, prices, limits=limits)
        assert ours.position[0, 0] == pytest.approx(sum(expected))
        assert ours.exposure[0, 0] == pytest.approx(np.abs(expected).sum())


@pytest.mark.parametrize("side", [1, -1])
def test_an_order_is_filled_up_to_its_share_of_the_volume(side):
    """Of 1,000 shares bought or sold short, a tenth of the mean volume before each session is filled.

    That is 400 of 4,000, then 300 of 4,000 and 2,000, then the rest, although 9,000 are traded by then.
    """
    limits = Limits(max_participation=0.1)
    prices = bars([100] * 5, volume=[4000, 2000, 9000, 4000, 4000])
    ours = simulate(side * np.ones(5), prices, limits=limits, rebalance="on change")
    assert (side * ours.position[0]).tolist() == pytest.approx([0.4, 0.7, 1.0, 1.0])


def test_a_session_without_volume_fills_nothing():
    """The order waits for the next session, however weights are rebalanced."""
    prices = bars([100, 100, 50, 50], volume=[10, 0, 10, 10])
    for rebalance in ("each session", "on change"):
        ours = simulate(np.ones(4), prices, rebalance=rebalance)
        assert ours.position[0].tolist() == [0, 1, 1]
        assert ours.equity[0].tolist() == [100_000, 100_000, 100_000]


def test_a_symbol_that_begins_later_is_bought_later():
    """Weights before its first session buy nothing."""
    early, late = bars([100] * 5, symbol="A"), bars([10, 20], symbol="B", start="2012-01-05")
    ours = simulate(np.full((1, 5, 2), 0.5), pd.concat([early, late]))
    assert ours.exposure[0].tolist() == pytest.approx([0.5, 0.5, 1.0, 1.0])
    assert ours.equity[0].tolist() == pytest.approx([100_000, 100_000, 100_000, 150_000])


def test_a_delisted_symbol_is_paid_out_at_its_last_close():
    """It is sold at its last close of 80, and the cash is available again."""
    gone, stays = bars([100, 100, 80], symbol="A"), bars([100] * 6, symbol="B")
    ours = simulate(np.full((1, 6, 2), (1.0, 0.0)), pd.concat([gone, stays]), costs=Costs(commission_bps=100))
    left = 100_000 / 1.01 * 0.8
    assert ours.equity[0].tolist() == pytest.approx([100_000 / 1.01, left, *[left * 0.99] * 3])
    assert ours.exposure[0, 2:].tolist() == [0, 0, 0]


def test_an_account_at_zero_stays_at_zero():
    """A short whose price triples ends there, also when the price falls back overnight."""
    ours = simulate(-np.ones((2, 6)), bars([100, 100, 300, 100, 50, 25]), costs=COSTS)
    assert ours.equity[:, 1:].tolist() == [[0] * 4] * 2
    assert (ours.returns[:, 1] == -1).all()
    assert np.isfinite(ours.returns).all()
    ours = simulate(-np.ones(5), bars([100] * 5, [100, 300, 100, 50, 25]))
    assert ours.equity[0].tolist() == [0, 0, 0, 0]


def test_undefined_ratios_are_nan():
    """Cash alone has neither return nor risk; a single return has no deviation."""
    summary = simulate(np.full(4, np.nan), bars([100, 110, 90, 100])).summary().iloc[0]
    assert (summary["total_return"], summary["volatility"], summary["exposure"]) == (0, 0, 0)
    assert summary[["sharpe", "sortino", "calmar", "hit_rate"]].isna().all()
    summary = simulate(np.ones(2), bars([100, 100], [100, 110])).summary().iloc[0]
    assert summary["total_return"] == pytest.approx(0.1)
    assert summary[["volatility", "sharpe"]].isna().all()


@pytest.mark.parametrize(
    ("signals", "message"),
    [
        (np.ones(3), r"the shape \(3,\); these prices have 4 sessions of 1 symbol"),
        (np.ones((2, 4, 2)), "these prices have 4 sessions of 1 symbol"),
        (np.ones((0, 4)), "give"),
        (np.ones((1, 1, 4, 1)), "give"),
        (np.array([[0, 1, np.inf, 0], [0, 0, 0, 0]]), "strategy 0, session 2, symbol 0 is infinite"),
        (np.array(["a", "b", "c", "d"]), "not numbers"),
        (pd.DataFrame({"B": [1.0]}, index=[pd.Timestamp("2012-01-02")]), "signals have B, the prices do not"),
        (pd.DataFrame({"A": [1.0]}, index=[pd.Timestamp("2011-01-03")]), "signals have 2011-01-03"),
        (pd.DataFrame({"A": [1.0]}, index=[7]), "signals have 7, the prices do not"),
        (pd.DataFrame({"A": [1.0, 1.0]}, index=[pd.Timestamp("2012-01-02")] * 2), "twice"),
    ],
)
def test_signals_that_do_not_fit_are_refused(signals, message):
    """The message names the expected shape, the position of the value, or the date."""
    with pytest.raises(DataValidationError, match=message):
        simulate(signals, bars([100] * 4))


def test_dates_without_a_signal_hold_nothing():
    """A DataFrame of one date holds for one session."""
    table = pd.DataFrame({"A": [1.0]}, index=[pd.Timestamp("2012-01-03")])
    assert simulate(table, bars([100] * 4)).position[0].tolist() == [0, 1, 0]


def test_invalid_settings_are_refused():
    """One session, no capital, or an unknown `rebalance` is refused."""
    with pytest.raises(DataValidationError, match="one session"):
        simulate(np.ones(1), bars([100]))
    with pytest.raises(ConfigurationError, match="capital is 0"):
        simulate(np.ones(2), bars([100, 100]), capital=0)
    with pytest.raises(ConfigurationError, match="rebalance is 'weekly'"):
        simulate(np.ones(2), bars([100, 100]), rebalance="weekly")
