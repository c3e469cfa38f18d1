"""What is damaged, cannot be written or vanishes is named, and costs nothing else."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from sta410kit.service import folders
from sta410kit.service.api import files
from sta410kit.service.pages import runs
from tests.service.pages.test_runs import rows_of

pytestmark = pytest.mark.integration
# As root, permissions hold only without these.
_AS_USER = (
    ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.geteuid() == 0 else []
)
_OF_A_RUN = (
    "/runs/{run}",
    "/runs/{run}?part=progress",
    "/runs/{run}/log",
    "/runs/{run}/notebooks/one.ipynb",
    "/runs/{run}/files/report.html",
    "/runs/{run}/artifacts/prices.parquet",
    "/night?run={run}",
    "/profile/{run}",
    "/start?again={run}",
    "/sweeps/{run}",
    "/compare?first={run}&second={run}",
    "/api/v1/runs/{run}",
    "/api/v1/runs/{run}/log",
    "/api/v1/runs/{run}/events",
    "/api/v1/runs/{run}/artifacts",
    "/api/v1/runs/{run}/artifacts/report.html",
    "/api/v1/runs/{run}/validations",
    "/api/v1/runs/{run}/diff/{run}",
    "/api/v1/sweeps/{run}",
)
_OF_ALL = (
    "/",
    "/forecasts",
    "/night",
    "/data",
    "/sweeps",
    "/queue",
    "/start",
    "/api/v1/runs",
    "/api/v1/forecasts",
    "/metrics",
)


def changed(**values):
    """Return what puts values into a manifest."""
    return lambda text: json.dumps({**json.loads(text), **values})


def test_a_damaged_manifest_costs_only_its_run(client, make_run):
    """The others are listed and shown; pages of the damaged one say what is wrong with which file."""
    damage = {
        "Unterminated string": lambda text: text[: text.index("PASSED") + 3],
        "Expecting value": lambda _: "",
        "'list' object": lambda _: "[1, 2]",
        "steps is 'x'": changed(steps="x"),
        "results is [1]": changed(results=[1]),
        "given is 5": changed(given=5),
        "verdict is 'skill'": changed(results={"verdict": "skill"}),
        "Invalid isoformat": changed(finished="today"),
    }
    good = make_run(len(damage)).name
    runs = [make_run(day) for day in range(len(damage))]
    for folder, change in zip(runs, damage.values(), strict=True):
        path = folder / "manifest.json"
        path.write_text(change(path.read_text()))
    for address in _OF_ALL:
        assert client.get(address).status_code == 200, address
    assert rows_of(client.get("/")) == [good, *(folder.name for folder in reversed(runs))]
    found = {one["run"]: one["outcome"] for one in client.get("/api/v1/runs").json()["items"]}
    assert found == {good: "PASSED", **dict.fromkeys((folder.name for folder in runs), "UNREADABLE")}
    for address in _OF_A_RUN:
        assert client.get(address.format(run=runs[0].name)).status_code in {200, 404, 422}, address
    for folder, why in zip(runs, damage, strict=True):
        said = client.get(f"/api/v1/runs/{folder.name}/diff/{good}").json()["detail"]
        assert said.startswith(f"{folder / 'manifest.json'} cannot be read as a manifest: ")
        assert why in said


def test_damaged_data_docs_cost_only_their_run(client, make_run):
    """Its pages name the file; the night after it is compared with it all the same."""
    damaged, night = make_run(0), make_run(1)
    place = damaged / "data_docs" / "validations" / "prices" / "02_validate" / "20260105T210000000000Z"
    place.mkdir(parents=True)
    (place / "summary.json").write_text('{"suite": "pri')
    for address in _OF_ALL:
        assert client.get(address).status_code == 200, address
    assert rows_of(client.get("/")) == [night.name, damaged.name]
    assert f'beside <a href="/runs/{damaged.name}">' in client.get(f"/night?run={night.name}").text
    for address in ("/runs/{}", "/api/v1/runs/{}", "/api/v1/runs/{}/validations"):
        answer = client.get(address.format(damaged.name))
        assert f"{place / 'summary.json'} cannot be read as the summary of a validation: " in answer.text
        assert answer.status_code in {404, 422}, address


def test_a_run_that_vanishes_while_it_is_read_is_no_defect(client, make_run, monkeypatch):
    """Pages and API answer as if it had never been there, or with what they had read of it."""
    kept = make_run(1).name

    def vanishing(module, name, folder):
        function = getattr(module, name)

        def found(*values):
            answer = function(*values)
            shutil.rmtree(folder)
            return answer

        return patched.setattr(module, name, found)

    for module, name, addresses in (
        (folders, "known_run", _OF_A_RUN),
        (files, "list_files", ["/api/v1/runs/{run}/artifacts"]),
        (runs, "look_at", ["/runs/{run}"]),
    ):
        for address in addresses:
            with monkeypatch.context() as patched:
                run = make_run(0)
                vanishing(module, name, run)
                answer = client.get(address.format(run=run.name))
            assert (answer.status_code in {200, 404, 422}, run.exists()) == (True, False), (
                address,
                answer.text,
            )
    assert rows_of(client.get("/")) == [kept]


def test_a_damaged_database_is_named_and_left_as_it_is(project, serve_project, typed, tmp_path, monkeypatch):
    """The service is not ready and answers with the reason; commands end with 2; a backup is refused."""
    monkeypatch.chdir(project)
    path = project / "runs" / "service.sqlite"
    with serve_project(project, local=True) as service, service.client(accept="text/html") as client:
        database = service.app.state.site.database
        database.close()  # the last connection moves all that was written into the file
        for damage in (b"no database" * 1000, path.read_bytes()[:5000]):
            path.write_bytes(damage)
            answer = client.get("/readyz")
            assert (answer.status_code, answer.json()["reasons"]) == (503, ["the database does not answer"])
            for address in ("/queue", "/api/v1/jobs", "/metrics"):
                answer = client.get(address)
                assert (answer.status_code, f"{path} cannot be used: " in answer.text) == (503, True), address
            database.close()
            for words in (["user", "list"], ["user", "add", "ann"], ["serve", "--port", "0"]):
                said = typed(*words, cwd=project)
                last = said.stderr.splitlines()[-1]  # after what the service has logged
                assert (said.returncode, last.count(f"{path} cannot be used: ")) == (2, 1), said.stderr
            said = typed("backup", tmp_path / "backups", cwd=project)
            assert (said.returncode, f"{path} cannot be read (" in said.stderr) == (3, True), said.stderr
            assert path.read_bytes() == damage


@pytest.mark.slow
def test_a_folder_of_runs_that_cannot_be_written_is_refused(project):
    """At once, with 2; a service that runs is not ready, see `test_full_disk`."""
    runs = project / "runs"
    command = [*_AS_USER, sys.executable, "-m", "sta410kit"]
    subprocess.run([*command, "user", "add", "ann"], cwd=project, check=True, capture_output=True)
    for path in (*runs.iterdir(), runs):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for words, reason in {
        (
            "serve",
            "--port",
            "0",
        ): f"{runs} cannot be written, so that no run could begin; correct its permissions",
        (
            "user",
            "add",
            "bob",
        ): f"{runs / 'service.sqlite'} cannot be used: attempt to write a readonly database",
    }.items():
        done = subprocess.run([*command, *words], cwd=project, check=False, capture_output=True, text=True)
        assert (done.returncode, done.stderr.count("\n"), reason in done.stderr) == (2, 1, True), done.stderr
    runs.chmod(0o755)
