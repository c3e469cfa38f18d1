"""Gaps of the prices, sessions without a usable bar: nothing crosses one, and nothing is traded at one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.config import TradingConfig
from sta410kit.exceptions import DataValidationError, ModelPredictionError
from sta410kit.guards import approve_orders
from sta410kit.research import plots
from sta410kit.research.backtest import backtest
from sta410kit.research.costs import Costs
from sta410kit.research.factor import factor_tear_sheet
from sta410kit.research.features import build_features
from sta410kit.research.forecasting import fit_final, forecast, without_forecast
from sta410kit.research.frames import require_prices
from sta410kit.research.orders import propose_orders
from sta410kit.research.quantile_forecast import quantile_forecast
from sta410kit.research.stationarity import stationarity
from sta410kit.research.targets import build_target, realised_on
from sta410kit.research.volatility import trailing_scale
from sta410kit.research.walk_forward import training_table, walk_forward
from tests.research.simulated import bars, make_predictions, simulate

pytestmark = pytest.mark.unit

VALUES = ["open", "high", "low", "close", "adj_close", "volume"]
ACROSS = ["rank_return_21", "market_return_1", "excess_return_21"]
"""Features that compare symbols, so that a gap of one moves those of others."""


def with_gap(prices, *sessions, symbol="A"):
    """Return the prices with the rows of these sessions, counted from 0, emptied."""
    days = prices["date"].unique()[list(sessions)]
    gap = (prices["symbol"] == symbol) & prices["date"].isin(days)
    return prices.assign(**{name: prices[name].where(~gap) for name in VALUES})


def feature(prices, name):
    return build_features(prices, name)[name].round(4).tolist()


def same(one, two):
    return one.reset_index(drop=True).equals(two.reset_index(drop=True))


CLOSES = [100.0, 101, 102, 103, 104, 105, 106, 107]
nan = pytest.approx(np.nan, nan_ok=True)


def test_returns_do_not_cross_a_gap():
    """A daily return is empty at the gap and after it, one over five sessions until five have passed."""
    prices = with_gap(bars([100.0] * 9), 2)
    assert feature(prices, "return_1") == [nan, 0, nan, nan, 0, 0, 0, 0, 0]
    assert feature(prices, "return_5") == [nan] * 8 + [0]
    assert feature(prices, "overnight_1") == [nan, 0, nan, nan, 0, 0, 0, 0, 0]
    assert feature(prices, "intraday_1") == [0, 0, nan, 0, 0, 0, 0, 0, 0]
    assert feature(prices, "turn_of_month")[2] == nan


def test_windows_are_empty_until_they_are_full_again():
    """A mean of seven sessions after two adjacent gaps at 8 and 9 is known again at 16."""
    ratio = build_features(with_gap(bars(np.arange(100.0, 120.0)), 8, 9), "ma_ratio_7")["ma_ratio_7"]
    assert np.flatnonzero(ratio.notna()).tolist() == [6, 7, 16, 17, 18, 19]
    assert ratio[16] == pytest.approx(np.log(116 / 113))


def test_exponential_averages_begin_anew_after_a_gap():
    """After a month without bars the oscillator is that of a history that begins there."""
    prices = simulate(150, symbols=1, seed=4)
    names = ["rsi_14", "macd_histogram", "atr_14"]
    gone = build_features(with_gap(prices, *range(60, 81), symbol="S0"), names)
    fresh = build_features(prices[81:], names)
    assert same(gone[names][81:], fresh[names])
    assert gone[names][60:81].isna().all().all()


@pytest.mark.parametrize(
    ("gaps", "horizon", "expected"),
    [
        ([3], 1, [1, 1, nan, nan, 1, 1, 1, nan]),
        ([3], 2, [2, nan, nan, nan, 2, 2, nan, nan]),
        ([3, 4], 1, [1, 1, nan, nan, nan, 1, 1, nan]),
        ([7], 1, [1, 1, 1, 1, 1, 1, nan, nan]),
    ],
)
def test_targets_neither_cross_a_gap_nor_stretch(gaps, horizon, expected):
    """The close rises by 1 % a session; a horizon is counted in rows, gaps among them."""
    prices = with_gap(bars(100 * np.exp(0.01 * np.arange(8))), *gaps)
    assert (100 * build_target(prices, horizon)["target"]).tolist() == pytest.approx(expected, nan_ok=True)
    assert realised_on(prices, horizon).tolist()[:6] == prices["date"].tolist()[horizon : horizon + 6]


@given(at=st.integers(0, 299), length=st.sampled_from([1, 2, 21]))
def test_a_gap_changes_nothing_before_it_and_nothing_of_others(at, length):
    """Features and targets before the gap, and all of another symbol, are the same to the bit."""
    prices = simulate(300, symbols=2, seed=9)
    holey = with_gap(prices, *range(at, min(at + length, 300)), symbol="S0")
    whole, torn = (build_features(frame, "all").drop(columns=ACROSS) for frame in (prices, holey))
    other = (prices["symbol"] == "S1").to_numpy()
    assert same(whole[other], torn[other])
    assert same(whole[:at], torn[:at])
    assert torn.iloc[at : min(at + length, 300), 2:].isna().all().all()
    one, two = build_target(prices, 5), build_target(holey, 5)
    assert same(one[other], two[other])
    assert same(one[: max(at - 5, 0)], two[: max(at - 5, 0)])


def test_a_gap_is_empty_in_all_columns():
    """A row of which only the open is missing is no gap, and is refused."""
    prices = bars([10.0] * 4)
    require_prices(with_gap(prices, 1, 2), DataValidationError)
    with pytest.raises(DataValidationError, match=r"open of A 2012-01-03 is nan; 1 such row"):
        require_prices(prices.assign(open=prices["open"].where(prices.index != 1)), DataValidationError)


def test_a_walk_forward_leaves_out_what_reaches_over_a_gap(walks):
    """The other symbol keeps every date; the one with a gap lacks it, 49 sessions after and one before."""
    holey = with_gap(walks, 400, symbol="S0")
    features = build_features(holey)
    table = training_table(features, holey, 1)
    days = walks["date"].unique()
    dates = {symbol: part["date"].tolist() for symbol, part in table.groupby("symbol")}
    assert dates["S1"] == list(days[49:599])
    assert dates["S0"] == list(days[49:399]) + list(days[450:599])
    predictions = walk_forward(features, holey)
    whole = walk_forward(build_features(walks), walks)
    assert set(predictions["fold"]) == set(whole["fold"])
    begins = [frame.groupby("fold")["date"].min().tolist() for frame in (predictions, whole)]
    assert begins[0] == begins[1]
    assert np.isfinite(predictions[["predicted", "actual", "lower", "upper"]]).all().all()


def test_the_volatility_decays_over_a_gap():
    """The gap has no scale; after it the returns to and from it are missing and older ones weigh less."""
    prices = with_gap(simulate(60, symbols=1, seed=2), 40, symbol="S0")
    scale = trailing_scale(prices, 1, slopes=(1.0, 0.0))["scale"]  # the fast one alone
    moves = np.log(prices["adj_close"]).diff().abs()
    weights = (0.85 ** np.arange(45, -1, -1)) * moves[:46].notna()
    assert np.isnan(scale[40])
    assert scale[45] == pytest.approx((np.pi / 2) ** 0.5 * (weights * moves[:46]).sum() / weights.sum())
    assert trailing_scale(prices, 1)["scale"].drop(40).iloc[21:].notna().all()


def test_nothing_is_traded_at_a_gap():
    """Long for five sessions, the third without a bar: held at no return, then the whole move in one.

    The same for buy and hold.
    """
    prices = with_gap(bars([10.0, 10, 11, 12, 13, 14]), 3)
    predictions = make_predictions(0.01, [0.0] * 5, start="2012-01-02")
    frame = backtest(predictions, prices, costs=Costs()).frame
    assert frame["equity"].tolist() == pytest.approx([1.0, 1.1, 1.1, 1.3, 1.4])
    assert frame["benchmark"].tolist() == pytest.approx([1.0, 1.1, 1.1, 1.3, 1.4])
    assert frame["turnover"].tolist() == pytest.approx([1, 0, 0, 0, 0])
    assert frame["net"].tolist() == pytest.approx([0, 0.1, 0, 1.3 / 1.1 - 1, 1.4 / 1.3 - 1])


def test_an_exit_waits_until_the_gap_has_ended():
    """Decided at the close before the gap, the sale is filled at the first open after it."""
    prices = with_gap(bars([10.0, 10, 11, 12, 13, 14]), 3)
    predictions = make_predictions([0.01, 0.01, 0, 0, 0], [0.0] * 5, start="2012-01-02")
    frame = backtest(predictions, prices, costs=Costs()).frame
    assert frame["position"].tolist() == pytest.approx([1, 1, 1, 0, 0])
    assert frame["equity"].tolist() == pytest.approx([1.0, 1.1, 1.1, 1.3, 1.3])


def test_a_position_is_held_over_gaps_at_the_end():
    """A symbol that ends with gaps is not taken for a delisted one, whose position would be sold."""
    prices = with_gap(bars([10.0, 10, 11, 12, 13, 14]), 4, 5)
    predictions = make_predictions(0.01, [0.0] * 5, start="2012-01-02")
    frame = backtest(predictions, prices, costs=Costs(slippage_bps=5)).frame
    assert frame["cost"].iloc[1:].tolist() == [0, 0, 0, 0]
    assert frame["equity"].tolist()[2:] == pytest.approx([1.2 / 1.0005] * 3)


def test_forward_returns_of_the_factor_do_not_cross_a_gap():
    """None of five symbols has a return over 2 sessions across session 4, which has no bar."""
    rates = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])
    parts = [
        bars(100 * (1 + rate) ** np.arange(12), symbol=name)
        for name, rate in zip("ABCDE", rates, strict=True)
    ]
    prices = pd.concat(parts, ignore_index=True)
    for symbol in "ABCDE":
        prices = with_gap(prices, 4, symbol=symbol)
    made = [
        make_predictions(rate, [0.0] * 10, symbol=name, horizon=2, start="2012-01-02")
        for name, rate in zip("ABCDE", rates, strict=True)
    ]
    found = factor_tear_sheet(pd.concat(made, ignore_index=True), prices, horizons=[2])
    days = prices["date"].unique()
    assert found.rank_ic.index.tolist() == [days[n] for n in (0, 1, 5, 6, 7, 8, 9)]
    assert found.rank_ic.tolist() == pytest.approx([1] * 7)


@pytest.fixture
def holey(walks):
    """Prices of which S0 ends with a gap."""
    return with_gap(walks, 599, symbol="S0")


def test_a_symbol_that_ends_with_a_gap_has_no_forecast(fitted, walks, holey):
    """No older date is used instead; the other symbol's forecast is the same, and the order says why."""
    forecasts = forecast(fitted, holey)
    pd.testing.assert_frame_equal(forecasts, forecast(fitted, walks).tail(1).reset_index(drop=True))
    assert without_forecast(forecasts, holey) == {"S0": "no forecast: quarantined"}
    assert quantile_forecast(holey)["symbol"].unique().tolist() == ["S1"]
    orders = propose_orders(forecasts, holey, 100_000, TradingConfig())
    first = orders.iloc[0]
    assert orders["symbol"].tolist() == ["S0", "S1"]
    assert (first["side"], first["shares"], first["weight"], first["risk"]) == ("hold", 0, 0, 0)
    assert (first["date"], first["reason"]) == (holey["date"].max(), "no forecast: quarantined")
    assert np.isnan(first["reference_price"])
    approve_orders(orders, 100_000, TradingConfig(max_sector_exposure=1.0), as_of=holey["date"].max())


