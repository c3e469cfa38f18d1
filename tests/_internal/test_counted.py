"""Counted things in words."""

import pytest

from sta410kit._internal.text import pluralize

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 warnings"), (1, "1 warning"), (2, "2 warnings"), (12154, "12,154 warnings")]
)
def test_only_one_is_singular(number, words):
    """Thousands are set apart."""
    assert pluralize(number, "warning") == words
