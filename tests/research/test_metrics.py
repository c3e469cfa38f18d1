"""Scores by hand, and their intervals against scikit-learn and scipy."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as peer

from sta410kit.exceptions import DataValidationError
from sta410kit.research.bootstrap import resampled_means
from sta410kit.research.forecast_tests import t_test
from sta410kit.research.ledger import Ledger
from sta410kit.research.metrics import (
    SCORES,
    block_of,
    coverage_error,
    crps,
    estimates,
    pinball_loss,
    score_parts,
    score_table,
)
from sta410kit.research.panel import read_panel
from tests.research.simulated import make_predictions

pytestmark = pytest.mark.unit

FOUR = make_predictions([0.01, -0.01, 0.0, 0.02], [0.02, 0.01, 0.03, 0.0], start="2012-01-02").assign(
    lower=-0.02, upper=0.02
)


def overall(frame):
    return score_table(frame).iloc[-1]


def test_literal_values():
    """Errors of 0.01, 0.02, 0.03 and -0.02 against outcomes of 0.02, 0.01, 0.03 and 0."""
    found = overall(FOUR)
    assert found["rmse"] == pytest.approx(math.sqrt(18e-4 / 4))
    assert found["mae"] == pytest.approx(0.02)
    assert found["r2_against_naive"] == pytest.approx(1 - 18 / 14)
    assert found["directional_accuracy"] == pytest.approx(1 / 3)  # the outcome of zero does not count
    assert found["coverage"] == 0.75  # an outcome on the bound is inside


def test_the_scale_of_r2_and_undefined_ratios():
    """Predicting zero has an R² of zero and no direction; a perfect one is one; zero outcomes have none."""
    assert overall(FOUR.assign(predicted=0.0))["r2_against_naive"] == 0
    assert overall(FOUR.assign(predicted=FOUR["actual"]))["r2_against_naive"] == 1
    assert np.isnan(overall(FOUR.assign(predicted=0.0))["directional_accuracy"])
    still = overall(FOUR.assign(actual=0.0))
    assert still[["r2_against_naive", "directional_accuracy"]].isna().all()


def test_the_table_has_each_symbol_and_all():
    """One row per symbol, in order, and the last for all of them."""
    one = make_predictions([0.0], [0.01], start="2012-01-02").assign(lower=-0.02, upper=0.02)
    table = score_table(pd.concat([FOUR.assign(symbol="B"), one]))
    assert table["symbol"].tolist() == ["A", "B", "all"]
    assert table["predictions"].tolist() == [1, 4, 5]
    assert table["coverage"].tolist() == [1.0, 0.75, 0.8]
    assert list(table.columns)[2:] == [
        "rmse", "mae", "r2_against_naive", "directional_accuracy",
        "coverage", "coverage_error", "pinball", "crps",
    ]  # fmt: skip


def test_the_pinball_loss_by_hand():
    """Ends of -2 and 2 at 90 %: the mean of 0.05 x 3 and 0.05 x 1 inside, of 0.05 x 5 and 0.95 x 1 above."""
    found = pinball_loss(np.array([1.0, 3.0, -3.0]), np.full(3, -2.0), np.full(3, 2.0), 0.9)
    assert found == pytest.approx([0.1, 0.6, 0.6])
    winkler = 4 + 2 / 0.1 * np.array([0, 1, 1])
    assert found == pytest.approx(winkler * 0.1 / 4)


def test_the_crps_of_equal_sides_is_that_of_a_normal():
    """Literals are those of `properscoring` 0.1 for a mean of 0 and deviations of 1 and 2."""
    wide = stats.norm.ppf(0.95)
    found = crps(np.array([0.0, 0.5, -3.0, 1.0]), np.zeros(4), -wide * DEVIATION, wide * DEVIATION, 0.9)
    assert found == pytest.approx(
        [0.23369497725510913, 0.3314035312548558, 2.4365747250863397, 0.6628070625097116]
    )


DEVIATION = np.array([1.0, 1.0, 1.0, 2.0])


@given(st.floats(-5, 5), st.floats(0.1, 3), st.floats(0.1, 3), st.sampled_from([0.5, 0.9]))
def test_the_crps_is_the_integral_of_the_squared_difference(outcome, below, above, level):
    """Of the two-piece distribution and the step at the outcome, by numerical integration."""
    span = stats.norm.ppf((1 + level) / 2)

    grid = np.linspace(-60, 60, 40_001)
    values = stats.norm.cdf(grid * span / np.where(grid < 0, below, above)) - (grid >= outcome)
    expected = np.trapezoid(values**2, grid)
    one = np.array([outcome]), np.zeros(1), np.array([-below]), np.array([above])
    assert crps(*one, level)[0] == pytest.approx(expected, abs=3e-3)


@pytest.mark.parametrize(("horizon", "sessions"), [(1, 250), (5, 500)])
def test_the_error_of_the_coverage_counts_dates(horizon, sessions):
    """50 symbols correlated by 0.5: 95 % of intervals of two-sided t hold the true 90 %, not 60 % or less."""
    rng, held, as_if_independent = np.random.default_rng(0), [], []
    dates = pd.Series(np.repeat(np.arange(sessions), 50))
    for _ in range(300):
        market, own = (
            rng.standard_normal((sessions + horizon, 1)),
            rng.standard_normal((sessions + horizon, 50)),
        )
        daily = np.sqrt(0.5) * (market + own)
        sums = np.lib.stride_tricks.sliding_window_view(daily, horizon, axis=0).sum(axis=-1)[:sessions]
        inside = (np.abs(sums.ravel()) < stats.norm.ppf(0.95) * horizon**0.5).astype(bool)
        off = abs(inside.mean() - 0.9)
        degrees = t_test(np.zeros(sessions), horizon).degrees
        held.append(off < stats.t.ppf(0.975, degrees) * coverage_error(inside, dates, horizon))
        as_if_independent.append(off < 1.96 * (0.09 * horizon / len(inside)) ** 0.5)
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)
    assert np.mean(as_if_independent) < 0.6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="actual"), "lack the column(s) actual"),
        (
            lambda f: f.assign(predicted=[0, np.nan, 0, 0]),
            "predicted of A 2012-01-03 is not a finite number; 1 such row(s)",
        ),
        (lambda f: f.assign(upper=np.inf), "upper of A 2012-01-02 is not a finite number; 4 such row(s)"),
        (lambda f: f.assign(model=["a", "b", "a", "b"]), "mix model a, b"),
    ],
)
def test_predictions_that_cannot_be_scored_are_refused(change, words):
    """Missing and mixed predictions are refused instead of skipped."""
    with pytest.raises(DataValidationError) as caught:
        score_table(change(FOUR))
    assert words in str(caught.value)


def test_a_score_table_is_a_trial(tmp_path):
    """Each distinct table is counted once in the ledger."""
    ledger = Ledger(tmp_path / "trials.sqlite")
    for _ in range(2):
        score_table(FOUR, ledger=ledger)
    assert ledger.read(FOUR).count == 1


def informed(sessions=300, symbols=5, seed=0):
    """Return weakly informed predictions with ties and gaps."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(symbols):
        actual = rng.standard_normal(sessions).round(2) / 100
        predicted = (0.2 * actual + 0.01 * rng.standard_normal(sessions)).round(3)
        parts.append(make_predictions(predicted, actual, f"S{number}"))
    frame = pd.concat(parts, ignore_index=True)
    return frame[rng.random(len(frame)) > 0.1]


