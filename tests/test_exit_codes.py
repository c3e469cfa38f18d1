"""The exit codes are a promise to scripts."""

import pytest

from sta410kit.exit_codes import ExitCode

pytestmark = pytest.mark.unit


def test_the_numbers_are_the_promised_ones():
    """A number never changes its meaning."""
    assert {code.name: int(code) for code in ExitCode} == {
        "PASSED": 0,
        "INTERNAL": 1,
        "USAGE": 2,
        "DATA_REJECTED": 3,
        "NOTEBOOK_FAILED": 4,
        "LEAK_FOUND": 5,
        "SECRET_FOUND": 6,
        "TIMED_OUT": 7,
        "OUT_OF_MEMORY": 8,
        "SCHEDULER_UNAVAILABLE": 9,
        "NOT_REPRODUCED": 10,
        "SOURCE_UNAVAILABLE": 11,
        "NOT_DUE": 12,
        "INTERRUPTED": 130,
    }
