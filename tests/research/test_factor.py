"""The factor tear sheet, against alphalens-reloaded 0.5.1 on the same frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.research.factor import factor_tear_sheet, quantile_of


@pytest.fixture(scope="module")
def panel() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Twelve random walks, and predictions of five sessions that hold some information."""
    rng = np.random.default_rng(3)
    days, symbols = pd.bdate_range("2020-01-01", periods=120), [f"S{number:02d}" for number in range(12)]
    walks = {symbol: 50 * np.exp(np.cumsum(rng.normal(0, 0.02, 120))) for symbol in symbols}
    close = pd.DataFrame(walks, index=days)
    ahead = np.log(close.shift(-5) / close)
    parts = []
    for symbol in symbols:
        signal = 0.15 * ahead[symbol] / ahead[symbol].std() + rng.normal(0, 1, 120)
        values = {"predicted": signal * 0.01, "actual": ahead[symbol]}
        parts.append(pd.DataFrame({"symbol": symbol, "date": days, "horizon": 5, "model": "m", **values}))
    predictions = pd.concat(parts).dropna().reset_index(drop=True)
    prices = close.melt(var_name="symbol", value_name="adj_close", ignore_index=False)
    prices = prices.rename_axis("date").reset_index()[["symbol", "date", "adj_close"]]
    return predictions, prices


def test_the_information_coefficient_is_that_of_alphalens(panel: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    own = factor_tear_sheet(*panel).summary().iloc[0]
    assert own["dates"] == 115
    assert own["rank_ic"] == pytest.approx(0.149711, abs=1e-6)
    assert own["rank_ic_std"] == pytest.approx(0.308755, abs=1e-6)


def test_quantile_returns_turnover_and_autocorrelation_are_those_of_alphalens(
    panel: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    sheet = factor_tear_sheet(*panel)
    assert sheet.quantiles["mean"].tolist() == pytest.approx(
        [-0.008447, -0.004119, 0.001649, -0.000613, 0.010502], abs=1e-6
    )
    assert sheet.quantiles["turnover"].tolist() == pytest.approx(
        [0.754545, 0.854545, 0.813636, 0.854545, 0.712121], abs=1e-6
    )
    assert sheet.rank_autocorrelation == pytest.approx(0.006866, abs=1e-6)
    assert sheet.spread.mean() == pytest.approx(2 * 0.009474, abs=1e-6)  # alphalens invests half on each side


def test_the_factor_decays_over_the_horizons_asked_for(panel: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    table = factor_tear_sheet(*panel, horizons=(1, 10)).information
    assert table["horizon"].tolist() == [1, 5, 10]
    assert table["dates"].tolist() == [115, 115, 110]
    assert table["rank_ic"].iloc[2] == pytest.approx(0.118118, abs=1e-6)


def test_a_perfect_ranking_has_a_rank_ic_of_one_in_every_sector() -> None:
    days = pd.bdate_range("2024-01-01", periods=4)
    growth = {"A": 1.01, "B": 1.02, "C": 1.03, "D": 1.04, "E": 1.05, "F": 1.06}
    prices = pd.concat(
        pd.DataFrame({"symbol": name, "date": days, "adj_close": 10 * rate ** np.arange(4)})
        for name, rate in growth.items()
    )
    predictions = prices.groupby("symbol").head(3).rename(columns={"adj_close": "actual"})
    predictions = predictions.assign(horizon=1, model="m", predicted=predictions["symbol"].map(growth))
    sectors = dict(zip(growth, ["tech", "tech", "tech", "banks", "banks", "banks"], strict=True))
    sheet = factor_tear_sheet(predictions, prices, horizons=(), quantiles=2, sectors=sectors)
    assert sheet.rank_ic.tolist() == pytest.approx([1.0, 1.0, 1.0])
    assert sheet.quantiles["turnover"].tolist() == [0.0, 0.0]
    assert sheet.sectors.to_dict("list") == {
        "sector": ["banks", "tech"],
        "symbols": [3, 3],
        "rank_ic": pytest.approx([1.0, 1.0]),
    }


def test_two_symbols_have_no_rank_correlation(panel: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    predictions, prices = panel
    sheet = factor_tear_sheet(predictions[predictions["symbol"] < "S02"], prices)
    assert sheet.summary()["dates"].tolist() == [0]
    assert np.isnan(sheet.rank_autocorrelation)
    assert sheet.rank_ic.empty


@given(st.lists(st.integers(-50, 50), min_size=6, max_size=40, unique=True), st.integers(2, 5))
def test_quantiles_are_those_of_qcut(values: list[int], count: int) -> None:
    expected = pd.qcut(pd.Series(values), count, labels=False) + 1
    assert quantile_of(np.array([values], float), count)[0].tolist() == expected.tolist()


def test_an_open_to_open_factor_is_judged_by_what_the_opens_return() -> None:
    """Closes rise in the order of the factor; from the next open on, the order is reversed."""
    days = pd.bdate_range("2024-01-01", periods=5)
    growth = {"A": 1.01, "B": 1.02, "C": 1.03}
    prices = pd.concat(
        pd.DataFrame(
            {
                "symbol": name,
                "date": days,
                "open": 10 / rate ** np.arange(5),
                "close": 20 * rate ** np.arange(5),
                "adj_close": 20 * rate ** np.arange(5),
            }
        )
        for name, rate in growth.items()
    )
    predictions = prices.groupby("symbol").head(3).rename(columns={"adj_close": "actual"})
    predictions = predictions.assign(horizon=1, model="m", predicted=predictions["symbol"].map(growth))
    at_close = factor_tear_sheet(predictions, prices, horizons=(), quantiles=3)
    at_open = factor_tear_sheet(predictions.assign(target="open_to_open"), prices, horizons=(), quantiles=3)
    assert at_close.rank_ic.tolist() == pytest.approx([1.0, 1.0, 1.0])
    assert at_open.rank_ic.tolist() == pytest.approx([-1.0, -1.0, -1.0])
    assert at_open.spread.tolist() == pytest.approx([1 / 1.03 - 1 / 1.01] * 3)
