"""Alerts: which events are sent, once per incident, and what a dead channel costs."""

import json
import socket
import threading
import time
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sta410kit._internal import redaction
from sta410kit.cli.entry import cli
from sta410kit.config import Config, set_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner import alert_channels, schedules
from sta410kit.runner.alert_channels import Message, deliver
from sta410kit.runner.alerts import errors_reported, read_state, report_failure, report_missed, report_run
from sta410kit.runner.chain import Run
from sta410kit.runner.manifest import Manifest, StepRecord
from sta410kit.runner.schedules import Due
from tests.runner.conftest import save

pytestmark = pytest.mark.integration


class Receiver(BaseHTTPRequestHandler):
    """Take what apprise posts."""

    def do_POST(self):
        content = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(json.loads(content))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        """Stay silent."""


@pytest.fixture
def receiver():
    """Listen for alerts; its ``url`` is a channel, its ``received`` are the messages."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.received, server.status = [], 200
        server.url = f"json://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def silent():
    """Give the channel of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"json://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(autouse=True)
def _logs_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def use(*channels, **settings):
    set_config(Config(night={"alert_urls": ", ".join(channels), **settings}))


def ended(folder, outcome="PASSED", *steps, **results):
    """Return a run that has ended like that."""
    folder.mkdir(parents=True, exist_ok=True)
    return Run(folder, Manifest(folder.name, outcome=outcome, steps=list(steps), results=results))


def titles(receiver):
    return [one["title"] for one in receiver.received]


REFUSED = StepRecord("02_validate", "DATA_REJECTED", message="the gate 'prices' refused the data")
GATE = {
    "suite": "prices",
    "passed": False,
    "step": "02_validate",
    "page": "validations/prices/02_validate/20240101T000000000000Z/index.html",
    "failures": [
        {"expectation": "expect_x", "column": "close", "message": "3 are negative", "severity": "critical"},
        {"expectation": "expect_y", "column": "", "message": "odd", "severity": "warning"},
    ],
}  # fmt: skip


def test_a_failure_is_sent_once_with_reason_findings_and_link_and_ends(receiver, tmp_path):
    """The second night with the same reason says nothing, another reason does, a passed run ends it."""
    use(receiver.url, service_url="https://runs.example.org")
    run = ended(tmp_path / "runs" / "20240101-000000-000aa", "DATA_REJECTED", REFUSED)
    summary = run.folder / "data_docs" / GATE["page"].replace("index.html", "summary.json")
    summary.parent.mkdir(parents=True)
    summary.write_text(json.dumps(GATE))
    report_run(tmp_path, "nightly", run)
    report_run(tmp_path, "nightly", run)
    assert [(one["title"], one["message"].splitlines(), one["type"]) for one in receiver.received] == [(
        "nightly failed: 02_validate, DATA_REJECTED (exit code 3)",
        [
            "02_validate: the gate 'prices' refused the data",
            "prices: expect_x(close): 3 are negative",
            "https://runs.example.org/runs/20240101-000000-000aa",
        ],
        "failure",
    )]  # fmt: skip
    report_failure(tmp_path, "nightly", "its process was killed", "KILLED")
    report_run(tmp_path, "nightly", ended(tmp_path / "runs" / "20240102-000000-000aa"))
    report_run(tmp_path, "nightly", ended(tmp_path / "runs" / "20240103-000000-000aa"))
    assert titles(receiver)[1:] == ["nightly failed: KILLED", "nightly recovered"]
    assert receiver.received[-1]["message"].startswith("Over: nightly failed: KILLED (since ")


def test_stored_data_drift_and_a_missed_session_are_sent_and_end(receiver, tmp_path):
    """Each is an incident of its own; one recovery names all that are over."""
    use(receiver.url)
    report_missed(tmp_path, "nightly", Due("2024-01-02", "2024-01-02 was missed", missed=True))
    origin = {"source": "alpaca", "sessions_behind": 1, "source_failure": "Alpaca was asked 4 times"}
    drift = [{"model": "ridge", "horizon": 1, "drifted": ["coverage 71.0 % (t = -4.2)"]}]
    for name in ("20240103-000000-000aa", "20240104-000000-000aa"):
        report_run(tmp_path, "nightly", ended(tmp_path / "runs" / name, origin=origin, drift=drift))
    assert titles(receiver) == [
        "nightly missed 2024-01-02",
        "nightly recovered",
        "nightly: alpaca did not answer",
        "nightly: forecasts have drifted",
    ]
    assert "Stored prices were used, 1 session behind." in receiver.received[2]["message"]
    assert receiver.received[3]["message"].splitlines()[0] == "coverage 71.0 % (t = -4.2)"
    drift[0]["drifted"] = []
    report_run(tmp_path, "nightly", ended(tmp_path / "runs" / "20240105-000000-000aa", drift=drift))
    assert [line[:20] for line in receiver.received[4]["message"].splitlines()[:2]] == [
        "Over: nightly: alpac",
        "Over: nightly: forec",
    ]
    assert read_state(tmp_path / "runs")["open"] == {}