def intervals(frame):
    panel = read_panel(frame)
    parts = score_parts(panel, 0)
    block = block_of(panel, 0)
    draws = resampled_means(parts.reshape(len(parts), -1), block=block, resamples=500)
    return estimates(parts, draws.reshape(-1, *parts.shape[1:]), block=block, span=panel.span)


def test_scores_agree_with_scikit_learn():
    """RMSE, MAE, both kinds of R² and the share of signs agree to 1e-8."""
    frame = informed()
    found = {name: one.value for name, one in intervals(frame).items()}
    actual, predicted = frame["actual"], frame["predicted"]
    timed = frame[["actual", "predicted"]] - frame.groupby("symbol")[["actual", "predicted"]].transform(
        "mean"
    )
    moved = actual != 0
    expected = {
        "rmse": peer.root_mean_squared_error(actual, predicted),
        "mae": peer.mean_absolute_error(actual, predicted),
        "r2": 1 - peer.mean_squared_error(actual, predicted) / peer.mean_squared_error(actual, 0 * actual),
        "r2_mean": 1
        - peer.mean_squared_error(timed["actual"], timed["predicted"])
        / peer.mean_squared_error(timed["actual"], 0 * actual),
        "directional_accuracy": peer.accuracy_score(np.sign(actual[moved]), np.sign(predicted[moved])),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-8)
    table = overall(frame)
    assert table["rmse"] == pytest.approx(found["rmse"])
    assert table["r2_against_naive"] == pytest.approx(found["r2"])


def test_information_coefficients_agree_with_scipy():
    """Both are means of Spearman's rank correlation, over dates and over symbols, to 1e-8."""
    frame = informed()
    found = intervals(frame)
    for name, key in (("ic_cross_section", "date"), ("ic_time_series", "symbol")):
        each = [
            stats.spearmanr(part["predicted"], part["actual"]).statistic
            for _, part in frame.groupby(key)
            if len(part) >= 3 and np.ptp(part["predicted"]) > 0
        ]
        assert found[name].value == pytest.approx(np.mean(each), abs=1e-8), name


def test_every_score_lies_inside_its_interval():
    """The interval of the directional accuracy has the textbook width."""
    found = intervals(informed())
    assert list(found) == list(SCORES)
    assert all(one.low <= one.value <= one.high for one in found.values())
    accuracy = found["directional_accuracy"]
    textbook = 2 * 1.96 * np.sqrt(accuracy.value * (1 - accuracy.value) / len(informed()))
    assert accuracy.high - accuracy.low == pytest.approx(textbook, rel=0.25)


def test_symbols_that_move_together_widen_the_interval():
    """Five copies of one symbol have the intervals of the one."""
    one = informed(symbols=1)
    five = pd.concat([one.assign(symbol=f"S{n}") for n in range(5)])
    width = [[s.high - s.low for s in list(intervals(frame).values())[:5]] for frame in (one, five)]
    assert width[1] == pytest.approx(width[0])


def test_undefined_scores_are_left_out():
    """Two symbols cannot be ranked, a constant has no correlation, and without movement there is no share."""
    assert "ic_cross_section" not in intervals(informed(symbols=2))
    assert "ic_time_series" not in intervals(informed().assign(predicted=0.0))
    assert not {"r2", "r2_mean", "directional_accuracy"} & set(intervals(informed().assign(actual=0.0)))
    assert "directional_accuracy" not in intervals(informed().assign(predicted=0.0))


def test_blocks_span_the_overlap_of_targets():
    """At least two horizons, at most a third of the sessions; short where nothing overlaps."""
    frame = informed(symbols=1)
    assert block_of(read_panel(frame), 0) < 5
    assert block_of(read_panel(frame.assign(horizon=21)), 0) == 42
    assert block_of(read_panel(frame.assign(horizon=200)), 0) == pytest.approx(len(frame) / 3)
