"""The figures of an equity curve, by hand and against pandas."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import DataValidationError
from sta410kit.research import performance

pytestmark = pytest.mark.unit


def test_figures_by_hand():
    """1.0, 1.1, 0.99, 1.188: gains of 10 and 20 %, a loss of 10 %."""
    figures = performance.measure([1.1, 0.99, 1.188], exposure=[1.0, 1.0, 0.5])
    returns = np.array([0.1, -0.1, 0.2])
    assert figures["total_return"] == pytest.approx(0.188)
    assert figures["annualised_return"] == pytest.approx(1.188**84 - 1)
    assert figures["volatility"] == pytest.approx(returns.std(ddof=1) * 252**0.5)
    assert figures["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * 252**0.5)
    assert figures["sortino"] == pytest.approx(returns.mean() / (0.01 / 3) ** 0.5 * 252**0.5)
    assert figures["max_drawdown"] == pytest.approx(-0.1)
    assert figures["calmar"] == pytest.approx((1.188**84 - 1) / 0.1)
    assert figures["exposure"] == pytest.approx(2.5 / 3)
    assert figures["hit_rate"] == pytest.approx(2 / 3)


def test_a_loss_in_the_first_session_is_a_drawdown():
    """A loss from the start is a drawdown."""
    assert performance.drawdowns([0.8, 0.9, 1.2]).tolist() == pytest.approx([-0.2, -0.1, 0.0])
    assert performance.drawdowns([80.0, 110.0], start=100.0).tolist() == pytest.approx([-0.2, 0.0])


def test_many_curves_agree_with_pandas():
    """Each row has the figures that pandas computes."""
    equity = 50 * np.cumprod(1 + np.random.default_rng(0).normal(0, 0.02, (5, 200)), axis=1)
    figures = performance.measure(equity, 50.0)
    table = pd.DataFrame(np.column_stack([np.full(5, 50.0), equity]).T)
    returns = table.pct_change().dropna()
    assert figures["sharpe"] == pytest.approx(
        (returns.mean() / returns.std() * 252**0.5).to_numpy(), rel=1e-10
    )
    assert figures["max_drawdown"] == pytest.approx((table / table.cummax() - 1).min().to_numpy(), rel=1e-10)


def test_undefined_and_extreme_figures():
    """Ratios without a denominator are NaN, returns after zero are zero, and only sessions held count."""
    cash = performance.measure(np.ones(10), exposure=np.zeros(10))
    assert all(np.isnan(cash[name]) for name in ("sharpe", "sortino", "calmar", "hit_rate"))
    steady = performance.measure(1.01 ** np.arange(1, 11))
    assert all(np.isnan(steady[name]) for name in ("sharpe", "sortino", "calmar"))
    assert performance.session_returns([0.5, 0.0, 0.0]).tolist() == [-0.5, -1, 0]
    assert performance.measure([0.5, 0.0, 0.0])["annualised_return"] == -1
    assert performance.measure([1.1, 1.0, 1.2], exposure=[0.0, 1.0, 1.0])["hit_rate"] == pytest.approx(1 / 2)


@pytest.mark.parametrize("curve", [[], [[]], [1.0, np.nan], [np.inf], 3.0])
def test_a_curve_is_made_of_numbers(curve):
    """Empty and broken curves are refused."""
    with pytest.raises(DataValidationError, match="equity curve"):
        performance.measure(curve)
