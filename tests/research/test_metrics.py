"""The metrics by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import DataValidationError
from sta410kit.research import ledger, metrics

pytestmark = pytest.mark.unit


def made(predicted, actual, symbol="A", **columns):
    size = len(actual)
    frame = pd.DataFrame(
        {
            "symbol": symbol,
            "date": pd.bdate_range("2012-01-02", periods=size, unit="us"),
            "horizon": 1,
            "model": "ridge",
            "fold": 0,
            "predicted": predicted,
            "actual": actual,
            "lower": np.full(size, -0.02),
            "upper": np.full(size, 0.02),
        }
    )
    return frame.assign(**columns)


FOUR = made([0.01, -0.01, 0.0, 0.02], [0.02, 0.01, 0.03, 0.0])


def test_literal_values():
    """Errors of 0.01, 0.02, 0.03 and -0.02 against outcomes of 0.02, 0.01, 0.03 and 0."""
    assert metrics.rmse(FOUR) == pytest.approx(math.sqrt(18e-4 / 4))
    assert metrics.mae(FOUR) == pytest.approx(0.02)
    assert metrics.r2_against_naive(FOUR) == pytest.approx(1 - 18 / 14)
    assert metrics.directional_accuracy(FOUR) == pytest.approx(1 / 3)  # the outcome of zero does not count
    assert metrics.coverage(FOUR) == 0.75  # an outcome on the end is inside


def test_naive_is_the_zero_of_the_scale():
    """Predicting zero has an R2 of exactly zero; predicting the outcome one of one."""
    assert metrics.r2_against_naive(FOUR.assign(predicted=0.0)) == 0
    assert metrics.r2_against_naive(FOUR.assign(predicted=FOUR["actual"])) == 1


def test_where_nothing_moved_there_is_no_share():
    """Without any movement, R2 and direction are not defined."""
    still = FOUR.assign(actual=0.0)
    assert math.isnan(metrics.r2_against_naive(still))
    assert math.isnan(metrics.directional_accuracy(still))


@pytest.mark.parametrize("metric", metrics.METRICS)
def test_a_missing_prediction_does_not_make_the_others_better(metric):
    """Skipped, half of the predictions would make half of the error of all the outcomes."""
    gap = FOUR.assign(predicted=[0.01, np.nan, 0.0, 0.02], lower=[np.nan, 0, 0, 0])
    with pytest.raises(DataValidationError, match=r"of A 2012-01-0. is no number; 1 such"):
        metric(gap)
    with pytest.raises(DataValidationError, match=r"lack the column\(s\) actual"):
        metric(FOUR.drop(columns="actual"))
    with pytest.raises(DataValidationError, match="of row 1 is no number"):
        metrics.rmse(gap[["predicted", "actual"]])


def test_the_table_has_each_symbol_and_all():
    """One row a symbol, in order, and the last for all of them."""
    table = metrics.score_table(pd.concat([FOUR.assign(symbol="B"), made([0.0], [0.01])]))
    assert table["symbol"].tolist() == ["A", "B", "all"]
    assert table["predictions"].tolist() == [1, 4, 5]
    assert table["coverage"].tolist() == [1.0, 0.75, 0.8]
    assert list(table.columns)[2:] == ["rmse", "mae", "r2_against_naive", "directional_accuracy", "coverage"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.head(0), "have no rows"),
        (lambda f: f.drop(columns="actual"), "lack the column(s) actual"),
        (
            lambda f: f.assign(predicted=[0, np.nan, 0, 0]),
            "predicted of A 2012-01-03 is no number; 1 such row(s)",
        ),
        (lambda f: f.assign(upper=np.inf), "upper of A 2012-01-02 is no number; 4 such row(s)"),
        (lambda f: f.assign(model=["a", "b", "a", "b"]), "mix model a, b"),
        (lambda f: f.assign(horizon=[1, 1, 5, 5]), "mix horizon 1, 5"),
        (lambda f: pd.concat([f, f.tail(1)]), "hold A 2012-01-05 more than once"),
    ],
)
def test_predictions_that_cannot_be_judged_are_refused(change, words):
    """What would give a number without meaning is named."""
    with pytest.raises(DataValidationError) as caught:
        metrics.score_table(change(FOUR))
    assert words in str(caught.value)


def test_a_look_at_the_scores_is_a_trial():
    """Choosing the best of many score tables is selection too, so each is counted, once."""
    for _ in range(2):
        metrics.score_table(FOUR)
    assert ledger.read(FOUR).count == 1
