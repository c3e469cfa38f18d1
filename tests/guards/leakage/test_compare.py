"""Which values of two runs count as different."""

import numpy as np
import pytest

from sta410kit.guards.leakage.compare import unequal

pytestmark = pytest.mark.unit

INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        (1.0, 1.0 + 1e-12, False),
        (1.0, 1.0 + 1e-6, True),
        (0.0, 1e-16, False),
        (NAN, NAN, False),
        (NAN, 1.0, True),
        (1.0, NAN, True),
        (INF, INF, False),
        (INF, -INF, True),
        (INF, 1.0, True),
        (1.0, INF, True),
    ],
)
def test_rounding_is_no_difference_and_infinity_is_near_nothing(one, other, differs):
    """A ratio that is infinite in one run only has seen the future as plainly as any other value."""
    found = unequal(np.array([one]), np.array([other]), np.array([1.0]), 1e-9)
    assert found.tolist() == [differs]


def test_whole_numbers_differ_by_one():
    """Counts know no rounding, however large."""
    left, right = np.array([10**15, 7]), np.array([10**15 + 1, 7])
    assert unequal(left, right, np.array([1e15, 1e15]), 1e-9).tolist() == [True, False]
