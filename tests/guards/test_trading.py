"""The order guard: a value at its limit passes, a value beyond it is refused."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.config import Config, TradingConfig
from sta410kit.exceptions import ConfigurationError, TradingExecutionError
from sta410kit.guards import approve_orders, check_orders

pytestmark = pytest.mark.unit

DAY = pd.Timestamp("2012-01-03")
EQUITY = 100_000
ALL = {"max_portfolio_risk": 1.0, "per_trade_risk": 0.99, "stop_loss_pct": 1.0, "max_sector_exposure": 1.0}
WIDE = TradingConfig(**ALL)


def order(**changes):
    """Return a sound buy of 100 shares at 100, its stop at 97: 10 % invested, 0.3 % at risk."""
    sound = {
        "symbol": "A",
        "date": DAY,
        "side": "buy",
        "shares": 100,
        "reference_price": 100.0,
        "stop_loss": 97.0,
        "take_profit": 103.0,
    }
    return sound | changes


def table(*rows):
    return pd.DataFrame(list(rows) or [order()])


def limits_of(report):
    return [breach.limit for breach in report.breaches]


def test_sound_orders_pass_and_say_how_much_they_use():
    """A buy and a sell, by hand."""
    sell = order(symbol="B", side="sell", stop_loss=102.0, take_profit=90.0)
    report = approve_orders(table(order(), sell), EQUITY, TradingConfig())
    assert report.passed
    assert report.used == pytest.approx({"at risk": 0.005, "invested": 0.2, "largest sector": 0.2})
    assert str(report) == (
        "2 order proposals within every limit "
        "(at risk 0.50 %, invested 20.00 %, largest sector 20.00 % of equity)"
    )


# Each limit: the settings that make a value of two sound orders exactly the limit, settings a little tighter,
# and the words they are refused with.
AT_THE_LIMIT = {
    "per_trade_risk": (
        {"per_trade_risk": 0.003},
        {"per_trade_risk": 0.00299},
        "per_trade_risk: the buy order of A has 0.3000 % of equity at risk; allowed: 0.2990 %. Trade fewer",
    ),
    "max_portfolio_risk": (
        {"per_trade_risk": 0.003, "max_portfolio_risk": 0.006},
        {"per_trade_risk": 0.003, "max_portfolio_risk": 0.0059},
        "all orders together (A, B) has 0.6000 % of equity at risk; allowed: 0.5900 %.",
    ),
    "max_sector_exposure": (
        {"max_sector_exposure": 0.2},
        {"max_sector_exposure": 0.199},
        "the sector 'unknown' (A, B) has 20.0000 % of equity in it; allowed: 19.9000 %.",
    ),
    "stop_loss_pct": (
        {"stop_loss_pct": 0.03},
        {"stop_loss_pct": 0.0299},
        "stop_loss_pct: the buy order of A has its stop 3.0000 % away; allowed: 2.9900 %.",
    ),
}


@pytest.mark.parametrize("limit", AT_THE_LIMIT)
def test_a_value_at_its_limit_passes_and_beyond_is_refused(limit):
    """The words name the limit, the order, the value and what is allowed."""
    at, tighter, words = AT_THE_LIMIT[limit]
    orders = table(order(), order(symbol="B"))
    assert check_orders(orders, EQUITY, TradingConfig(**{**ALL, **at})).passed
    report = check_orders(orders, EQUITY, TradingConfig(**{**ALL, **tighter}))
    assert set(limits_of(report)) == {limit}
    with pytest.raises(TradingExecutionError) as refused:
        approve_orders(orders, EQUITY, TradingConfig(**{**ALL, **tighter}))
    assert words in str(refused.value)


def test_all_of_equity_may_be_invested_and_no_more():
    """Nothing is borrowed; a short sale counts as much as a purchase."""
    whole = [
        order(shares=500, stop_loss=99.9),
        order(symbol="B", side="sell", shares=500, stop_loss=100.1, take_profit=90.0),
    ]
    assert check_orders(table(*whole), EQUITY, WIDE).passed
    whole[0]["shares"] = 501
    report = check_orders(table(*whole), EQUITY, WIDE)
    assert limits_of(report) == ["equity", "max_sector_exposure"]
    assert report.breaches[0].value == "100.1000 % of equity invested"


def test_sectors_are_limited_each_by_itself():
    """Three orders of 10 % in two sectors; the one without a sector is not lost sight of."""
    orders = table(order(), order(symbol="B"), order(symbol="C"))
    trading = TradingConfig(**{**ALL, "max_sector_exposure": 0.2})
    assert check_orders(orders, EQUITY, trading, sectors={"A": "tech", "B": "tech", "C": "banks"}).passed
    assert check_orders(orders, EQUITY, trading, sectors={"A": "tech", "B": "tech"}).passed
    assert limits_of(check_orders(orders, EQUITY, trading)) == ["max_sector_exposure"]
    spelled = {"A": "Tech", "B": "tech ", "C": "tech"}
    (breach,) = check_orders(orders, EQUITY, trading, sectors=spelled).breaches
    assert breach.order == "the sector 'Tech' (A, B, C)"
    (breach,) = check_orders(orders, EQUITY, trading, sectors={"A": " ", "B": None}).breaches
    assert (breach.order, breach.value) == ("the sector 'unknown' (A, B, C)", "30.0000 % of equity in it")


@pytest.mark.parametrize(
    ("day_return", "passes"), [(0.5, True), (-0.03, True), (-0.0301, False), (-1, False)]
)
def test_after_a_days_loss_nothing_is_traded(day_return, passes):
    """At -3 % it is still, below it is not; to hold is always allowed."""
    report = check_orders(table(), EQUITY, WIDE, day_return=day_return)
    assert limits_of(report) == ([] if passes else ["daily_loss_limit"])
    hold = order(side="hold", shares=0, stop_loss=np.nan, take_profit=np.nan)
    assert check_orders(table(hold), EQUITY, WIDE, day_return=day_return).passed


@pytest.mark.parametrize(
    ("change", "limit", "words"),
    [
        ({"stop_loss": 100.0}, "stop_loss", "its stop at 100.0 and the price at 100; allowed: a stop below"),
        ({"stop_loss": 103.0}, "stop_loss", "a stop below the price"),
        ({"stop_loss": np.nan}, "stop_loss", "its stop at nan"),
        ({"side": "sell", "take_profit": 90.0}, "stop_loss", "the sell order of A has its stop at 97.0"),
        ({"take_profit": 100.0}, "take_profit", "a target above the price"),
        ({"take_profit": np.nan}, "take_profit", "a target above the price"),
        ({"side": "sell", "stop_loss": 103.0}, "take_profit", "a target below the price"),
        ({"shares": 0}, "position", "0 shares; allowed: a whole number above 0"),
        ({"shares": -10}, "position", "-10 shares"),
        ({"shares": 1.5}, "position", "1.5 shares"),
        ({"shares": np.nan}, "position", "nan shares"),
        ({"shares": np.inf}, "position", "inf shares"),
        ({"shares": "10"}, "position", "'10' shares"),
        ({"shares": True}, "position", "True shares"),
        ({"shares": pd.NA}, "position", "shares; allowed: a whole number above 0"),
        ({"side": "hold"}, "position", "0 shares on hold"),
        ({"side": "short"}, "side", "'short'; allowed: buy, sell or hold"),
        ({"side": None}, "side", "allowed: buy, sell or hold"),
        ({"symbol": " "}, "symbol", "allowed: a symbol without spaces around it"),
        ({"symbol": 7}, "symbol", "7; allowed: a symbol without"),
        ({"symbol": "A "}, "symbol", "'A '; allowed: a symbol without spaces around it"),
        ({"reference_price": 0.0}, "reference_price", "a price above 0"),
        ({"reference_price": "100"}, "reference_price", "a reference price of '100'"),
        ({"date": DAY - pd.Timedelta(days=1)}, "stale_prices", "a price of 2012-01-02; allowed: 2012-01-03"),
        ({"date": DAY + pd.Timedelta(days=1)}, "stale_prices", "a price of 2012-01-04; allowed: 2012-01-03"),
        ({"date": pd.NaT}, "stale_prices", "a price without a date"),
        ({"date": "yesterday"}, "stale_prices", "a price without a date"),
    ],
)
def test_an_order_that_is_wrong_in_itself_is_named(change, limit, words):
    """Alone, and beside a sound one, which does not hide it."""
    for rows in ([order(**change)], [order(symbol="B"), order(**change)]):
        report = check_orders(table(*rows), EQUITY, WIDE, as_of="2012-01-03")
        assert limits_of(report) == [limit]
        assert words in str(report)


def test_every_breach_is_reported_at_once():
    """Not only the first."""
    orders = table(order(shares=-1, stop_loss=np.nan), order(shares=5000), order(symbol="B", side="x"))
    report = check_orders(orders, EQUITY, TradingConfig(), day_return=-0.5)
    assert limits_of(report) == ["daily_loss_limit", "position", "stop_loss", "position", "side"]
    assert len(str(report).splitlines()) == 5


def test_the_columns_weight_and_risk_are_ignored():
    """Everything is recomputed from shares and prices."""
    orders = table(order(shares=900)).assign(weight=0.0, risk=0.0)
    assert limits_of(check_orders(orders, EQUITY, TradingConfig())) == [
        "per_trade_risk",
        "max_sector_exposure",
    ]


def live(**changes):
    """Return the settings of live trading."""
    return TradingConfig(**{**ALL, "paper_trading": False, "live_trading_acknowledged": True, **changes})


def today(days=0):
    return pd.Timestamp(dt.datetime.now(dt.UTC).date()) - pd.Timedelta(days=days)


@pytest.mark.parametrize(
    ("trading", "environment", "passes"),
    [
        (live(), "production", True),
        (live(), "staging", False),
        (live(live_trading_acknowledged=False), "production", False),
        (WIDE, "development", True),
    ],
)
def test_live_trading_needs_both_settings(trading, environment, passes):
    """Paper by default."""
    report = check_orders(table(order(date=today())), EQUITY, trading, environment=environment)
    assert limits_of(report) == ([] if passes else ["paper_trading"])


@pytest.mark.parametrize(("days", "passes"), [(0, True), (4, True), (5, False), (-1, False)])
def test_live_trading_needs_recent_prices(days, passes):
    """Four days, over a long weekend; nothing from the future. On paper history may be old."""
    orders = table(order(date=today(days)))
    report = check_orders(orders, EQUITY, live(), environment="production")
    assert limits_of(report) == ([] if passes else ["stale_prices"])
    assert check_orders(orders, EQUITY, WIDE).passed


@pytest.mark.parametrize("as_of", [None, "2012-01-03", dt.date(2012, 1, 3), DAY, DAY.tz_localize("UTC")])
def test_the_latest_session_is_the_given_one_or_that_of_the_orders(as_of):
    """In any form of a day."""
    late = table(order(), order(symbol="B", date=DAY - pd.Timedelta(days=1)))
    assert limits_of(check_orders(late, EQUITY, WIDE, as_of=as_of)) == ["stale_prices"]
    assert check_orders(table(), EQUITY, WIDE, as_of=as_of).passed


def test_no_orders_are_fine():
    """An empty table of the right form passes."""
    report = approve_orders(table().head(0), EQUITY, TradingConfig())
    assert (report.passed, report.orders) == (True, 0)


@pytest.mark.parametrize(
    ("orders", "text"),
    [
        *((wrong, "orders are a DataFrame as from propose_orders, not") for wrong in (None, [], {}, "buy")),
        (table().drop(columns=["shares", "take_profit"]), "orders lack the columns shares, take_profit"),
        (pd.concat([table(), table()[["shares"]]], axis=1), "orders have the columns shares more than once"),
    ],
)
def test_what_is_no_table_of_orders_is_refused(orders, text):
    """All missing columns are named together."""
    with pytest.raises(TradingExecutionError, match=text):
        check_orders(orders, EQUITY, WIDE)


@pytest.mark.parametrize("symbol", ["A", "a"])
def test_orders_of_one_symbol_do_not_add_up_unseen(symbol):
    """Two of 2 % risk each, the second perhaps in small letters."""
    orders = table(order(shares=300, stop_loss=97.0), order(symbol=symbol, shares=300, stop_loss=97.0))
    (breach,) = check_orders(orders, EQUITY, WIDE).breaches
    assert str(breach) == (
        f"position: the buy order of {symbol} has another order beside it; allowed: one order per symbol. "
        "Make one order of them."
    )


@pytest.mark.parametrize("kind", [int, np.int64, np.uint8, np.float32, Decimal, Fraction])
def test_a_number_may_come_from_any_library(kind):
    """The same verdict, whatever holds capital, shares and prices; here the risk is 3 % of equity."""
    row = order(shares=kind(100), reference_price=kind(100), stop_loss=kind(97), take_profit=kind(103))
    orders = pd.DataFrame({name: pd.Series([value], dtype=object) for name, value in row.items()})
    (breach,) = check_orders(
        orders, kind(100) * kind(2), TradingConfig(**{**ALL, "per_trade_risk": 0.9})
    ).breaches[:1]
    assert (breach.limit, breach.value) == ("per_trade_risk", "150.0000 % of equity at risk")
    assert check_orders(orders, EQUITY, WIDE, day_return=kind(0)).passed


@pytest.mark.parametrize(
    ("day_return", "words"),
    [
        (-0.030000001, "-3.00000010 %; allowed: not below -3.00000000 %"),
        (-0.0301, "-3.0100 %; allowed: not below -3.0000 %"),
    ],
)
def test_value_and_limit_differ_in_the_message(day_return, words):
    """With as many digits as that takes."""
    assert words in str(check_orders(table(), EQUITY, WIDE, day_return=day_return))


@pytest.mark.parametrize(
    ("trading", "words"),
    [(None, "trading is None; give a TradingConfig"), (Config(), "such as get_config().trading")],
)
def test_missing_limits_are_refused(trading, words):
    """There is no default for what may be lost."""
    with pytest.raises(ConfigurationError) as refused:
        check_orders(table(), EQUITY, trading)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("equity", value) for value in (0, -1, np.nan, np.inf, "100", None, True)),
        *(("day_return", value) for value in (np.nan, np.inf, -1.5, "0", True)),
        *(("as_of", value) for value in ("soon", 20120103, pd.NaT, "")),
    ],
)
def test_the_state_of_the_account_must_be_known(name, value):
    """Capital above 0, a return of at least -1, and a session that is a day."""
    with pytest.raises(ConfigurationError, match=f"{name} is"):
        check_orders(table(), **({"equity": EQUITY, "trading": WIDE} | {name: value}))


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**6), 10**6), st.floats(), st.text(max_size=4), st.just("buy"),
    st.sampled_from([DAY, "sell", "hold", "A", 100.0, 97.0, 103.0]),
)  # fmt: skip


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(order(), ANYTHING)), max_size=4))
def test_any_table_is_judged_without_an_error(rows):
    """What passes keeps every limit, computed here in another way."""
    orders = pd.DataFrame(rows, columns=list(order()), dtype=object)
    report = check_orders(orders, EQUITY, TradingConfig())
    if report.passed:
        traded = [row for row in rows if row["side"] != "hold"]
        invested = sum(row["shares"] * row["reference_price"] for row in traded)
        assert invested <= 0.4 * EQUITY * (1 + 1e-6)
        assert all(row["shares"] > 0 and row["stop_loss"] != row["reference_price"] for row in traded)
