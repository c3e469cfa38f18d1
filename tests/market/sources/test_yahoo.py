"""Prices from Yahoo: yfinance's table, splits undone. yfinance itself is replaced; no test has a network."""

import logging
import sys
import types
from datetime import date

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import APIError, DataQualityWarning
from sta410kit.market.sources import open_source

pytestmark = [
    pytest.mark.unit,
    pytest.mark.usefixtures("_shared_state"),
    pytest.mark.filterwarnings("ignore::sta410kit.exceptions.DataQualityWarning"),
]

FIELDS = ("Adj Close", "Close", "High", "Low", "Open")
PERIOD = (["AAPL", "vod.l"], date(2020, 8, 28), date(2020, 8, 31))


def table(rows):
    """Return a table as `yfinance.download` does: fields over tickers, one row for each day of any ticker."""
    days = pd.DatetimeIndex(["2020-08-28", "2020-08-31", "2022-06-06"], name="Date").as_unit("s")
    columns = {}
    for ticker, (close, volume, splits, dividends) in rows.items():
        columns |= {(field, ticker): close for field in FIELDS}
        columns |= {("Volume", ticker): volume, ("Stock Splits", ticker): splits}
        columns |= {("Dividends", ticker): dividends}
    frame = pd.DataFrame(columns, index=days)
    frame.columns = pd.MultiIndex.from_tuples(frame.columns, names=["Price", "Ticker"])
    return frame.sort_index(axis=1)


TABLE = table(
    {
        # Apple's split of four for one took effect on 31 August; one of two for one follows later.
        "AAPL": ([62.40375, 64.52, 73.0], [375260000, 451405400, 99], [0, 4, 2], [0.1025, 0, 0]),
        "VOD.L": ([np.nan, 110.5, 111.0], [np.nan, 5, 6], [np.nan, 0, 0], [np.nan, 0, 0]),
    }
)


@pytest.fixture
def yahoo(monkeypatch):
    """Give a Yahoo that answers with the table, and what it was asked."""
    asked = []
    module = types.ModuleType("yfinance")
    module.answer = TABLE
    module.download = lambda tickers, **options: asked.append((tickers, options)) or module.answer
    monkeypatch.setitem(sys.modules, "yfinance", module)
    monkeypatch.setenv("REQUEST_RETRY_DELAY", "0.01")
    module.asked = asked
    return module


def test_bars_are_raw_and_a_symbol_has_the_days_it_traded(yahoo):
    """The close of Apple on 28 August 2020 was 499.23; Vodafone's London was closed that day."""
    bars = open_source("yahoo").bars(*PERIOD).astype({"date": "str"})
    assert bars[["symbol", "date", "close", "volume"]].to_numpy().tolist() == [
        ["AAPL", "2020-08-28", 499.23, 46907500.0],
        ["AAPL", "2020-08-31", 129.04, 225702700.0],
        ["vod.l", "2020-08-31", 110.5, 5.0],
    ]
    assert list(bars) == ["symbol", "date", "open", "high", "low", "close", "volume"]
    ((tickers, options),) = yahoo.asked
    assert (tickers, options["start"]) == (["AAPL", "vod.l"], date(2020, 8, 28))
    assert "end" not in options  # a later split is needed to undo it
    assert options["auto_adjust"] is False


@pytest.mark.usefixtures("yahoo")
def test_actions_are_those_of_the_period_and_dividends_are_as_paid():
    """Apple paid 0.82 a share before it split."""
    found = open_source("yahoo").actions(*PERIOD).astype({"date": "str"})
    assert found.to_numpy().tolist() == [
        ["AAPL", "2020-08-28", "dividend", 0.82],
        ["AAPL", "2020-08-31", "split", 4.0],
    ]


def test_bars_and_actions_need_one_download_and_say_that_they_are_best_effort(yahoo):
    """A warning with each download."""
    source = open_source("yahoo")
    with pytest.warns(DataQualityWarning, match="best effort"):
        source.bars(*PERIOD)
    source.actions(*PERIOD)
    assert len(yahoo.asked) == 1


@pytest.mark.parametrize("answer", [None, TABLE.iloc[:0]])
def test_no_row_at_all_is_unavailable(yahoo, answer):
    """The table says nothing more when Yahoo refuses it."""
    yahoo.answer = answer
    with pytest.raises(APIError, match=r"Yahoo was asked 4 times without success: no rows for AAPL, vod.l."):
        open_source("yahoo").bars(*PERIOD)


def test_a_symbol_that_failed_among_others_fails_the_download(yahoo, monkeypatch):
    """Its sessions would pass for missing ones; yfinance only logs it."""
    refused = "['VOD.L']: YFRateLimitError('Too Many Requests.')"
    monkeypatch.setattr(
        yahoo, "download", lambda *_, **__: logging.getLogger("yfinance").error(refused) or TABLE[["Close"]]
    )
    with pytest.raises(APIError, match="YFRateLimitError"):
        open_source("yahoo").bars(*PERIOD)


@pytest.mark.parametrize("rows", [0, 3])
def test_a_symbol_that_yahoo_does_not_have_is_absent(yahoo, monkeypatch, rows):
    """Whether others are there or not; it is not asked for again."""
    missing = "['NOPE']: possibly delisted; no timezone found"
    answer = TABLE if rows else TABLE.drop(columns=["Dividends", "Stock Splits"], level="Price").iloc[:0]
    monkeypatch.setattr(
        yahoo, "download", lambda *_, **__: logging.getLogger("yfinance").error(missing) or answer
    )
    source = open_source("yahoo")
    assert len(source.bars(["AAPL", "VOD.L", "NOPE"], *PERIOD[1:])) == rows
    assert source.actions(["AAPL", "VOD.L", "NOPE"], *PERIOD[1:]).empty == (rows == 0)
