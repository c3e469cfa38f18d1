"""From predictions to weights: by hand, within any limits, and without a look ahead."""

import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import LedoitWolf

from sta410kit.exceptions import ConfigurationError
from sta410kit.research.backtest import backtest
from sta410kit.research.costs import Costs, Limits
from sta410kit.research.targets import return_scale
from sta410kit.research.weights import Weighting
from tests.research.simulated import bars, simulate

pytestmark = pytest.mark.unit

COVARIANCE = [
    pytest.param("minimum_variance", marks=pytest.mark.slow),
    pytest.param("mean_variance", marks=pytest.mark.slow),
]
WIDE = Limits(max_weight=10.0, max_gross=10.0)


def decided(prices, table, horizon=1):
    """Return predictions: one row of `table` per session from the first on, one column per symbol."""
    days, symbols = sorted(prices["date"].unique()), sorted(prices["symbol"].unique())
    wide = pd.DataFrame(table, days[: len(table)], symbols).rename_axis("date").reset_index()
    long = wide.melt("date", var_name="symbol", value_name="predicted").dropna(ignore_index=True)
    return long.assign(horizon=horizon, model="ridge", fold=0, actual=0.0)


def weights(prices, table, weighting="sign", horizon=1, **how):
    """Return the weights wanted after each close."""
    return backtest(decided(prices, table, horizon), prices, weighting=weighting, **how).plan.weights


@pytest.fixture(scope="module")
def four():
    return simulate(8, symbols=4)


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [
        ("sign", [0.25, -0.25, 0.25, 0.0]),
        ("proportional", [0.5, -0.25, 0.25, 0.0]),
        (Weighting("quantile", quantiles=2), [0.25, -0.25, 0.25, 0.0]),
        ("quantile", [0.5, -0.5, 0.0, 0.0]),
    ],
)
def test_four_predictions_become_weights_by_hand(four, weighting, expected):
    """The last prediction, 0.001, is below the threshold of 0.002 and is not traded."""
    found = weights(four, [[0.02, -0.01, 0.01, 0.001]] * 3, weighting, threshold=0.002)
    assert found[0].tolist() == pytest.approx(expected)
    assert found[3].tolist() == [0, 0, 0, 0]


def test_each_decision_gets_its_share_of_the_capital_for_its_horizon(four):
    found = weights(four, [[0.03, 0.01, 0.0, 0.0], [-0.01, 0.0, 0.0, 0.0]], "proportional", horizon=2)
    assert found[:4].tolist() == pytest.approx(
        np.array([[0.375, 0.125, 0, 0], [-0.125, 0.125, 0, 0], [-0.5, 0, 0, 0], [0, 0, 0, 0]])
    )


@pytest.mark.parametrize("table", [[[0.01] * 4] * 3, [[0.01, np.nan, np.nan, np.nan]] * 3])
def test_quantiles_need_an_order(four, table):
    """Equal predictions, and a single one, hold nothing."""
    assert not weights(four, table, "quantile").any()


@given(
    seed=st.integers(0, 1000),
    name=st.sampled_from(["sign", "proportional", "quantile"]),
    horizon=st.integers(1, 3),
    most=st.tuples(*[st.floats(0.05, 1.5)] * 3),
    long_only=st.booleans(),
    target=st.none() | st.floats(0.05, 1.0),
)
def test_weights_are_within_the_limits(  # noqa: PLR0913, PLR0917
    seed, name, horizon, most, long_only, target
):
    prices = simulate(80, symbols=4, seed=seed % 5)
    table = np.random.default_rng(seed).normal(0, 0.01, (70, 4))
    sectors = {"S0": "a", "S1": "a", "S2": "b", "S3": "B "}
    limits = Limits(most[0], most[1], long_only, max_sector=most[2], sectors=sectors)
    found = weights(prices, table, Weighting(name, volatility=target), horizon, limits=limits)
    assert np.abs(found).max() <= most[0] + 1e-12
    assert np.abs(found).sum(axis=1).max() <= most[1] + 1e-12
    assert np.abs(found[:, :2]).sum(axis=1).max() <= most[2] + 1e-12
    assert np.abs(found[:, 2:]).sum(axis=1).max() <= most[2] + 1e-12
    assert found.min() >= 0 or not long_only


def garch(sessions, symbols, seed):
    """Return prices whose common and own returns are GARCH(1, 1) at 20 % a year."""
    rng = np.random.default_rng(seed)
    alpha, beta, level = 0.08, 0.90, 0.2**2 / 252
    variance, returns = np.full(symbols + 1, level), np.empty((sessions, symbols + 1))
    for now in range(sessions):
        returns[now] = variance**0.5 * rng.standard_normal(symbols + 1)
        variance = level * (1 - alpha - beta) + alpha * returns[now] ** 2 + beta * variance
    closes = 100 * np.exp(np.cumsum((returns[:, 1:] + returns[:, :1]) / 2**0.5, axis=0))
    opens = np.vstack([closes[:1], closes[:-1]])
    return pd.concat(bars(opens[:, one], closes[:, one], symbol=f"S{one}") for one in range(symbols))


@pytest.mark.parametrize("name", ["sign", "quantile"])
@pytest.mark.parametrize("target", [0.05, 0.25])
def test_the_volatility_target_is_reached_on_garch_returns(name, target):
    """Realised after the decisions, over three markets of 1,500 sessions, within 5 % of the target."""
    ratios = []
    for seed in range(3):
        prices = garch(1600, 6, seed)
        table = np.random.default_rng(seed).normal(0, 0.01, (1590, 6)).repeat(21, axis=0)[:1590]
        done = backtest(
            decided(prices, table), prices, weighting=Weighting(name, volatility=target),
            costs=Costs(), limits=WIDE,
        )  # fmt: skip
        ratios.append(done.frame["net"].iloc[90:].std() * 252**0.5 / target)
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.05)


