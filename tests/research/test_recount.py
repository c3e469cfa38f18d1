"""Results of a sweep, corrected for all of its trials."""

from dataclasses import asdict
from statistics import NormalDist

import numpy as np
import pytest

from sta410kit.research.ledger import Trials
from sta410kit.research.ledger_file import Trial
from sta410kit.research.overfitting import DeflatedSharpe
from sta410kit.research.recount import recount
from sta410kit.research.verdict import LOST
from tests.research.simulated import make_predictions

pytestmark = pytest.mark.unit

EVIDENCE = {
    "model": "m", "models": ("m",), "horizon": 1, "sessions": 1000, "symbols": 5, "predictions": 5000,
    "first": "", "last": "", "r2": 0.01, "r2_low": 0.0, "r2_high": 0.0, "r2_mean": 0.01, "gain": 0.01,
    "gain_low": 0.0, "gain_high": 0.0, "p_value": 0.004, "p_information": 0.004, "p_accuracy": 0.0,
    "p_spa": 0.0, "p_reality_check": 0.0, "gain_without_best": 0.01, "p_without_best": 0.0, "stretch": 252,
    "trials": 1, "newest_trial": 1, "uncounted": "", "block_length": 1.0, "resamples": 1, "scores": {},
}  # fmt: skip
RANKING = {
    "horizon": 1, "spacing": 1, "dates": 1000, "symbols": 5, "trials": 1, "rank_ic": 0.05,
    "p_information": 0.002, "p_value": 0.002, "net_spread": 0.1, "p_net": 0.1, "rank_ic_without_best": 0.04,
    "p_without_best": 0.01, "stretch": 252,
}  # fmt: skip


def trials(*sharpes):
    """Return backtested trials with these ratios per session."""
    return Trials(
        tuple(
            Trial(n, 1, "backtest", "m", f"p{n}", "", "", 1000, None, sharpe)
            for n, sharpe in enumerate(sharpes, 1)
        )
    )


def test_a_result_is_corrected_for_the_trials_after_it_too():
    """Šidák by hand: 1 - 0.996 ** 4 = 0.0159 is no skill any more, 1 - 0.998 ** 4 = 0.00798 still is."""
    luck = DeflatedSharpe(0.08, 0.0, 0.99, 1, 0.0, 1001, -0.5, 6.0)
    found = {
        "evidence": EVIDENCE,
        "ranking": {"evidence": RANKING},
        "deflated_sharpe": {**asdict(luck), "sentence": "..."},
    }
    assert recount(found, trials(0.08))["verdict"] == "skill"
    row = recount(found, trials(0.08, 0.02, -0.01, 0.04))
    assert row["p_value"] == pytest.approx(0.0159042, abs=1e-6)
    assert (row["verdict"], row["ranking"], row["trials"]) == ("no skill shown", "skill", 4)
    assert (row["r2"], row["rank_ic"]) == (0.01, 0.05)
    # Bailey and López de Prado, written out: ratios vary by 0.0377492, the best of four by 1.0489 of that.
    normal, gamma = NormalDist(), 0.5772156649015329
    best = np.std([0.08, 0.02, -0.01, 0.04], ddof=1) * (
        (1 - gamma) * normal.inv_cdf(3 / 4) + gamma * normal.inv_cdf(1 - 1 / (4 * np.e))
    )
    z = (0.08 - best) * 1000**0.5 / (1 + 0.5 * 0.08 + 5 / 4 * 0.08**2) ** 0.5
    assert row["deflated_sharpe"] == pytest.approx(normal.cdf(z), abs=1e-12)


def test_ranks_are_judged_as_a_ranking_and_skill_that_orders_miss_is_none():
    """As in the verdict of a run."""
    found = {"evidence": {**EVIDENCE, "target": "rank"}, "ranking": {"evidence": RANKING}}
    row = recount(found, trials(0.08, 0.02, -0.01, 0.04))
    assert (row["verdict"], row["p_value"]) == ("skill", pytest.approx(0.0079760, abs=1e-6))
    assert recount({**found, "execution": {"lost": True}}, Trials())["verdict"] == LOST


def test_an_undefined_ranking_is_not_enough_data():
    """A constant model ranks nothing; a verdict without a backtest has no deflated ratio."""
    found = {"evidence": EVIDENCE, "ranking": {"evidence": {**RANKING, "dates": 0, "rank_ic": None}}}
    row = recount(found, Trials())
    assert (row["ranking"], row["rank_ic"], row["trials"]) == ("not enough data", None, 1)
    assert "deflated_sharpe" not in row


def test_trials_of_several_targets_are_counted_together(ledger):
    """Two horizons are two data sets of the ledger; picking among both is two trials."""
    noise = np.random.default_rng(0).standard_normal(300)
    short = make_predictions(noise, noise[::-1] / 100)
    first = ledger.record_predictions(short)
    second = ledger.record_predictions(short.assign(horizon=5))
    assert (first.count, second.count) == (1, 1)
    assert ledger.beside(first.newest, second.newest).count == 2
    assert ledger.beside(0).count == ledger.beside().count == 0