def test_a_dead_channel_delays_little_and_the_others_hear_of_it(receiver, silent, tmp_path):
    """Nobody listens at the first, the second hangs, the third is no address; the last gets its message."""
    use("json://127.0.0.1:1", f"{silent}?rto=0.5", "nonsense://x", receiver.url)
    began = time.monotonic()
    sent = deliver(Message("t", "b"), ["json://127.0.0.1:1", silent, receiver.url], 1.0)
    assert [one.problem for one in sent] == ["it did not take the message", "no answer within 1 s", ""]
    assert time.monotonic() - began < 10  # most of it to import apprise
    report_failure(tmp_path, "nightly", "reason", "KILLED")
    report_missed(tmp_path, "nightly", Due("2024-01-02", "2024-01-02 was missed", missed=True))
    report_missed(tmp_path, "nightly", Due("2024-01-03", "2024-01-03 was missed", missed=True))
    texts = [one["message"] for one in receiver.received[1:]]
    assert ["Alert channel" in text for text in texts] == [False, True, False]
    assert "Alert channel 3 (nonsense) has failed since" in texts[1]
    channels = read_state(tmp_path / "runs")["channels"]
    assert {name: one["failures"] for name, one in channels.items()} == {
        "1 (json)": 3, "2 (json)": 3, "3 (nonsense)": 3, "4 (json)": 0,
    }  # fmt: skip


def test_what_no_channel_took_is_sent_again(receiver, tmp_path):
    """Until one takes it; a recovery from what nobody heard of is not sent."""
    use(receiver.url)
    receiver.status = 500
    report_failure(tmp_path, "nightly", "reason", "KILLED")
    report_failure(tmp_path, "weekly", "reason", "KILLED")
    receiver.status = 200
    report_failure(tmp_path, "nightly", "reason", "KILLED")
    report_run(tmp_path, "weekly", ended(tmp_path / "runs" / "20240105-000000-000aa"))
    assert titles(receiver) == ["nightly failed: KILLED", "weekly failed: KILLED", "nightly failed: KILLED"]
    assert list(read_state(tmp_path / "runs")["open"]) == ["failed/nightly"]


def test_changes_are_sent_once_a_run_where_they_are_wanted(receiver, tmp_path):
    """ALERT_ON_SUCCESS adds a message after each run that passed."""
    use(receiver.url, alert_on_success="true")
    for name in ("20240105-000000-000aa", "20240105-000000-000aa"):
        report_run(tmp_path, "nightly", ended(tmp_path / "runs" / name))
    assert titles(receiver) == ["nightly passed"]
    assert "No earlier run has passed" in receiver.received[0]["message"]


def test_a_run_that_cannot_begin_is_reported_and_still_raises(receiver, tmp_path):
    """Its error is the reason."""
    use(receiver.url)
    with pytest.raises(ConfigurationError), errors_reported(tmp_path, "nightly"):
        raise ConfigurationError("no parameter 'modle'")  # noqa: EM101, TRY003
    assert receiver.received[0]["title"] == "nightly failed: USAGE"
    assert receiver.received[0]["message"] == "ConfigurationError: no parameter 'modle'"


def test_a_schedule_that_is_run_alerts(receiver, project, monkeypatch):
    """The command line sends the failure of the chain and its recovery, and writes the metrics."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("ALERT_URLS", receiver.url)
    monkeypatch.setenv("METRICS_TEXTFILE", "sta410.prom")

    def night(start):
        (project / "schedules.toml").write_text(f"[nightly]\nparameters = {{ start = {start} }}\n")
        return CliRunner().invoke(cli, ["run", "--schedule", "nightly"], standalone_mode=False)

    assert isinstance(night('"x"').exception, ConfigurationError)
    assert night("3").return_value == 0
    assert titles(receiver) == ["nightly failed: USAGE", "nightly recovered"]
    assert 'sta410_runs{kind="chain",outcome="PASSED"} 1.0' in (project / "sta410.prom").read_text()
    monkeypatch.setenv("METRICS_TEXTFILE", "schedules.toml/sta410.prom")
    set_config(None)
    done = night("3")
    assert (done.return_value, "warning: the metrics could not be written" in done.output) == (12, True)


_PRICES = """from pathlib import Path
from sta410kit import guards, market
prices = market.load_prices(start="2010-01-01", end=end)
newest = prices.index[prices["symbol"] == "IBM"][-1]
if wrong:
    prices.loc[newest, "close"] = 287.325