def test_a_target_above_what_the_gross_limit_allows_is_cut():
    prices = garch(120, 3, 0)
    found = weights(prices, [[0.01, 0.01, -0.01]] * 110, Weighting(volatility=2.0))
    assert np.abs(found[:63]).max() == 0  # no volatility without 63 returns
    assert np.abs(found[63:110]).sum(axis=1).tolist() == pytest.approx([1.0] * 47)


@pytest.mark.parametrize("name", ["sign", "proportional", "quantile", *COVARIANCE])
@pytest.mark.parametrize("target", [None, 0.1])
def test_prices_after_a_close_change_no_weight_before_it(name, target):
    if "variance" in name:
        pytest.importorskip("skfolio")
    prices = garch(300, 4, 1)
    table = np.random.default_rng(2).normal(0, 0.01, (295, 4))
    late = prices["date"] > sorted(prices["date"].unique())[280]
    names = ["open", "high", "low", "close", "adj_close"]
    other = prices.assign(**{one: prices[one].where(~late, prices[one] * 1.5) for one in names})
    weighting = Weighting(name, volatility=target)
    one, two = (weights(each, table, weighting, limits=WIDE)[:281] for each in (prices, other))
    assert np.array_equal(one, two)
    assert one[260:].any(axis=1).all()


def test_minimum_variance_is_that_of_the_two_asset_formula():
    """Long one and short the other: the covariance changes its sign, and so does the second weight."""
    pytest.importorskip("skfolio")
    prices = simulate(260, symbols=2, seed=3)
    found = weights(prices, [[np.nan, np.nan]] * 254 + [[0.01, -0.02]], "minimum_variance")[0]
    closes = prices.pivot_table(index="date", columns="symbol", values="close").to_numpy()
    returns = (closes[1:] / closes[:-1] - 1)[2:254] * [1, -1]
    (first, both), (_, second) = LedoitWolf().fit(returns).covariance_
    share = (second - both) / (first + second - 2 * both)
    assert found.tolist() == pytest.approx([share, share - 1], abs=1e-3)


def test_mean_variance_holds_what_the_inverse_covariance_and_the_predictions_say():
    pytest.importorskip("skfolio")
    prices = simulate(260, symbols=3, seed=4)
    expected = np.array([0.01, 0.02, 0.015])
    table = [[np.nan] * 3] * 254 + [expected]
    found = weights(prices, table, "mean_variance")[0]
    closes = prices.pivot_table(index="date", columns="symbol", values="close").to_numpy()
    covariance = LedoitWolf().fit((closes[1:] / closes[:-1] - 1)[2:254]).covariance_
    tangency = np.linalg.solve(covariance, expected)
    assert found.tolist() == pytest.approx((tangency / tangency.sum()).tolist(), abs=1e-3)
    capped = weights(prices, table, "mean_variance", limits=Limits(max_weight=0.4))[0]
    assert capped.sum() == pytest.approx(1.0)
    assert capped.max() <= 0.4 + 1e-6


def test_mean_variance_turns_predictions_of_scaled_returns_into_returns():
    """Prices whose volatilities are 0.5 % and 2 %: equal scaled predictions are unequal returns."""
    pytest.importorskip("skfolio")
    calm, wild = simulate(260, symbols=1, volatility=0.005), simulate(260, symbols=1, seed=1, volatility=0.02)
    prices = pd.concat([calm, wild.assign(symbol="S1")], ignore_index=True)
    scaled = decided(prices, [[np.nan] * 2] * 254 + [[0.01, 0.01]])
    scale = return_scale(prices, 1).merge(scaled)["scale"].to_numpy()
    assert scale[1] > 2 * scale[0]
    one, two = (
        backtest(frame, prices, weighting="mean_variance").plan.weights[0]
        for frame in (scaled.assign(target="volatility_scaled"), scaled.assign(predicted=0.01 * scale))
    )
    assert one.tolist() == pytest.approx(two.tolist(), abs=1e-4)
    assert abs(one[0] - backtest(scaled, prices, weighting="mean_variance").plan.weights[0, 0]) > 0.05


def test_a_symbol_without_a_year_of_returns_has_no_covariance():
    pytest.importorskip("skfolio")
    prices = simulate(260, symbols=2, seed=5)
    young = prices[(prices["symbol"] == "S0") | (prices["date"] > sorted(prices["date"].unique())[100])]
    assert weights(young, [[np.nan] * 2] * 254 + [[0.01, 0.01]], "minimum_variance")[0].tolist() == [1, 0]


def test_decisions_without_a_solution_get_equal_amounts():
    """Prices that never move have no covariance."""
    pytest.importorskip("skfolio")
    prices = pd.concat([bars([100] * 260, symbol=name) for name in "AB"])
    found = weights(prices, [[np.nan] * 2] * 254 + [[0.01, -0.01]], "minimum_variance")[0]
    assert found.tolist() == pytest.approx([0.5, -0.5])


def test_without_skfolio_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skfolio", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'sta410kit\[portfolio\]'"):
        Weighting("minimum_variance")
    Weighting("quantile")  # needs nothing


@pytest.mark.parametrize("wrong", [{"name": "signn"}, {"quantiles": 1}, {"volatility": 0}])
def test_weightings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigurationError, match=str(next(iter(wrong.values())))):
        Weighting(**wrong)


def test_a_prediction_that_is_zero_but_for_rounding_is_not_traded():
    """The mean of excesses over the market is such: its sign means nothing."""
    assert (weights(simulate(10), [[1e-18, -1e-18]] * 5) == 0).all()
