"""Tests of forecasts against regressions with robust errors and the package arch."""

import numpy as np
import pytest
from arch.bootstrap import SPA, RealityCheck
from scipy import stats
from scipy.signal import lfilter

from sta410kit.research.bootstrap import resampled_means
from sta410kit.research.forecast_tests import (
    accuracy_p_value,
    information_p_value,
    overlap_of,
    superior_ability,
    t_test,
)
from sta410kit.research.trial_identity import at_least_once

pytestmark = pytest.mark.unit

SIZE, BLOCK, RESAMPLES = 250, 6, 300


def random_walk_rule(rng, size=500, horizon=20, window=200):
    """Return the distance of a random walk from its moving average, and the move of the next sessions."""
    steps = rng.standard_normal(size + horizon + window)
    walk = np.cumsum(steps)
    average = np.convolve(walk, np.ones(window) / window, mode="valid")
    predicted = -(walk[window - 1 :] - average)[:size]
    ahead = walk[window - 1 + horizon :][:size] - walk[window - 1 :][:size]
    return predicted, ahead


def test_without_overlap_both_tests_are_students_t():
    """Diebold and Mariano, and Clark and West, agree with the t test of scipy to 1e-10."""
    rng = np.random.default_rng(0)
    gains = rng.standard_normal(300) + 0.05
    expected = stats.ttest_1samp(gains, 0, alternative="greater").pvalue
    assert accuracy_p_value(gains) == pytest.approx(expected, abs=1e-10)
    assert information_p_value(gains) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("horizon", [5, 20])
def test_a_mean_over_overlapping_targets_is_called_positive_at_its_nominal_rate(horizon):
    """At nominal 5 % the test of a mean rejects a true null in 3.5 to 6.5 % of 2,000 samples."""
    rng = np.random.default_rng(horizon)
    rejected = np.mean(
        [
            t_test(
                np.convolve(rng.standard_normal(519), np.ones(horizon), mode="valid")[:500], horizon
            ).p_value
            <= 0.05
            for _ in range(2000)
        ]
    )
    assert 0.035 <= rejected <= 0.065


@pytest.mark.parametrize(("persistence", "horizon"), [(0.0, 1), (0.9, 5), (0.99, 20)])
def test_clark_and_west_reject_a_useless_forecast_at_the_nominal_rate(persistence, horizon):
    """At nominal 5 % they reject within 1.5 points of it, whether or not the predictor is persistent."""
    rng = np.random.default_rng(3)
    rejected = []
    for _ in range(1500):
        predicted = lfilter([np.sqrt(1 - persistence**2)], [1, -persistence], rng.standard_normal(1200))[200:]
        actual = np.convolve(rng.standard_normal(999 + horizon), np.ones(horizon), mode="valid")
        overlap = overlap_of(predicted[:, None], horizon)
        rejected.append(information_p_value(2 * predicted * actual, overlap) <= 0.05)
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.015)


def test_the_distance_from_a_moving_average_is_no_information_about_a_random_walk():
    """At nominal 1 % it is called information in at most 2 % of samples of 500 dates, 20 sessions ahead."""
    rng = np.random.default_rng(7)
    called = []
    for _ in range(1000):
        predicted, actual = random_walk_rule(rng)
        overlap = overlap_of(predicted[:, None], 20)
        called.append(information_p_value(2 * predicted * actual, overlap) <= 0.01)
    assert np.mean(called) <= 0.02


def test_the_interval_of_a_mean_is_students():
    """Ten values with mean 1 and variance 1: 2.262157 times the root of 0.1 on either side (t with 9)."""
    values = np.tile([1 - 0.9**0.5, 1 + 0.9**0.5], 5)
    assert t_test(values, 1).half_width() == pytest.approx(2.2621572 * 0.1**0.5, rel=1e-7)


def test_overlap_lies_between_one_and_the_horizon():
    """A forecast drawn anew each date has none, one that never changes has all of it."""
    rng = np.random.default_rng(0)
    assert overlap_of(rng.standard_normal((5000, 2)), 5) == pytest.approx(1.0, abs=0.1)
    assert overlap_of(np.ones((5000, 2)), 5) == pytest.approx(5.0, abs=0.01)
    assert overlap_of(np.zeros((50, 2)), 5) == 5.0


