"""Known events explain moves, volume and missing sessions, and are shown."""

import pytest

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.declarations import EXCUSES, read_events
from sta410kit.guards.expectations import EXPECTATIONS

pytestmark = pytest.mark.unit


@pytest.fixture
def halted(make_walk):
    """Give prices in which S1 lacks two sessions."""
    prices = make_walk(rows=80)
    days = prices["date"].astype(str).isin(["2015-02-03", "2015-02-04"])
    return prices[~(days & (prices["symbol"] == "S1"))].reset_index(drop=True)


def declare(suite, symbol, when, kind):
    """Write one event."""
    text = f'[[event]]\nsymbol = "{symbol}"\n{when}\nkind = "{kind}"\nnote = "Pending news."\n'
    (suite.parent / "events.toml").write_text(text)


def test_a_halt_explains_missing_sessions_and_is_shown(suite, halted):
    """The finding is gone, and the result says by which event."""
    assert guards.validate(halted, suite).critical[0].expectation == "expect_sessions_to_match_calendar"
    declare(suite, "S1", "first = 2015-02-03\nlast = 2015-02-04", "halt")
    result = guards.validate(halted, suite)
    assert result.critical == ()
    assert result.accepted == (
        (
            "expect_sessions_to_match_calendar: S1 2015-02-03 to 2015-02-04 (2 rows): explained by an event, "
            "halt. Pending news."
        ),
    )


def test_an_event_explains_its_own_symbol_and_session_only(suite, halted):
    """Another symbol, another day and another kind explain nothing; all symbols include S1."""
    for symbol, when, kind, explained in [
        ("S2", "first = 2015-02-03\nlast = 2015-02-04", "halt", 0),
        ("S1", "date = 2015-02-03", "halt", 1),
        ("S1", "date = 2015-02-03", "earnings", 0),
        ("*", "first = 2015-02-01\nlast = 2015-02-28", "halt", 2),
        ("S1", "date = 2015-02-02", "delisting", 2),
    ]:
        declare(suite, symbol, when, kind)
        found = guards.validate(halted, suite).critical
        assert (symbol, when, kind, sum(one.count for one in found)) == (symbol, when, kind, 2 - explained)


def test_earnings_count_on_the_next_weekday_too(suite):
    """Friday's announcement moves Monday."""
    declare(suite, "S1", "date = 2015-02-06", "earnings")
    assert {str(one.last) for one in read_events(suite.parent, "prices")} == {"2015-02-09"}


def test_every_expectation_that_an_event_excuses_exists():
    """A renamed expectation would be excused no longer."""
    assert {name for names in EXCUSES.values() for name in names} <= set(EXPECTATIONS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[event]]\nkind = 'earning'\ndate = 2020-01-01", "no kind of event called 'earning'. Did you mean"),
        ("[[event]]\nkind = 'split'", "event 1 has no date"),
        ("[[event]]\ndate = 2020-01-01", "has no kind"),
        ("[[event]]\nkind = 'split'\ndate = 2020-01-01\nlast = 2020-01-02", "give date, or first and last"),
        ("[[events]]\nkind = 'split'", "takes entries [[event]] only"),
    ],
)
def test_a_broken_file_is_refused_by_entry(tmp_path, text, words):
    """A slip must not explain anything silently."""
    (tmp_path / "events.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"events\.toml") as error:
        read_events(tmp_path, "prices")
    assert words in str(error.value)
