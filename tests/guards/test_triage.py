"""Findings become decisions with proposals, and what is pasted settles them."""

import re
import tomllib

import numpy as np
import pandas as pd
import pytest

from sta410kit import guards
from sta410kit.guards.data_docs import publish
from sta410kit.guards.suites import read_suite
from sta410kit.guards.triage import triage
from sta410kit.guards.triage_page import render
from tests.guards.universe import faulty_universe

pytestmark = pytest.mark.integration


@pytest.fixture
def suite(tmp_path):
    """Copy the prices suite to where entries can be pasted beside it."""
    path = tmp_path / "prices.json"
    path.write_text(read_suite("prices").path.read_text())
    return path


def decided(frame, suite, exchange=None):
    """Repair, judge and triage; return the frame judged, the result and the decisions."""
    frame, repairs = guards.apply_repairs(frame, suite)
    result = guards.validate(frame, suite, exchange=exchange, repairs=repairs)
    return frame, result, triage(result, frame, repairs)


def paste(decisions, suite):
    """Put the entries of each decision into the file that it names."""
    for one in decisions:
        assert one.file.endswith(".toml")
        with (suite.parent / one.file).open("a") as file:
            file.write(one.entries + "\n")


def test_a_universe_is_a_handful_of_decisions_and_pasting_them_settles_all(suite):
    """31 symbols, 12 years, 260 faults and events: fewer than 12 decisions, none left afterwards."""
    universe, _ = faulty_universe()
    _, result, decisions = decided(universe, suite)
    assert 5 <= len(decisions) < 12
    assert sum(one.count for one in decisions) >= 185
    counts = {one.what: one.count for one in decisions}
    assert counts["open outside of its bar by cents"] == 149
    assert counts["sessions that the vendor lacks"] == 31
    assert counts["no value, or none above zero"] == 1
    paste(decisions, suite)
    _, result, left = decided(universe, suite)
    assert [one.what for one in left] == []
    assert result.passed
    assert len(result.repairs) > 0


@pytest.fixture
def cases(make_walk):
    """Give frames with one fault each, by what the decision says, with its proposal and file."""
    clean = make_walk(rows=300, cents=True)
    bar = ["open", "high", "low", "close", "adj_close"]
    pence = clean.copy()
    pence.loc[[*range(150, 180), *range(200, 220)], bar] *= 100
    twice = pd.concat([clean.iloc[:101], clean.iloc[[100]], clean.iloc[101:]], ignore_index=True)
    weekend = clean.iloc[[100]].assign(date=pd.Timestamp("2015-05-31"))
    extra = pd.concat([clean, weekend]).sort_values(["symbol", "date"], ignore_index=True)
    gone = clean.drop(index=[40, 41, 500]).reset_index(drop=True)
    ended = clean.drop(index=range(400, 600)).reset_index(drop=True)
    wick = clean.copy()
    wick.loc[350, "low"] *= 0.4
    stale = clean.copy()
    stale.loc[200:206, [*bar, "volume"]] = stale.loc[199, [*bar, "volume"]].to_numpy(float)
    empty = clean.astype({"volume": float})
    empty.loc[77, "close"] = np.nan
    crossed = clean.copy()
    crossed["low"] = crossed["low"].where(crossed.index != 90, crossed["high"] + 0.5)
    split = clean.copy()
    split.loc[450:599, bar] = (split.loc[450:599, bar] / 2).round(2)
    return {
        "prices in another unit": (pence, "multiply these prices by 0.01", "repairs.toml"),
        "sessions that are there twice": (twice, "keep the first row", "repairs.toml"),
        "rows on days without a session": (extra, "drop the rows", "repairs.toml"),
        "sessions missing in single symbols": (
            gone,
            "ask another source; or say that trading",
            "events.toml",
        ),
        "series that end before the others": (
            ended,
            "ask another source; or say that they were",
            "events.toml",
        ),
        "bars that the next takes back": (wick, "quarantine the bars", "repairs.toml"),
        "no stale bars": (stale, "quarantine the bars", "repairs.toml"),
        "no value, or none above zero": (empty, "quarantine the bars", "repairs.toml"),
        "adj_close does not follow a split, or steps alone": (
            split,
            "ask another source for adj_close; or scale",
            "repairs.toml",
        ),
        "low above the high": (crossed, "quarantine the bars", "repairs.toml"),
    }


