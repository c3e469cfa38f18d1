"""Metrics from the run store, and what they cost."""

import json
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from sta410kit.cli.entry import cli
from sta410kit.config import Config, set_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.market.resilience import CircuitBreaker, RateLimit
from sta410kit.runner.metrics import ProjectCollector, metrics_text, render, write_textfile
from sta410kit.runner.registry import Registry
from tests.stored_runs import DRIFT, FINDING, RIDGE, SCORES, forecast, store_run

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Give the folder of breakers and rate limits, which is the user's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sta410kit"


def samples(text):
    return {
        (one.name.removeprefix("sta410_"), *(value for _, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_runs_data_forecasts_and_scores_are_measured(tmp_path):
    """A passed night with scores, one on stored prices, and one that was refused."""
    store_run(
        tmp_path, "20240104-220000-000aa", findings=[FINDING], forecasts=[forecast("KO", 0.01)],
        scorecard=[{**RIDGE, **SCORES}], drift=[{**RIDGE, **DRIFT}], data={"last": "2024-01-04"},
    )  # fmt: skip
    origin = {"source": "alpaca", "sessions_behind": 1, "source_failure": "no answer"}
    store_run(
        tmp_path, "20240105-220000-000aa", origin=origin, findings=[FINDING], data={"last": "2024-01-04"}
    )
    store_run(tmp_path, "20240108-220000-000aa", outcome="DATA_REJECTED")
    (tmp_path / "runs" / "alerts.json").write_text(
        json.dumps({"open": {"failed/nightly": {}}, "channels": {"1 (json)": {"failures": 2}}})
    )
    found = samples(metrics_text(tmp_path))
    ridge = ("1", "ridge", "close_to_close")
    expected = {
        ("runs", "chain", "PASSED"): 2,
        ("runs", "chain", "DATA_REJECTED"): 1,
        ("degraded_runs", "alpaca"): 1,
        ("source_errors", "alpaca"): 1,
        ("gate_failures", "expect_x", "warning", "prices"): 2,
        ("last_run_passed",): 0,
        ("last_run_duration_seconds",): 10,
        ("step_duration_seconds", "01_ingest"): 2,
        ("step_peak_memory_bytes", "01_ingest"): 2**28,
        ("data_last_session_timestamp_seconds", "alpaca"): datetime(2024, 1, 4, tzinfo=UTC).timestamp(),
        ("data_sessions_behind", "alpaca"): 1,
        ("forecast_made_timestamp_seconds",): datetime(2024, 1, 4, 22, tzinfo=UTC).timestamp(),
        ("forecast_coverage_ratio", *ridge): 0.9,
        ("forecast_r2_ratio", *ridge): 0.01,
        ("forecast_coverage_drift", *ridge): -1.5,
        ("incidents_open", "failed", "nightly"): 1,
        ("alert_channel_failures", "1 (json)"): 2,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert ("data_age_seconds", "alpaca") not in found  # a file would be read when it is long wrong


def test_breakers_and_rate_limits_are_read_where_all_processes_keep_them(tmp_path):
    """Eight failures in a row open a breaker; one request of 190 is gone."""
    breaker = CircuitBreaker("Alpaca")
    for _ in range(8):
        breaker.record(success=False)
    with closing(RateLimit("https://x a-key")) as limit:
        limit.acquire()
    found = samples(metrics_text(tmp_path))
    assert (found["breaker_open", "Alpaca"], found["breaker_failures", "Alpaca"]) == (1, 8)
    (left,) = (value for key, value in found.items() if key[0] == "rate_limit_remaining_requests")
    assert left == 189
    breaker.record(success=True)
    assert ("breaker_open", "Alpaca") not in samples(metrics_text(tmp_path))


def test_the_service_adds_its_queue_and_ages(tmp_path):
    """Data that are two days old, and three jobs."""
    store_run(tmp_path, "20240105-220000-000aa", data={"last": "2024-01-04"})
    with Registry(tmp_path / "runs") as index:
        collector = ProjectCollector(tmp_path, index, lambda: ({"queued": 3, "running": 1}, 60.0))
        found = samples(render(collector).decode())
    assert (found["queue_jobs", "queued"], found["queue_oldest_wait_seconds",]) == (3, 60)
    assert found["data_age_seconds", "alpaca"] == pytest.approx(
        time.time() - datetime(2024, 1, 4, tzinfo=UTC).timestamp(), abs=60
    )


def test_the_textfile_appears_whole_where_the_setting_says(tmp_path, monkeypatch):
    """And the command prints the same; both without a run."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert write_textfile(tmp_path) is None
    with pytest.raises(ConfigurationError, match="METRICS_TEXTFILE is empty"):
        write_textfile(tmp_path, required=True)
    set_config(Config(night={"metrics_textfile": "out/sta410.prom"}))
    written = write_textfile(tmp_path).read_text()
    assert written == CliRunner().invoke(cli, ["metrics"], standalone_mode=False).output
    assert samples(written)["build_info", "0.1.0"] == 1
    assert not (tmp_path / "runs").exists()


def test_many_labels_are_cut_and_counted_as_others(tmp_path):
    """A hundred expectations at most; 20 of 120 share one sample."""
    findings = [{**FINDING, "expectation": f"expect_{number}"} for number in range(120)]
    store_run(tmp_path, "20240105-220000-000aa", findings=findings)
    found = {
        key: value for key, value in samples(metrics_text(tmp_path)).items() if key[0] == "gate_failures"
    }
    assert (len(found), found["gate_failures", "other", "other", "other"]) == (101, 20)


def test_labels_are_what_names_are(tmp_path):
    """A parser of the text reads the same of quotes, tags, line ends, backslashes and any alphabet."""
    odd = ["<img src=x onerror=1>", 'a"b\\', "../x", "line\nend", "L" * 300, "ŁÓDŹ 株"]
    findings = [{**FINDING, "expectation": name} for name in odd]
    store_run(tmp_path, "20240105-220000-000aa", findings=findings)
    told = {f"failed/{name}": {"reason": "", "title": "", "since": "", "delivered": True} for name in odd}
    (tmp_path / "runs" / "alerts.json").write_text(json.dumps({"open": told}))
    found = {family.name: family.samples for family in text_string_to_metric_families(metrics_text(tmp_path))}
    assert {one.labels["expectation"] for one in found["sta410_gate_failures"]} == set(odd)
    assert {one.labels["schedule"] for one in found["sta410_incidents_open"]} == set(odd)


def test_a_scrape_of_many_runs_reads_no_manifest_again(tmp_path, monkeypatch):
    """Once read, they are looked at and not opened; a run that changes is read again."""
    first = store_run(tmp_path, "20240101-000000-000aa")
    for number in range(1, 200):
        folder = tmp_path / "runs" / f"20240102-000000-{number:03d}aa"
        folder.mkdir()
        (folder / "manifest.json").hardlink_to(first / "manifest.json")
    with Registry(tmp_path / "runs") as index:
        collector = ProjectCollector(tmp_path, index)
        assert samples(render(collector).decode())["runs", "chain", "PASSED"] == 200
        opened = []
        monkeypatch.setattr("sta410kit.runner.run_facts.read_manifest", opened.append)
        began = time.process_time()
        assert samples(render(collector).decode())["runs", "chain", "PASSED"] == 200
        took = time.process_time() - began
    assert opened == []
    assert took < 0.5


def test_promtool_finds_nothing_to_say_about_the_names(tmp_path, need):
    """Names, units and help texts follow the conventions."""
    need("promtool")
    store_run(tmp_path, "20240104-220000-000aa", data={"last": "2024-01-04"}, forecasts=[forecast("KO", 1.0)])
    with Registry(tmp_path / "runs") as index:
        content = render(ProjectCollector(tmp_path, index, lambda: ({"queued": 1}, 0.0)))
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=content, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
