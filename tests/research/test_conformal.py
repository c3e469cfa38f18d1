"""Intervals: the arithmetic by hand, and the coverage on real and simulated prices."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.exceptions import ConfigurationError, DataValidationError, FeatureEngineeringError
from sta410kit.research import conformal
from sta410kit.research.features import build_features
from sta410kit.research.targets import build_target, realised_on
from sta410kit.research.walk_forward import walk_forward
from tests.research.simulated import naive_with_intervals, simulate

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("scores", "level", "expected"),
    [
        (range(1, 10), 0.9, 9),  # ceil(10 * 0.9) = 9th smallest of nine
        (range(1, 9), 0.9, math.inf),  # 9th smallest of eight: too few to say
        (range(1, 100), 0.9, 90),
        (range(1, 101), 0.9, 91),  # ceil(101 * 0.9) = 91
        (range(1, 20), 0.95, 19),
        ([], 0.5, math.inf),
    ],
)
def test_the_quantile_has_its_finite_sample_correction(scores, level, expected):
    """The rank is ceil((n + 1) * level), by hand."""
    shuffled = np.random.default_rng(0).permutation(np.array(list(scores), dtype=float))
    assert conformal.quantile(shuffled, level) == expected


@pytest.mark.parametrize("level", [0, 1, -0.5, 90, math.nan])
def test_a_level_lies_strictly_between_0_and_1(level):
    """Percentages, 0 and 1 are refused."""
    with pytest.raises(ConfigurationError, match="level is"):
        conformal.quantile(np.ones(10), level)
    with pytest.raises(ConfigurationError, match="level is"):
        conformal.burn_in(1, level)


@pytest.mark.parametrize(
    ("horizon", "level", "window", "first"),
    [
        (1, 0.9, 252, 63),
        (5, 0.9, 252, 63),
        (21, 0.9, 525, 210),
        (63, 0.9, 1575, 630),
        (21, 0.5, 525, 210),
        (1, 0.99, 252, 99),
        (5, 0.99, 495, 495),
    ],
)
def test_the_window_grows_with_the_horizon(horizon, level, window, first):
    """A window spans a year or 25 separate targets, the burn-in a quarter, ten targets or more."""
    assert (conformal.window(horizon, level), conformal.burn_in(horizon, level)) == (window, first)


@pytest.mark.parametrize(("horizon", "window", "first"), [(5, 252, 63), (21, 525, 210)])
def test_only_scores_known_at_the_time_count(horizon, window, first):
    """A score counts once its outcome is known, until it leaves the window."""
    sessions = 800
    scores = np.random.default_rng(0).uniform(size=sessions)
    table = scored(scores, horizon)
    ours = conformal.rolling_quantiles(table, horizon, 0.9)
    waiting = first + horizon - 1
    assert ours.isna().sum() == waiting
    for now in range(waiting, sessions):
        past = scores[max(0, now - horizon + 1 - window) : now - horizon + 1]
        assert ours[now] == np.sort(past)[math.ceil((len(past) + 1) * 0.9) - 1]
    known = table[table["known"] <= table["date"].iloc[799]]  # as in the walk
    assert conformal.latest_quantile(known, horizon, 0.9) == ours[799]


def test_the_order_of_rows_does_not_matter():
    """Rows may come by symbol or by date."""
    scores = np.random.default_rng(0).uniform(size=300)
    table = pd.concat([scored(scores[:150]), scored(scores[150:], symbol="B")], ignore_index=True)
    mixed = table.sample(frac=1, random_state=0)
    assert conformal.rolling_quantiles(mixed, 1).sort_index().equals(conformal.rolling_quantiles(table, 1))


def test_the_scale_is_the_weighted_volatility(walks):
    """The scale is the root of the weighted mean square, times the root of the horizon."""
    scale = conformal.trailing_scale(walks, 4)
    first = scale[scale["symbol"] == "S0"]["scale"].to_numpy()
    assert np.isnan(first[:21]).all()
    squared = np.diff(np.log(walks.loc[walks["symbol"] == "S0", "adj_close"].to_numpy())) ** 2
    weights = 0.94 ** np.arange(100)[::-1]
    assert first[100] == pytest.approx(np.sqrt(4 * np.average(squared[:100], weights=weights)))


def test_a_price_that_never_moves_has_a_positive_scale(walks):
    """Nothing is divided by zero."""
    assert (conformal.trailing_scale(walks.assign(adj_close=10.0), 1)["scale"].dropna() > 0).all()


def test_coverage_on_real_prices(sample_predictions):
    """The 90 % intervals cover 88 % to 92 % of outcomes overall and of each long-lived symbol.

    Per symbol and year, coverage is 90 % within three standard errors, and mostly within two.
    """
    inside = sample_predictions["actual"].between(sample_predictions["lower"], sample_predictions["upper"])
    assert 0.88 <= inside.mean() <= 0.92
    symbols = sample_predictions["symbol"]
    assert inside.groupby(symbols).mean().drop("FB").between(0.88, 0.92).all()
    years = inside.groupby([symbols, sample_predictions["date"].dt.year])
    table = years.agg(["mean", "count"]).query("count >= 100")
    errors = (table["mean"] - 0.9) / (0.09 / table["count"]) ** 0.5
    assert len(table) > 40
    assert errors.abs().max() < 3
    assert (errors.abs() < 2).mean() > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("horizon", [5, 21, 63])
def test_coverage_on_real_prices_further_ahead(sample, sample_features, horizon):
    """With overlapping targets coverage of the embedded prices is 88 % to 92 %."""
    predictions = walk_forward(sample_features, sample, model="naive", horizon=horizon)
    inside = predictions["actual"].between(predictions["lower"], predictions["upper"])
    assert 0.88 <= inside.mean() <= 0.92


def test_coverage_survives_a_change_of_regime():
    """When volatility triples and falls back, the intervals follow."""
    volatility = np.repeat([0.01, 0.03, 0.01], 500)
    prices = simulate(1500, symbols=3, seed=5, volatility=volatility)
    predictions = walk_forward(build_features(prices), prices, model="naive")
    inside = predictions["actual"].between(predictions["lower"], predictions["upper"])
    assert 0.87 <= inside.mean() <= 0.93
    storm = predictions["date"].between(prices["date"].unique()[500], prices["date"].unique()[999])
    assert 0.85 <= inside[storm].mean() <= 0.95
    assert 0.85 <= inside[~storm].mean() <= 0.95
    width = predictions["upper"] - predictions["lower"]
    assert width[storm].median() > 2 * width[~storm].median()


SIMULATED = {
    "steady": lambda _: 0.01,
    "switching": lambda rng: np.where(np.cumsum(rng.random(1500) < 0.01) % 2, 0.025, 0.008),
    "jump": lambda _: np.repeat([0.008, 0.03], 750),
    "trend": lambda _: np.geomspace(0.005, 0.03, 1500),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("regime", "horizon", "walks"),
    [
        *((r, h, 4) for r in SIMULATED for h in (1, 5) if r != "steady"),
        *(("steady", h, 8) for h in (5, 21, 63)),
    ],
)
def test_coverage_in_simulated_regimes(regime, horizon, walks):
    """Coverage is 88 % to 92 % when volatility is steady, switches, jumps or rises sixfold."""
    covered = []
    for seed in range(walks):
        volatility = SIMULATED[regime](np.random.default_rng(seed))
        sessions = 3270 if regime == "steady" else 1500
        prices = simulate(sessions, symbols=1, seed=seed, volatility=volatility)
        found = naive_with_intervals(prices, horizon)
        covered.append(found["target"].between(found["lower"], found["upper"]).mean())
    assert 0.88 <= np.mean(covered) <= 0.92


def test_bounds_are_finite_from_the_burn_in_on(walks):
    """After 21 returns and 63 outcomes every row has finite bounds."""
    found = naive_with_intervals(walks, 1)
    assert np.isfinite(found[["lower", "upper"]]).all().all()
    assert len(found) == 2 * (600 - 21 - 63 - 1)  # the last row has no outcome yet


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.sample(frac=1, random_state=0), "not sorted"),
        (lambda f: f.assign(adj_close=f["adj_close"].where(f.index != 3, 0)), "adj_close of S0 .* is 0"),
    ],
)
def test_unsorted_or_incomplete_prices_are_refused(walks, predicted, change, words):
    """Neither a scale nor intervals are computed from faulty prices."""
    with pytest.raises(FeatureEngineeringError, match=words):
        conformal.trailing_scale(change(walks), 1)
    with pytest.raises(FeatureEngineeringError, match=words):
        conformal.add_intervals(predicted, change(walks), 1)


@pytest.fixture
def predicted(walks):
    """Return predictions of no change without intervals."""
    return build_target(walks, 1).assign(known=realised_on(walks, 1), predicted=0.0).dropna()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="known"), "known"),
        (lambda f: pd.concat([f, f.tail(1)]), "predictions hold S1 .* more than once"),
        (lambda f: f.assign(predicted=np.nan), "predicted of S0 .* is not a finite number; 1198 such"),
        (lambda f: f.replace({"symbol": {"S0": "ZZ"}}), "predictions hold ZZ .*, the prices do not"),
        (lambda f: f.astype({"date": str}), "date of the predictions holds str"),
    ],
)
def test_incomplete_or_foreign_predictions_are_refused(walks, predicted, change, words):
    """Predictions that a merge would drop, duplicate or leave without an interval are refused."""
    with pytest.raises(DataValidationError, match=words):
        conformal.add_intervals(change(predicted), walks, 1)


def test_the_latest_quantile_looks_at_the_last_year():
    """Scores older than the window do not count for the next prediction."""
    table = scored(np.r_[np.full(48, 100.0), np.arange(252.0)])
    assert conformal.latest_quantile(table, 1) == math.ceil(253 * 0.9) - 1
    assert conformal.latest_quantile(table.tail(62), 1) == math.inf  # within the burn-in


def scored(scores, horizon=1, symbol="A"):
    """Return scores of consecutive sessions, each known `horizon` sessions later."""
    days = pd.bdate_range("2000-01-03", periods=len(scores) + horizon, unit="us")
    columns = {"date": days[: len(scores)], "known": days[horizon:], "score": np.array(scores, float)}
    return pd.DataFrame({"symbol": symbol, **columns})


def ones(table):
    return pd.Series(1.0, index=table.index)


def test_misses_widen_and_hits_narrow_by_hand():
    """A miss adds 0.9 steps of 3 %, a hit takes 0.1."""
    table = scored([2.0, 0.5, 0.5, 9.0])
    width, factors = conformal.follow_misses(table, ones(table), 1, 0.9)
    assert np.log(width.to_numpy()) == pytest.approx([0, 0.027, 0.024, 0.021])
    assert math.log(factors["A"]) == pytest.approx(0.048)


@pytest.mark.parametrize("horizon", [1, 3, 5])
def test_an_outcome_is_used_only_once_it_is_known(horizon):
    """A miss at session 0 changes the width `horizon` sessions later and not before."""
    table = scored([9.0] + [0.5] * 9, horizon)
    width = conformal.follow_misses(table, ones(table), horizon, 0.9)[0]
    assert (width[:horizon] == 1).all()
    assert math.log(width[horizon]) == pytest.approx(0.9 * 0.03 / horizon**0.5)


@given(st.integers(1, 59), st.integers(1, 6), st.integers(0, 99))
def test_later_scores_change_no_earlier_width(cut, horizon, seed):
    """Scores that are not known at a date do not change its width."""
    scores = np.random.default_rng(seed).exponential(1.0, 60)
    other = np.where(np.arange(60) >= cut, 5 * scores, scores)
    first, second = (
        conformal.follow_misses(table, ones(table), horizon, 0.9)[0].to_numpy()
        for table in (scored(scores, horizon), scored(other, horizon))
    )
    last = cut + horizon  # the outcome of `cut` is known at the close of `cut + horizon`
    assert np.array_equal(first[:last], second[:last])


def test_each_symbol_adapts_independently():
    """Misses of one symbol do not change the width of the other."""
    both = pd.concat([scored([2.0] * 50, symbol="A"), scored([0.5] * 50, symbol="B")], ignore_index=True)
    mixed = both.sample(frac=1, random_state=0)
    width, factors = conformal.follow_misses(mixed, ones(mixed), 1, 0.9)
    alone = conformal.follow_misses(both[both["symbol"] == "B"], ones(both), 1, 0.9)[0]
    assert width.sort_index()[50:].tolist() == alone.tolist()
    assert factors["A"] > 1 > factors["B"]


def test_the_burn_in_does_not_adapt_the_width():
    """Rows without a quantile have no width and count neither as hits nor as misses."""
    table = scored([9.0] * 5 + [0.5] * 5)
    quantiles = ones(table).where(table.index >= 5)
    width, factors = conformal.follow_misses(table, quantiles, 1, 0.9)
    assert width[:5].isna().all()
    assert width[5] == 1
    assert math.log(factors["A"]) == pytest.approx(-5 * 0.003)


def test_coverage_holds_when_the_scale_doubles():
    """Scores that double every 500 sessions, against a quantile that never moves: 90 % within the bound."""
    rng = np.random.default_rng(0)
    table = scored(rng.exponential(1.0, 2500) * 2.0 ** np.repeat([0, 1, 2, 1, 0], 500) / 2)
    width, factors = conformal.follow_misses(table, ones(table) * 2.3, 1, 0.9)
    missed = (table["score"] > width).mean()
    assert missed - 0.1 == pytest.approx(math.log(factors["A"]) / (0.03 * 2500))
    assert abs(missed - 0.1) < 0.01


def test_the_width_stays_within_a_factor_of_five():
    """The adaptive factor is bounded by 1/5 and 5."""
    for score, end in ((0.0, 0.2), (1e9, 5.0)):
        table = scored([score] * 1500)
        width, factors = conformal.follow_misses(table, ones(table), 1, 0.9)
        assert factors["A"] == pytest.approx(end)
        assert np.isfinite(width).all()
