"""A project registers expectations of its own."""

import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards import expectations
from sta410kit.guards.expectations import Expectation, expectation

pytestmark = pytest.mark.unit


def test_a_cell_that_is_run_twice_registers_its_class_again(monkeypatch):
    """The newer class counts."""
    monkeypatch.setattr(expectations, "EXPECTATIONS", {})
    for _ in range(2):
        newest = expectation(type("ExpectCalm", (Expectation,), {"sentence": "Calm."}))
    assert {"expect_calm": newest} == expectations.EXPECTATIONS


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Calm", "an expectation is called ExpectSomething, not Calm"),
        ("ExpectRowsInOrder", "'expect_rows_in_order' in sta410kit.guards.expectations.rows_and_dates"),
    ],
)
def test_a_name_that_no_suite_could_use_is_refused(name, message):
    """Without the prefix, or taken."""
    with pytest.raises(ConfigurationError, match=message):
        expectation(type(name, (Expectation,), {"sentence": "Calm."}))
