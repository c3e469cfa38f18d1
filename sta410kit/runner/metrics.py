"""Metrics of a project for Prometheus, computed from the run store when they are asked for.

Nothing is counted while runs go on, so no process has to live on and nothing is lost with one. What is
counted over stored runs is therefore a gauge: it falls when runs are pruned.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit import __version__
from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.redaction import redact
from sta410kit.config import get_config
from sta410kit.exceptions import APIError, ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.market.alpaca_client import CALLS, SECONDS
from sta410kit.market.resilience.breaker import THRESHOLD, failures_in_a_row, state_folder
from sta410kit.market.resilience.rate_limit import remaining_requests
from sta410kit.runner.alerts import read_state
from sta410kit.runner.manifest import RUNNING
from sta410kit.runner.registry import Registry
from sta410kit.runner.run_facts import FactsOfRuns, RunFacts

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily, Metric

Queue = Callable[[], tuple[Mapping[str, int], float]]
_MOST = 100  # combinations of labels of a metric; what is rarer is counted as ``other``
_PASSED = ExitCode.PASSED.name
_HELP = {
    "build_info": "Version of sta410kit.",
    "runs": "Stored runs by kind and outcome.",
    "degraded_runs": "Stored runs that used stored prices because their source did not answer.",
    "source_errors": "Stored runs whose source did not answer.",
    "gate_failures": "Stored runs in which a gate found a failure of the expectation.",
    "last_run_passed": "Whether the newest run of the chain that has ended passed.",
    "last_run_start_timestamp_seconds": "When that run began.",
    "last_run_duration_seconds": "How long that run took.",
    "step_duration_seconds": "How long each step of that run took when it was executed.",
    "step_peak_memory_bytes": "Most memory of each step of that run.",
    "last_passed_run_start_timestamp_seconds": "When the newest run of the chain that passed began.",
    "data_last_session_timestamp_seconds": "Last session in the newest run that passed; midnight in UTC.",
    "data_sessions_behind": "Sessions that had closed after that one when its prices were read.",
    "data_age_seconds": "Seconds since midnight in UTC of that session.",
    "forecast_made_timestamp_seconds": "When the newest forecasts were made.",
    "forecast_age_seconds": "Seconds since the newest forecasts were made.",
    "forecasts_scored": "Past forecasts that have an outcome.",
    "forecast_coverage_ratio": "Share of outcomes inside the intervals that were forecast.",
    "forecast_r2_ratio": "Out-of-sample R² of past forecasts against forecasting no change.",
    "forecast_hit_ratio": "Share of past forecasts with the right sign.",
    "forecast_coverage_drift": "Distance of the newest coverage from its level, in standard errors.",
    "forecast_skill_drift": "Squared error saved against no change of late, in standard errors.",
    "breaker_failures": "Failures in a row of a service; those that answer are not listed.",
    "breaker_open": "Whether a circuit breaker refuses requests.",
    "rate_limit_remaining_requests": "Requests that this machine may still send in a minute, by account.",
    "incidents_open": "Incidents that an alert was sent for and that are not over.",
    "alert_channel_failures": "Failures in a row of each alert channel.",
    "queue_jobs": "Jobs of the service by state.",
    "queue_oldest_wait_seconds": "How long the oldest queued job has waited.",
}
_SCORES = {
    "scorecard": {
        "forecasts_scored": "scored",
        "forecast_coverage_ratio": "coverage",
        "forecast_r2_ratio": "r2_against_naive",
        "forecast_hit_ratio": "hit_rate",
    },
    "drift": {"forecast_coverage_drift": "coverage_t", "forecast_skill_drift": "skill_t"},
}


class ProjectCollector:
    """A collector of prometheus-client over one project.

    Parameters
    ----------
    project : Path
        The project's folder.
    index : Registry
        The index of its runs.
    queue : callable, optional
        Of the service: returns its jobs by state and the seconds that the oldest queued one has waited.
    ages : bool
        Whether data and forecast age are given as seconds beside the timestamps. Not for a file, which is
        read long after it was written.
    """

    def __init__(
        self, project: Path, index: Registry, queue: Queue | None = None, *, ages: bool = True
    ) -> None:
        self._runs, self._queue, self._ages = project / "runs", queue, ages
        self._facts = FactsOfRuns(self._runs, index)

    def collect(self) -> Iterator[Metric]:
        """Yield every metric; called at each scrape."""
        found = self._facts.read()
        chains = [one for one in found if one.facts["kind"] == "chain"]
        yield _gauge("build_info", {(__version__,): 1}, "version")
        yield from _counts([one.facts for one in found])
        yield from self._last_runs(chains)
        yield from self._ages_of(chains)
        yield from self._scores(chains)
        yield from _sources()
        state = read_state(self._runs)
        incidents = {tuple(key.split("/", 1)): 1 for key in list(state["open"])[:_MOST]}
        yield _gauge("incidents_open", incidents, "event", "schedule")
        failures = {(name,): one["failures"] for name, one in state["channels"].items()}
        yield _gauge("alert_channel_failures", failures, "channel")
        if self._queue is not None:
            states, oldest = self._queue()
            yield _gauge("queue_jobs", {(state,): number for state, number in states.items()}, "state")
            yield _gauge("queue_oldest_wait_seconds", {(): oldest})

    def _last_runs(self, chains: Sequence[RunFacts]) -> Iterator[Metric]:
        ended = next((one for one in chains if one.facts["outcome"] != RUNNING), None)
        if ended is not None:
            yield _gauge("last_run_passed", {(): ended.facts["outcome"] == _PASSED})
        if ended is not None and (about := self._facts.details(ended.run)):
            yield _gauge("last_run_start_timestamp_seconds", {(): _moment(about["started"])})
            if about["seconds"] is not None:
                yield _gauge("last_run_duration_seconds", {(): about["seconds"]})
            steps = about["steps"][:_MOST]
            yield _gauge("step_duration_seconds", {(name,): seconds for name, seconds, _ in steps}, "step")
            yield _gauge("step_peak_memory_bytes", {(name,): peak for name, _, peak in steps if peak}, "step")
        passed = _newest_passed(chains)
        if passed is not None and (about := self._facts.details(passed.run)):
            yield _gauge("last_passed_run_start_timestamp_seconds", {(): _moment(about["started"])})

    def _ages_of(self, chains: Sequence[RunFacts]) -> Iterator[Metric]:
        now, passed = time.time(), _newest_passed(chains)
        about = self._facts.details(passed.run) if passed else {}
        if about.get("last_session"):
            last, source = _moment(about["last_session"]), (about["source"] or "unknown",)
            yield _gauge("data_last_session_timestamp_seconds", {source: last}, "source")
            yield _gauge("data_sessions_behind", {source: about["behind"]}, "source")
            if self._ages:
                yield _gauge("data_age_seconds", {source: now - last}, "source")
        forecast = _newest_passed(one for one in chains if one.facts["forecasts"])
        if forecast is not None and (about := self._facts.details(forecast.run)):
            made = _moment(about["started"])
            yield _gauge("forecast_made_timestamp_seconds", {(): made})
            if self._ages:
                yield _gauge("forecast_age_seconds", {(): now - made})

    def _scores(self, chains: Sequence[RunFacts]) -> Iterator[Metric]:
        scored = next((one for one in chains if one.facts["scored"]), None)
        about = self._facts.details(scored.run) if scored else {}
        labels = ("model", "horizon", "target")
        for part, names in _SCORES.items():
            rows = about.get(part, [])[:_MOST]
            for name, column in names.items():
                known = (row for row in rows if row[column] is not None)
                values = {tuple(str(row[label]) for label in labels): row[column] for row in known}
                yield _gauge(name, values, *labels)


def _counts(facts: Sequence[dict[str, Any]]) -> Iterator[Metric]:
    yield _gauge("runs", _capped((one["kind"], one["outcome"]) for one in facts), "kind", "outcome")
    known = [one for one in facts if one.get("source")]
    degraded = [one for one in known if one["degraded"]]
    failed = [one for one in known if one["outcome"] == ExitCode.SOURCE_UNAVAILABLE.name]
    yield _gauge("degraded_runs", _capped((one["source"],) for one in degraded), "source")
    yield _gauge("source_errors", _capped((one["source"],) for one in degraded + failed), "source")
    findings = _capped(tuple(finding) for one in facts for finding in one.get("gates", ()))
    yield _gauge("gate_failures", findings, "suite", "expectation", "severity")


def _sources() -> Iterator[Metric]:
    """Yield the state of what all processes of this user share: breakers and rate limits."""
    failures: dict[str, int] = {}
    remaining: dict[str, int] = {}
    with suppress(APIError, OSError, sqlite3.Error):  # no source was asked yet, or no folder can be used
        folder = state_folder()
        failures, remaining = failures_in_a_row(folder), remaining_requests(folder, CALLS, SECONDS)
    services = {(name,): number for name, number in sorted(failures.items())[:_MOST]}
    yield _gauge("breaker_failures", services, "service")
    yield _gauge("breaker_open", {key: number >= THRESHOLD for key, number in services.items()}, "service")
    left = {(name[:8],): number for name, number in list(remaining.items())[:_MOST]}
    yield _gauge("rate_limit_remaining_requests", left, "account")


def metrics_text(project: Path) -> str:
    """Return all metrics of a project in Prometheus's text format, without a service."""
    with Registry(project / "runs", make=False) as index:
        return render(ProjectCollector(project, index, ages=False)).decode()


