"""Numbers of any library are read alike; what is none is refused by name, in few words."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from sta410kit._internal.argument_checks import as_number, require_positive, require_whole, shown
from sta410kit.exceptions import ConfigurationError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_a_whole_number_becomes_an_int(value):
    """Python's own, so that it can be written as JSON."""
    assert type(require_whole("horizon", value)) is int


@pytest.mark.parametrize(
    "value", [0, -1, 3.0, "3", True, np.True_, None, pd.NA, np.nan, Decimal(3), -(10**30)]
)
def test_what_is_no_whole_number_is_refused(value):
    """With its name, and what it takes."""
    with pytest.raises(
        ConfigurationError, match=r"horizon is .*; give a whole number of sessions, 1 or more\."
    ):
        require_whole("horizon", value, of="sessions")


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int8(2), Decimal(2), Fraction(2)])
def test_a_real_number_becomes_a_float(value):
    """Whatever holds it."""
    assert as_number(value) == 2.0
    assert require_positive("equity", value, "the capital") == 2.0


@pytest.mark.parametrize(
    "value", ["2", True, np.True_, None, pd.NA, pd.NaT, 2j, [2], Decimal("NaN"), Decimal("sNaN"), 10**400]
)
def test_what_is_no_number_is_none(value):
    """Text of digits, truth values and numbers beyond any float included."""
    assert math.isnan(as_number(value))
    with pytest.raises(ConfigurationError, match=r"equity is .*; give the capital as a positive number\."):
        require_positive("equity", value, "the capital")


def test_a_value_is_shown_in_few_words():
    """However long it is."""
    assert shown("AAPL") == "'AAPL'"
    assert len(shown("x" * 10_000)) <= 80
    assert len(shown(10**400)) <= 80
    assert shown(10**5000) == "a number of int too long to show"
