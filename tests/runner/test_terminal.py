"""Lines and tables in a terminal of 44 columns."""

import re

import pytest

from sta410kit.runner.terminal import say, show_table

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Make rich believe in a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "44")


def printed(capsys):
    """Return the lines without what makes them bold, and without the spaces at their ends."""
    return [re.sub(r"\x1b\[\d+m", "", line).rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_line_ends_between_words(capsys):
    """What follows is indented; a path that is longer than a line stays whole, to be copied."""
    path = "/a/path/of/more/than/forty-four/columns/in-all"
    say(f"verdict: no skill shown. That is expected on daily returns.\nreport: {path}")
    assert printed(capsys) == [
        "verdict: no skill shown. That is expected on",
        "  daily returns.",
        "report:",
        f"  {path}",
    ]


def test_an_id_and_a_number_are_whole_and_only_sentences_wrap(capsys):
    """So that an id can be copied out of a list."""
    row = ["20260101-120000-abcde", "data rejected", "+0.08 %"]
    show_table(["run", "outcome", "R²"], [row], right=["R²"], lines=False)
    assert printed(capsys) == [
        "run                    outcome            R²",
        "20260101-120000-abcde  data          +0.08 %",
        "                       rejected",
    ]
