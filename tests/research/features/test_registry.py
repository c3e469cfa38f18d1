"""Features: literal values, no look-ahead, no infinities, and refusal of bad prices."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import FeatureEngineeringError
from sta410kit.guards import probe_leaks
from sta410kit.research.features import (
    FEATURES,
    History,
    build_features,
    default_features,
    feature,
    feature_names,
)
from tests.research.simulated import bars

pytestmark = pytest.mark.unit


def test_one_row_a_price_row_and_the_default_features(walks, walk_features):
    """The frame keeps every row and its order, warm-up included."""
    assert walk_features[["symbol", "date"]].equals(walks[["symbol", "date"]])
    assert feature_names(walk_features) == [
        "return_1", "return_5", "return_21", "ma_ratio_7", "ma_ratio_21", "ma_ratio_50", "macd_histogram",
        "rsi_14", "williams_r_14", "volatility_21", "range_1", "yang_zhang_21", "dollar_volume_z_21",
        "turn_of_month",
    ]  # fmt: skip
    empty = walk_features["ma_ratio_50"].isna()
    assert empty.groupby(walk_features["symbol"]).sum().tolist() == [49, 49]


def test_literal_values():
    """Hand-computed: a price that goes 1, 2, 4, ... doubles every session."""
    doubling = 2.0 ** np.arange(60)
    prices = bars(doubling, volume=100).assign(high=doubling * 1.5)
    last = build_features(prices).iloc[-1]
    assert last["return_1"] == pytest.approx(np.log(2))
    assert last["return_5"] == pytest.approx(5 * np.log(2))
    assert last["return_21"] == pytest.approx(21 * np.log(2))
    assert last["ma_ratio_7"] == pytest.approx(np.log(7 * 64 / 127))
    assert last["volatility_21"] == pytest.approx(0, abs=1e-12)
    assert last["rsi_14"] == pytest.approx(100)
    assert last["range_1"] == pytest.approx(np.log(1.5))
    # log(1 + money) of a doubling amount is a straight line but for the 1: the last of 0..20 standardised
    assert last["dollar_volume_z_21"] == pytest.approx(10 / np.std(np.arange(21), ddof=1), rel=1e-3)


def test_a_price_that_never_moves_gives_neutral_values():
    """0 / 0 is neutral, never infinite; so is a session without volume."""
    features = build_features(bars([10.0] * 60, volume=0))
    last = features.iloc[-1]
    assert last["rsi_14"] == 50
    assert last["dollar_volume_z_21"] == 0
    assert last[["return_1", "return_5", "return_21", "volatility_21", "range_1"]].tolist() == [0] * 5
    assert last[["ma_ratio_7", "ma_ratio_21", "ma_ratio_50"]].tolist() == pytest.approx([0] * 3)
    assert not np.isinf(features[feature_names(features)].to_numpy()).any()


def test_bounded_features_stay_within_their_bounds(sample):
    """Rounding moves no value beyond the bounds that the data gate checks."""
    built = build_features(sample, ["rsi_14", "williams_r_14"])
    assert built["rsi_14"].dropna().between(0, 100).all()
    assert built["williams_r_14"].dropna().between(-100, 0).all()
    assert built["williams_r_14"].max() == 0


def test_neither_the_future_nor_other_symbols_are_read(walks, walk_features):
    """A symbol alone has the features it has among others; a lag of 0 or less is refused."""
    alone = build_features(walks[walks["symbol"] == "S1"])
    together = walk_features[walk_features["symbol"] == "S1"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, together, check_exact=True)
    for sessions in (0, -1):
        with pytest.raises(FeatureEngineeringError, match="does not look back"):
            History(walks).lag(walks["close"], sessions)


def test_names_choose_the_columns_and_their_order(walks, walk_features):
    """Named features are built once, in that order; a single name and ``all`` are accepted."""
    assert feature_names(build_features(walks, ["rsi_14", "ma_ratio_200", "rsi_14"])) == [
        "rsi_14",
        "ma_ratio_200",
    ]
    assert feature_names(build_features(walks, "atr_14")) == ["atr_14"]
    alone = build_features(walks, ["yang_zhang_21"])["yang_zhang_21"]
    pd.testing.assert_series_equal(alone, walk_features["yang_zhang_21"], check_exact=True)
    assert feature_names(build_features(walks, "all")) == list(FEATURES)
    assert set(default_features()) < set(FEATURES)
    with pytest.raises(FeatureEngineeringError, match=r"Unknown feature 'rsi14'\. Did you mean 'rsi_14'"):
        build_features(walks, ["rsi14"])
    with pytest.raises(FeatureEngineeringError, match="No feature is named"):
        build_features(walks, [])


def test_the_default_features_need_at_most_fifty_sessions_before(walks):
    """Default features need at most 49 earlier sessions, all features 252."""
    empty = build_features(walks, "all").groupby("symbol").apply(lambda part: part.isna().sum()).max()
    assert empty[default_features()].max() == 49
    assert empty[list(FEATURES)].max() == 252


def test_no_feature_looks_ahead(walks):
    """The leak probe finds nothing in any of them, cross-sections included."""
    report = probe_leaks(lambda prices: build_features(prices, "all"), walks, cutoffs=2)
    assert report.passed, report.findings
    assert len(report.columns) == len(FEATURES)


def test_the_probe_finds_a_look_ahead_in_a_rank(walks):
    """A rank of tomorrow's returns is found, so the test above can fail."""

    def build(prices):
        history = History(prices.reset_index(drop=True))
        ahead = history.daily.groupby(history.prices["symbol"]).shift(-1)
        return prices[["symbol", "date"]].assign(rank=history.rank(ahead).to_numpy())

    assert not probe_leaks(build, walks, cutoffs=2).passed


