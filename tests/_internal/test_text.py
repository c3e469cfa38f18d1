"""Errors about names say what was perhaps meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit._internal.text import did_you_mean

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
