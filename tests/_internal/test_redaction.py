"""Redaction by value."""

import json
import sys
import threading
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sta410kit._internal import redaction
from sta410kit._internal.redaction import redact, register

pytestmark = pytest.mark.unit


def forget():
    redaction._values, redaction._pattern = frozenset(), None


def test_nothing_registered_changes_nothing():
    """Text passes as it is, and nothing is held back as the beginning of a value."""
    assert redact("a secret") == "a secret"
    assert redaction.beginning_of_a_secret("a secret") == 0


def test_a_registered_value_is_scrubbed_wherever_it_stands():
    """Every occurrence goes, whatever stands around it; white space around the value does not count."""
    assert register(" hunter2-hunter2\n") is True
    assert redact("xhunter2-hunter2yhunter2-hunter2") == "x***y***"


def test_registering_again_changes_nothing(monkeypatch):
    """A value that is known already is as good as registered; no kernel is needed for it."""
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    register("hunter2-hunter2")
    assert redaction.registered() == {"hunter2-hunter2"}
    before = redaction._pattern
    assert register("hunter2-hunter2") is True
    assert redaction._pattern is before


def test_the_longer_of_two_values_goes_first():
    """One secret that begins another leaves no tail behind."""
    register("abcdef")
    register("abcdef123456")
    assert redact("abcdef123456 abcdef") == "*** ***"


def test_values_that_touch_become_one_mask():
    """How many secrets stood there is nobody's business."""
    register("abcdef")
    register("uvwxyz")
    assert redact("<abcdefuvwxyzabcdef>") == "<***>"


@pytest.mark.parametrize("value", ["", "  ", "12345", "abc"])
def test_short_values_are_not_registered(value):
    """They would damage ordinary text; the answer says so."""
    assert register(value) is False
    assert redact("abc 12345") == "abc 12345"


def test_a_value_is_a_text_and_not_a_pattern():
    """Characters that mean something to a regular expression are taken as they are."""
    register("a.b*c(d")
    assert redact("a.b*c(d aXbbbc(d") == "*** aXbbbc(d"


def test_removing_one_value_does_not_leave_another_behind():
    """The halves of a value that meet when another is removed are scrubbed too."""
    register("ab***cd")
    register("secret")
    assert redact("absecretcd") == "***"
    register("******")
    assert "******" not in redact("*" * 50)


@pytest.mark.slow
def test_threads_lose_no_registration():
    """Values registered at the same time are all there."""
    values = [f"secret-{number:04}" for number in range(200)]
    threads = [
        threading.Thread(target=lambda part=values[at::4]: [register(v) for v in part]) for at in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(value in redact(" ".join(values)) for value in values)


@given(st.lists(st.text(alphabet="ab*.", min_size=6, max_size=12), min_size=1, max_size=4), st.data())
def test_a_registered_value_never_survives(values, data):
    """However values overlap and repeat, none is left in the text."""
    forget()
    for value in values:
        register(value)
    parts = st.one_of(st.sampled_from(values), st.text(alphabet="ab*.", max_size=5))
    text = redact("".join(data.draw(st.lists(parts, max_size=6))))
    assert not any(value in text for value in values)


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        (json.dumps({"key": '<pä"ss/w\\rd>'}), '{"key": "<***>"}'),
        (json.dumps({"key": '<pä"ss/w\\rd>'}, ensure_ascii=False), '{"key": "<***>"}'),
        (repr(['<pä"ss/w\\rd>']), "['<***>']"),
        (urlencode({"key": '<pä"ss/w\\rd>'}), "key=%3C***%3E"),
        (quote('/a/<pä"ss/w\\rd>'), "/a/%3C***%3E"),
    ],
)
def test_a_value_in_another_notation_is_scrubbed_too(text, scrubbed):
    """JSON, Python literals and URLs spell quotes, backslashes and letters beyond ASCII in their own ways."""
    register('pä"ss/w\\rd')
    assert redact(text) == scrubbed


@pytest.mark.parametrize(("beside", "scrubbed"), [("", '"***"'), ('"', "'***\"'")])
def test_an_apostrophe_is_scrubbed_however_python_quotes_the_text(beside, scrubbed):
    """Which quotes a literal has, and so what is escaped in it, depends on what stands beside the value."""
    register("it's\x07mine")
    assert redact(repr(f"it's\x07mine{beside}")) == scrubbed


def test_a_value_that_is_no_utf_8_is_taken():
    """A variable of the process may hold any bytes; no URL can."""
    register("abcd\udce4ef")
    assert redact("<abcd\udce4ef>") == "<***>"
    assert redact(json.dumps("abcd\udce4ef")) == '"***"'


SPELLINGS = [
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: repr(f"{text}'\"")[1:-4],  # with both kinds of quotes inside, a literal always escapes alike
    quote,
    lambda text: quote(text, safe=""),
    quote_plus,
]


@given(st.text(min_size=6), st.text(), st.text())
@example("p s/w\"d'\té", "<", ">")
def test_a_registered_value_survives_in_no_notation(value, before, after):
    """Whatever the value holds and whatever stands around it, none of its spellings is left."""
    forget()
    value = value.strip()
    assume(register(value))
    for spell in SPELLINGS:
        assert spell(value) not in redact(spell(f"{before}{value}{after}"))


@given(st.text(alphabet="xyz *", max_size=40))
def test_text_without_a_registered_value_is_unchanged(text):
    """Nothing but the values is touched."""
    forget()
    register("abcdef")
    assert redact(text) == text
