"""Order proposals stay within their limits and pass the guard that checks them."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.config import TradingConfig
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.guards import approve_orders
from sta410kit.research.orders import ORDER_COLUMNS, hold_without_skill, propose_orders
from tests.research.simulated import bars

pytestmark = pytest.mark.unit


Limits = partial(TradingConfig, max_sector_exposure=1.0)
LIMITS = Limits()
DAY = pd.Timestamp("2012-01-03")


def frames(predicted, closes):
    symbols = list("ABCDEFGHIJKL")[: len(predicted)]
    forecasts = pd.DataFrame({"symbol": symbols, "date": DAY, "predicted": predicted})
    return forecasts, bars(closes).assign(symbol=symbols, date=DAY)


def test_without_skill_every_order_is_on_hold_and_says_what_it_would_have_been():
    """A buy, a short and a hold; with skill they stay as they are."""
    proposed = propose_orders(*frames([0.01, -0.01, 0.0005], [33.0, 100.0, 10.0]), 10_000, LIMITS)
    held = hold_without_skill(proposed, "no skill shown")
    assert held["side"].tolist() == ["hold"] * 3
    assert held[["shares", "weight", "risk"]].to_numpy().tolist() == [[0, 0, 0]] * 3
    assert held[["stop_loss", "take_profit"]].isna().all().all()
    assert held["reason"].tolist() == [
        "no skill shown, so not traded; would have been a buy of 151 at 33.00, 49.8 % of equity",
        "no skill shown, so not traded; would have been a sell of 50 at 100.00, 50.0 % of equity",
        proposed.loc[2, "reason"],
    ]
    assert held.dtypes.equals(proposed.dtypes)
    assert hold_without_skill(proposed, "")["reason"].iloc[0].startswith("not evaluated, so not traded;")
    assert hold_without_skill(proposed, "skill").equals(proposed)


def test_literal_orders():
    """A buy, a short and a hold on an equity of 10,000, by hand.

    Two orders share the risk of 5 %: 2.5 % each, at a stop of 3 % a weight of 83 %, of which
    the capital gives each a half.
    """
    orders = propose_orders(*frames([0.01, -0.01, 0.0005], [33.0, 100.0, 10.0]), 10_000, LIMITS)
    assert list(orders.columns) == list(ORDER_COLUMNS)
    assert orders["side"].tolist() == ["buy", "sell", "hold"]
    assert orders["shares"].tolist() == [151, 50, 0]
    assert orders["stop_loss"].tolist()[:2] == pytest.approx([33 * 0.97, 103.0])
    assert orders["take_profit"].tolist()[:2] == pytest.approx([33 * 1.003, 99.7])
    assert orders["weight"].tolist() == pytest.approx([0.4983, -0.5, 0])
    assert orders["risk"].tolist() == pytest.approx([0.4983 * 0.03, 0.015, 0])
    assert orders["expected_return"].tolist() == pytest.approx(np.expm1([0.01, -0.01, 0.0005]))
    assert np.isnan(orders.loc[2, ["stop_loss", "take_profit"]].astype(float)).all()
    assert orders.loc[2, "reason"] == "expected move +0.050 % does not exceed the round-trip cost of 0.100 %"
    approve_orders(orders, 10_000, LIMITS)


@pytest.mark.parametrize(("count", "price", "risk"), [(1, 10.0, 0.025), (10, 1.0, 0.005)])
def test_risk_limits_cut_the_orders(count, price, risk):
    """With a wide stop one order risks 2.5 % of equity; ten share the portfolio's 5 %."""
    orders = propose_orders(*frames([0.02] * count, [price] * count), 10_000, Limits(stop_loss_pct=0.10))
    assert orders["shares"].tolist() == [250 if count == 1 else 500] * count
    assert orders["risk"].tolist() == pytest.approx([risk] * count)


def test_a_share_above_the_available_capital_is_held():
    """The reason says that the capital does not buy one share."""
    orders = propose_orders(*frames([0.02], [5_000.0]), 1_000, LIMITS)
    assert orders["side"].tolist() == ["hold"]
    assert orders["reason"].tolist() == ["the share of capital does not buy one share at 5,000.00"]


def test_stale_forecasts_are_refused():
    """The message names the forecast, its date and the last session of the prices."""
    forecasts, prices = frames([0.02, 0.02], [10.0, 10.0])
    later = pd.concat([prices, prices.assign(date=DAY + pd.Timedelta(days=1))])
    later = later.sort_values(["symbol", "date"])
    with pytest.raises(DataValidationError) as caught:
        propose_orders(forecasts, later, 10_000, LIMITS)
    assert str(caught.value) == (
        "Forecasts made before the last session of the prices, 2012-01-04, are stale: A on 2012-01-03, "
        "B on 2012-01-03. Make them again from these prices with forecast(fitted, prices)."
    )


