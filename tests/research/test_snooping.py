"""Hansen's test and White's reality check against the package arch."""

import numpy as np
import pytest
from arch.bootstrap import SPA, RealityCheck, StationaryBootstrap

from sta410kit.research import bootstrap, snooping

pytestmark = pytest.mark.unit

SIZE, BLOCK, RESAMPLES = 250, 6, 300


def gains(shift, models=4, seed=0):
    return np.random.default_rng(seed).standard_normal((SIZE, models)) + shift


def resamples_of_arch(values):
    """Return the resampled means of `values` on the very resamples that arch draws with seed 3."""
    drawn = StationaryBootstrap(BLOCK, np.arange(SIZE), seed=3).bootstrap(RESAMPLES)
    positions = np.array([data[0][0] for data in drawn])
    return bootstrap.how_often(positions) @ values / SIZE


def without_the_sample_itself(p_value):
    """Return a p value as arch counts it: of the resamples only, not of the sample and the resamples."""
    return (p_value * (RESAMPLES + 1) - 1) / RESAMPLES


@pytest.mark.parametrize("shift", [0.0, 0.05, np.array([0.08, -0.9, 0.0, -0.02])])
def test_hansen_agrees_with_arch_on_the_same_resamples(shift):
    """The lower, the consistent and the upper p value are those of arch to 1e-8."""
    table = gains(shift)
    arch = SPA(np.zeros(SIZE), -table, block_size=BLOCK, reps=RESAMPLES, seed=3)
    arch.compute()
    found = snooping.from_draws(table, resamples_of_arch(table), block=BLOCK, studentise=False)
    ours = [without_the_sample_itself(value) for value in (found.p_lower, found.p_value, found.p_upper)]
    assert ours == pytest.approx(arch.pvalues.tolist(), abs=1e-8)


def test_the_reality_check_is_the_upper_one():
    """White's p value is that of arch's RealityCheck on the same resamples."""
    table = gains(np.array([0.08, -0.9, 0.0, -0.02]))
    arch = RealityCheck(np.zeros(SIZE), -table, block_size=BLOCK, reps=RESAMPLES, seed=3)
    arch.compute()
    found = snooping.from_draws(table, resamples_of_arch(table), block=BLOCK, studentise=False)
    assert without_the_sample_itself(found.p_upper) == pytest.approx(arch.pvalues["upper"], abs=1e-8)
    again = snooping.reality_check(table, block=BLOCK, resamples=RESAMPLES)
    assert again == pytest.approx(found.p_upper, abs=0.1)


def test_the_variance_is_that_of_arch():
    """The long-run variance under the stationary bootstrap agrees to 1e-8."""
    table = gains(0.0).cumsum(axis=0) / 10
    arch = SPA(np.zeros(SIZE), -table, block_size=BLOCK, reps=10, seed=3)
    arch.compute()
    assert snooping.long_run_variance(table, BLOCK) == pytest.approx(arch._loss_diff_var, abs=1e-8)


def test_the_best_of_many_useless_models_is_not_believed():
    """Among 50 models of noise the best looks good alone, and is what the luckiest of 50 looks like."""
    table = gains(0.0, models=50, seed=1)
    best = int(np.argmax(table.mean(axis=0) / table.std(axis=0)))
    alone = snooping.superior_ability(table[:, best], block=1)
    among = snooping.superior_ability(table, block=1)
    assert alone.p_value < 0.05
    assert among.best == best
    assert among.p_value > 0.2


def test_a_good_model_stands_out_among_many():
    """One model with a gain is found among 50 without."""
    table = gains(0.0, models=50, seed=1)
    table[:, 7] += 0.4
    found = snooping.superior_ability(table, block=1)
    assert found.best == 7
    assert found.p_value < 0.01


def test_a_wild_model_does_not_drown_the_others():
    """Divided by its standard error, noise on a large scale counts no more than other noise."""
    table = np.column_stack([gains(0.25, 1), 100 * gains(0.0, 1, seed=2)])
    assert snooping.superior_ability(table, block=1).p_value < 0.01
    assert snooping.superior_ability(table, block=1, studentise=False).p_value > 0.1


def test_a_model_that_equals_the_benchmark_is_never_better():
    """No gain and no error: p is 1, and nothing is divided by zero."""
    assert snooping.superior_ability(np.zeros((30, 1)), block=2, resamples=50).p_value == 1
