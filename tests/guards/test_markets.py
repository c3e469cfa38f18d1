"""The calendar follows the symbol; what an exchange lacks is one finding."""

import json

import numpy as np
import pandas as pd
import pytest

from sta410kit._internal.calendars import CALENDARS, UNBUILT, calendar_of, sessions
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.evaluation import evaluate

pytestmark = pytest.mark.unit

KIND = "expect_sessions_to_match_calendar"


def days_of(calendar, first="2021-01-04", last="2022-12-30"):
    """Return the sessions of a calendar as dates."""
    ends = [int(np.datetime64(day, "D").astype(int)) for day in (first, last)]
    return pd.to_datetime(sessions(calendar, *ends).astype("datetime64[D]"))


def frame_of(**calendars):
    """Return symbols with a row on each session of a calendar or on the days given."""
    parts = [
        pd.DataFrame({"symbol": name, "date": days_of(days) if isinstance(days, str) else days})
        for name, days in calendars.items()
    ]
    return pd.concat(parts, ignore_index=True)


def judged(frame, **kwargs):
    """Evaluate the calendar's expectation alone."""
    item = {"type": KIND, "kwargs": kwargs, "meta": {"severity": "critical"}}
    return evaluate("one", [item], frame)[0][0]


WORLD = {
    "AAPL": "XNYS",
    "BRK.B": "XNYS",
    "VOD.L": "XLON",
    "BHP.AX": "XASX",
    "7203.T": "XTKS",
    "SAP.DE": "XETR",
    "AIR.PA": "XPAR",
    "RY.TO": "XTSE",
    "0700.HK": "XHKG",
    "TCS.NS": "XBOM",
    "2222.SR": "XSAU",
    "PETR4.SA": "BVMF",
    "005930.KS": "XKRX",
    "^N225": "XTKS",
    "^GSPC": "XNYS",
    "ES=F": "CMES",
    "BTC-USD": "24/7",
    "EURUSD=X": "24/5",
}


def test_each_symbol_is_judged_by_the_calendar_of_its_suffix():
    """Eighteen symbols of fifteen calendars are complete in one frame; New York's would refuse most."""
    assert {name: calendar_of(name, CALENDARS, "XNYS") for name in WORLD} == WORLD
    frame = frame_of(**WORLD)
    assert judged(frame).held
    assert not judged(frame, calendars={}).held


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pandas.errors.PerformanceWarning")
def test_every_calendar_of_the_table_can_be_built():
    """A suffix whose calendar the library cannot build would stop every validation."""
    for name in set(CALENDARS.values()) - set(UNBUILT.values()):
        assert len(days_of(name, "2022-01-03", "2022-12-30")) > 200


@pytest.mark.parametrize("symbol", ["TEVA.TA", "OPAP.AT", "TLV.RO"])
def test_an_exchange_whose_calendar_cannot_be_built_is_refused(symbol):
    """It is not judged by New York's; the error names the settings."""
    frame = frame_of(**{symbol: "XNYS"})
    words = 'choose another with `exchange` or "calendars", or switch'
    with pytest.raises(ConfigurationError, match=words):
        judged(frame)
    assert judged(frame, overrides={"*.TA *.AT *.RO": "off"}).held


def test_days_before_a_calendar_begins_are_not_judged():
    """Tokyo's is known from 1997 on."""
    days = pd.bdate_range("1995-01-02", "1996-12-30").append(days_of("XTKS", "1997-01-06", "1998-12-30"))
    assert judged(frame_of(**{"7203.T": days})).held
    assert not judged(frame_of(**{"7203.T": days[days != "1998-03-03"]})).held


def test_foreign_exchange_may_rest_on_two_holidays():
    """Vendors differ on New Year and Christmas; another weekday is missed."""
    days = days_of("24/5", "2020-12-01", "2021-12-31")
    resting = days[~days.isin(pd.to_datetime(["2020-12-25", "2021-01-01"]))]
    assert judged(frame_of(**{"EURUSD=X": resting})).held
    assert not judged(frame_of(**{"EURUSD=X": resting[resting != "2021-03-03"]})).held


