"""A reviewer accepts a finding: it no longer fails, is shown ever after, and counts again when it expires."""

import json
from datetime import date, timedelta

import pytest

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards import data_docs
from sta410kit.guards.declarations import read_reviewed

pytestmark = pytest.mark.unit

SOON = date(2200, 1, 1)


def accept(suite, expectation, symbol="S1", expires=SOON, **more):
    """Write one accepted finding."""
    lines = [f'suite = "prices"\nexpectation = "{expectation}"\nsymbol = "{symbol}"\nexpires = {expires}']
    lines += ['reason = "The exchange was closed."', 'by = "R. Eviewer"']
    lines += [f"{key} = {value}" for key, value in more.items()]
    (suite.parent / "accepted.toml").write_text("[[finding]]\n" + "\n".join(lines))


@pytest.fixture
def gap(make_walk):
    """Give prices in which S1 lacks two sessions."""
    prices = make_walk(rows=80)
    days = prices["date"].astype(str).isin(["2015-02-03", "2015-02-04"])
    return prices[~(days & (prices["symbol"] == "S1"))].reset_index(drop=True)


def test_an_accepted_finding_does_not_fail_and_is_shown(suite, gap, tmp_path):
    """The frame passes; result, HTML and data docs name what was accepted, by whom and why."""
    assert not guards.validate(gap, suite, strict=True).passed
    accept(suite, "expect_sessions_to_match_calendar", first="2015-02-03", last="2015-02-04")
    result = guards.validate(gap, suite)
    assert result.passed
    assert result.accepted == (
        (
            "expect_sessions_to_match_calendar: S1 2015-02-03 to 2015-02-04 (2 rows): accepted by R. Eviewer "
            "until 2200-01-01. The exchange was closed."
        ),
    )
    assert result.summary().endswith(", 1 accepted finding")
    assert "The exchange was closed." in result._repr_html_()
    page = data_docs.publish(result, tmp_path / "docs").read_text()
    assert "Accepted by a reviewer" in page
    assert json.loads(json.dumps(result.to_dict()))["accepted"]


def test_what_was_not_accepted_still_fails(suite, gap):
    """One of two missing sessions is accepted; the other is named."""
    accept(suite, "expect_sessions_to_match_calendar", first="2015-02-03")
    result = guards.validate(gap, suite)
    assert [failure.rows for failure in result.critical] == [({"symbol": "S1", "date": "2015-02-04"},)]
    assert len(result.accepted) == 1


def test_an_expired_acceptance_counts_again_and_says_so(suite, gap):
    """A day after it expired the finding fails the gate, with the old reason in the message."""
    accept(suite, "expect_sessions_to_match_calendar", expires=date.today() - timedelta(days=2))  # noqa: DTZ011
    failure = guards.validate(gap, suite).critical[0]
    assert "it counts again" in failure.message
    assert "The exchange was closed." in failure.message


def test_rows_of_a_generic_expectation_can_be_accepted_too(suite, make_walk):
    """A low of zero, on a day a reviewer has looked at; the same on another day is refused."""
    prices = make_walk(rows=80)
    kind = "expect_column_values_to_be_between"
    prices.loc[100, "low"] = 0.0
    accept(suite, kind, first=f"{prices.loc[100, 'date']:%Y-%m-%d}")
    assert guards.validate(prices, suite).passed
    prices.loc[110, "low"] = 0.0
    assert {failure.expectation for failure in guards.validate(prices, suite).critical} == {kind}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "expect_sessions_to_match_calendar",
            "expect_sessions_match_calendar",
            "called 'expect_sessions_match_calendar'. Did you mean 'expect_sessions_to_match_calendar'",
        ),
        ('"prices"', '"price"', "no suite called 'price'. Did you mean 'prices'"),
    ],
)
def test_a_finding_of_what_does_not_exist_is_refused(suite, gap, old, new, words):
    """A misspelled suite or expectation would accept nothing, silently."""
    accept(suite, "expect_sessions_to_match_calendar")
    path = suite.parent / "accepted.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigurationError, match=r"accepted\.toml, finding 1") as error:
        guards.validate(gap, suite)
    assert words in str(error.value)


def test_a_symbol_that_the_frame_lacks_is_no_error(suite, gap):
    """A gate may see a part of the universe that the file is about."""
    accept(suite, "expect_sessions_to_match_calendar", symbol="ELSEWHERE")
    assert len(guards.validate(gap, suite).critical) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[finding]]\nsuite = 'prices'", "has no expectation, reason, expires"),
        ("[[finding]]\nexpiry = 2020-01-01", "no key called 'expiry'. Did you mean 'expires'"),
        (
            "[[finding]]\nsuite = 'p'\nexpectation = 'e'\nreason = 'r'\nexpires = 'soon'",
            "expires must be a date such as 2027-03-01, without quotes, got 'soon'",
        ),
        (
            (
                "[[finding]]\nsuite = 'p'\nexpectation = 'e'\nreason = 'r'\nexpires = 2027-01-01\n"
                "first = 2020-02-01\nlast = 2020-01-01"
            ),
            "lies before first",
        ),
        ("[findings]", "takes entries"),
        ("not toml", "cannot be read as TOML"),
    ],
)
def test_a_broken_file_is_refused_by_entry(tmp_path, text, words):
    """A reviewed file with a slip in it must not accept anything silently."""
    (tmp_path / "accepted.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"accepted\.toml") as error:
        read_reviewed(tmp_path, "prices")
    assert words in str(error.value)


def test_without_a_file_nothing_is_accepted(tmp_path):
    """There need not be one."""
    assert read_reviewed(tmp_path, "prices") == []
