"""``/metrics`` of the service, scraped by a real Prometheus whose answers the dashboard and the rules get."""

import json
import re
import socket
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml

from sta410kit.market.resilience import CircuitBreaker
from sta410kit.service import queue
from tests.conftest import wait_for
from tests.stored_runs import DRIFT, FINDING, RIDGE, SCORES, forecast, store_run

pytestmark = pytest.mark.integration

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture
def measured(tmp_path, monkeypatch, serve_project):
    """Serve a project that has something to tell by every metric."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = tmp_path / "project"
    (project / "notebooks").mkdir(parents=True)
    (project / "notebooks" / "pipeline.toml").touch()
    monkeypatch.chdir(project)
    store_run(
        project, "20240104-220000-000aa", findings=[FINDING], forecasts=[forecast("KO", 0.01)],
        scorecard=[{**RIDGE, **SCORES}], drift=[{**RIDGE, **DRIFT}], data={"last": "2024-01-04"},
        origin={"source": "alpaca", "source_failure": "no answer"},
    )  # fmt: skip
    (project / "runs" / "alerts.json").write_text(
        json.dumps({"open": {"failed/nightly": {}}, "channels": {"1 (json)": {"failures": 2}}})
    )
    CircuitBreaker("Alpaca").record(success=False)
    with serve_project(project) as service:
        yield service


def test_metrics_need_a_viewer_and_tell_of_the_queue(measured):
    """In either text format that Prometheus asks for."""
    with measured.client() as nobody:
        assert nobody.get("/metrics").status_code == 401
    queue.enqueue(measured.app.state.site.database, "run", {})
    with measured.client("viewer") as client:
        plain = client.get("/metrics")
        assert plain.headers["content-type"].startswith("text/plain; version=")
        assert 'sta410_queue_jobs{state="queued"} 1.0' in plain.text
        opened = client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        assert opened.text.endswith("# EOF\n")


@pytest.fixture
def prometheus(measured, tmp_path, need):
    """Start Prometheus with the configuration in deploy/, and wait until it has scraped the service."""
    need("prometheus")
    folder, token = DEPLOY / "prometheus", tmp_path / "token"
    token.write_text(measured.tokens["viewer"])
    config = yaml.safe_load((folder / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(folder / "alerts.yml")]
    (job,) = config["scrape_configs"]
    job["authorization"]["credentials_file"] = str(token)
    job["static_configs"] = [{"targets": [measured.url.removeprefix("http://")]}]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = {
        "config.file": tmp_path / "prometheus.yml", "storage.tsdb.path": tmp_path / "tsdb",
        "web.listen-address": address,
    }  # fmt: skip
    words = ["prometheus", *(f"--{name}={value}" for name, value in options.items())]
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://{address}/api/v1", trust_env=False, timeout=30) as client:

            def ask(path="query", **params):
                try:
                    return client.get(path, params=params).json()
                except (httpx.TransportError, ValueError):  # it answers in words until it is ready
                    return {}

            def scraped():
                return ask(query="sta410_build_info").get("data", {}).get("result")

            assert wait_for(scraped), (tmp_path / "prometheus.log").read_text()
            yield ask
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_every_query_of_the_dashboard_and_the_rules_has_an_answer(prometheus):
    """A misspelt metric or label would show an empty panel for ever."""
    board = json.loads((DEPLOY / "grafana" / "sta410kit.json").read_text("utf-8"))
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(queries) > 15
    empty = [query for query in queries if not prometheus(query=query).get("data", {}).get("result")]
    # No request has been counted against a rate limit.
    assert empty == ["min(sta410_rate_limit_remaining_requests)"]
    known = set(prometheus("label/__name__/values")["data"])
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
    assert {name for rule in rules for name in re.findall(r"sta410_\w+", rule["expr"])} <= known
    loaded = [rule for group in prometheus("rules")["data"]["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in loaded} <= {"ok", "unknown"}
    assert wait_for(lambda: _firing(prometheus) >= {"Sta410ForecastStale", "Sta410DataStale"})


def _firing(prometheus):
    """Name the alerts that are pending or fire."""
    return {alert["labels"]["alertname"] for alert in prometheus("alerts")["data"]["alerts"]}
