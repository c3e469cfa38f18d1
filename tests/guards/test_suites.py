"""Suite files: found in their place, loaded whole, or refused by name."""

import json

import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.suites import list_suites, read_suite

pytestmark = pytest.mark.unit

SHIPPED = ["features", "forecasts", "predictions", "prices", "training"]


def write(path, expectations, **more):
    """Write a suite file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": path.stem, "expectations": expectations, **more}))
    return path


ROWS = {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1}}


def test_the_five_suites_are_there():
    """The shipped suites can be asked for by name."""
    assert set(SHIPPED) <= set(list_suites())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "cannot be read as JSON"),
        ("{", "cannot be read as JSON"),
        ("[]", "expected an object"),
        ("{}", "expected an object"),
        ('{"expectations": []}', "holds no expectation"),
        ('{"name": "prices", "expectations": [{}]}', "is named 'prices' inside"),
        ('{"name": "../up", "expectations": [{}]}', "is named '../up' inside"),
        ('{"expectations": [1]}', "expectation 1 has no 'type'"),
        ('{"expectations": [{"kwargs": {}}]}', "expectation 1 has no 'type'"),
        ('{"expectations": [{"type": "x", "kwargs": []}]}', "must be objects"),
        ('{"expectations": [{"type": "x", "meta": {"severity": "fatal"}}]}', "severity 'fatal'"),
    ],
)
def test_a_broken_suite_file_is_refused(tmp_path, text, complaint):
    """The error names the file and what is wrong in it."""
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=complaint):
        read_suite(path)


def test_a_missing_suite_file_is_refused(tmp_path):
    """A path that leads nowhere is named."""
    with pytest.raises(ConfigurationError, match="no suite file"):
        read_suite(tmp_path / "none.json")


def test_the_projects_own_suite_comes_first(tmp_path, monkeypatch):
    """A suite in the project's expectations/ replaces the shipped one of that name."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").touch()
    own = write(tmp_path / "expectations" / "prices.json", [ROWS])
    monkeypatch.chdir(tmp_path / "notebooks")
    assert read_suite("prices").path == own
    assert len(read_suite("features").expectations) > 20
    assert "prices" in list_suites()


def test_severity_is_critical_unless_the_file_says_otherwise(tmp_path):
    """A suite written by Great Expectations itself has no severity in meta; failures then stop."""
    suite = read_suite(write(tmp_path / "plain.json", [ROWS], notes=["a", "b"]))
    assert suite.expectations[0]["meta"] == {"severity": "critical"}
    assert suite.notes == "a\nb"
