"""The part of the intervals that learns from misses: by hand, delayed, and what it promises."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.research import adaptive

pytestmark = pytest.mark.unit


def scored(scores, horizon=1, symbol="A"):
    days = pd.bdate_range("2000-01-03", periods=len(scores) + horizon, unit="us")
    return pd.DataFrame(
        {
            "symbol": symbol,
            "date": days[: len(scores)],
            "known": days[horizon:],
            "score": np.array(scores, float),
        }
    )


def ones(table):
    return pd.Series(1.0, index=table.index)


def test_misses_widen_and_hits_narrow_by_hand():
    """A miss adds 0.9 steps of 3 %, a hit takes 0.1."""
    table = scored([2.0, 0.5, 0.5, 9.0])
    width, factors = adaptive.follow_misses(table, ones(table), 1, 0.9)
    assert np.log(width.to_numpy()) == pytest.approx([0, 0.027, 0.024, 0.021])
    assert math.log(factors["A"]) == pytest.approx(0.048)


@pytest.mark.parametrize("horizon", [1, 3, 5])
def test_an_outcome_teaches_nothing_before_it_is_known(horizon):
    """A miss at session 0 shows in the width `horizon` sessions later and not before."""
    table = scored([9.0] + [0.5] * 9, horizon)
    width = adaptive.follow_misses(table, ones(table), horizon, 0.9)[0]
    assert (width[:horizon] == 1).all()
    assert math.log(width[horizon]) == pytest.approx(0.9 * 0.03 / horizon**0.5)


@given(st.integers(1, 59), st.integers(1, 6), st.integers(0, 99))
def test_later_scores_change_no_earlier_width(cut, horizon, seed):
    """Scores that are not known at a date leave its width as it was."""
    scores = np.random.default_rng(seed).exponential(1.0, 60)
    other = np.where(np.arange(60) >= cut, 5 * scores, scores)
    first, second = (
        adaptive.follow_misses(table, ones(table), horizon, 0.9)[0].to_numpy()
        for table in (scored(scores, horizon), scored(other, horizon))
    )
    last = cut + horizon  # the outcome of `cut` is known at the close of `cut + horizon`
    assert np.array_equal(first[:last], second[:last])


def test_symbols_learn_each_for_itself():
    """One symbol that is missed widens; the other stays as alone."""
    both = pd.concat([scored([2.0] * 50, symbol="A"), scored([0.5] * 50, symbol="B")], ignore_index=True)
    mixed = both.sample(frac=1, random_state=0)
    width, factors = adaptive.follow_misses(mixed, ones(mixed), 1, 0.9)
    alone = adaptive.follow_misses(both[both["symbol"] == "B"], ones(both), 1, 0.9)[0]
    assert width.sort_index()[50:].tolist() == alone.tolist()
    assert factors["A"] > 1 > factors["B"]


def test_the_burn_in_teaches_nothing():
    """Rows without a quantile have no width, and their outcomes are neither hits nor misses."""
    table = scored([9.0] * 5 + [0.5] * 5)
    quantiles = ones(table).where(table.index >= 5)
    width, factors = adaptive.follow_misses(table, quantiles, 1, 0.9)
    assert width[:5].isna().all()
    assert width[5] == 1
    assert math.log(factors["A"]) == pytest.approx(-5 * 0.003)


def test_coverage_is_what_is_promised_whatever_comes():
    """Scores that double every 500 sessions, against a quantile that never moves: 90 % within the bound."""
    rng = np.random.default_rng(0)
    table = scored(rng.exponential(1.0, 2500) * 2.0 ** np.repeat([0, 1, 2, 1, 0], 500) / 2)
    width, factors = adaptive.follow_misses(table, ones(table) * 2.3, 1, 0.9)
    missed = (table["score"] > width).mean()
    assert missed - 0.1 == pytest.approx(math.log(factors["A"]) / (0.03 * 2500))
    assert abs(missed - 0.1) < 0.01


def test_the_width_stays_within_five_times():
    """A symbol that is never, or always, hit ends at the bound and not at nothing or infinity."""
    for score, end in ((0.0, 0.2), (1e9, 5.0)):
        table = scored([score] * 1500)
        width, factors = adaptive.follow_misses(table, ones(table), 1, 0.9)
        assert factors["A"] == pytest.approx(end)
        assert np.isfinite(width).all()


def test_factors_of_predictions_stay_within_five_times():
    """A symbol whose outcomes were always, or never, inside ends at the same bound as the walk."""
    hit = pd.DataFrame({"symbol": "HIT", "date": range(1500), "actual": 0.0, "lower": -1.0, "upper": 1.0})
    missed = hit.assign(symbol="MISSED", actual=2.0)
    factors = adaptive.factors_after(pd.concat([hit, missed]), 1, 0.9)
    assert factors == pytest.approx({"HIT": 0.2, "MISSED": 5.0})


def test_factors_are_read_off_the_predictions(sample_predictions, sample):
    """What the walk ended with is found again from which outcomes it missed."""
    factors = adaptive.factors_after(sample_predictions, 1, 0.9)
    assert set(factors) == {"AAPL", "FB", "GOOG", "IBM", "MSFT"}
    apple = sample_predictions[sample_predictions["symbol"] == "AAPL"]
    missed = ~apple["actual"].between(apple["lower"], apple["upper"])
    state = 0.03 * (missed.sum() - 0.1 * len(apple))
    assert math.log(factors["AAPL"]) == pytest.approx(state)  # its state never met the bound
    assert len(sample) > len(sample_predictions)
