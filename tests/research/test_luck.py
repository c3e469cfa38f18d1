"""Small versions of the measurements in docs/calibration.md: false positives are rare, power is high."""

import importlib.util
import sys
from functools import partial
from pathlib import Path

import pytest

from sta410kit.research.ledger import Ledger

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "calibrate_skill.py"


@pytest.fixture(scope="module")
def calibrate():
    """Load the script of the measurements as a module."""
    found = importlib.util.spec_from_file_location("calibrate_skill", SCRIPT)
    module = importlib.util.module_from_spec(found)
    sys.modules["calibrate_skill"] = module
    found.loader.exec_module(module)
    yield module
    del sys.modules["calibrate_skill"]


def called_skill(calibrate, make, series):
    return sum(calibrate.judge(seed, make, resamples=300)[0] for seed in range(series))


def test_random_walks_seldom_show_skill(calibrate):
    """The whole chain with ridge on 12 random walks, half with GARCH: at most one is called skill."""
    found = 0
    for make in (calibrate.normal, calibrate.garch):
        pipeline = partial(calibrate.through_the_pipeline, make=make, sessions=400)
        found += called_skill(calibrate, pipeline, 6)
    assert found <= 1


def test_momentum_is_found_through_the_whole_chain(calibrate):
    """Yesterday explains 2 % of today over ten years: ridge finds it in at least 2 of 3 series."""
    pipeline = partial(calibrate.through_the_pipeline, make=calibrate.momentum)
    assert called_skill(calibrate, pipeline, 3) >= 2


def test_a_lucky_year_and_a_drift_are_seldom_skill(calibrate):
    """One good year among ten, and a historical mean on prices that rise: at most one of 12 is skill."""
    found = called_skill(calibrate, calibrate.one_lucky_year, 6)
    assert found + called_skill(calibrate, calibrate.the_mean, 6) <= 1


def test_the_best_of_useless_strategies_does_not_pass(calibrate, tmp_path):
    """Of 100 strategies of noise some look significant alone; with the recorded count none does."""
    found = calibrate.best_of_noise(Ledger(tmp_path / "trials.sqlite"), 100, sessions=500)
    assert (found["strategies"], found["recorded"], found["passed"]) == (100, 100, 0)
    assert found["passed without the count"] >= 1
    assert found["probability of the best"] < 0.95


def test_bid_ask_bounce_is_skill_on_closes_and_a_loss_at_the_open(calibrate):
    """Closes show an R² of 1 %, opens none; following the closes loses the half-spread each time."""
    found = [calibrate.bounce_at_the_open(seed) for seed in range(4)]
    assert [skill for skill, _, _ in found] == [True] * 4
    assert sum(lost for _, lost, _ in found) >= 3
    assert max(sharpe for _, _, sharpe in found) < -3
    on_closes, on_opens = (
        calibrate.judge(0, partial(calibrate.bounced, target=target), resamples=300)
        for target in ("close_to_close", "open_to_open")
    )
    assert (on_closes[0], on_opens[0]) == (True, False)
    assert on_closes[1] == pytest.approx(0.01, abs=0.006)
    assert on_opens[1] < 0