def test_each_kind_of_fault_has_its_proposal_and_is_settled_by_it(cases, suite):
    """One decision each, and none once its entry is pasted."""
    for what, (frame, proposal, file) in cases.items():
        for path in suite.parent.glob("*.toml"):
            path.unlink()
        _, _, decisions = decided(frame, suite)
        assert (what, [one.what for one in decisions]) == (what, [what])
        assert decisions[0].proposal.startswith(proposal)
        assert decisions[0].file == file
        paste(decisions, suite)
        _, _, left = decided(frame, suite)
        assert (what, [one.what for one in left]) == (what, [])


def test_what_only_the_source_can_correct_has_no_entry(suite, make_walk):
    """Rows out of order are named, with the advice to correct them."""
    clean = make_walk(rows=120, cents=True)
    _, _, decisions = decided(clean.iloc[::-1].reset_index(drop=True), suite)
    assert [(one.what, one.file, one.entries) for one in decisions] == [("rows in order", "", "")]
    assert decisions[0].proposal == "correct it at its source"
    _, _, decisions = decided(clean.drop(columns="close"), suite)
    assert [(one.where, one.count) for one in decisions] == [("the table", 0)]


def test_shares_of_another_exchange_get_its_calendar(suite, make_walk):
    """Two shares of Sydney without their suffix: one decision, which names Sydney's calendar."""
    from sta410kit.guards.calendars import sessions

    days = sessions("XASX", 17_000, 17_800)[:500].astype("datetime64[D]").astype("datetime64[us]")
    frame = make_walk(symbols=2, rows=500, cents=True)
    frame["date"] = np.tile(days, 2)
    _, _, decisions = decided(frame, suite)
    assert [one.what for one in decisions] == ["sessions of another exchange"]
    assert "--exchange XASX" in decisions[0].proposal
    assert decisions[0].entries == '{"overrides": {"S0 S1": {"calendar": "XASX"}}}'
    assert decided(frame, suite, exchange="XASX")[2] == []


def test_the_page_draws_findings_and_escapes_what_it_shows(suite, make_walk):
    """No script, a policy that allows none, the entries as text, a drawing of each example."""
    frame = make_walk(rows=120, cents=True).replace({"symbol": {"S1": "<b>&S1"}})
    frame.loc[150, "open"] = frame.loc[150, "high"] + 0.01
    frame.loc[[30, 31], "low"] = 0.0
    judged, result, decisions = decided(frame, suite)
    page = render(result, decisions, judged, "<i>file</i>.csv")
    assert "default-src 'none'" in page.replace("&#39;", "'")
    assert "<script" not in page
    assert "<b>&S1" not in page
    assert "<i>file" not in page
    assert page.count("<svg") == sum(min(one.count, 3) for one in decisions)
    assert "&lt;b&gt;&amp;S1" in page
    for block in re.findall(r'<h3>repairs.toml</h3><pre tabindex="0">(.*?)</pre>', page, re.DOTALL):
        assert tomllib.loads(block.replace("&#34;", '"').replace("&lt;", "<"))


def test_the_data_docs_link_the_triage_of_what_they_show(suite, make_walk, tmp_path):
    """Beside the validation; without findings there is nothing to link, and no frame stops the page."""
    frame = make_walk(rows=120, cents=True)
    page = publish(guards.validate(frame, suite), tmp_path, frame=frame).read_text()
    assert "triage.html" not in page
    frame.loc[150, "open"] = frame.loc[150, "high"] + 0.01
    page = publish(guards.validate(frame, suite), tmp_path, frame=frame)
    assert '<a href="triage.html">' in page.read_text()
    assert "clamp the open" in page.with_name("triage.html").read_text()
    for odd in (frame.drop(columns="symbol"), frame.drop(columns="date"), frame.iloc[:0], frame.astype(str)):
        page = publish(guards.validate(odd, suite), tmp_path, frame=odd)
        assert "correct it at its source" in page.with_name("triage.html").read_text()


def test_a_clean_frame_leaves_nothing_to_decide(suite, make_walk):
    """The page says so."""
    frame, result, decisions = decided(make_walk(rows=120, cents=True), suite)
    assert decisions == []
    assert "Nothing is left to decide" in render(result, decisions, frame, "clean.csv")
