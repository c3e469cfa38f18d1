"""The verdict on a ranking, on simulated luck and signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from sta410kit.research.costs import Costs
from sta410kit.research.ledger import Ledger
from sta410kit.research.ranking import assess_ranking

if TYPE_CHECKING:
    from pathlib import Path

COSTS = Costs(slippage_bps=5.0)


def _market(seed: int, sessions: int = 500, symbols: int = 20, strength: float = 0.0) -> list[pd.DataFrame]:
    """Return predictions, drawn anew each day, and prices that follow them by `strength` deviations."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2020-01-01", periods=sessions + 1)
    signal = rng.standard_normal((sessions, symbols))
    moves = 0.01 * (
        rng.standard_normal((sessions, 1)) + rng.standard_normal(signal.shape) + strength * signal
    )
    close = 50 * np.exp(np.vstack([np.zeros((1, symbols)), np.cumsum(moves, axis=0)]))
    predictions, prices = [], []
    for number in range(symbols):
        name = f"S{number:02d}"
        values = {"horizon": 1, "model": "m", "predicted": signal[:, number], "actual": moves[:, number]}
        predictions.append(pd.DataFrame({"symbol": name, "date": days[:-1], **values}))
        prices.append(pd.DataFrame({"symbol": name, "date": days, "adj_close": close[:, number]}))
    return [pd.concat(predictions, ignore_index=True), pd.concat(prices, ignore_index=True)]


def test_a_ranking_with_an_information_coefficient_of_a_tenth_is_skill() -> None:
    verdict = assess_ranking(*_market(0, strength=0.25), costs=COSTS)
    assert verdict.verdict == "skill"
    assert verdict.evidence.rank_ic > 0.1
    assert verdict.sentence.startswith(
        "The model ranks the 20 symbols better than chance over the next session"
    )


def test_a_ranking_by_chance_is_not_skill_in_ten_samples() -> None:
    assert {assess_ranking(*_market(seed), costs=COSTS).verdict for seed in range(10)} == {"no skill shown"}


def test_the_scale_of_the_predictions_does_not_matter() -> None:
    predictions, prices = _market(0, strength=0.25)
    scaled = predictions.assign(predicted=np.exp(predictions["predicted"]))
    one, two = (assess_ranking(frame, prices, costs=COSTS).evidence for frame in (predictions, scaled))
    assert two.rank_ic == pytest.approx(one.rank_ic)
    assert two.net_spread == pytest.approx(one.net_spread)


def test_one_prediction_for_all_symbols_ranks_none() -> None:
    predictions, prices = _market(0)
    verdict = assess_ranking(predictions.assign(predicted=0.001), prices, costs=COSTS)
    says = "No date has 3 symbols with different predictions, so there is no ranking."
    assert (verdict.verdict, verdict.sentence) == ("not enough data", says)
    assert np.isnan(verdict.sheet.spread_t)


def test_costs_can_eat_the_whole_spread() -> None:
    market = _market(0, strength=0.25)
    cheap, dear = (assess_ranking(*market, costs=Costs(slippage_bps=bps)).evidence for bps in (0.0, 500.0))
    # four fifths of either leg change hands each day, sold and bought: 2 x 2 x 0.8 x 5 % x 252 sessions
    assert cheap.net_spread - dear.net_spread == pytest.approx(2 * 2 * 0.8 * 0.05 * 252, rel=0.03)
    assert dear.verdict == "no skill shown"


def test_every_other_forecast_of_the_same_outcomes_raises_the_p_value(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "trials.sqlite")
    predictions, prices = _market(0, strength=0.05)
    first = assess_ranking(predictions, prices, costs=COSTS, ledger=ledger).evidence
    other = predictions.assign(predicted=-predictions["predicted"], model="n")
    assess_ranking(other, prices, costs=COSTS, ledger=ledger)
    again = assess_ranking(predictions, prices, costs=COSTS, ledger=ledger).evidence
    assert (first.trials, again.trials) == (1, 2)
    assert again.p_value == pytest.approx(1 - (1 - first.p_information) ** 2)


@pytest.mark.parametrize(("sessions", "symbols", "says"), [
    (200, 5, "200 dates are too few to judge a ranking over the next session; 250 are needed."),
    (300, 2, "2 symbols cannot be ranked; 3 are needed."),
    (300, 1, "1 symbol cannot be ranked; 3 are needed."),
])  # fmt: skip
def test_too_few_dates_or_symbols_give_no_verdict(sessions: int, symbols: int, says: str) -> None:
    verdict = assess_ranking(*_market(0, sessions, symbols), costs=COSTS)
    assert (verdict.verdict, verdict.sentence) == ("not enough data", says)
