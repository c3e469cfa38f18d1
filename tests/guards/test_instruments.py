"""Indexes, funds, foreign exchange and cryptocurrencies pass the suite by what it says of their names."""

import json

import numpy as np
import pandas as pd
import pytest

from sta410kit import guards
from sta410kit._internal.calendars import CALENDARS, calendar_of, sessions
from sta410kit.guards.suites import read_suite

pytestmark = pytest.mark.unit

BAR = ["open", "high", "low", "close", "adj_close"]


@pytest.fixture
def make_instrument(make_walk):
    """Give the maker of one symbol's prices on its own calendar."""

    def make(symbol, **changes):
        days = sessions(calendar_of(symbol, CALENDARS, "XNYS"), 16_800, 17_501)
        frame = make_walk(symbols=1, rows=len(days), cents=True).assign(symbol=symbol, **changes)
        return frame.assign(date=days.astype("datetime64[D]").astype("datetime64[us]"))

    return make


@pytest.fixture
def universe(make_instrument):
    """Give a stock, an index without volume, a fund, a money market fund, a currency pair and bitcoin."""
    fund = make_instrument("VFINX", volume=0)
    fund[BAR] = fund[["close"] * 5].to_numpy()
    money = make_instrument("VMFXX", volume=0)
    money[BAR] = 1.0
    bitcoin = make_instrument("BTC-USD")
    bitcoin["volume"] *= 41.37
    index = make_instrument("^GSPC", volume=0)
    parts = [make_instrument("AAPL"), index, fund, money, make_instrument("EURUSD=X", volume=0), bitcoin]
    for seed, part in enumerate(parts):  # series of one seed would be one series
        noise = np.exp(np.random.default_rng(seed).normal(0, 0.01, len(part)).cumsum())
        if part["symbol"].iloc[0] != "VMFXX":
            part[BAR] = (part[BAR].to_numpy() * noise[:, None]).round(4)
    return pd.concat(parts, ignore_index=True)


def test_instruments_without_volume_or_with_parts_of_shares_pass(universe):
    """Each by the pattern of its name in the suite."""
    assert [str(one) for one in guards.validate(universe, "prices").critical] == []


def test_a_stock_without_volume_is_still_refused(universe):
    """The index and the funds are excused, the stock beside them is not."""
    stock = universe["symbol"] == "AAPL"
    failed = guards.validate(universe.assign(volume=universe["volume"].where(~stock, 0)), "prices").critical
    assert [(one.expectation, one.rows[0]["symbol"]) for one in failed] == [
        ("expect_no_runs_of_zero_volume", "AAPL")
    ]


def test_a_fund_of_any_name_is_one_when_the_suite_says_so(universe, tmp_path):
    """Its name beside the patterns of the overrides is enough."""
    renamed = universe.replace({"symbol": {"VFINX": "ACME"}})
    assert {one.expectation for one in guards.validate(renamed, "prices").critical} == {
        "expect_no_runs_of_zero_volume"
    }
    suite = json.loads(read_suite("prices").path.read_text(encoding="utf-8"))
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(suite).replace(" ????X", " ????X ACME"), encoding="utf-8")
    assert guards.validate(renamed, path).critical == ()
