"""The pages of forecasts, sweeps, trials, accepted findings and data: with content, and without any."""

import pandas as pd
import pytest

from sta410kit.research.forecast_log import ForecastLog

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/forecasts", "No run of the chain has passed yet"),
        ("/sweeps", "sta410 sweep"),
        ("/ledger", "No trials yet"),
        ("/accepted", "Nothing is accepted"),
        ("/data", "sta410 fetch"),
        ("/queue", "Nothing waits"),
    ],
)
def test_a_page_without_content_says_what_makes_it(client, address, says):
    """In a project that has not run yet."""
    page = client.get(address)
    assert (page.status_code, says in page.text) == (200, True)


def test_the_newest_forecasts_and_the_trials_are_shown(pages, run, monkeypatch):
    """Of the shared run of the chain."""
    monkeypatch.delenv("STA410_LEDGER")
    page = pages.get("/forecasts").text
    assert f'href="/runs/{run}"' in page
    assert page.count('<svg class="span"') == 5
    ledger = pages.get("/ledger").text
    assert "AAPL, FB, GOOG, IBM, MSFT" in ledger
    assert "ridge" in ledger


def test_earlier_forecasts_are_scored_by_symbol(client, project):
    """Three of four outcomes lie in their interval: 75 %."""
    (project / "runs").mkdir(exist_ok=True)
    log = ForecastLog(project / "runs" / "forecasts.sqlite")
    days = pd.bdate_range("2026-01-05", periods=5)
    prices = pd.DataFrame({"symbol": "<b>X", "date": days, "adj_close": [100.0, 101, 100, 101, 150]})
    prices[["open", "high", "low", "close"]] = prices[["adj_close"] * 4].to_numpy()
    prices["volume"] = 1000
    for day in prices["date"].dt.strftime("%Y-%m-%d")[:4]:
        row = {"symbol": "<b>X", "date": day, "horizon": 1, "model": "ridge"}
        log.add(
            [{**row, "predicted": 0.0, "lower": -0.05, "upper": 0.05}], run="a", made=f"{day}T22:00:00+00:00"
        )
    assert log.settle(prices) == 4
    page = client.get("/forecasts").text
    assert "75.0 %" in page
    assert "&lt;b&gt;X" in page
    assert "<b>X" not in page
    assert page.count(">outside<") == 1
