"""The API over one project: read runs and their files, start what the command line would start, follow it."""

import json

import pytest

pytestmark = pytest.mark.integration


def test_runs_are_listed_by_page_and_filter(service, run):
    """A list says how many there are; a filter that fits none gives none."""
    with service.client("viewer") as client:
        found = client.get("/api/v1/runs", params={"model": "ridge", "limit": 1}).json()
        none = client.get("/api/v1/runs", params={"outcome": "LEAK_FOUND"}).json()
    assert (found["total"], [one["run"] for one in found["items"]]) == (1, [run])
    assert found["items"][0]["outcome"] == "PASSED"
    assert (none["total"], none["items"]) == (0, [])


def test_a_run_is_read_with_its_steps_gates_and_log(service, run):
    """Details hold each step's record and what the gates found; the log is text."""
    with service.client("viewer") as client:
        details = client.get("/api/v1/runs/latest").json()
        log = client.get(f"/api/v1/runs/{run}/log", params={"lines": 1})
    assert details["run"] == run
    assert [step["name"] for step in details["step_records"]][:2] == ["01_ingest", "02_validate"]
    assert {gate["suite"] for gate in details["gates"]} >= {"prices", "features", "predictions"}
    assert "ends: PASSED" in log.text
    assert log.headers["content-type"].startswith("text/plain")


def test_a_validation_is_great_expectations_record(service, run):
    """The list of validations leads to each record."""
    with service.client("viewer") as client:
        found = client.get(f"/api/v1/runs/{run}/validations").json()
        record = client.get(found[0]["record"]).json()
    assert record["success"] is True
    assert record["results"]


def test_artifacts_are_downloaded_and_never_opened(service, run):
    """A file comes as an attachment in a sandbox, with the bytes that the run left."""
    with service.client("viewer") as client:
        names = {one["name"] for one in client.get(f"/api/v1/runs/{run}/artifacts").json()}
        answer = client.get(f"/api/v1/runs/{run}/artifacts/report.html")
    assert {"forecasts.parquet", "manifest.json", "report.html"} <= names
    assert not [name for name in names if name.startswith(".")]
    assert answer.content == (service.project / "runs" / run / "report.html").read_bytes()
    assert answer.headers["content-disposition"] == 'attachment; filename="report.html"'
    assert answer.headers["content-security-policy"].startswith("sandbox")


@pytest.mark.parametrize(
    "name",
    [
        "../registry.sqlite", "%2e%2e/registry.sqlite", "..%2f..%2fschedules.toml", "%2fetc%2fpasswd",
        "data_docs/../../registry.sqlite", ".lock", "link", "linked/passwd", "no\x00thing", "a" * 400,
    ],
)  # fmt: skip
def test_no_path_leads_out_of_a_run(service, run, name):
    """Dots, encoded or not, hidden files and links to the outside are no files of the run."""
    folder = service.project / "runs" / run
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "linked").symlink_to("/etc")
    with service.client("viewer") as client:
        answer = client.get(f"/api/v1/runs/{run}/artifacts/{name}".replace("\x00", "%00"))
    for link in ("link", "linked"):  # other tests use the run
        (folder / link).unlink()
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_run_is_queued_and_cancelled(service):
    """What is accepted gets an address; a job that has not begun is cancelled at once."""
    asked = {"parameters": {"model": "naive", "symbols": ["AAPL", "KO"]}, "fresh": True}
    with service.client("runner") as client:
        answer = client.post("/api/v1/runs", json=asked)
        job = client.get(answer.headers["location"]).json()
        gone = client.post(f"{answer.headers['location']}/cancel").json()
    assert (answer.status_code, job["state"], job["by"]) == (202, "queued", "runner")
    assert job["request"]["parameters"] == {"model": "naive", "symbols": '["AAPL", "KO"]'}
    assert (gone["state"], gone["outcome"]) == ("finished", "CANCELLED")


