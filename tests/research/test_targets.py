"""The target, by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sta410kit.exceptions import ConfigurationError, DataValidationError, FeatureEngineeringError
from sta410kit.guards import check_splits
from sta410kit.guards.leakage import probe_leaks
from sta410kit.research.folds import fold_rows, splits
from sta410kit.research.target_names import target_of
from sta410kit.research.targets import build_target, interval_scale, realised_on, sessions_ahead
from sta410kit.research.volatility import trailing_scale
from sta410kit.research.walk_forward import labelled
from tests.research.simulated import bars

pytestmark = pytest.mark.unit


def test_the_target_is_the_log_return_ahead(walks):
    """At *t* it is log(close[t + 2] / close[t]) of the same symbol, and unknown at the end."""
    target = build_target(walks, 2)
    assert list(target.columns) == ["symbol", "date", "target"]
    close = walks.loc[walks["symbol"] == "S0", "adj_close"].to_numpy()
    ours = target.loc[target["symbol"] == "S0", "target"].to_numpy()
    assert ours[0] == pytest.approx(np.log(close[2] / close[0]), rel=1e-12)
    assert ours[597] == pytest.approx(np.log(close[599] / close[597]), rel=1e-12)
    assert np.isnan(ours[598:]).all()
    assert target["target"].isna().sum() == 4


def test_a_split_is_no_return(sample):
    """On the eve of AAPL's split the target is the small true move."""
    target = build_target(sample, 1)
    eve = target[(target["symbol"] == "AAPL") & (target["date"] == "2005-02-25")]["target"].item()
    assert abs(eve) < 0.02


def test_a_target_is_known_at_the_symbols_own_session(walks):
    """If a symbol misses a session, its target is known a session later."""
    days = walks["date"].unique()
    holey = walks.drop(walks[(walks["symbol"] == "S1") & (walks["date"] == days[5])].index)
    known = realised_on(holey, 1).set_axis(holey.index)
    at = holey[(holey["date"] == days[4])].index
    assert known[at].tolist() == [days[5], days[6]]
    assert known.isna().sum() == 2


@pytest.mark.parametrize("horizon", [0, -1, 1.0, True, "1", None])
def test_a_horizon_is_a_whole_number_of_sessions(walks, horizon):
    """Anything else is a configuration error that names the argument."""
    with pytest.raises(ConfigurationError, match="horizon is"):
        build_target(walks, horizon)
    assert build_target(walks, np.int64(1)).equals(build_target(walks, 1))


@pytest.mark.parametrize("function", [build_target, realised_on])
def test_unsorted_or_duplicated_prices_are_refused(walks, function):
    """On unsorted prices every target would be wrong, or known before it was made."""
    with pytest.raises(FeatureEngineeringError, match="not sorted"):
        function(walks.iloc[::-1], 1)
    with pytest.raises(FeatureEngineeringError, match="more than once; run them through the gate"):
        function(pd.concat([walks.head(9), walks.tail(-8)]), 1)


def three_symbols():
    """Return three symbols over four sessions; B's first two adjusted prices are half of what it cost."""
    a = bars([10.0, 11.0, 12.0, 12.0], [10.0, 12.0, 12.0, 9.0], symbol="A")
    b = bars([20.0, 20.0, 30.0, 30.0], [20.0, 20.0, 25.0, 30.0], symbol="B")
    b["adj_close"] = [10.0, 10.0, 25.0, 30.0]
    return pd.concat([a, b, bars([5.0] * 4, symbol="C")], ignore_index=True)


@pytest.mark.parametrize(
    ("target", "first", "second"),
    [
        ("close_to_close", [1.2, 1.0, 1.0], [1.0, 2.5, 1.0]),
        # B opens at 20 with the factor 10/20, then at 30: 30 / 10.
        ("open_to_open", [12 / 11, 3.0, 1.0], [1.0, 1.0, 1.0]),
    ],
)
def test_returns_of_two_sessions_by_hand(target, first, second):
    """Opens are adjusted as their closes are, and begin at the session after the decision."""
    found = build_target(three_symbols(), 1, target).set_index("date")["target"]
    days = found.index.unique()
    assert np.exp(found[days[0]].to_numpy()) == pytest.approx(first)
    assert np.exp(found[days[1]].to_numpy()) == pytest.approx(second)


def test_the_excess_is_over_the_mean_of_the_symbols_with_an_outcome():
    """Log returns of log 1.2, 0 and 0 have the mean log(1.2) / 3; the next session log 2.5 / 3."""
    found = build_target(three_symbols(), 1, "market_excess").set_index("date")["target"]
    days = found.index.unique()
    third, next_third = np.log(1.2) / 3, np.log(2.5) / 3
    assert found[days[0]].tolist() == pytest.approx([2 * third, -third, -third])
    assert found[days[1]].tolist() == pytest.approx([-next_third, 2 * next_third, -next_third])
    assert found[days[3]].isna().all()