def test_a_refusal_names_the_calendar_and_how_to_choose_another():
    """A share of Sydney without its suffix is judged by New York."""
    message = judged(frame_of(BHP="XASX")).message
    assert "judged by XNYS (choose another with `--exchange XASX`" in message
    assert "BHP: 14 dates without a session of XNYS, the first 2021-01-18" in message
    assert judged(frame_of(BHP="XASX"), calendar="XASX").held


def test_a_session_that_all_symbols_of_an_exchange_lack_is_one_note():
    """Each symbol has its own place in the evidence, where a row is missing."""
    days = days_of("XNYS")
    holed = days[days != "2021-04-01"]
    frame = frame_of(**{f"S{n}": holed for n in range(31)}, **{"VOD.L": "XLON"})
    check = judged(frame)
    assert check.evidence.notes[1:] == ("XNYS: all its symbols lack 1 session, 2021-04-01",)
    assert check.count == 31
    assert set(check.evidence.positions) == {-1}


def test_a_listing_in_the_middle_is_no_gap_and_a_delisting_is_one_finding():
    """A series that ends a quarter before the others is said to be delisted or cut short, in one place."""
    days = days_of("XNYS")
    frame = frame_of(AAA=days, NEW=days[200:], OLD=days[:250], LATE=days[:-3])
    check = judged(frame)
    assert list(zip(check.evidence.symbols, check.evidence.days - 18000, strict=True)) == [
        ("OLD", int(days[250].to_datetime64().astype("datetime64[D]").astype(int)) - 18000),
        *(
            ("LATE", int(day.to_datetime64().astype("datetime64[D]").astype(int)) - 18000)
            for day in days[-3:]
        ),
    ]
    assert "OLD: 253 sessions of XNYS missing at the end, so it was delisted or cut short" in check.message
    assert judged(frame, ends={"OLD": "2021-12-31"}, max_missing_at_end=3).held


def test_exchanges_that_close_a_few_days_apart_end_apart():
    """Bitcoin has a Sunday after New York's Friday; a month is too much."""
    crypto = pd.date_range("2021-01-01", "2022-12-18")
    stocks = days_of("XNYS", "2021-01-04", "2022-12-16")
    assert judged(frame_of(**{"BTC-USD": crypto, "AAA": stocks})).held
    assert not judged(frame_of(**{"BTC-USD": crypto, "AAA": stocks[:-20]})).held


def test_great_expectations_alone_gives_the_same_verdict():
    """The calendars are arguments of the expectation."""
    from sta410kit.guards.great_expectations import ask

    item = {"type": KIND, "kwargs": {}, "meta": {"severity": "critical"}}
    world = frame_of(**WORLD)
    assert ask("one", [item], world)[0]["success"] is True
    wrong = {**item, "kwargs": {"calendars": {"*.AX": "XLON"}}}
    assert ask("one", [json.loads(json.dumps(wrong))], world)[0]["success"] is False


def test_freshness_is_counted_in_sessions_of_each_exchange():
    """On 2022-01-26 Sydney was closed, so its share has aged by a session less than New York's."""
    exchanges = {"BHP.AX": "XASX", "IBM": "XNYS"}
    frame = frame_of(**{name: days_of(one, "2022-01-04", "2022-01-25") for name, one in exchanges.items()})
    item = {
        "type": "expect_last_session_to_be_recent",
        "kwargs": {"max_age": 0, "as_of": "2022-01-27"},
        "meta": {"severity": "critical"},
    }
    check = evaluate("one", [item], frame)[0][0]
    assert [row["symbol"] for row in check.rows] == ["IBM"]
    assert "judged by XNYS (choose another" in check.message
