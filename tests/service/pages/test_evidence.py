"""The pages of forecasts, sweeps, trials, accepted findings and data: with content, and without any."""

import re

import pandas as pd
import pytest

from sta410kit.config import get_config
from sta410kit.market.store.files import PriceStore
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
        ("/night", "No run of the chain yet"),
        ("/users", "No user yet"),
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


def test_a_night_is_compared_with_the_one_before(client, make_run):
    """The newest, or the one that is named, its warnings first; the first has nothing to be compared with."""
    named = "quarantined <b> 2026-01-05: close=300.0 (expect_x)"
    results = {"quarantined": {"symbols": {}, "bars": {"expect_x": 1}, "named": [named]}}
    first, second = make_run(0).name, make_run(1, results=results, warnings=["prices end early"]).name
    page = client.get("/night").text
    said = re.findall(r'<p class="warn">(.*)</p>', page)
    assert said == ["prices end early", "quarantined &lt;b&gt; 2026-01-05: close=300.0 (expect_x)"]
    assert f'href="/compare?first={first}&amp;second={second}"' in page
    assert "No earlier run has passed" in client.get(f"/night?run={first}").text


def test_a_profile_shows_where_the_time_went(pages, run):
    """Its steps with the share of each, and its slowest cells."""
    page = pages.get(f"/profile/{run}").text
    assert page.count('<svg class="track"') == 6
    assert "Slowest cells" in page


def test_stored_prices_are_listed_by_symbol(client, project):
    """With the sessions they cover, and what has closed since."""
    days = pd.bdate_range("2020-01-06", periods=3)
    prices = dict.fromkeys(("open", "high", "low", "close"), 100.0)
    bars = pd.DataFrame({"symbol": "<b>X", "date": days, "kind": "bar", **prices, "volume": 1000.0})
    span = (days[0].date(), days[-1].date())
    PriceStore(project / get_config().data.cache_dir).append("vendor", bars, {"<b>X": span})
    page = client.get("/data").text
    assert "<b>1</b><span>symbols stored" in page
    assert re.findall(r">(&lt;b&gt;X|vendor|2020-01-0[68]|3)<", page) == [
        "&lt;b&gt;X", "vendor", "2020-01-06", "2020-01-08", "3",
    ]  # fmt: skip


def test_users_are_added_and_revoked(service):
    """The token is shown once; a name that is taken is refused on the same page."""
    with service.client("admin", accept="text/html") as admin:
        added = admin.post("/users", data={"name": "eva", "role": "viewer"}).text
        token = re.search(r"sta410_\w+", added).group()
        assert token not in admin.get("/users").text
        assert admin.post("/users", data={"name": "eva", "role": "viewer"}).status_code == 422
        assert admin.post("/users/revoke", data={"name": "eva"}).headers["location"] == "/users"
        assert ">eva<" not in admin.get("/users").text


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
