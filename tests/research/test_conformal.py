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
from sta410kit.research.volatility import latest_slopes, trailing_scale
from sta410kit.research.walk_forward import walk_forward
from tests.research.simulated import bars, naive_with_intervals, simulate

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
        (1, 0.9, 1260, 63),
        (5, 0.9, 1260, 63),
        (21, 0.9, 1260, 210),
        (63, 0.9, 1575, 630),
        (21, 0.5, 1260, 210),
        (1, 0.99, 1260, 199),
        (5, 0.99, 1260, 495),
    ],
)
def test_the_window_grows_with_the_horizon(horizon, level, window, first):
    """A window spans five years or 25 separate targets, the burn-in a quarter, ten targets or more."""
    assert (conformal.window(horizon, level), conformal.burn_in(horizon, level)) == (window, first)


@pytest.mark.parametrize(("horizon", "window", "first"), [(5, 1260, 63), (21, 1260, 210)])
def test_only_scores_known_at_the_time_count(horizon, window, first):
    """A score counts once its outcome is known, until it leaves the window; renewed every five sessions."""
    sessions = 1601
    scores = np.random.default_rng(0).standard_normal(sessions)
    table = scored(scores, horizon)
    ours = conformal.rolling_quantiles(table, horizon, 0.9)
    waiting = first + horizon - 1
    assert ours.isna().all(axis=1).sum() == waiting
    for now in range(waiting, sessions):
        then = max(now // 5 * 5, waiting)
        past = np.sort(scores[max(0, then - horizon + 1 - window) : then - horizon + 1])
        rank = math.ceil((len(past) + 1) * 0.95)
        assert ours.loc[now].tolist() == [-past[-rank], past[rank - 1]]
    known = table[table["known"] <= table["date"].iloc[1600]]  # as in the walk
    assert list(conformal.latest_quantiles(known, horizon, 0.9)) == ours.loc[1600].tolist()


def test_the_order_of_rows_does_not_matter():
    """Rows may come by symbol or by date."""
    scores = np.random.default_rng(0).uniform(size=300)
    table = pd.concat([scored(scores[:150]), scored(scores[150:], symbol="B")], ignore_index=True)
    mixed = table.sample(frac=1, random_state=0)
    assert conformal.rolling_quantiles(mixed, 1).sort_index().equals(conformal.rolling_quantiles(table, 1))


def test_the_scale_is_the_regression_by_hand():
    """Three weighted means of absolute returns, and slopes from the outcomes known by then."""
    prices = simulate(300, symbols=1, seed=3, volatility=np.repeat([0.01, 0.03, 0.01], 100))
    level, horizon, now = np.log(prices["adj_close"].to_numpy()), 4, 250
    moves = np.abs(np.diff(level, prepend=np.nan))

    def mean(t, decay):
        weights = decay ** np.arange(t)[::-1]
        return np.log(np.sqrt(np.pi / 2) * np.average(moves[1 : t + 1], weights=weights))

    logs = np.array([[mean(t, decay) for decay in (0.85, 0.94, 1 - 1 / 504)] for t in range(21, now + 1)])
    ratios = logs[:, :2] - logs[:, 2:]
    past = np.arange(21, now - horizon + 1)
    move = np.abs(level[past + horizon] - level[past]) / 2
    response = np.log(np.maximum(move, 0.05 * np.exp(logs[past - 21, 2]))) - logs[past - 21, 2]
    x = np.column_stack([np.ones(len(past)), ratios[past - 21]])
    prior = np.diag([0.0, 100.0, 100.0])
    slopes = np.linalg.solve(x.T @ x + prior, x.T @ response + prior @ [0, 0.3, 0.6])[1:]
    scale = trailing_scale(prices, horizon)["scale"]
    assert scale[:21].isna().all()
    assert scale[now] == pytest.approx(2 * np.exp(logs[-1, 2] + ratios[-1] @ slopes))
    until = prices[: now + 1]
    assert latest_slopes(until, horizon) == pytest.approx(slopes)
    assert trailing_scale(until, horizon, slopes)["scale"][now] == pytest.approx(scale[now])


def test_the_scale_knows_no_later_price(walks):
    """The slopes at a session come from outcomes that were known by then."""
    day = walks["date"].unique()[400]
    past = walks[walks["date"] <= day]
    whole = trailing_scale(walks, 5)
    known = whole[whole["date"] <= day].reset_index(drop=True)
    pd.testing.assert_frame_equal(trailing_scale(past, 5), known)


def test_a_price_that_never_moves_has_a_positive_scale(walks):
    """Nothing is divided by zero."""
    assert (trailing_scale(walks.assign(adj_close=10.0), 1)["scale"].dropna() > 0).all()


def garch(rng, sessions=3270):
    returns, variance = np.empty(sessions), 1.5e-4
    for now, shock in enumerate(rng.standard_normal(sessions)):
        returns[now] = variance**0.5 * shock
        variance = 1.5e-6 + 0.09 * returns[now] ** 2 + 0.9 * variance
    return returns


def stochastic_volatility(rng, sessions=3270):
    logs = np.zeros(sessions)
    for now, shock in enumerate(0.15 * rng.standard_normal(sessions - 1)):
        logs[now + 1] = 0.98 * logs[now] + shock
    return 0.01 * np.exp(logs / 2) * rng.standard_t(3, sessions) / 3**0.5


def jumps(rng, sessions=3270):
    return garch(rng, sessions) + 0.05 * (rng.random(sessions) < 0.02) * rng.standard_normal(sessions)


def by_tercile(found, prices):
    """Return coverage by terciles, within each symbol, of the exponentially weighted volatility."""
    squared = np.log(prices["adj_close"]).groupby(prices["symbol"]).diff() ** 2
    variance = squared.groupby(prices["symbol"]).ewm(alpha=0.06).mean().droplevel(0)
    table = found.merge(prices[["symbol", "date"]].assign(variance=variance), on=["symbol", "date"])
    third = table.groupby("symbol")["variance"].transform(lambda one: pd.qcut(one, 3, labels=False))
    return table["target"].between(table["lower"], table["upper"]).groupby(third).mean()


@pytest.mark.slow
@pytest.mark.parametrize("horizon", [1, 5])
@pytest.mark.parametrize(("world", "points"), [(garch, 2), (stochastic_volatility, 3), (jumps, 3), (None, 2)])
def test_coverage_holds_by_volatility(sample, world, points, horizon):
    """Calm, normal and turbulent sessions are covered alike, simulated and on the sample prices."""
    worlds = [walk_of(world(np.random.default_rng(seed))) for seed in range(6)] if world else [sample]
    shares = [by_tercile(naive_with_intervals(prices, horizon), prices) for prices in worlds]
    assert np.mean(shares, axis=0) == pytest.approx([0.9] * 3, abs=points / 100)


def walk_of(returns):
    return bars(100 * np.exp(np.cumsum(returns)))


def test_each_tail_misses_half():
    """On returns that are skewed to the left, as many outcomes lie below as above."""
    shocks = 1 - np.random.default_rng(0).exponential(1.0, 3000)
    found = naive_with_intervals(walk_of(0.01 * shocks))
    below, above = found["target"] < found["lower"], found["target"] > found["upper"]
    assert [below.mean(), above.mean()] == pytest.approx([0.05, 0.05], abs=0.01)
    assert (-found["lower"]).median() > 1.5 * found["upper"].median()


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
@pytest.mark.parametrize(("horizon", "least"), [(5, 0.88), (21, 0.88), (63, 0.87)])
def test_coverage_on_real_prices_further_ahead(sample, sample_features, horizon, least):
    """With overlapping targets coverage of the embedded prices is 88 % to 92 %, of a quarter 87 %."""
    predictions = walk_forward(sample_features, sample, model="naive", horizon=horizon)
    inside = predictions["actual"].between(predictions["lower"], predictions["upper"])
    assert least <= inside.mean() <= 0.92


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
        trailing_scale(change(walks), 1)
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


def test_the_latest_quantiles_look_at_the_last_five_years():
    """Scores older than the window do not count for the next prediction; a tail without room is narrow."""
    table = scored(np.r_[np.full(48, -100.0), np.arange(1260.0)])
    assert conformal.latest_quantiles(table, 1) == (0.01, math.ceil(1261 * 0.95) - 1)
    assert conformal.latest_quantiles(table.tail(62), 1) == (math.inf, math.inf)  # within the burn-in


def scored(scores, horizon=1, symbol="A"):
    """Return scores of consecutive sessions, each known `horizon` sessions later."""
    days = pd.bdate_range("2000-01-03", periods=len(scores) + horizon, unit="us")
    columns = {"date": days[: len(scores)], "known": days[horizon:], "score": np.array(scores, float)}
    return pd.DataFrame({"symbol": symbol, **columns})


def ones(table):
    return pd.DataFrame(1.0, index=table.index, columns=["lower", "upper"])


def test_misses_widen_and_hits_narrow_by_hand():
    """A miss of a tail adds 0.95 steps of 2 %, a hit takes 0.05."""
    table = scored([2.0, 0.5, -0.5, -9.0])
    width, factors = conformal.follow_misses(table, ones(table), 1, 0.9)
    assert np.log(width["upper"].to_numpy()) == pytest.approx([0, 0.019, 0.018, 0.017])
    assert np.log(width["lower"].to_numpy()) == pytest.approx([0, -0.001, -0.002, -0.003])
    assert np.log(factors["A"]) == pytest.approx([0.016, 0.016])


@pytest.mark.parametrize("horizon", [1, 3, 5])
def test_an_outcome_is_used_only_once_it_is_known(horizon):
    """A miss at session 0 changes the width `horizon` sessions later and not before."""
    table = scored([9.0] + [0.5] * 9, horizon)
    width = conformal.follow_misses(table, ones(table), horizon, 0.9)[0]["upper"]
    assert (width[:horizon] == 1).all()
    assert math.log(width[horizon]) == pytest.approx(0.95 * 0.02 / horizon**0.5)


@given(st.integers(1, 59), st.integers(1, 6), st.integers(0, 99))
def test_later_scores_change_no_earlier_width(cut, horizon, seed):
    """Scores that are not known at a date do not change its width."""
    scores = np.random.default_rng(seed).standard_normal(60)
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
    alone = conformal.follow_misses(both[50:], ones(both[50:]), 1, 0.9)[0]
    assert width.sort_index()[50:].equals(alone)
    assert factors["A"][1] > 1 > factors["B"][1]


def test_the_burn_in_does_not_adapt_the_width():
    """Rows without a quantile have no width and count neither as hits nor as misses."""
    table = scored([9.0] * 5 + [0.5] * 5)
    quantiles = ones(table)
    quantiles.loc[:4] = np.nan
    width, factors = conformal.follow_misses(table, quantiles, 1, 0.9)
    assert width[:5].isna().all().all()
    assert width.loc[5].tolist() == [1, 1]
    assert np.log(factors["A"]) == pytest.approx([-5 * 0.001] * 2)


def test_coverage_holds_when_the_scale_doubles():
    """Scores that double every 500 sessions, against a quantile that never moves: within the bound."""
    rng = np.random.default_rng(0)
    table = scored(rng.exponential(1.0, 2500) * 2.0 ** np.repeat([0, 1, 2, 1, 0], 500) / 2)
    width, factors = conformal.follow_misses(table, ones(table) * 3.0, 1, 0.9)
    missed = (table["score"] > width["upper"]).mean()
    assert missed - 0.05 == pytest.approx(math.log(factors["A"][1]) / (0.02 * 2500))
    assert abs(missed - 0.05) < 0.01


def test_the_width_stays_within_a_factor_of_five():
    """The adaptive factor is bounded by 1/5 and 5."""
    for score, end in ((0.0, 0.2), (1e9, 5.0)):
        table = scored([score] * 2000)
        width, factors = conformal.follow_misses(table, ones(table), 1, 0.9)
        assert factors["A"][1] == pytest.approx(end)
        assert np.isfinite(width).all().all()