result = guards.validate(prices)
guards.accept(prices, result, Path(run_dir) / "prices.parquet")"""


@pytest.fixture
def night(receiver, project, monkeypatch):
    """Give the function that runs the night after a session, on prices of three years."""
    save(
        project / "notebooks" / "one.ipynb",
        ('wrong: bool = False\nend: str = "2012-12-31"\nrun_dir: str | None = None', "parameters"),
        _PRICES,
    )
    (project / "notebooks" / "pipeline.toml").write_text(
        '[[step]]\nnotebook = "one.ipynb"\nproduces = { prices = "prices.parquet" }\n'
    )
    monkeypatch.chdir(project)
    monkeypatch.setenv("ALERT_URLS", receiver.url)
    monkeypatch.setenv("ALERT_ON_SUCCESS", "true")

    def run(session, parameters=""):
        (project / "schedules.toml").write_text(f"[nightly]\nparameters = {{ {parameters} }}\n")
        monkeypatch.setattr(schedules, "newest_closed", lambda *_: date.fromisoformat(session))
        receiver.received.clear()
        done = CliRunner().invoke(cli, ["run", "--schedule", "nightly"], standalone_mode=False)
        assert done.return_value == 0, done.output
        shown = CliRunner().invoke(cli, ["night"], standalone_mode=False).output.splitlines()
        return {one["title"]: one["message"].splitlines() for one in receiver.received}, shown

    return run


@pytest.mark.slow
def test_a_night_on_quarantined_prices_names_them(night):
    """Symbol, date and what is wrong, in its message and an alert of its own, until they are right."""
    found = (
        "quarantined IBM 2012-12-31: open=189.23, high=191.68, low=188.84, close=287.325 "
        "(expect_prices_within_bar, expect_no_reverting_spikes)"
    )
    sent, shown = night("2012-12-28", "wrong = true")
    assert list(sent) == ["nightly: prices were quarantined", "nightly passed"]
    assert sent["nightly: prices were quarantined"][0] == found
    assert found in sent["nightly passed"]
    assert found in shown
    sent, shown = night("2012-12-31")
    assert sent["nightly recovered"][0].startswith("Over: nightly: prices were quarantined (since ")
    assert [line for line in shown if "quarantined" in line or "Revised" in line] == []


@pytest.mark.slow
def test_a_night_on_prices_that_end_early_says_so(night):
    """Its message and an alert name the last session and the one that was wanted, until prices reach it."""
    early = "prices end 2012-12-27, before the session of 2012-12-28"
    sent, shown = night("2012-12-28", 'end = "2012-12-27"')
    assert list(sent) == [f"nightly: {early}", "nightly passed"]
    assert early in sent["nightly passed"]
    assert early in shown
    sent, shown = night("2012-12-31")
    assert sent["nightly recovered"][0].startswith(f"Over: nightly: {early} (since ")
    assert early not in shown


def test_the_command_tests_channels(receiver, project, monkeypatch):
    """Each says whether it took the message; without channels the command says what is missing."""
    monkeypatch.chdir(project)

    def ask():
        return CliRunner().invoke(cli, ["alert", "--test"], standalone_mode=False)

    assert "ALERT_URLS is empty" in str(ask().exception)
    use(receiver.url, "nonsense://x")
    asked = ask()
    assert (asked.return_value, asked.output.splitlines()) == (
        2, ["channel 1 (json): sent", "channel 2 (nonsense): apprise knows no such address"],
    )  # fmt: skip
    assert titles(receiver) == ["sta410kit: test"]


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=8, max_size=40))
def test_no_message_holds_a_registered_secret(secret):
    """Wherever it is in title or text, it is masked before a channel gets it."""
    taken = []

    class Channel:
        def notify(self, **message):
            taken.append(message)
            return True

    if redaction.register(secret):
        text = f"reason: {secret}, in {secret}"
        alert_channels._send(Channel(), Message(secret, text), alert_channels.Delivery("1"))
        assert secret.strip() not in taken[0]["title"] + taken[0]["body"]