def test_clark_and_west_do_not_punish_an_estimated_model():
    """A noisy but informed forecast has larger errors than zero, and holds information all the same."""
    rng = np.random.default_rng(1)
    signal = rng.standard_normal(1000)
    actual, predicted = 0.2 * signal + rng.standard_normal(1000), 0.5 * signal
    gains = actual**2 - (actual - predicted) ** 2
    assert accuracy_p_value(gains) > 0.5
    assert information_p_value(gains + predicted**2) < 1e-6


@pytest.mark.parametrize("gains", [np.zeros(300), np.full(300, 0.3) ** 2 - np.full(300, 0.1) ** 2])
def test_a_constant_gain_proves_nothing(gains):
    """What rounding leaves of its variance is none: p is one half, not zero."""
    assert accuracy_p_value(gains) == information_p_value(gains) == 0.5


def test_the_chance_that_one_of_many_passes():
    """1 - 0.99 ** 10 by hand, and a certain one stays certain."""
    assert at_least_once(0.01, 10) == pytest.approx(1 - 0.99**10)
    assert at_least_once(1.0, 1) == pytest.approx(1.0)
    assert at_least_once(1e-20, 1) == pytest.approx(1e-20)


def gains(shift, models=4, seed=0):
    return np.random.default_rng(seed).standard_normal((SIZE, models)) + shift


def superiority(table, block=1.0, resamples=2000, **options):
    draws = resampled_means(table, block=block, resamples=resamples, seed=3)
    return superior_ability(table, draws, block=block, **options)


def without_the_sample_itself(p_value):
    """Return a p value as arch counts it: of the resamples only, not of the sample and the resamples."""
    return (p_value * (RESAMPLES + 1) - 1) / RESAMPLES


@pytest.mark.parametrize("shift", [0.0, 0.05, np.array([0.08, -0.9, 0.0, -0.02])])
def test_hansens_test_agrees_with_arch(shift):
    """The consistent and the upper p value are those of arch's SPA to 1e-8."""
    table = gains(shift)
    arch = SPA(np.zeros(SIZE), -table, block_size=BLOCK, reps=RESAMPLES, seed=3)
    arch.compute()
    found = superiority(table, BLOCK, RESAMPLES, studentise=False)
    ours = [without_the_sample_itself(value) for value in (found.p_value, found.p_upper)]
    assert ours == pytest.approx(arch.pvalues[["consistent", "upper"]].tolist(), abs=1e-8)


def test_the_reality_check_is_the_upper_p_value():
    """White's p value is that of arch's RealityCheck."""
    table = gains(np.array([0.08, -0.9, 0.0, -0.02]))
    arch = RealityCheck(np.zeros(SIZE), -table, block_size=BLOCK, reps=RESAMPLES, seed=3)
    arch.compute()
    found = superiority(table, BLOCK, RESAMPLES, studentise=False)
    assert without_the_sample_itself(found.p_upper) == pytest.approx(arch.pvalues["upper"], abs=1e-8)


def test_the_best_of_many_useless_models_is_not_significant():
    """Among 50 models of noise the best looks good alone, and is what the luckiest of 50 looks like."""
    table = gains(0.0, models=50, seed=1)
    best = int(np.argmax(table.mean(axis=0) / table.std(axis=0)))
    assert superiority(table[:, [best]]).p_value < 0.05
    among = superiority(table)
    assert among.best == best
    assert among.p_value > 0.2
    table[:, 7] += 0.4
    assert superiority(table).best == 7
    assert superiority(table).p_value < 0.01


def test_studentising_keeps_a_wild_model_from_drowning_the_others():
    """Divided by its standard error, noise on a large scale counts no more than other noise."""
    table = np.column_stack([gains(0.25, 1), 100 * gains(0.0, 1, seed=2)])
    assert superiority(table).p_value < 0.01
    assert superiority(table, studentise=False).p_value > 0.1


def test_a_model_that_equals_the_benchmark_is_never_better():
    """No gain and no error: p is 1, and nothing is divided by zero."""
    assert superiority(np.zeros((30, 1)), block=2, resamples=50).p_value == 1
