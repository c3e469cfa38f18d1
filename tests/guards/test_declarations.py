"""Accepted findings and known events no longer fail and are shown; what has expired counts again."""

import json
from datetime import date, timedelta

import pytest

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards import data_docs
from sta410kit.guards.declarations import EXCUSES, read_events, read_reviewed
from sta410kit.guards.expectations import EXPECTATIONS

pytestmark = pytest.mark.unit

CALENDAR = "expect_sessions_to_match_calendar"
BOTH = "first = 2015-02-03\nlast = 2015-02-04"


@pytest.fixture
def gap(make_walk):
    """Give prices in which S1 lacks two sessions."""
    prices = make_walk(rows=80)
    days = prices["date"].astype(str).isin(["2015-02-03", "2015-02-04"])
    return prices[~(days & (prices["symbol"] == "S1"))].reset_index(drop=True)


def accept(suite, expectation=CALENDAR, symbol="S1", expires="2200-01-01", when=""):
    """Write one accepted finding."""
    (suite.parent / "accepted.toml").write_text(
        f'[[finding]]\nsuite = "prices"\nexpectation = "{expectation}"\nsymbol = "{symbol}"\n{when}\n'
        f'expires = {expires}\nreason = "The exchange was closed."\nby = "R. Eviewer"\n'
    )


def explain(suite, symbol, when, kind):
    """Write one event."""
    text = f'[[event]]\nsymbol = "{symbol}"\n{when}\nkind = "{kind}"\nnote = "Pending news."\n'
    (suite.parent / "events.toml").write_text(text)


def test_an_accepted_finding_does_not_fail_and_is_shown(suite, gap, tmp_path):
    """The frame passes; result, HTML and data docs name what was accepted, by whom and why."""
    assert not guards.validate(gap, suite, strict=True).passed
    accept(suite, when=BOTH)
    result = guards.validate(gap, suite)
    assert result.passed
    (line,) = result.accepted
    assert line.startswith(f"{CALENDAR}: S1 2015-02-03 to 2015-02-04 (2 rows): accepted by R. Eviewer until")
    assert line.endswith("until 2200-01-01. The exchange was closed.")
    assert result.summary().endswith(", 1 accepted finding")
    assert "The exchange was closed." in result._repr_html_()
    page = data_docs.publish(result, tmp_path / "docs").read_text()
    assert "Accepted by a reviewer" in page
    assert json.loads(json.dumps(result.to_dict()))["accepted"]


def test_what_was_not_accepted_still_fails(suite, gap):
    """One of two missing sessions is accepted; the other is named. A symbol elsewhere is no error."""
    accept(suite, when="first = 2015-02-03")
    result = guards.validate(gap, suite)
    assert [failure.rows for failure in result.critical] == [({"symbol": "S1", "date": "2015-02-04"},)]
    assert len(result.accepted) == 1
    accept(suite, symbol="ELSEWHERE")
    assert len(guards.validate(gap, suite).critical) == 1


def test_an_expired_acceptance_counts_again_and_says_so(suite, gap):
    """A day after it expired the finding fails the gate, with the old reason in the message."""
    accept(suite, expires=date.today() - timedelta(days=2))  # noqa: DTZ011
    failure = guards.validate(gap, suite).critical[0]
    assert "it counts again" in failure.message
    assert "The exchange was closed." in failure.message


def test_rows_of_a_generic_expectation_can_be_accepted_too(suite, make_walk):
    """A low of zero, on a day a reviewer has looked at; the same on another day is refused."""
    prices = make_walk(rows=80)
    kind = "expect_column_values_to_be_between"
    prices.loc[100, "low"] = 0.0
    accept(suite, kind, when=f"first = {prices.loc[100, 'date']:%Y-%m-%d}")
    assert guards.validate(prices, suite).passed
    prices.loc[110, "low"] = 0.0
    assert {failure.expectation for failure in guards.validate(prices, suite).critical} == {kind}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (CALENDAR, "expect_sessions_match_calendar", f"'. Did you mean '{CALENDAR}'"),
        ('"prices"', '"price"', "no suite called 'price'. Did you mean 'prices'"),
    ],
)
def test_a_finding_of_what_does_not_exist_is_refused(suite, gap, old, new, words):
    """A misspelled suite or expectation would accept nothing, silently."""
    accept(suite)
    path = suite.parent / "accepted.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigurationError, match=r"accepted\.toml, finding 1") as error:
        guards.validate(gap, suite)
    assert words in str(error.value)


def test_a_halt_explains_missing_sessions_and_is_shown(suite, gap):
    """The finding is gone, and the result says by which event."""
    explain(suite, "S1", BOTH, "halt")
    result = guards.validate(gap, suite)
    assert result.critical == ()
    assert result.accepted == (
        f"{CALENDAR}: S1 2015-02-03 to 2015-02-04 (2 rows): explained by an event, halt. Pending news.",
    )


@pytest.mark.parametrize(
    ("event", "explained"),
    [
        (("S2", BOTH, "halt"), 0),
        (("S1", "date = 2015-02-03", "halt"), 1),
        (("S1", "date = 2015-02-03", "earnings"), 0),
        (("*", "first = 2015-02-01\nlast = 2015-02-28", "halt"), 2),
        (("S1", "date = 2015-02-02", "delisting"), 2),
    ],
)
def test_an_event_explains_its_own_symbol_and_session_only(suite, gap, event, explained):
    """Another symbol, another day and another kind explain nothing; all symbols include S1."""
    explain(suite, *event)
    assert sum(one.count for one in guards.validate(gap, suite).critical) == 2 - explained


def test_earnings_count_on_the_next_weekday_too(suite):
    """Friday's announcement moves Monday."""
    explain(suite, "S1", "date = 2015-02-06", "earnings")
    assert {str(one.last) for one in read_events(suite.parent, "prices")} == {"2015-02-09"}


def test_every_expectation_that_an_event_excuses_exists():
    """A renamed expectation would be excused no longer."""
    assert {name for names in EXCUSES.values() for name in names} <= set(EXPECTATIONS)


FINDING = "[[finding]]\nsuite = 'p'\nexpectation = 'e'\nreason = 'r'\nexpires = "


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[finding]]\nsuite = 'prices'", "has no expectation, reason, expires"),
        ("[[finding]]\nexpiry = 2020-01-01", "no key called 'expiry'. Did you mean 'expires'"),
        (FINDING + "'soon'", "expires must be a date such as 2027-03-01, without quotes, got 'soon'"),
        (FINDING + "2027-01-01\nfirst = 2020-02-01\nlast = 2020-01-01", "lies before first"),
        ("[findings]", "takes entries"),
        ("not toml", "cannot be read as TOML"),
        ("[[event]]\nkind = 'earning'\ndate = 2020-01-01", "no kind of event called 'earning'. Did you mean"),
        ("[[event]]\nkind = 'split'", "event 1 has no date"),
        ("[[event]]\ndate = 2020-01-01", "has no kind"),
        ("[[event]]\nkind = 'split'\ndate = 2020-01-01\nlast = 2020-01-02", "give date, or first and last"),
    ],
)
def test_a_broken_file_is_refused_by_entry(tmp_path, text, words):
    """A reviewed file with a slip in it must not accept or explain anything silently."""
    name, read = ("events.toml", read_events) if "event" in text else ("accepted.toml", read_reviewed)
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError, match=name) as error:
        read(tmp_path, "prices")
    assert words in str(error.value)
    assert read(tmp_path / "elsewhere", "prices") == []
