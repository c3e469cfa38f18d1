"""Scores and their intervals against scikit-learn, scipy and plain loops."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics as peer

from sta410kit.research import ledger, metrics
from sta410kit.research.panel import read_panel
from sta410kit.research.scores import SCORES, block_of, score_intervals

pytestmark = pytest.mark.unit


def made(sessions=300, symbols=5, seed=0, model="ridge"):
    """Return predictions that know a little, with ties and gaps."""
    rng = np.random.default_rng(seed)
    rows = pd.MultiIndex.from_product(
        [[f"S{n}" for n in range(symbols)], pd.bdate_range("2000-01-03", periods=sessions, unit="us")],
        names=["symbol", "date"],
    )
    frame = rows.to_frame(index=False)
    actual = rng.standard_normal(len(frame)).round(2) / 100
    predicted = (0.2 * actual + 0.01 * rng.standard_normal(len(frame))).round(3)
    frame = frame.assign(
        horizon=1, model=model, fold=0, predicted=predicted, actual=actual, lower=-1.0, upper=1.0
    )
    return frame[rng.random(len(frame)) > 0.1]


def values(frame):
    return score_intervals(frame).set_index("score")["value"]


def test_a_look_at_the_scores_is_counted():
    """R2 with an interval is a look at the skill, like any other; a second one is the same trial."""
    frame = pd.concat([made(), made(model="other").assign(predicted=0.001)])
    score_intervals(frame)
    score_intervals(frame)
    assert ledger.read(frame).count == 2
    assert ledger.read(frame).problem == ""


def test_errors_agree_with_scikit_learn():
    """RMSE, MAE, both kinds of R2 and the share of signs agree to 1e-8."""
    frame = made()
    found = values(frame)
    actual, predicted = frame["actual"], frame["predicted"]
    constant = frame.groupby("symbol")["actual"].transform("mean")
    moved = actual != 0
    expected = {
        "rmse": peer.root_mean_squared_error(actual, predicted),
        "mae": peer.mean_absolute_error(actual, predicted),
        "r2": 1 - peer.mean_squared_error(actual, predicted) / peer.mean_squared_error(actual, 0 * actual),
        "r2_mean": 1 - peer.mean_squared_error(actual, predicted) / peer.mean_squared_error(actual, constant),
        "directional_accuracy": peer.accuracy_score(np.sign(actual[moved]), np.sign(predicted[moved])),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-8), name
    one = frame[frame["symbol"] == "S0"]
    assert values(one)["r2_mean"] == pytest.approx(peer.r2_score(one["actual"], one["predicted"]), abs=1e-8)


def test_information_coefficients_agree_with_scipy():
    """Both are means of Spearman's rank correlation, over dates and over symbols, to 1e-8."""
    frame = made()
    found = values(frame)
    for name, key in (("ic_cross_section", "date"), ("ic_time_series", "symbol")):
        each = [
            stats.spearmanr(part["predicted"], part["actual"]).statistic
            for _, part in frame.groupby(key)
            if len(part) >= 3 and np.ptp(part["predicted"]) > 0
        ]
        assert found[name] == pytest.approx(np.mean(each), abs=1e-8), name


def test_scores_and_metrics_are_the_same_numbers():
    """What the table of metrics says is what has an interval here."""
    frame = made()
    found = values(frame)
    assert found["rmse"] == pytest.approx(metrics.rmse(frame))
    assert found["mae"] == pytest.approx(metrics.mae(frame))
    assert found["r2"] == pytest.approx(metrics.r2_against_naive(frame))
    assert found["directional_accuracy"] == pytest.approx(metrics.directional_accuracy(frame))


def test_each_model_has_every_score_inside_its_interval():
    """One row a model and score; the value lies in the interval, which has the width of the textbook."""
    table = score_intervals(pd.concat([made(), made(model="other")]))
    assert table["model"].tolist() == ["ridge"] * 7 + ["other"] * 7
    assert table["score"].tolist() == 2 * list(SCORES)
    assert table["value"].between(table["low"], table["high"]).all()
    accuracy = table.set_index("score").loc["directional_accuracy"].iloc[0]
    textbook = 2 * 1.96 * np.sqrt(accuracy["value"] * (1 - accuracy["value"]) / len(made()))
    assert accuracy["high"] - accuracy["low"] == pytest.approx(textbook, rel=0.25)


def test_symbols_that_move_together_widen_the_interval():
    """Five copies of one symbol know no more than the one."""
    one = made(symbols=1)
    five = pd.concat([one.assign(symbol=f"S{n}") for n in range(5)])
    width = [(t["high"] - t["low"]).to_numpy()[:5] for t in (score_intervals(one), score_intervals(five))]
    assert width[1] == pytest.approx(width[0])


def test_what_is_not_defined_is_nan():
    """Two symbols cannot be ranked, a constant has no correlation, and without movement there is no share."""
    two = values(made(symbols=2))
    assert np.isnan(two["ic_cross_section"])
    flat = values(made().assign(predicted=0.0))
    assert np.isnan(flat["ic_time_series"])
    still = score_intervals(made().assign(actual=0.0)).set_index("score")
    assert still.loc[["r2", "r2_mean", "directional_accuracy"]].drop(columns="model").isna().all(axis=None)


def test_blocks_span_the_overlap_of_targets():
    """At least two horizons, at most a third of the sessions; single sessions where nothing overlaps."""
    frame = made(symbols=1)
    assert block_of(read_panel(frame), 0) < 5
    assert block_of(read_panel(frame.assign(horizon=21)), 0) == 42
    sessions = frame["date"].nunique()
    assert block_of(read_panel(frame.assign(horizon=200)), 0) == pytest.approx(sessions / 3)