def textfile(project: Path) -> Path | None:
    """Return the file of METRICS_TEXTFILE, nothing where that is empty; errors as `write_textfile`."""
    name = get_config().night.metrics_textfile
    if name:
        _require_client()
    return project / name if name else None


def write_textfile(project: Path, *, required: bool = False) -> Path | None:
    """Write the metrics to the file of METRICS_TEXTFILE and return its path; nothing where that is empty.

    Raises
    ------
    ConfigurationError
        The setting is empty and `required`; or prometheus-client is not installed.
    """
    path = textfile(project)
    if path is not None:
        write_text(path, metrics_text(project))
    elif required:
        message = "METRICS_TEXTFILE is empty; set it to a file that ends in .prom"
        raise ConfigurationError(message)
    return path


def render(collector: ProjectCollector, generate: Callable[[Any], bytes] | None = None) -> bytes:
    """Return what a collector yields, in the text format or as `generate` writes it; secrets redacted."""
    _require_client()
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return redact((generate or generate_latest)(registry).decode()).encode()


def _require_client() -> None:
    try:
        import prometheus_client  # noqa: F401
    except ModuleNotFoundError as error:
        message = "metrics need prometheus-client: pip install 'sta410kit[night]'"
        raise ConfigurationError(message) from error


def _newest_passed(chains: Iterable[RunFacts]) -> RunFacts | None:
    return next((one for one in chains if one.facts["outcome"] == _PASSED), None)


def _gauge(name: str, values: Mapping[Any, float], *labels: str) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"sta410_{name}", _HELP[name], labels=labels)
    for key, value in values.items():
        family.add_metric([str(part) for part in key], float(value))
    return family


def _capped(found: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """Return how often each combination occurs, the rarest counted as one."""
    most = Counter(found).most_common()
    kept = dict(most[:_MOST])
    if rest := sum(number for _, number in most[_MOST:]):
        kept[("other",) * len(most[0][0])] = rest
    return kept


def _moment(text: str) -> float:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