def test_features_that_reach_over_a_gap_give_no_forecast(fitted, walks):
    """A gap twenty sessions ago leaves windows of fifty incomplete; a gap of all symbols is an error."""
    recent = with_gap(walks, 579, symbol="S0")
    forecasts = forecast(fitted, recent)
    assert forecasts["symbol"].tolist() == ["S1"]
    reason = "no forecast: its features reach over a quarantined bar"
    assert without_forecast(forecasts, recent) == {"S0": reason}
    both = with_gap(with_gap(walks, 599, symbol="S0"), 599, symbol="S1")
    with pytest.raises(
        ModelPredictionError, match="No symbol has a forecast: S0: no forecast: quarantined; S1"
    ):
        forecast(fitted, both)


@pytest.mark.parametrize("model", ["ridge", "arima_boosting"])
def test_the_chain_runs_on_prices_with_gaps(walks, model):
    """Middle, two adjacent, a whole month and, in the other symbol, the first session."""
    prices = with_gap(with_gap(walks, 200, 300, 301, *range(480, 501), symbol="S0"), 0, symbol="S1")
    features = build_features(prices)
    predictions = walk_forward(features, prices, model=model)
    fitted = fit_final(features, prices, predictions, model=model)
    assert forecast(fitted, prices)["symbol"].tolist() == ["S0", "S1"]
    assert np.isfinite(backtest(predictions, prices).frame.drop(columns="date")).all().all()
    assert set(stationarity(prices, features[["symbol", "date", "return_1"]])["reading"]) <= {
        "stationary", "unit root", "unclear",
    }  # fmt: skip


@pytest.mark.usefixtures("headless")
def test_figures_draw_a_gap_as_a_gap(walks, walk_predictions):
    """Lines are interrupted at the session without a bar or a prediction, and its month is incomplete."""
    holey = with_gap(walks, 580, symbol="S0")
    line = plots.plot_prices(holey).axes[0].lines[0].get_ydata()
    assert np.flatnonzero(np.isnan(line)).tolist() == [580]
    assert plots.plot_coverage(holey).axes[0].get_title("left").endswith("1 missing between first and last")
    day = walks["date"].unique()[560]
    kept = (walk_predictions["symbol"] != "S0") | (walk_predictions["date"] != day)
    line = plots.plot_predictions(walk_predictions[kept], "S0", last=60).axes[0].lines[0].get_ydata()
    assert np.isnan(line).sum() == 1
    assert len(plots.plot_forecasts(forecasts_of(walks), holey).axes) == 2


def forecasts_of(walks):
    last = walks[walks["date"] == walks["date"].max()]
    return last[["symbol", "date"]].assign(horizon=1, predicted=0.0, lower=-0.02, upper=0.02)
