"""What is different from yesterday."""

import json

import pytest
from click.testing import CliRunner

from sta410kit.cli.entry import cli
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.manifest import Manifest
from sta410kit.runner.night import night_of
from tests.stored_runs import FINDING, forecast, store_run

pytestmark = pytest.mark.unit


@pytest.fixture
def nights(tmp_path):
    """Store a Thursday and a Friday that differ in everything, and an experiment between them."""
    store_run(
        tmp_path, "20240104-220000-000aa", findings=[FINDING], closes=[10.0, 11.0, 12.0, 13.0],
        forecasts=[forecast("KO", 0.01), forecast("PG", 0.001), forecast("T", 0.01), forecast("XOM", 0.02)],
        verdict={"verdict": "no skill shown", "sentence": "It was so."}, model="ridge",
        scores={"r2_against_naive": 0.001, "rank_ic": 0.02},
        data={"last": "2024-01-04", "symbols": ["KO", "PG"]},
    )  # fmt: skip
    store_run(tmp_path, "20240105-120000-000aa", given={"model": "naive"}, model="naive")
    return store_run(
        tmp_path, "20240105-220000-000aa", findings=[{**FINDING, "expectation": "expect_y"}],
        closes=[10.0, None, 12.5, 13.0, 14.0],
        forecasts=[forecast("KO", -0.01), forecast("PG", 0.002), forecast("MM", 0.01), forecast("XOM", 0.03)],
        no_forecast={"T": "quarantined (its prices are stale)"},
        verdict={"verdict": "skill", "sentence": "It is so."}, model="ridge",
        scores={"r2_against_naive": 0.002, "coverage": 0.9009},
        data={"last": "2024-01-05", "symbols": ["KO", "PG"]},
    )  # fmt: skip


def test_each_kind_of_difference_is_a_line(nights):
    """The run with the same parameters is yesterday, not the experiment at noon."""
    found = night_of(nights)
    assert found.before == "20240104-220000-000aa"
    told = found.lines[3].split("; ")
    assert [*found.lines[:3], *told, *found.lines[4:]] == [
        "Verdict: skill. It is so.",
        "Verdict: skill (before: no skill shown)",
        "Last session: 2024-01-05 (before: 2024-01-04)",
        "Forecasts: KO turned from +1.00 % to -1.00 %",
        "PG grew from +0.10 % to +0.20 %",
        "MM is new, +1.00 %",
        "T is missing: quarantined",
        "Revised by the source, 2 bars: KO 2024-01-03 close 12 became 12.5; KO 2024-01-02 is gone",
        "New findings of gates: prices: expect_y(close) [warning, 3 rows]",
        "Findings that are gone: prices: expect_x(close) [warning, 3 rows]",
        "Metrics: R² against naive +0.20 % (before: +0.10 %); 90 % interval covers 90.1 % (before: none)",
        "It took 10.0 s (before: 10.0 s).",
    ]


def test_the_command_shows_the_newest_night(nights, monkeypatch):
    """As lines, or as JSON."""
    monkeypatch.chdir(nights.parent.parent)
    asked = CliRunner().invoke(cli, ["night"], standalone_mode=False)
    head = "run 20240105-220000-000aa: PASSED, beside 20240104-220000-000aa"
    assert (asked.return_value, asked.output.splitlines()[0]) == (0, head)
    found = json.loads(
        CliRunner().invoke(cli, ["night", "20240105-22", "--json"], standalone_mode=False).output
    )
    assert (found["revised"], found["forecasts"][0]["how"][:6]) == (2, "turned")


def test_the_first_night_has_nothing_to_compare_with(tmp_path):
    """And a sweep is no night."""
    folder = store_run(tmp_path, "20240104-220000-000aa", closes=[10.0])
    assert night_of(folder).lines[-1] == "No earlier run has passed, so there is nothing to compare with."
    with pytest.raises(ConfigurationError, match="is a sweep"):
        night_of(folder, Manifest("x", kind="sweep"))


def test_what_a_failed_run_has_not_reached_is_not_compared(nights):
    """Its data and gates are; forecasts, verdict and metrics that it never had are no change."""
    failed = store_run(
        nights.parent.parent, "20240106-220000-000aa", outcome="DATA_REJECTED", closes=[10.0, 12.0, 12.5],
        data={"last": "2024-01-08", "symbols": ["KO", "PG"]},
    )  # fmt: skip
    assert night_of(failed).lines == [
        "Last session: 2024-01-08 (before: 2024-01-05)",
        "Findings that are gone: prices: expect_y(close) [warning, 3 rows]",
        "It took 10.0 s (before: 10.0 s).",
    ]
