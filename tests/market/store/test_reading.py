"""Prices of a live source come from the store, which is updated when sessions have closed."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from sta410kit.exceptions import APIError, ConfigurationError, DataLoadingError
from sta410kit.market import load_prices
from sta410kit.market.store.reading import ORIGIN, parse_moment
from tests.market.vendor import NOON

pytestmark = pytest.mark.unit

MONDAY = datetime(2024, 3, 11, 22, tzinfo=UTC)  # after New York has closed


def test_the_first_load_fills_the_store_and_the_second_asks_nothing(vendor):
    """The last session that has closed on Friday noon is Thursday's."""
    prices = load_prices("vendor", "AAPL,KO", "2024-03-04")
    assert vendor.asked == [(("AAPL", "KO"), "2024-03-04", "2024-03-07")]
    assert prices.groupby("symbol").size().to_dict() == {"AAPL": 4, "KO": 4}
    assert prices.dtypes.astype(str).to_dict() == {
        "symbol": "str", "date": "datetime64[us]", "open": "float64", "high": "float64", "low": "float64",
        "close": "float64", "adj_close": "float64", "volume": "int64",
    }  # fmt: skip
    assert load_prices("vendor").equals(prices)
    assert len(vendor.asked) == 1


def test_new_sessions_are_asked_for_with_some_days_before(vendor, clock):
    """The overlap of ten days shows revisions; a hole in front is asked for alone."""
    load_prices("vendor", "KO", "2024-01-02")
    clock(MONDAY)
    prices = load_prices("vendor", "KO", "2023-12-01")
    assert vendor.asked[1:] == [
        (("KO",), "2023-12-01", "2024-01-01"),
        (("KO",), "2024-02-27", "2024-03-11"),
    ]
    assert prices["date"].is_unique
    assert prices["date"].iloc[-1] == pd.Timestamp("2024-03-11")


def test_prices_are_adjusted_when_they_are_read(vendor):
    """A split of 2 for 1 on the 6th, and a dividend of 1.06 on the 7th, against a close of 106 before."""
    table = vendor.table
    table.loc[table["date"] == "2024-03-04", "close"] = 210.0
    table.loc[table["date"] == "2024-03-05", "close"] = 212.0
    table.loc[table["date"] == "2024-03-06", "close"] = 106.0
    table.loc[table["date"] == "2024-03-07", "close"] = 105.0
    vendor.act("KO", "2024-03-06", "split", 2)
    vendor.act("KO", "2024-03-07", "dividend", 1.06)
    prices = load_prices("vendor", "KO", "2024-03-04")
    assert prices["close"].tolist() == [210, 212, 106, 105]
    assert prices["adj_close"].tolist() == pytest.approx([103.95, 104.94, 104.94, 105], rel=1e-12)


def test_as_of_gives_what_was_known_then(vendor, clock):
    """A dividend that became known on Monday changes nothing as of Friday; the source is not asked."""
    before = load_prices("vendor", "KO", "2024-03-04")
    vendor.act("KO", "2024-03-06", "dividend", 3.0)
    clock(MONDAY)
    after = load_prices("vendor", "KO")
    assert after["adj_close"].iloc[0] < before["adj_close"].iloc[0]
    vendor.down, asked = True, len(vendor.asked)
    for moment in (NOON, NOON.isoformat(), "2024-03-08", "2024-03-10"):
        assert load_prices("vendor", "KO", as_of=moment).equals(before)
    assert load_prices("vendor", "KO", as_of="2024-03-11").equals(after)
    assert len(vendor.asked) == asked
    with pytest.raises(DataLoadingError, match="as of 2024-03-07 23:59 in UTC nothing of KO was stored"):
        load_prices("vendor", "KO", as_of="2024-03-07")


def test_a_source_that_is_down_is_replaced_by_fresh_prices_and_a_weekend_does_not_age(vendor, clock):
    """CACHE_TTL_HOURS is 24, so one session may have closed since: Friday's, until Monday's has."""
    load_prices("vendor", "AAPL,KO", "2024-01-02")
    vendor.down = True
    clock(MONDAY - timedelta(hours=10))
    prices = load_prices("vendor")
    assert prices.attrs[ORIGIN] == {
        "source": "vendor", "as_of": "2024-03-11T12:00:00+00:00", "last_session": "2024-03-07",
        "sessions_behind": 1, "source_failure": "vendor does not answer.",
    }  # fmt: skip
    clock(MONDAY)
    with pytest.raises(APIError, match=r"2 sessions old \(2024-03-07\), and CACHE_TTL_HOURS=24 allows 1"):
        load_prices("vendor")
    assert len(load_prices("vendor", end="2024-02-01"))  # all of this period is stored


@pytest.mark.parametrize(("hours", "usable"), [("25", True), ("24.0", False), ("0", False)])
def test_hours_count_as_sessions_rounded_up(vendor, clock, monkeypatch, hours, usable):
    """25 hours allow two sessions."""
    monkeypatch.setenv("CACHE_TTL_HOURS", hours)
    load_prices("vendor", "KO", "2024-01-02")
    vendor.down = True
    clock(MONDAY)
    if usable:
        assert load_prices("vendor").attrs[ORIGIN]["sessions_behind"] == 2
    else:
        with pytest.raises(APIError, match="vendor does not answer"):
            load_prices("vendor")


