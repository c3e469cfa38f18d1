"""The one call for every source: what it selects, and what it refuses."""

import datetime as dt

import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError, DataLoadingError
from sta410kit.market import load_prices

pytestmark = pytest.mark.unit

COLUMNS = ["symbol", "date", "open", "high", "low", "close", "adj_close", "volume"]


def test_the_sample_is_a_tidy_prices_frame():
    """The embedded prices have 12,154 rows in the kit's columns, order and types."""
    prices = load_prices()
    assert list(prices.columns) == COLUMNS
    assert len(prices) == 12_154
    assert prices["symbol"].drop_duplicates().tolist() == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert prices.index.equals(pd.RangeIndex(12_154))
    assert prices.sort_values(["symbol", "date"]).index.equals(prices.index)
    assert prices["date"].dt.tz is None
    assert prices["date"].dtype.kind == "M"
    assert prices["volume"].dtype == "int64"
    assert {prices[name].dtype.name for name in COLUMNS[2:7]} == {"float64"}


def test_a_known_row_has_its_known_values():
    """AAPL's first session is as the source supplied it."""
    row = load_prices(symbols="AAPL", end="2000-03-01").iloc[0]
    assert row.tolist() == [
        "AAPL",
        pd.Timestamp("2000-03-01"),
        118.56,
        132.06,
        118.50,
        130.31,
        4.186662803811,
        9_616_100,
    ]


@pytest.mark.parametrize(
    "symbols", ["AAPL,MSFT", ["MSFT", "AAPL"], ("AAPL", "MSFT", "AAPL"), " MSFT , AAPL ,", {"AAPL", "MSFT"}]
)
def test_symbols_come_as_text_or_list(symbols):
    """Symbols may be comma-separated text or a list; repeats count once."""
    prices = load_prices(symbols=symbols)
    assert prices["symbol"].value_counts().to_dict() == {"AAPL": 3270, "MSFT": 3270}


@pytest.mark.parametrize(
    "day", ["2012-01-03", dt.date(2012, 1, 3), pd.Timestamp("2012-01-03"), " 2012-01-03 "]
)
def test_start_and_end_are_included(day):
    """A period of one session returns that session, however the day is written."""
    prices = load_prices(symbols="IBM", start=day, end=day)
    assert prices["date"].tolist() == [pd.Timestamp("2012-01-03")]


def test_a_time_zone_does_not_move_the_day():
    """A stamp with a time zone selects by its own local day."""
    late = pd.Timestamp("2012-01-03 23:00", tz="America/New_York")
    assert load_prices(symbols="IBM", start=late, end=late)["date"].tolist() == [pd.Timestamp("2012-01-03")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"source": "Sampel"}, "Did you mean 'sample'? Known: sample, files, alpaca, yahoo."),
        ({"source": None}, "Unknown source None"),
        ({"source": ["sample"]}, "Unknown source"),
        ({"path": "prices.csv"}, "'sample' reads no path, but got 'prices.csv'"),
        ({"source": "files"}, "needs a path"),
        ({"source": "files", "path": " "}, "needs a path"),
        ({"symbols": []}, "selects nothing"),
        ({"symbols": " , "}, "selects nothing"),
        ({"symbols": 5}, "symbols is 5"),
        ({"symbols": ["AAPL", 1]}, "write it in quotes, '1'"),
        ({"start": "soon"}, "start is 'soon', which is not a day; write it as YYYY-MM-DD."),
        ({"end": "03/04/2012"}, "end is '03/04/2012'"),
        ({"end": "2012-01-03 nonsense"}, "end is '2012-01-03 nonsense'"),
        ({"start": 20120103}, "start is 20120103"),
        ({"start": pd.NaT}, "start is NaT"),
        ({"start": "2013-01-02", "end": "2013-01-01"}, "start 2013-01-02 is after end 2013-01-01"),
    ],
)
def test_an_impossible_request_is_refused_before_reading(arguments, words):
    """What can never select anything sensible is a configuration error that names the value."""
    with pytest.raises(ConfigurationError) as caught:
        load_prices(**arguments)
    assert words in str(caught.value)


def test_a_symbol_without_rows_is_named_with_those_available():
    """A symbol that is not there, or not in the period, is an error and never a smaller frame."""
    with pytest.raises(DataLoadingError) as caught:
        load_prices(symbols=["AAPL", "aapl"])
    assert str(caught.value) == (
        "No prices for aapl. Did you mean 'AAPL'? The source holds: AAPL, FB, GOOG, IBM, MSFT."
    )
    with pytest.raises(DataLoadingError, match="No prices to 2010-01-01 for FB"):
        load_prices(symbols="FB", end="2010-01-01")


def test_an_empty_period_says_what_there_is():
    """A period outside the data names the data's own period."""
    with pytest.raises(DataLoadingError, match="from 2020-01-01; the source holds 2000-03-01 to 2013-03-01"):
        load_prices(start="2020-01-01")
