"""Whether a forecast survives until the next open."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.research.execution import check_execution
from sta410kit.research.skill import assess_skill
from sta410kit.research.targets import build_target
from tests.research.simulated import bars

pytestmark = pytest.mark.unit


def market(seed, *, at_open):
    """Return two symbols whose returns a known signal explains by 4 %, before or after the open."""
    rng = np.random.default_rng(seed)
    frames, signals = [], []
    for symbol in ("A", "B"):
        signal = 0.002 * rng.standard_normal(1000)
        night, day = 0.004 * rng.standard_normal(1000), 0.009 * rng.standard_normal(1000)
        (day if at_open else night)[1:] += signal[:-1]
        close = np.cumsum(night + day)
        opened = np.concatenate([[0.0], close[:-1]]) + night
        frames.append(bars(100 * np.exp(opened), 100 * np.exp(close), symbol=symbol))
        signals.append(signal)
    prices = pd.concat(frames, ignore_index=True)
    table = prices[["symbol", "date"]].assign(
        predicted=np.concatenate(signals), actual=build_target(prices, 1)["target"], horizon=1, model="known"
    )
    return table.dropna().reset_index(drop=True), prices


def test_what_the_night_takes_is_not_left_at_the_open():
    """A signal of the night is skill from close to close, and none at the open, with the loss in words."""
    predictions, prices = market(0, at_open=False)
    verdict = assess_skill(predictions).verdict
    found = check_execution(predictions, prices, verdict=verdict, sharpe=-3.14)
    assert (verdict, found.lost, found.verdict) == ("skill", True, "skill lost at the next open")
    assert found.p_value > 0.1
    assert found.r2 == pytest.approx(-0.04, abs=0.02)  # only the noise of the predictions is left
    assert "R² is -" in found.sentence
    assert "Sharpe ratio after costs -3.1" in found.sentence
    assert not check_execution(predictions, prices, verdict="no skill shown", sharpe=0.0).lost


def test_what_happens_after_the_open_is_still_there():
    """The same signal during the day can be earned."""
    predictions, prices = market(0, at_open=True)
    found = check_execution(predictions, prices, verdict="skill", sharpe=2.0)
    assert (found.lost, found.verdict, found.sentence) == (False, "skill", "")
    assert found.p_value < 0.01
    assert found.r2 == pytest.approx(0.04, abs=0.02)
