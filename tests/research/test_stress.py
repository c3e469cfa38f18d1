"""Scenarios: what they change, where, and by how much."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.research.backtest import backtest
from sta410kit.research.costs import Costs
from sta410kit.research.stress import BASELINE, SCENARIOS, Scenario, stress

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def table(walks, walk_predictions):
    return stress(walk_predictions, walks, costs=Costs(slippage_bps=10)).set_index("scenario")


def test_every_scenario_has_its_row(table, walks, walk_predictions):
    """The first row is the unchanged backtest; the scenarios follow in order, if there are any."""
    assert list(table.index) == [BASELINE, *(each.name for each in SCENARIOS)]
    assert table.loc[BASELINE, "change"] == 0
    result = backtest(walk_predictions, walks, costs=Costs(slippage_bps=10)).summary
    for name in ("total_return", "sharpe", "max_drawdown", "costs", "turnover"):
        assert table.loc[BASELINE, name] == pytest.approx(result[name])
    assert len(stress(walk_predictions, walks, scenarios=[])) == 1


def test_doubled_costs_are_a_backtest_at_twice_the_costs(table, walks, walk_predictions):
    """The scenario agrees with the settings."""
    result = backtest(walk_predictions, walks, costs=Costs(slippage_bps=20)).summary
    assert table.loc["doubled costs", "total_return"] == pytest.approx(result["total_return"])


def test_a_crash_takes_its_share_of_a_long_position(walks, walk_predictions):
    """An overnight fall of 20 % takes a fifth of a long portfolio and shows in the drawdown."""
    always_long = walk_predictions.assign(predicted=0.01)
    found = stress(always_long, walks, costs=Costs(slippage_bps=0)).set_index("scenario")
    was, crashed = found.loc[BASELINE, "total_return"], found.loc["crash of 20 %", "total_return"]
    assert 1 + crashed == pytest.approx((1 + was) * 0.8)
    assert found.loc["crash of 20 %", "max_drawdown"] <= -0.2
    assert found.loc["jump of 10 %", "change"] > 0  # nobody was short


def test_a_jump_hits_where_the_strategy_is_short(walks, walk_predictions):
    """A short position loses what prices gain."""
    found = stress(walk_predictions.assign(predicted=-0.01), walks, costs=Costs(slippage_bps=0)).set_index(
        "scenario"
    )
    assert found.loc["jump of 10 %", "change"] < -0.05


def test_a_drought_fills_fewer_orders_at_a_higher_cost(walks, walk_predictions):
    """Throughout: a fifth of the sessions trade, so turnover falls; each trade costs ten times as much."""
    drought = Scenario("dry", cost_factor=10, trade_every=5)
    found = stress(walk_predictions, walks, costs=Costs(spread_bps=2), scenarios=[drought]).set_index(
        "scenario"
    )
    assert found.loc["dry", "turnover"] < 0.5 * found.loc[BASELINE, "turnover"]
    assert found.loc["dry", "costs"] > 2 * found.loc[BASELINE, "costs"]


def test_scenarios_at_a_date_name_it(table, walks):
    """Gaps and droughts have the session they begin on; doubled costs have none."""
    days = pd.DatetimeIndex(walks["date"].unique())
    assert table.loc["crash of 20 %", "date"] in days
    assert table.loc["liquidity drought", "date"] in days
    assert pd.isna(table.loc["doubled costs", "date"])


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
        stress(walk_predictions, walks, scenarios=[Scenario(name) for name in names])
