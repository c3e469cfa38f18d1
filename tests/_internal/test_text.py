"""Texts of messages: suggestions, plurals, and no control characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit._internal.text import did_you_mean, pluralize, printable

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("rigde", " Did you mean 'ridge'?"),
        ("RIDGE", " Did you mean 'ridge'?"),
        ("symbol", " Did you mean 'Symbols'?"),
        ("zzzz", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_the_nearest_name_is_suggested(given, sentence):
    """Near names are suggested as they are spelt, far ones are not."""
    assert did_you_mean(given, ("ridge", "Symbols", "naive")) == sentence


@given(st.text(), st.lists(st.text()))
def test_what_is_suggested_is_always_a_known_name(text, known):
    """Whatever is typed, nothing is made up."""
    sentence = did_you_mean(text, known)
    assert not sentence or sentence.removeprefix(" Did you mean '").removesuffix("'?") in known


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 warnings"), (1, "1 warning"), (2, "2 warnings"), (12154, "12,154 warnings")]
)
def test_only_one_is_singular(number, words):
    """Thousands are separated."""
    assert pluralize(number, "warning") == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nof AAPL \u20ac", "plain\ttext\nof AAPL \u20ac"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b]0;title\x07x\x1b]8;;http://x\x1b\\link", "xlink"),
        ("a\rb\x08c\x00d\x7f\x9b1me", "abcde"),
        ("\u202eevil\u2069", "evil"),
        ("\x1b", ""),
    ],
)
def test_data_cannot_steer_a_terminal(text, shown):
    """Escape sequences, other control characters and marks of direction are taken out."""
    assert printable(text) == shown
