"""Findings become decisions with proposals, and what is pasted settles them."""

import json
import re
import tomllib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sta410kit import guards
from sta410kit.guards.data_docs import publish
from sta410kit.guards.decisions import entries_of
from sta410kit.guards.triage import triage
from sta410kit.guards.triage_page import render
from tests.guards.universe import faulty_universe

pytestmark = pytest.mark.integration


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
        "stale bars": (stale, "quarantine the bars", "repairs.toml"),
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
    assert [(one.what, one.file, one.entries) for one in decisions] == [("rows out of order", "", "")]
    assert decisions[0].proposal == "correct it at its source"
    _, _, decisions = decided(clean.drop(columns="close"), suite)
    assert [(one.where, one.count) for one in decisions] == [("the table", 0)]


def test_each_stretch_in_another_unit_gets_its_own_factor(suite, make_walk):
    """60 bars times 100, one bar divided by 100 and 21 bars times 10: one decision, three entries."""
    frame = make_walk(symbols=2, rows=500, cents=True)
    bar = ["open", "high", "low", "close", "adj_close"]
    frame.loc[100:159, bar] *= 100
    frame.loc[300, bar] /= 100
    frame.loc[400:420, bar] *= 10
    _, _, decisions = decided(frame, suite)
    assert [(one.what, one.size) for one in decisions] == [
        ("prices in another unit", "100 and 10 and 0.01 times in 3 stretches")
    ]
    days = frame["date"].dt.date
    entries = tomllib.loads(decisions[0].entries)["repair"]
    assert [(one.get("first", one.get("date")), one["factor"]) for one in entries] == [
        (days[100], 0.01),
        (days[300], 100.0),
        (days[400], 0.1),
    ]
    assert [one.get("last") for one in entries] == [days[159], None, days[420]]
    paste(decisions, suite)
    assert decided(frame, suite)[2] == []


def test_a_step_that_lasts_scales_the_shorter_side_and_only_the_columns_that_step(suite, make_walk):
    """The last 60 bars of all columns; a stretch whose adj_close is right keeps it."""
    frame = make_walk(symbols=2, rows=500, cents=True)
    frame.loc[440:499, ["open", "high", "low", "close", "adj_close"]] *= 100
    frame.loc[600:629, ["open", "high", "low", "close"]] *= 100
    entries = [tomllib.loads(one.entries)["repair"] for one in decided(frame, suite)[2]]
    days = frame["date"].dt.date
    assert [
        (one["symbol"], one["first"], one["last"], one["factor"], one.get("columns"))
        for (one,) in sorted(entries, key=lambda found: found[0]["symbol"])
    ] == [
        ("S0", days[440], days[499], 0.01, None),
        ("S1", days[600], days[629], 0.01, ["open", "high", "low", "close"]),
    ]


def test_where_no_factor_fits_there_is_no_entry(suite, make_walk):
    """A suite that calls a factor of 7 another unit is told so, and nothing is proposed to be multiplied."""
    rules = json.loads(suite.read_text())
    rules["expectations"] = [
        one for one in rules["expectations"] if one["type"] == "expect_prices_in_one_unit"
    ]
    rules["expectations"][0]["kwargs"]["factors"] = [7]
    suite.write_text(json.dumps(rules))
    frame = make_walk(symbols=2, rows=500, cents=True)
    frame.loc[100:159, ["open", "high", "low", "close", "adj_close"]] *= 7
    _, _, decisions = decided(frame, suite)
    assert [(one.proposal, one.entries) for one in decisions] == [
        ("no entry: no factor fits; correct it at its source", "")
    ]


def test_a_stretch_runs_over_weekends_and_a_symbol_that_is_all_bad_has_no_dates(suite, make_walk):
    """Six weeks without rows are one event; 300 crossed bars are one repair of the symbol."""
    frame = make_walk(symbols=6, rows=300, cents=True)
    frame.loc[0:299, "low"] = frame.loc[0:299, "high"] + 1
    frame.loc[400:430, "low"] = frame.loc[400:430, "high"] + 1
    days = frame["date"].dt.date
    first, last = days[700], days[729]
    frame = frame.drop(index=range(700, 730)).reset_index(drop=True)
    crossed, gone = sorted(decided(frame, suite)[2], key=lambda one: one.file, reverse=True)
    assert [
        {key: one.get(key) for key in ("symbol", "first", "last")}
        for one in tomllib.loads(crossed.entries)["repair"]
    ] == [
        {"symbol": "S0", "first": None, "last": None},
        {"symbol": "S1", "first": days[400], "last": days[430]},
    ]
    (event,) = tomllib.loads(gone.entries)["event"]
    assert (event["symbol"], event["first"], event["last"]) == ("S2", first, last)


def test_more_than_the_suite_allows_is_a_decision_of_its_own(suite, make_walk):
    """It names the symbols that are left, also when all else is declared; with them alone nothing is left."""
    frame = make_walk(symbols=5, rows=300, cents=True)
    frame.loc[0:599, "low"] = frame.loc[0:599, "high"] + 1
    _, result, decisions = decided(frame, suite)
    assert [one.what for one in decisions] == ["low above the high", "more is left out than the suite allows"]
    paste(decisions[:1], suite)
    _, result, decisions = decided(frame, suite)
    assert not result.passed
    (one,) = decisions
    assert (one.where, one.size) == ("S0, S1", "2 of 5 symbols are quarantined (max_symbols 0.25)")
    assert one.proposal == (
        "run with the symbols that are left, sta410 run -p symbols=S2,S3,S4; "
        "ask another source; or raise max_symbols in meta.quarantine of the suite"
    )
    (suite.parent / "repairs.toml").unlink()
    assert decided(frame[frame["symbol"] > "S1"].reset_index(drop=True), suite)[1].passed


def test_the_entries_are_toml_and_all_else_is_a_comment(suite, make_walk):
    """Also where a title quotes a line end of the data."""
    frame = make_walk(rows=120, cents=True)
    frame.loc[150, "low"] = frame.loc[150, "high"] + 1
    frame.loc[20, "open"] = frame.loc[20, "high"] + 0.01
    decisions = decided(frame, suite)[2]
    decisions.append(replace(decisions[0], what="odd\n[[repair]]", file="", entries=""))
    text = entries_of(decisions)
    assert [(one["symbol"], one["action"]) for one in tomllib.loads(text)["repair"]] == [
        ("S1", "quarantine"),
        ("*", "clamp"),
    ]
    assert text.startswith("# repairs.toml\n\n# 1. low above the high: quarantine the bars\n[[repair]]\n")
    assert text.endswith("\n# 3. odd [[repair]]: quarantine the bars\n")
    assert entries_of([]) == "# nothing to decide\n"


def test_shares_of_another_exchange_get_its_calendar(suite, make_walk):
    """Two shares of Sydney without their suffix: one decision, which names Sydney's calendar."""
    from sta410kit._internal.calendars import sessions

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
