"""The deflated Sharpe ratio and the probability of overfitting, by hand and by plain loops."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sta410kit.exceptions import DataValidationError
from sta410kit.research import overfitting
from sta410kit.research.backtest import backtest
from sta410kit.research.costs import Costs, Limits
from sta410kit.research.ledger import Trials
from sta410kit.research.weights import Weighting
from tests.research.simulated import bars, make_predictions

pytestmark = pytest.mark.unit


def returns(size=500, seed=0, mean=0.0):
    noise = np.random.default_rng(seed).standard_t(5, size) / 100 + mean
    return pd.Series(noise, pd.bdate_range("2000-01-03", periods=size, unit="us"))


def frame(size=500, seed=0):
    actual = np.random.default_rng(99).standard_normal(size) / 100
    return make_predictions(np.random.default_rng(seed).standard_normal(size), actual)


def recorded(count, ledger):
    """Return the trials of a ledger that holds so many strategies of noise."""
    for seed in range(count):
        found = ledger.record_backtest(frame(seed=seed), returns(seed=seed))
    return found


def test_moments_agree_with_scipy():
    """Skewness and kurtosis are those of scipy to 1e-8, the Sharpe ratio is mean over sample deviation."""
    values = returns().to_numpy()
    sharpe, skewness, kurtosis = overfitting.moments(values)
    assert sharpe == pytest.approx(values.mean() / values.std(ddof=1), abs=1e-12)
    assert skewness == pytest.approx(stats.skew(values), abs=1e-8)
    assert kurtosis == pytest.approx(stats.kurtosis(values, fisher=False), abs=1e-8)


def test_the_probabilistic_ratio_by_the_published_formula():
    """The ratio is that of the published formula; constant returns have a probability of zero."""
    values = returns(mean=0.001).to_numpy()
    sharpe = values.mean() / values.std(ddof=1)
    skewness, kurtosis = stats.skew(values), stats.kurtosis(values, fisher=False)
    error = np.sqrt((1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2) / (len(values) - 1))
    assert overfitting.probabilistic_sharpe(values) == pytest.approx(
        stats.norm.cdf(sharpe / error), abs=1e-12
    )
    assert overfitting.probabilistic_sharpe(values, sharpe) == pytest.approx(0.5)
    assert overfitting.probabilistic_sharpe(np.ones(10)) == 0


def test_the_published_example():
    """100 trials whose annual ratios have a variance of 1/2, the best 2.5 over 1,250 days, give 0.9004."""
    benchmark = np.sqrt(0.5 / 250) * overfitting.expected_best(100)
    sharpe, skewness, kurtosis = 2.5 / np.sqrt(250), -3.0, 10.0
    error = np.sqrt((1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2) / 1249)
    assert benchmark == pytest.approx(0.1132, abs=1e-4)
    assert stats.norm.cdf((sharpe - benchmark) / error) == pytest.approx(0.9004, abs=1e-4)


@pytest.mark.parametrize("trials", [10, 100, 1000])
def test_the_expected_best_is_that_of_draws(trials):
    """The formula approximates the mean maximum of normal draws, and is zero for one trial."""
    drawn = np.random.default_rng(0).standard_normal((2000, trials)).max(axis=1).mean()
    assert overfitting.expected_best(trials) == pytest.approx(drawn, rel=0.03)
    assert overfitting.expected_best(1) == 0


def test_the_count_comes_from_the_ledger(ledger):
    """Thirty recorded trials deflate the ratio by their own spread."""
    trials = recorded(30, ledger)
    best = max(range(30), key=lambda seed: returns(seed=seed).mean() / returns(seed=seed).std())
    found = overfitting.deflated_sharpe(returns(seed=best), trials)
    ratios = [returns(seed=seed).mean() / returns(seed=seed).std() for seed in range(30)]
    assert found.trials == 30
    assert found.spread == pytest.approx(np.std(ratios, ddof=1))
    assert found.benchmark == pytest.approx(found.spread * overfitting.expected_best(30))
    alone = overfitting.probabilistic_sharpe(returns(seed=best))
    assert found.probability < alone
    assert not found.passed
    assert 0 <= found.overfitting <= 1
    assert "what luck gives the best of 30 recorded trials" in found.sentence
    assert "does not exceed" in found._repr_html_()


def test_deflating_counts_the_backtest(ledger, walks, walk_predictions):
    """Its Sharpe ratio is recorded; double costs are the same trial, another threshold is not."""
    tested = backtest(walk_predictions, walks)
    assert ledger.read(walk_predictions).count == 0  # a backtest alone writes nothing
    assert overfitting.deflate(tested, walk_predictions, ledger=ledger).trials == 1
    (trial,) = ledger.read(walk_predictions).trials
    held = tested.frame["benchmark"]
    excess = tested.frame["net"] - (held / held.shift(fill_value=1.0) - 1)
    assert trial.sharpe == pytest.approx(excess.mean() / excess.std())
    assert (trial.kind, trial.strategy) == ("backtest", "threshold=0.0")
    doubled = backtest(walk_predictions, walks, costs=Costs(slippage_bps=10))
    assert overfitting.deflate(doubled, walk_predictions, ledger=ledger).trials == 1
    choosy = backtest(walk_predictions, walks, threshold=0.001)
    assert overfitting.deflate(choosy, walk_predictions, ledger=ledger).trials == 2
    for count, weighting in enumerate(("proportional", "quantile", Weighting(volatility=0.1)), 3):
        other = backtest(walk_predictions, walks, weighting=weighting)
        assert overfitting.deflate(other, walk_predictions, ledger=ledger).trials == count


def test_a_drift_does_not_pass(ledger):
    """Always long on prices that rise is no more than holding them; knowing when they rise is."""
    rng = np.random.default_rng(0)
    drifts = rng.choice([-0.006, 0.01], 1000)
    prices = bars(100 * np.exp(np.cumsum(drifts + 0.01 * rng.standard_normal(1000))))
    long = make_predictions(0.01, [0.0] * 999, start="2012-01-02")
    held = backtest(long, prices)
    assert held.summary["sharpe"] > 1.5
    found = overfitting.deflate(held, long, ledger=ledger)
    assert (found.sharpe, found.probability, found.passed) == (0, 0, False)
    geared = Weighting(volatility=1.0)
    levered = backtest(long, prices, weighting=geared, limits=Limits(max_weight=5.0, max_gross=5.0))
    assert levered.frame["position"].mean() > 2
    assert levered.summary["annualised_return"] > 2 * held.summary["annualised_return"]
    assert overfitting.deflate(levered, long, ledger=ledger).probability < 0.9
    timed = long.assign(predicted=np.append(drifts[2:], 0.01))
    assert overfitting.deflate(backtest(timed, prices), timed, ledger=ledger).passed


def test_one_short_trial_does_not_shorten_the_comparison(ledger):
    """Ten trials over 500 sessions and one over 60: ten are compared on 500, and the sentence says so."""
    ledger.record_backtest(frame(seed=77), returns(60, seed=77))
    found = overfitting.deflated_sharpe(returns(), recorded(10, ledger))
    assert (found.trials, found.compared, found.shared) == (11, 10, 500)
    assert (
        f"overfitting: {100 * found.overfitting:.0f} %, of 10 trials on 500 common sessions."
        in found.sentence
    )


def test_trials_of_different_times_are_not_compared(ledger):
    """Two trials that share 250 of 500 sessions give no probability of overfitting, and a reason."""
    late = returns(seed=1).set_axis(pd.bdate_range("2000-12-18", periods=500, unit="us"))
    ledger.record_backtest(frame(seed=1), late)
    found = overfitting.deflated_sharpe(returns(), recorded(1, ledger))
    assert (found.overfitting, found.compared, found.shared) == (None, 2, 250)
    assert found.sentence.endswith("not computed: there are only 2 trials on 250 common sessions.")


def test_only_trials_on_the_same_outcomes_count(ledger):
    """Trials on other outcomes do not deflate."""
    ledger.record_backtest(frame().assign(actual=0.5), returns())
    assert recorded(3, ledger).count == 3


def test_trials_without_a_ratio_count_too(ledger):
    """Trials at longer horizons have no returns but are counted."""
    for seed in range(20):
        ledger.record_predictions(frame(seed=seed).assign(horizon=5))
    trials = ledger.record_backtest(frame(seed=0).assign(horizon=5), returns(seed=0))
    found = overfitting.deflated_sharpe(returns(seed=0), trials)
    assert found.trials == 20
    assert found.spread == pytest.approx(499**-0.5)
    assert found.benchmark == pytest.approx(499**-0.5 * 1.9007, rel=1e-3)
    assert found.probability < overfitting.probabilistic_sharpe(returns(seed=0))


def test_a_vanishing_variance_of_the_ratio_is_handled():
    """Rounding may make the variance of the ratio of two-valued returns negative."""
    one_in_three = np.array([1.0, 0.0, 0.0])
    for factor in (1, 1 + 1e-16, 1 + 1e-15, 1 - 1e-15):
        mean = 8**0.5 * factor * one_in_three.std(ddof=1)
        found = overfitting.probabilistic_sharpe(one_in_three - one_in_three.mean() + mean)
        assert found == pytest.approx(1)


def test_without_a_ledger_the_sentence_says_so():
    """A failure to count the trials is part of the sentence."""
    found = overfitting.deflated_sharpe(returns(mean=0.01), Trials(problem="nothing could be counted"))
    assert found.passed
    assert found.trials == 1
    assert found.sentence.endswith("Note that nothing could be counted.")
    assert "exceeds what luck gives the one recorded trial" in found.sentence


def overfitting_by_loops(table, groups):
    """Return the probability of overfitting by the definition, one choice at a time."""
    parts = np.split(table, groups)
    below = []
    for half in combinations(range(groups), groups // 2):
        inside = np.concatenate([parts[n] for n in half])
        outside = np.concatenate([parts[n] for n in range(groups) if n not in half])
        best = np.argmax(inside.mean(axis=0) / inside.std(axis=0))
        rank = stats.rankdata(outside.mean(axis=0) / outside.std(axis=0))[best] / (table.shape[1] + 1)
        below.append(np.log(rank / (1 - rank)) <= 0)
    return np.mean(below)


def test_overfitting_by_definition():
    """Matrix products give the same probability as a loop over all splits."""
    table = np.random.default_rng(0).standard_normal((40, 7)) + np.linspace(0, 0.2, 7)
    found = overfitting.probability_of_overfitting(table)
    assert found == pytest.approx(overfitting_by_loops(table, 8), abs=1e-12)


def test_selecting_among_noise_is_overfitting_and_among_skill_is_not():
    """The probability is about one half or more for noise and near zero for a real edge."""
    noise = np.random.default_rng(1).standard_normal((800, 20))
    edge = noise.copy()
    edge[:, 3] += 0.4
    assert overfitting.probability_of_overfitting(noise) > 0.35
    assert overfitting.probability_of_overfitting(edge) < 0.01
    cash = np.column_stack([np.zeros(100), -np.abs(returns(100).to_numpy()) - 0.001])
    assert overfitting.probability_of_overfitting(cash) == 0  # a strategy in cash has a ratio of zero


def test_invalid_arguments_are_refused():
    """Returns are finite, and at least three."""
    for table in ([0.1, 0.2, 0.3], [[0.1, np.nan], [0.2, 0.3]] * 20):
        with pytest.raises(DataValidationError, match=r"shape \(sessions, strategies\)"):
            overfitting.probability_of_overfitting(table)
    for values in ([], [0.1, 0.2], [0.1, np.nan, 0.2], [[0.1, 0.2, 0.3]], [1e99] * 3):
        with pytest.raises(DataValidationError, match="three finite returns"):
            overfitting.deflated_sharpe(values, Trials())


@pytest.mark.parametrize("shape", [(500, 1), (19, 5), (0, 0)])
def test_too_little_to_select_from(shape):
    """One strategy, or too few sessions for the groups, give no probability."""
    assert overfitting.probability_of_overfitting(np.ones(shape)) is None


def test_the_oldest_sessions_that_fill_no_group_are_dropped():
    """Seven extra sessions before eighty change nothing; after them they do."""
    rng = np.random.default_rng(0)
    table, more = rng.normal(size=(80, 6)), 100 * rng.normal(size=(7, 6))
    alone = overfitting.probability_of_overfitting(table)
    assert overfitting.probability_of_overfitting(np.vstack([more, table])) == alone
    assert overfitting.probability_of_overfitting(np.vstack([table, more])) != alone