def test_a_later_split_changes_no_feature(walks):
    """Halving the adjusted past of a symbol, as a later split does, changes no ratio or rank."""
    split = walks["symbol"] == "S0"
    halved = walks.assign(adj_close=np.where(split, walks["adj_close"] / 2, walks["adj_close"]))
    before, after = (build_features(p, "all")[list(FEATURES)] for p in (walks, halved))
    exact = [name for name in FEATURES if not name.startswith("volume_z")]  # theirs is log(1 + shares)
    np.testing.assert_allclose(after[exact], before[exact], rtol=0, atol=1e-9)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-2)


@pytest.mark.usefixtures("registered")
def test_a_decorated_function_is_a_feature(walks):
    """With default=False it is built only when named; registering it again is allowed."""

    @feature
    def momentum_3(history: History):
        return history.close - history.lag(history.close, 3)

    for _ in range(2):

        @feature(default=False)
        def momentum_4(history: History):
            return history.close - history.lag(history.close, 4)

    built = build_features(walks)
    assert "momentum_3" in built
    assert "momentum_4" not in built
    assert feature_names(build_features(walks, ["momentum_4"])) == ["momentum_4"]


def test_a_name_that_is_taken_is_refused():
    """A second function of the same name, and reserved names, are refused."""

    def rsi_14(history):
        return history.close

    with pytest.raises(
        FeatureEngineeringError, match=r"'rsi_14' already, in sta410kit\.research\.features\.osc"
    ):
        feature(rsi_14)
    for name in ("target", "known"):
        rsi_14.__name__ = name
        with pytest.raises(FeatureEngineeringError, match=f"cannot be called '{name}'"):
            feature(rsi_14)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda _: "text", "does not return numbers"),
        (lambda history: history.close.head(3), r"shape \(3,\); it needs one value per price row"),
        (lambda _: 1.0, r"shape \(\)"),
    ],
)
def test_what_a_feature_returns_is_checked(walks, monkeypatch, result, words):
    """Text, too few values and a single number are named with the feature."""
    monkeypatch.setitem(FEATURES, "odd", result)
    with pytest.raises(FeatureEngineeringError, match=f"feature odd .*{words}"):
        build_features(walks, ["odd"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.drop(columns="high"), "lack the column(s) high"),
        (lambda p: p.head(0), "have no rows"),
        (lambda p: p.iloc[::-1], "are not sorted"),
        (lambda p: pd.concat([p, p.tail(1)]), "hold A 2012-01-04 more than once"),
        (lambda p: p.assign(close=[10.0, np.nan, 10.0]), "close of A 2012-01-03 is nan; 1 such row(s)"),
        (lambda p: p.assign(adj_close=[10.0, 10.0, -1.0]), "adj_close of A 2012-01-04 is -1.0"),
        (lambda p: p.assign(high=[np.inf, 10.0, 10.0]), "high of A 2012-01-02 is inf"),
        (lambda p: p.assign(volume=[1, -1, 1]), "volume of A 2012-01-03 is -1.0"),
        (lambda p: p.assign(low=["a", "b", "c"]), "low of the prices holds"),
    ],
)
def test_bad_prices_are_refused_by_name(change, words):
    """Prices that would silently give a wrong feature are refused."""
    with pytest.raises(FeatureEngineeringError) as caught:
        build_features(change(bars([10.0] * 3)))
    assert words in str(caught.value)


@pytest.mark.usefixtures("registered")
def test_an_infinite_feature_is_refused(walks):
    """The message names feature, symbol and day."""

    @feature
    def careless(history: History):
        return 1 / (history.prices["volume"] - history.prices["volume"].iloc[3]).abs()

    with pytest.raises(FeatureEngineeringError, match="careless is infinite for S0 2000-01-06"):
        build_features(walks)