def test_a_symbol_or_period_that_was_never_fetched_cannot_be_replaced(vendor):
    """Fresh prices of another symbol, or of later days, do not stand in."""
    load_prices("vendor", "KO", "2024-01-02")
    vendor.down = True
    for symbols, start in (("KO,AAPL", None), ("KO", "2023-01-03")):
        with pytest.raises(APIError, match="do not cover the period"):
            load_prices("vendor", symbols, start)


def test_a_symbol_that_has_ended_does_not_make_the_others_old(vendor):
    """It is asked for again with every update, and its age does not count."""
    vendor.table = vendor.table[(vendor.table["symbol"] == "KO") | (vendor.table["date"] < "2023-06-01")]
    load_prices("vendor", "AAPL,KO", "2023-01-03")
    assert load_prices("vendor").attrs[ORIGIN]["sessions_behind"] == 0


def test_a_late_source_is_asked_again(vendor):
    """Thursday's bar was not there on Friday noon; it is as soon as the source has it."""
    whole = vendor.table
    vendor.table = whole[whole["date"] < "2024-03-07"]
    assert load_prices("vendor", "KO", "2024-03-01").attrs[ORIGIN]["sessions_behind"] == 1
    vendor.table = whole
    assert load_prices("vendor").attrs[ORIGIN]["sessions_behind"] == 0


def test_a_session_that_is_open_has_no_bar(vendor):
    """The source gives Friday's bar while the session is on; it is not stored."""
    vendor.bars_of_period, bars = vendor.bars, vendor.bars
    vendor.bars = lambda symbols, start, _: bars(symbols, start, "2024-03-08")
    assert load_prices("vendor", "KO", "2024-03-01")["date"].iloc[-1] == pd.Timestamp("2024-03-07")


def test_the_sealed_holdout_is_stored_and_not_shown(vendor, monkeypatch):
    """Fetching goes on; research ends before the first sealed day."""
    monkeypatch.setenv("HOLDOUT_START", "2024-02-01")
    prices = load_prices("vendor", "KO", "2024-01-02")
    assert prices["date"].iloc[-1] == pd.Timestamp("2024-01-31")
    assert vendor.asked == [(("KO",), "2024-01-02", "2024-03-07")]
    assert prices.attrs[ORIGIN]["last_session"] == "2024-03-07"


def test_other_exchanges_have_other_sessions(vendor, clock):
    """By suffix, or for all symbols: London was open on 19 February 2024, New York was not."""
    clock(datetime(2024, 2, 20, 9, tzinfo=UTC))
    vendor.down = True
    for symbol, exchange in (("KO", None), ("BP.L", None), ("KO", "XLON")):
        with pytest.raises(APIError):
            load_prices("vendor", symbol, "2024-01-02", exchange=exchange)
    assert [end for _, _, end in vendor.asked] == ["2024-02-16", "2024-02-19", "2024-02-19"]
    with pytest.raises(ConfigurationError, match="no exchange calendar called 'XLONDON'"):
        load_prices("vendor", "KO", exchange="XLONDON")


@pytest.mark.usefixtures("vendor")
def test_what_cannot_be_asked_for_is_refused():
    """Nothing to load, a symbol the source does not know, a path, a moment that is none."""
    with pytest.raises(ConfigurationError, match="sta410 fetch AAPL KO --source vendor"):
        load_prices("vendor")
    with pytest.raises(DataLoadingError, match=r"No prices for KOO\. Did you mean 'KO'"):
        load_prices("vendor", "KO,KOO")
    with pytest.raises(ConfigurationError, match="reads no path"):
        load_prices("vendor", path="prices.csv")
    with pytest.raises(ConfigurationError, match="as_of is 'now', which is no moment"):
        load_prices("vendor", as_of="now")
    with pytest.raises(ConfigurationError, match="the source 'sample' reads what is there now"):
        load_prices(as_of="2024-01-01")
    with pytest.raises(ConfigurationError, match=r"Unknown source 'vendr'\. Did you mean 'vendor'"):
        load_prices("vendr")


def test_a_moment_is_in_utc_and_a_day_means_its_end():
    """Offsets are converted."""
    assert parse_moment("2024-03-08T12:00:00-05:00") == datetime(2024, 3, 8, 17, tzinfo=UTC)
    assert parse_moment("2024-03-08T12:00:00") == datetime(2024, 3, 8, 12, tzinfo=UTC)
    assert parse_moment("2024-03-08") == datetime(2024, 3, 8, 23, 59, 59, 999999, tzinfo=UTC)
    assert parse_moment("  ") is None


def test_as_of_the_present_day_is_the_present_and_a_later_day_is_refused(vendor, clock):
    """What is stored later on the same day would otherwise change what the run has recorded."""
    load_prices("vendor", "KO", "2024-03-04")
    assert load_prices("vendor", as_of="2024-03-08").attrs[ORIGIN]["as_of"] == NOON.isoformat()
    clock(NOON + timedelta(hours=1))
    vendor.act("KO", "2024-03-06", "dividend", 3.0)
    with pytest.raises(ConfigurationError, match="as_of is 2024-03-09 23:59 in UTC, which is still to come"):
        load_prices("vendor", as_of="2024-03-09")
