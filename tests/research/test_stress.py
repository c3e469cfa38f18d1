"""Scenarios: what they change, where, and by how much."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.research.backtest import backtest
from sta410kit.research.costs import Costs, Limits
from sta410kit.research.stress import BASELINE, SCENARIOS, Scenario, stress

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def table(walks, walk_predictions):
    return stress(backtest(walk_predictions, walks, costs=Costs(slippage_bps=10))).set_index("scenario")


def test_every_scenario_has_its_row(table, walks, walk_predictions):
    """The unchanged backtest comes first, then the scenarios, dated where they begin at a session."""
    assert list(table.index) == [BASELINE, *(each.name for each in SCENARIOS)]
    assert table.loc[BASELINE, "change"] == 0
    result = backtest(walk_predictions, walks, costs=Costs(slippage_bps=10)).summary
    for name in ("total_return", "sharpe", "max_drawdown", "costs", "turnover"):
        assert table.loc[BASELINE, name] == pytest.approx(result[name])
    doubled = backtest(walk_predictions, walks, costs=Costs(slippage_bps=20)).summary
    assert table.loc["doubled costs", "total_return"] == pytest.approx(doubled["total_return"])
    assert len(stress(backtest(walk_predictions, walks), scenarios=[])) == 1
    days = pd.DatetimeIndex(walks["date"].unique())
    assert table.loc["crash of 20 %", "date"] in days
    assert table.loc["liquidity drought", "date"] in days
    assert pd.isna(table.loc["doubled costs", "date"])


def test_gaps_hit_the_positions_against_them(walks, walk_predictions):
    """An overnight fall of 20 % takes a fifth of a long portfolio; a jump of 10 % costs a short one."""

    def run(predicted):
        predictions = walk_predictions.assign(predicted=predicted)
        return stress(backtest(predictions, walks, costs=Costs(slippage_bps=0))).set_index("scenario")

    found = run(0.01)
    was, crashed = found.loc[BASELINE, "total_return"], found.loc["crash of 20 %", "total_return"]
    assert 1 + crashed == pytest.approx((1 + was) * 0.8)
    assert found.loc["crash of 20 %", "max_drawdown"] <= -0.2
    assert found.loc["jump of 10 %", "change"] > 0
    assert run(-0.01).loc["jump of 10 %", "change"] < -0.05


def test_a_drought_fills_fewer_orders_at_a_higher_cost(walks, walk_predictions):
    """If a fifth of the sessions trade at ten times the costs, turnover falls and costs rise."""
    drought = Scenario("dry", cost_factor=10, trade_every=5)
    tested = backtest(walk_predictions, walks, costs=Costs(spread_bps=2))
    found = stress(tested, scenarios=[drought]).set_index("scenario")
    assert found.loc["dry", "turnover"] < 0.5 * found.loc[BASELINE, "turnover"]
    assert found.loc["dry", "costs"] > 2 * found.loc[BASELINE, "costs"]


def test_scenarios_follow_the_strategy_with_its_impact_limits_and_capital(walks, walk_predictions):
    """Doubled costs are a doubled coefficient, with the weights, turnover and capital of the backtest."""
    how = {"weighting": "proportional", "limits": Limits(max_turnover=0.3), "capital": 5e4}
    once, twice = (backtest(walk_predictions, walks, costs=Costs(impact=c), **how) for c in (0.2, 0.4))
    found = stress(once).set_index("scenario")
    assert found.loc[BASELINE, "total_return"] == pytest.approx(once.summary["total_return"])
    assert found.loc["doubled costs", "total_return"] == pytest.approx(twice.summary["total_return"])
    assert found.loc["doubled costs", "costs"] > 1.5 * found.loc[BASELINE, "costs"] > 0


@pytest.mark.parametrize(
    "wrong", [{"gap": -1}, {"gap": np.inf}, {"cost_factor": -1}, {"trade_every": 0}, {"length": 0}]
)
def test_invalid_scenarios_are_refused(wrong):
    """The field and the scenario are named."""
    with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))} of 'odd'"):
        Scenario("odd", **wrong)


@pytest.mark.parametrize("names", [("a", "a"), (BASELINE,)])
def test_scenario_names_are_unique(walks, walk_predictions, names):
    """Duplicate names, and the name of the baseline, are refused."""
    with pytest.raises(ConfigurationError, match="a unique name"):
        stress(backtest(walk_predictions, walks), scenarios=[Scenario(name) for name in names])
