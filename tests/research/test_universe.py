"""Features, targets, predictions and backtests by the members of each date."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from sta410kit._internal.universe import Universe
from sta410kit.research.backtest import backtest
from sta410kit.research.costs import Costs
from sta410kit.research.features import build_features
from sta410kit.research.forecasting import fit_final, forecast, without_forecast
from sta410kit.research.targets import build_target
from sta410kit.research.walk_forward import labelled, walk_forward
from tests.research.simulated import bars, make_predictions, simulate

pytestmark = pytest.mark.unit
FEATURES = ["return_1", "rank_return_21", "market_return_1", "excess_return_21"]


def marked(prices, **left):
    """Return prices in which symbols are members up to a session, by number; the others always are."""
    days = prices["date"].drop_duplicates().sort_values().dt.date.tolist()
    periods = {
        name: [(date(1990, 1, 1), days[left[name]] if name in left else date.max)]
        for name in prices["symbol"].unique()
        if left.get(name) != 0
    }
    return Universe(periods, "u.csv").mark(prices)


@settings(max_examples=5)
@given(st.integers(0, 1000), st.integers(30, 110), st.floats(0.5, 2.0))
def test_prices_of_non_members_change_nothing_for_members(seed, leaves, factor):
    """Neither those of a symbol that has left nor those of one that never was a member."""
    prices = simulate(120, symbols=4, seed=seed)
    whole = marked(prices, S1=leaves)
    other = prices.copy()
    after = (other["symbol"] == "S1") & (other["date"] > other["date"].unique()[leaves])
    columns = ["open", "high", "low", "close", "adj_close"]
    other.loc[after, columns] *= factor
    fewer = marked(other[other["symbol"] != "S9"], S1=leaves)
    strangers = simulate(120, symbols=1, seed=seed + 1).assign(symbol="S9", member=False)
    more = pd.concat([fewer, strangers], ignore_index=True)
    built = [build_features(one, FEATURES) for one in (whole, fewer, more)]
    assert_frame_equal(built[0], built[1])
    assert_frame_equal(built[0], built[2])
    assert built[0].groupby("symbol").size().tolist() == [120, leaves + 1, 120, 120]
    for target in ("close_to_close", "market_excess", "rank"):
        tables = [
            labelled(one, prices, 5, target) for one, prices in zip(built[1:], (fewer, more), strict=True)
        ]
        assert_frame_equal(*tables)


def test_a_cross_section_holds_the_members_of_the_session():
    """Three symbols gain 3 %, 2 % and 1 % a session; the first is a member for the first 30 sessions only."""
    prices = pd.concat(
        [
            bars(100 * np.exp(gain * np.arange(60)), symbol=name)
            for name, gain in (("A", 0.03), ("B", 0.02), ("C", 0.01))
        ],
        ignore_index=True,
    )
    features = build_features(marked(prices, A=29), ["market_return_1"]).set_index(["symbol", "date"])
    of_b = features.loc["B", "market_return_1"].to_numpy()
    np.testing.assert_allclose(of_b[1:30], 0.02, atol=1e-12)
    np.testing.assert_allclose(of_b[30:], 0.015, atol=1e-12)
    assert len(features.loc["A"]) == 30
    target = build_target(marked(prices, A=29), 1).set_index(["symbol", "date"])["target"]
    assert target.loc["A"].notna().sum() == 30
    assert target.loc["A"].iloc[29] == pytest.approx(0.03)  # realised outside, decided as a member


def test_windows_reach_back_before_the_membership():
    """A symbol that joins with a history has no warm-up."""
    prices = simulate(100, symbols=2)
    days = prices["date"].unique()
    universe = Universe({"S0": [(date.min, date.max)], "S1": [(days[60].date(), date.max)]}, "u.csv")
    features = build_features(universe.mark(prices))
    joined = features[features["symbol"] == "S1"]
    assert len(joined) == 40
    assert not joined.isna().any().any()
    assert joined.equals(build_features(prices).query("symbol == 'S1'").iloc[60:].set_axis(joined.index))


def test_positions_are_closed_at_the_first_open_after_the_membership():
    """Half of the capital is in each symbol; B leaves after its fourth session, for the benchmark too."""
    opens = [100.0] * 8
    prices = pd.concat(
        [
            bars(opens, symbol="A", start="2000-01-03"),
            bars([*opens[:4], *[50.0] * 4], symbol="B", start="2000-01-03"),
        ],
        ignore_index=True,
    )
    held = [make_predictions([0.01] * 6, [0.0] * 6, symbol) for symbol in ("A", "B")]
    held[1] = held[1].iloc[:4]  # there are no predictions of what is no member
    frame = pd.concat(held, ignore_index=True).assign(horizon=3)
    done = backtest(frame, marked(prices, B=3), costs=Costs(slippage_bps=0.0)).frame
    # B is sold at the open of the fifth session, at half the price; later decisions are all in A.
    assert done["position"].tolist()[:6] == pytest.approx([1 / 3, 2 / 3, 1, 1 / 2, 2 / 3, 5 / 6])
    assert done["net"].iloc[:4].tolist() == pytest.approx([0, 0, 0, -0.25])
    assert done["net"].iloc[4:].abs().max() == 0
    assert done["benchmark"].iloc[-1] == pytest.approx(0.75)


def test_a_symbol_that_left_has_no_forecast():
    """Nor has one that joined after the last row that could be trained on; both are named."""
    prices = simulate(700, symbols=4)
    days = prices["date"].unique()
    universe = Universe(
        {
            "S0": [(date.min, date.max)],
            "S1": [(date.min, days[690].date())],
            "S2": [(days[699].date(), date.max)],
            "S3": [(date.min, date.max)],
        },
        "u.csv",
    )
    members = universe.mark(prices)
    features = build_features(members)
    predictions = walk_forward(features, members, model="ridge")
    assert predictions.groupby("symbol")["date"].max()["S1"] == days[690]
    fitted = fit_final(features, members, predictions, model="ridge")
    found = forecast(fitted, members)
    assert found["symbol"].tolist() == ["S0", "S3"]
    reasons = without_forecast(found, members)
    assert reasons == {
        "S1": f"no forecast: it left the universe after {days[690]:%Y-%m-%d}",
        "S2": f"no forecast: in the universe since {days[699]:%Y-%m-%d}, too short to be trained on",
    }
