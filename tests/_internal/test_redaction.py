"""Redaction by value."""

import base64
import json
import threading
from pathlib import Path
from runpy import run_path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sta410kit._internal import redaction
from sta410kit._internal.redaction import (
    find,
    holds_secret,
    redact,
    redact_values,
    register,
    registered,
    unfinished_secret,
)

pytestmark = pytest.mark.unit

FORMS = run_path(str(Path(__file__).with_name("forms.py")))["FORMS"]
KEYS = ["PKQ7W3E9R5T1Y8U2I4O6", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYz9Qz2KEYab"]  # pragma: allowlist secret


def forget():
    redaction._forms.clear()
    redaction._clean.clear()


def test_nothing_registered_changes_nothing():
    """Text passes as it is, and nothing is held back as the beginning of a value."""
    assert redact("a secret") == "a secret"
    assert unfinished_secret("a secret") == 0


def test_a_registered_value_is_redacted_everywhere():
    """Every occurrence in any surroundings; white space around the value does not count."""
    assert register(" hunter2-hunter2\n") is True
    assert redact("xhunter2-hunter2yhunter2-hunter2") == "x***y***"
    assert register("hunter2-hunter2") is True
    assert registered() == {"hunter2-hunter2"}


def test_values_that_overlap_or_touch_become_one_mask():
    """One secret that begins another leaves no tail behind, and the number of secrets is not shown."""
    for value in ("abcdef", "abcdef123456", "uvwxyz"):
        register(value)
    assert redact("abcdef123456 abcdef <abcdefuvwxyzabcdef>") == "*** *** <***>"
    assert find("-abcdefuvwxyz- abcdef") == [(1, 13), (15, 21)]


@pytest.mark.parametrize("value", ["", "  ", "12345", "abc"])
def test_short_values_are_not_registered(value):
    """They would damage ordinary text; the return value says so."""
    assert register(value) is False
    assert redact("abc 12345") == "abc 12345"


def test_removing_one_value_does_not_leave_another_behind():
    """The halves of a value that meet when another is removed are redacted too."""
    register("ab***cd")
    register("secret")
    assert redact("absecretcd") == "***"
    register("******")
    assert "******" not in redact("*" * 50)


def test_threads_lose_no_registration():
    """Values registered at the same time are all there."""
    values = [f"secret-{number:04}" for number in range(80)]
    threads = [
        threading.Thread(target=lambda part=values[at::4]: [register(v) for v in part]) for at in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registered() == set(values)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("key", KEYS)
def test_each_form_that_the_kit_claims_is_redacted(key, form):
    """Also with text around it; nothing longer than a few characters of the value is left."""
    register(key)
    clean = redact(f"before {form(key)} after")
    assert "***" in clean
    assert clean.startswith("before ")
    assert clean.endswith(" after")
    encoded = [base64.b64encode(bytes(offset) + key.encode()).decode()[4:-4] for offset in range(3)]
    pieces = {text[at : at + 5] for text in (key, *encoded) for at in range(len(text) - 4)}
    assert not any(piece in clean for piece in pieces)
    assert not holds_secret(clean)


@pytest.mark.parametrize(("beside", "redacted"), [("", '"***"'), ('"', "'***\"'")])
def test_an_apostrophe_is_redacted_in_either_kind_of_quotes(beside, redacted):
    """Which quotes a literal has, and so what is escaped in it, depends on what is beside the value."""
    register("it's\x07mine")
    assert redact(repr(f"it's\x07mine{beside}")) == redacted


def test_a_value_that_is_not_utf_8_is_redacted():
    """A variable of the process may hold any bytes; no URL can."""
    register("abcd\udce4ef")
    assert redact("<abcd\udce4ef>") == "<***>"
    assert redact(json.dumps("abcd\udce4ef")) == '"***"'


@pytest.mark.parametrize("filler", ["\\", "\\n", "&amp;", "%25", "\n ", "/", "\x1b[0m"])
def test_no_text_takes_long(filler):
    """A quadratic search would not end here."""
    register("/secret-1/\\x")
    register("abcdefghijkl")
    text = f"secret abcdefghijk{filler * 60_000}/"
    assert redact(text) == text


def test_each_line_of_a_value_and_each_piece_of_a_long_one_is_a_secret():
    """As a private key, of which a listing shows lines; the whole value goes too."""
    lines = ["MIIEowIBAAKCAQEAx1", "q3f9Zk7vR2pLm8TnBw", "xy"]
    register("\n".join(lines))
    assert redact(f"line {lines[1]}!") == "line ***!"
    long = "".join(f"{number:04x}Zz" for number in range(40))
    register(long)
    assert redact(f"<{long}>") == "<***>"
    assert long not in registered()


def test_short_words_broken_over_lines_are_no_secret():
    """Six letters that meet over a line end meet by chance."""
    register("secret")
    assert redact("a\nsec\nret\n") == "a\nsec\nret\n"


def test_values_at_any_depth_are_redacted_and_clean_ones_are_the_same_object():
    """Keys and items of anything that JSON can hold."""
    register(KEYS[0])
    value = {"a": [1, None, "x"], "b": {"c": ("y",)}}
    assert redact_values(value) is value
    dirty = {KEYS[0]: [{"k": f"<{KEYS[0]}>"}, 2.5], "b": value}
    clean = redact_values(dirty)
    assert clean == {"***": [{"k": "<***>"}, 2.5], "b": value}
    assert clean["b"] is value


@pytest.mark.parametrize(
    ("text", "size"),
    [("working", 0), ("x PKQ7W", 5), ("P", 1), (f"<{KEYS[0]}>", 0), (f"<{KEYS[0]}", 0), ("UEtRN1c", 7)],
)
def test_the_end_of_a_text_may_begin_a_value(text, size):
    """Plain or encoded; a complete value is not cut in two."""
    register(KEYS[0])
    assert unfinished_secret(text) == size


def test_a_value_whose_end_is_its_beginning_is_not_cut():
    """The last letters of a complete value begin another one; all of it waits."""
    register("abc-123-abc")
    assert unfinished_secret("x abc-123-abc") == len("abc-123-abc")


def test_a_long_text_is_searched_again_after_a_registration():
    """What was clean before need not be clean now."""
    text = "nothing " * 100 + KEYS[0]
    assert not holds_secret(text)
    register("another-secret")
    assert not holds_secret(text)
    register(KEYS[0])
    assert holds_secret(text)


SPELLINGS = [
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: repr(f"{text}'\"")[1:-4],  # with both kinds of quotes inside, a literal always escapes alike
    quote,
    lambda text: quote(text, safe=""),
    quote_plus,
]


@given(st.text(min_size=6, max_size=40), st.text(max_size=20), st.text(max_size=20))
@example("p s/w\"d'\té", "<", ">")
def test_a_registered_value_survives_in_no_notation(value, before, after):
    """None of its encodings is left, for any value in any surroundings."""
    forget()
    value = value.strip()
    assume(register(value))
    for spell in SPELLINGS:
        assert spell(value) not in redact(spell(f"{before}{value}{after}"))


@given(st.lists(st.text(alphabet="ab*.", min_size=6, max_size=12), min_size=1, max_size=4), st.data())
def test_a_registered_value_never_survives(values, data):
    """However values overlap and repeat, none is left in the text."""
    forget()
    for value in values:
        register(value)
    parts = st.one_of(st.sampled_from(values), st.text(alphabet="ab*.", max_size=5))
    text = redact("".join(data.draw(st.lists(parts, max_size=6))))
    assert not any(value in text for value in values)


@given(st.text(alphabet="xyz *", max_size=40))
def test_text_without_a_registered_value_is_unchanged(text):
    """Nothing but the values is touched."""
    forget()
    register("abcdef")
    assert redact(text) == text
