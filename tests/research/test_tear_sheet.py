"""The returns tear sheet, against quantstats 0.0.86 on the same returns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sta410kit.research.backtest import Backtest
from sta410kit.research.costs import Costs
from sta410kit.research.tear_sheet import ReturnsTearSheet, returns_tear_sheet


def _backtest(net: np.ndarray, market: np.ndarray) -> Backtest:
    days = pd.bdate_range("2020-01-01", periods=len(net))
    equity, held = np.cumprod(1 + net), np.cumprod(1 + market)
    frame = pd.DataFrame({"date": days, "net": net, "equity": equity, "benchmark": held})
    return Backtest(frame, Costs(), "")


@pytest.fixture(scope="module")
def sheet() -> ReturnsTearSheet:
    rng = np.random.default_rng(5)
    net = rng.normal(0.0005, 0.01, 520).round(6)
    return returns_tear_sheet(_backtest(net, (rng.normal(0.0004, 0.009, 520) + 0.4 * net).round(6)))


def test_monthly_and_yearly_returns_are_those_of_quantstats(sheet: ReturnsTearSheet) -> None:
    assert sheet.monthly.loc[2020, "Jan"] == pytest.approx(-0.029953, abs=1e-6)
    assert sheet.monthly.loc[2021, "Dec"] == pytest.approx(-0.049541, abs=1e-6)
    assert sheet.monthly["Year"].tolist() == pytest.approx([0.031952, 0.163278], abs=1e-6)
    assert sheet.yearly.loc[2021].tolist() == pytest.approx([0.163278, 0.461214, -0.297936], abs=1e-6)


def test_alpha_beta_information_ratio_and_rolling_sharpe_are_those_of_quantstats(
    sheet: ReturnsTearSheet,
) -> None:
    assert sheet.relative["alpha"] == pytest.approx(0.015635, abs=1e-6)
    assert sheet.relative["beta"] == pytest.approx(0.382757, abs=1e-6)
    assert sheet.relative["information_ratio"] == pytest.approx(-0.705624, abs=1e-6)
    assert sheet.rolling_sharpe.iloc[-1] == pytest.approx(2.769102, abs=1e-6)
    assert sheet.rolling_sharpe.isna().sum() == 125


def test_drawdowns_are_listed_from_high_to_recovery_with_the_deepest_first(sheet: ReturnsTearSheet) -> None:
    worst = sheet.drawdowns.iloc[0]
    assert (str(worst["start"])[:10], str(worst["trough"])[:10]) == ("2020-01-15", "2020-05-25")
    assert str(worst["end"])[:10] == "2020-11-04"
    assert worst["depth"] == pytest.approx(-0.182826, abs=1e-6)
    assert sheet.drawdowns["end"].isna().tolist() == [False, False, True, False, False]


def test_a_riskless_rate_lowers_the_alpha_of_a_strategy_that_holds_no_market() -> None:
    market = np.tile([0.01, -0.01], 60)
    cash = returns_tear_sheet(_backtest(np.zeros(120), market), riskless=0.0252)
    assert cash.relative["beta"] == pytest.approx(0.0)
    assert cash.relative["alpha"] == pytest.approx(-0.0252)


def test_one_session_has_no_ratios_and_no_drawdown() -> None:
    single = returns_tear_sheet(_backtest(np.array([0.01]), np.array([0.02])))
    assert np.isnan(single.relative["beta"])
    assert single.drawdowns.empty
    assert single.yearly.loc[2020].tolist() == pytest.approx([0.01, 0.02, -0.01])
