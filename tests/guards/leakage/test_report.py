"""The report is evidence: a line, JSON, HTML, and an exception on request."""

import json
import pickle

import pytest

from sta410kit.exceptions import LeakageError
from sta410kit.guards.leakage.report import LeakFinding, LeakReport

pytestmark = pytest.mark.unit

FINDING = LeakFinding(
    "<x>", "A&B", "2024-01-02", "2024-01-02", "uses t+1", 1, "cut off", ("A&B",), "<x>: changes"
)
LEAK = LeakReport((FINDING,), ("<x>", "y"), ("2024-01-02",), 3, notes=("a <note>",))
CLEAN = LeakReport((), ("y",), ("2024-01-02",), 3)


def test_the_html_escapes_what_users_wrote():
    """Names of columns and symbols are data."""
    page = LEAK._repr_html_()
    assert "&lt;x&gt;" in page
    assert "A&amp;B" in page
    assert "a &lt;note&gt;" in page
    assert "<x>" not in page
    assert "<b>leak probe: no leak found" in CLEAN._repr_html_()
    assert "<table>" not in CLEAN._repr_html_()


def test_the_report_is_plain_json():
    """With the verdict first."""
    told = json.loads(json.dumps(LEAK.to_dict()))
    assert told["passed"] is False
    assert told["findings"][0]["offset"] == "uses t+1"
    assert CLEAN.to_dict()["passed"] is True


def test_raising_is_a_layer_above():
    """The exception holds every finding and survives pickling."""
    assert CLEAN.require() is CLEAN
    with pytest.raises(LeakageError, match="columns that look ahead:\n  - <x>: changes") as error:
        LEAK.require()
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)  # noqa: S301 - our own bytes