@given(
    st.lists(st.tuples(st.floats(-0.2, 0.2), st.floats(0.01, 5_000)), min_size=1, max_size=12),
    st.floats(1, 1e8),
    st.floats(0.001, 0.05),
    st.floats(0.051, 0.5),
    st.floats(0.001, 0.5),
    st.floats(0.1, 1),
)
def test_no_proposal_breaks_a_limit(wanted, equity, per_trade, portfolio, stop, sector):  # noqa: PLR0913, PLR0917
    """For any forecasts, prices and limits, the guard approves the proposals."""
    limits = Limits(
        max_portfolio_risk=portfolio, per_trade_risk=per_trade, stop_loss_pct=stop, max_sector_exposure=sector
    )
    sectors = {symbol: f"sector {number % 3}" for number, symbol in enumerate("ABCDEFGHIJ")}
    orders = propose_orders(*frames(*map(list, zip(*wanted, strict=True))), equity, limits, sectors)
    approve_orders(orders, equity, limits, sectors=sectors)
    assert (orders["shares"] * orders["reference_price"]).sum() <= equity * (1 + 1e-9)
    assert ((orders["side"] == "hold") == (orders["shares"] == 0)).all()


def test_a_sector_shares_what_a_sector_may_hold():
    """Two of three orders are in one sector of at most 40 %; a symbol without one shares 'unknown'."""
    limits = Limits(max_sector_exposure=0.4)
    given = frames([0.02, -0.02, 0.02, 0.0], [10.0, 10.0, 10.0, 10.0])
    orders = propose_orders(*given, 10_000, limits, {"A": "technology", "B": "technology", "D": "technology"})
    assert orders["shares"].tolist() == [200, 200, 333, 0]
    assert propose_orders(*given, 10_000, limits, {})["shares"].tolist() == [133, 133, 133, 0]
    assert propose_orders(*given, 10_000, limits)["shares"].tolist() == [333, 333, 333, 0]


@pytest.mark.parametrize("equity", [0, -1, np.nan, np.inf, "100", None, pd.NA, True])
def test_capital_is_a_positive_finite_number(equity):
    """Anything else is refused by the name of the argument."""
    with pytest.raises(ConfigurationError, match="equity is"):
        propose_orders(*frames([0.02], [10.0]), equity, LIMITS)


def test_forecasts_without_a_price_are_refused():
    """A forecast of another day, without a value, or duplicated is refused."""
    forecasts, prices = frames([0.02, 0.01], [10.0, 10.0])
    for wrong in (
        forecasts.assign(date=DAY + pd.Timedelta(days=1)),
        forecasts.assign(predicted=np.nan),
        pd.concat([forecasts.head(1), forecasts.head(1)]),
    ):
        with pytest.raises(DataValidationError, match="The forecast of A"):
            propose_orders(wrong, prices, 10_000, LIMITS)


def test_the_kits_settings_are_limits():
    """The trading section of the configuration is accepted as limits."""
    orders = propose_orders(*frames([0.01], [33.0]), 10_000, TradingConfig())
    assert orders["shares"].tolist() == [252]  # 2.5 % at a stop of 3 %: a weight of 83.3 %


def test_a_stop_or_target_at_or_below_zero_makes_a_hold():
    """No order is proposed whose exit price cannot be reached."""
    both = frames([0.02, -0.02], [10.0, 10.0])
    for limits, sides in (
        (Limits(take_profit_pct=1.0), ["buy", "hold"]),
        (Limits(stop_loss_pct=1.0), ["hold", "sell"]),
    ):
        orders = propose_orders(*both, 10_000, limits)
        assert orders["side"].tolist() == sides
        approve_orders(orders, 10_000, limits)
    assert orders.loc[0, "reason"] == "its stop or its target would be at or below 0, which no price reaches"


def test_missing_sectors_share_one_limit():
    """Empty cells count as one sector, and so do two spellings of a name, as in the guard."""
    limits = Limits(max_sector_exposure=0.4)
    sectors = {"A": float("nan"), "B": None, "C": "Tech", "D": "tech "}
    orders = propose_orders(*frames([0.02] * 4, [10.0] * 4), 10_000, limits, sectors)
    assert orders["weight"].tolist() == pytest.approx([0.2] * 4)
    approve_orders(orders, 10_000, limits, sectors=sectors)


@pytest.mark.parametrize(
    ("target", "outcome"),
    [
        ("rank", "rank from -100 to 100, +80.00 %"),
        ("market_excess", "log return less the market's, +80.00 %"),
    ],
)
def test_a_forecast_of_how_symbols_compare_is_no_order(target, outcome):
    """It does not say that a price rises, so each is on hold and has no expected return."""
    forecasts, prices = frames([0.8, -0.5], [33.0, 100.0])
    orders = propose_orders(forecasts.assign(target=target), prices, 10_000, LIMITS)
    assert orders["side"].tolist() == ["hold", "hold"]
    assert orders["expected_return"].isna().all()
    assert orders["reason"].iloc[0] == (
        f"no return is forecast but a {outcome}: trade the symbols' order as a portfolio"
    )
    approve_orders(orders, 10_000, LIMITS)
    opens = propose_orders(forecasts.assign(target="open_to_open"), prices, 10_000, LIMITS)
    assert opens["side"].tolist() == ["buy", "sell"]
