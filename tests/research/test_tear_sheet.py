"""The returns tear sheet, against quantstats 0.0.86 on the same returns."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sta410kit.research.backtest import Backtest, backtest
from sta410kit.research.costs import Costs, Limits
from sta410kit.research.factor import factor_tear_sheet
from sta410kit.research.tear_sheet import ReturnsTearSheet, as_percent, key_figures, returns_tear_sheet
from tests.research.simulated import bars, make_predictions


def _backtest(net: np.ndarray, market: np.ndarray) -> Backtest:
    days = pd.bdate_range("2020-01-01", periods=len(net))
    equity, held = np.cumprod(1 + net), np.cumprod(1 + market)
    frame = pd.DataFrame({"date": days, "net": net, "equity": equity, "benchmark": held})
    frame = frame.assign(position=0.25, exposure=0.75)
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


def test_interest_on_cash_is_the_riskless_rate_unless_another_is_given() -> None:
    rng = np.random.default_rng(0)
    tested = replace(_backtest(*rng.normal(0, 0.01, (2, 120))), costs=Costs(cash_bps=252))
    assert returns_tear_sheet(tested).relative == returns_tear_sheet(tested, riskless=0.0252).relative
    assert returns_tear_sheet(tested).relative != returns_tear_sheet(tested, riskless=0.0).relative


def test_exposure_is_split_into_long_and_short_by_year(sheet: ReturnsTearSheet) -> None:
    assert list(sheet.exposure.index) == [2020, 2021, "all"]
    assert sheet.exposure.loc["all"].to_dict() == pytest.approx(
        {"long": 0.5, "short": 0.25, "net": 0.25, "gross": 0.75, "largest": 0.75, "invested": 1.0}
    )


def test_contributions_of_symbols_and_cash_sum_to_the_total_return(walks, walk_predictions) -> None:
    costs = Costs(slippage_bps=5, cash_bps=200, borrow_bps=50, impact=0.5)
    tested = backtest(walk_predictions, walks, costs=costs, limits=Limits(max_gross=0.5))
    table = returns_tear_sheet(tested).contribution
    assert sorted(table["symbol"]) == ["S0", "S1", "cash"]
    assert table["symbol"].iloc[-1] == "cash"
    assert table["strategy"].iloc[0] >= table["strategy"].iloc[1]
    assert table["strategy"].sum() == pytest.approx(tested.summary["total_return"], abs=1e-12)
    assert table["benchmark"].sum() == pytest.approx(tested.benchmark["total_return"], abs=1e-12)


def test_a_benchmark_of_one_symbol_owes_all_its_return_to_it() -> None:
    prices = bars([100, 100, 110, 121])
    predictions = make_predictions([0.01] * 3, [0.0] * 3, start="2012-01-02")
    table = backtest(predictions, prices, costs=Costs()).contribution
    assert table["benchmark"].tolist() == pytest.approx([0.21, 0.0])


def test_key_figures_are_plain_values_of_both_sheets(walks, walk_predictions) -> None:
    tested = backtest(walk_predictions, walks)
    sheet = returns_tear_sheet(tested)
    found = key_figures(tested, sheet, factor_tear_sheet(walk_predictions, walks))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["sharpe"] == tested.summary["sharpe"]
    assert found["worst_drawdown"]["depth"] == sheet.drawdowns["depth"].iloc[0]
    assert [row["horizon"] for row in found["decay"]] == [1, 5, 10, 21]
    assert found["rank_ic"] == {  # two symbols cannot be ranked
        "horizon": 1, "dates": 0, "rank_ic": None, "rank_ic_low": None, "rank_ic_high": None,
    }  # fmt: skip
    assert [row["year"] for row in found["yearly"]] == sheet.yearly.index.tolist()


def test_fractions_are_shown_in_percent() -> None:
    table = pd.DataFrame({"name": ["a", "b"], "share": [0.1234, np.nan], "t": [1.5, 2.0]})
    assert as_percent(table, ["share"], digits=1)["share"].tolist() == ["12.3 %", "not defined"]
    assert as_percent(table)["t"].tolist() == ["150.00 %", "200.00 %"]
    assert _shown_in_backtest() == {"total_return": "-6.44 %", "sharpe": "0.08", "sessions": "2,904"}


def _shown_in_backtest() -> dict[str, str]:
    figures = {"total_return": -0.06437, "sharpe": 0.0829, "sessions": 2904}
    return Backtest(pd.DataFrame(), Costs(), "", figures, figures).table()["strategy"].to_dict()
