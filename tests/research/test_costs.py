"""Costs and limits: their arithmetic, and what they refuse."""

import math

import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.research.costs import Costs, Limits

pytestmark = pytest.mark.unit


def test_rates_by_hand():
    """Bought at 100.2 plus half a percent, sold at 99.8 less half a percent."""
    costs = Costs(commission_bps=50, spread_bps=20, slippage_bps=10)
    assert costs.buy_rate == pytest.approx(1.002 * 1.005 - 1)
    assert costs.sell_rate == pytest.approx(1 - 0.998 * 0.995)
    assert costs.one_way_bps == pytest.approx(70.1)
    assert (Costs().buy_rate, Costs().sell_rate) == (0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"commission_bps": -1},
        {"spread_bps": math.nan},
        {"slippage_bps": 10_001},
        {"borrow_bps": math.inf},
        {"order_fee": math.inf},
        {"impact": -0.1},
        {"cash_bps": math.nan},
        {"order_fee": "7"},
        {"slippage_bps": True},
    ],
)
def test_costs_are_amounts(wrong):
    """The name and the value are in the message."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        Costs(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_weight": 0},
        {"max_gross": math.inf},
        {"max_participation": 0},
        {"max_participation": 1.5},
        {"max_sector": 0, "sectors": {"A": "x"}},
        {"max_turnover": -1},
        {"sectors": None, "max_sector": 0.4},
    ],
)
def test_limits_leave_something(wrong):
    """A limit of nothing, or of more than all of the volume, is refused."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        Limits(**wrong)