def test_a_sweep_is_checked_and_queued(service):
    """Every combination is checked before."""
    with service.client("runner") as client:
        good = client.post("/api/v1/sweeps", json={"grid": {"model": ["naive", "ridge"], "horizon": [1, 5]}})
        bad = client.post("/api/v1/sweeps", json={"grid": {"model": ["naive", "rige"]}})
        empty = client.post("/api/v1/sweeps", json={"grid": {"model": []}})
        client.post(f"{good.headers['location']}/cancel")
    assert good.json()["request"]["grid"] == {"model": ["naive", "ridge"], "horizon": ["1", "5"]}
    assert (bad.status_code, empty.status_code) == (422, 422)
    assert "Did you mean 'ridge'?" in bad.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"parameters": {"modle": "naive"}}, "Did you mean 'model'?"),
        ({"parameters": {"model": "AKIA" + "IOSFODNN7EXAMPLE"}}, "was given a secret"),
        ({"parameters": {"path": "/etc"}}, "path: the value leads out of the project"),
        ({"parameters": {"snapshot": "../x.parquet"}}, "snapshot: the value leads out of the project"),
        ({"parameters": {"path": "outside"}}, "leads out of the project"),
        ({"parameters": {"symbols": ["~/x"]}}, "symbols: the value leads out of the project"),
        ({"notebook": "../evil.ipynb"}, "notebook: the value leads out of the project"),
        ({"notebook": "notebooks/pipeline.toml"}, "does not end with .ipynb"),
        ({"notebook": "no.ipynb"}, "no.ipynb"),
        ({"notebook": "n" * 490 + ".ipynb"}, "no notebook"),
        ({"parameters": {"model": "na\0ive"}}, "model: the value holds a null character"),
        ({"parameters": {"model": "\ud800"}}, "or half of a surrogate pair"),
        ({"parameters": {"\ud800": "naive"}}, "does not declare a parameter"),
        ({"parameter": {}}, "Extra inputs are not permitted"),
        ({"parameters": {"<script>alert(1)</script>": 1}}, "<script>"),
    ],
)
def test_what_the_command_line_refuses_is_refused(service, asked, reason):
    """A wrong name gets a suggestion; secrets and paths out of the project are refused; nothing is queued."""
    outside = service.project / "outside"
    outside.symlink_to("/etc")
    with service.client("runner") as client:
        before = client.get("/api/v1/jobs").json()
        content = json.dumps(asked)  # plain ASCII, unlike that of httpx
        answer = client.post("/api/v1/runs", content=content, headers={"Content-Type": "application/json"})
        after = client.get("/api/v1/jobs").json()
    outside.unlink()
    assert (answer.status_code, before == after) == (422, True)
    assert reason in answer.json()["detail"]
    assert "IOSFODNN7EXAMPLE" not in answer.text
    # A browser takes it for nothing else.
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_progress_is_streamed(service, run):
    """A run that has ended gives an event for each step and one for its end."""
    with service.client("viewer") as client, client.stream("GET", f"/api/v1/runs/{run}/events") as answer:
        lines = [line for line in answer.iter_lines() if line.startswith(("event", "data"))]
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert lines[::2] == ["event: step"] * 6 + ["event: end"]
    assert json.loads(lines[1].removeprefix("data: "))["step"] == "01_ingest"
    assert json.loads(lines[-1].removeprefix("data: "))["outcome"] == "PASSED"


def test_forecasts_trials_and_schedules_are_read(service, run):
    """The newest forecasts name their run; the log holds them too, without an outcome."""
    with service.client("viewer") as client:
        newest = client.get("/api/v1/forecasts").json()
        log = client.get("/api/v1/forecasts/log", params={"symbol": "AAPL"}).json()
        others = [client.get(f"/api/v1/{name}").json() for name in ("scorecard", "data", "schedules")]
    assert newest["run"] == run
    assert len(newest["forecasts"]) == 5
    assert [(one["run"], one["actual"]) for one in log] == [(run, None)]
    assert others == [[], [], []]


def test_users_are_managed_by_an_administrator(service):
    """A new token works at once, and once revoked no more."""
    with service.client("admin") as client:
        token = client.post("/api/v1/users", json={"name": "eve", "role": "viewer"}).json()["token"]
        again = client.post("/api/v1/users", json={"name": "eve"})
        with service.client(Authorization=f"Bearer {token}") as eve:
            me = eve.get("/api/v1/me").json()
            names = [one["name"] for one in client.get("/api/v1/users").json()]
            gone = client.delete("/api/v1/users/eve")
            after = eve.get("/api/v1/me")
        missing = client.delete("/api/v1/users/eve")
    assert me == {"name": "eve", "role": "viewer"}
    assert names == ["admin", "eve", "runner", "viewer"]
    assert (again.status_code, gone.status_code, after.status_code, missing.status_code) == (
        422,
        204,
        401,
        404,
    )