def test_ranks_lie_from_minus_one_to_one_and_ties_share_theirs():
    """A rises, B and C stand still; in the last pair A falls, B rises."""
    found = build_target(three_symbols(), 1, "rank").set_index("date")["target"]
    days = found.index.unique()
    assert found[days[0]].tolist() == [1.0, -0.5, -0.5]
    assert found[days[2]].tolist() == [-1.0, 1.0, 0.0]


@given(hnp.arrays(float, (4, 6), elements=st.floats(1.0, 1000.0)))
def test_excesses_and_ranks_of_a_date_sum_to_zero_and_keep_the_order_of_returns(closes):
    """For any prices of four symbols."""
    prices = pd.concat(
        [bars(row, symbol=f"S{number}") for number, row in enumerate(closes)], ignore_index=True
    )
    plain, excess, rank = (
        build_target(prices, 2, name).pivot_table("target", "date", "symbol")
        for name in ("close_to_close", "market_excess", "rank")
    )
    assert np.allclose(excess.sum(axis=1), 0, atol=1e-12)
    assert np.allclose(rank.sum(axis=1), 0, atol=1e-12)
    assert rank.to_numpy().min() >= -1
    assert rank.to_numpy().max() <= 1
    assert plain.rank(axis=1).equals(rank.rank(axis=1))
    assert np.allclose(plain.sub(plain.mean(axis=1), axis=0), excess)


def test_a_volatility_scaled_target_has_one_percent_a_session(walks):
    """A walk of 1 % a session keeps its size; three times as wild, it is brought down to the same."""
    wild = walks.assign(adj_close=walks["adj_close"] ** 3)
    for prices, horizon in ((walks, 1), (wild, 1), (wild, 4)):
        found = build_target(prices, horizon, "volatility_scaled")["target"].dropna()
        assert found.std() == pytest.approx(0.01 * horizon**0.5, rel=0.15)
    still = bars([7.0] * 400)
    assert build_target(still, 1, "volatility_scaled")["target"].isna().all()


TARGETS = ["close_to_close", "open_to_open", "market_excess", "volatility_scaled", "rank"]


@pytest.mark.parametrize("target", TARGETS)
def test_no_target_looks_further_ahead_than_it_says(walks, target):
    """The probe changes what lies beyond; from open to open a target of 3 sessions is known after 4."""
    ahead = sessions_ahead(3, target)
    assert ahead == (4 if target == "open_to_open" else 3)

    def build(prices):
        return build_target(prices, 3, target)

    assert probe_leaks(build, walks, horizon=ahead).passed
    assert not probe_leaks(build, walks, horizon=ahead - 1).passed


@pytest.mark.parametrize("target", TARGETS)
def test_training_targets_are_known_before_the_test_also_where_a_symbol_misses_sessions(
    walks, walk_features, target
):
    """Walk-forward folds pass the split check; symbols that are compared wait for the last of them."""
    absent = (walks["symbol"] == "S1") & walks["date"].isin(walks["date"].unique()[300:302])
    prices, features = walks[~absent].reset_index(drop=True), walk_features[~absent].reset_index(drop=True)
    table, ahead = labelled(features, prices, 2, target), sessions_ahead(2, target)
    folds = [fold_rows(fold, table) for fold in splits(table["date"], ahead, refit_every=5)]
    assert check_splits(folds, table, ahead, sessions=prices).passed
    known = realised_on(prices, 2, target).set_axis(pd.MultiIndex.from_frame(prices[["symbol", "date"]]))
    days = walks["date"].unique()
    expected = {"market_excess": 303, "rank": 303, "open_to_open": 302}.get(target, 301)
    assert known["S0", days[299]] == days[expected]


def test_a_target_that_compares_needs_two_symbols_and_a_name_must_exist(walks):
    """Both are told with what to do."""
    alone = walks[walks["symbol"] == "S0"]
    with pytest.raises(
        ConfigurationError, match="target is rank, which compares symbols; the prices hold S0"
    ):
        build_target(alone, 1, "rank")
    with pytest.raises(ConfigurationError, match=r"no target 'ranks'\. Did you mean 'rank'"):
        build_target(walks, 1, "ranks")


def test_a_frame_names_one_target(walk_predictions):
    """Without a column it is from close to close; a mixture is refused."""
    assert target_of(walk_predictions) == "close_to_close"
    mixed = walk_predictions.assign(target="rank")
    mixed.loc[0, "target"] = "open_to_open"
    with pytest.raises(DataValidationError, match="mixes the targets"):
        target_of(mixed)
    with pytest.raises(DataValidationError, match="no target 'other'"):
        target_of(mixed.assign(target="other"))


def test_intervals_around_the_excess_follow_its_own_volatility(walks):
    """Of two symbols, each exceeds the market as the root of their ratio moves, however wild both are."""
    close = walks.pivot(index="date", columns="symbol", values="adj_close")  # noqa: PD010 - one value each
    ratio = np.sqrt(close["S0"] / close["S1"]).to_numpy()
    apart = walks.assign(adj_close=np.concatenate([ratio, 1 / ratio]))
    found = interval_scale(walks, 5, "market_excess")
    pd.testing.assert_frame_equal(found, trailing_scale(apart, 5))
