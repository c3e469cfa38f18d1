"""The pages of runs: filtered and sorted, side by side, in detail, and with what hostile names may not do."""

import json
import re
from html.parser import HTMLParser
from urllib.parse import quote, urldefrag, urljoin, urlsplit

import pytest
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook, new_output

from sta410kit.runner import listing
from sta410kit.runner.manifest import StepRecord, read_manifest
from sta410kit.runner.report import write_report

pytestmark = pytest.mark.integration
HOSTILE = "<img src=x onerror=alert(1)>"


def rows_of(page):
    """Return the ids of the runs that a list shows, in its order."""
    return re.findall(r'name="run" value="([^"]+)"', page.text)


def results(model, r2, verdict="no skill shown"):
    """Return what a run of the chain results in."""
    return {
        "model": model,
        "scores": {"r2_against_naive": r2},
        "verdict": {"verdict": verdict, "sentence": "So."},
    }


def test_without_a_run_the_page_says_how_to_make_one(client):
    """The command, and where runs are started here."""
    page = client.get("/").text
    assert "sta410 run" in page
    assert 'href="/start"' in page


def test_runs_are_filtered_and_sorted_by_the_address(client, make_run):
    """Newest first; runs without the number come last in either order; a header says which order it is."""
    poor = make_run(0, results=results("ridge", -0.01), given={"model": "ridge"}).name
    good = make_run(1, results=results("boosting", 0.02, "skill")).name
    other = make_run(2, kind="notebook", title="/p/x.ipynb", outcome="TIMED_OUT").name
    assert rows_of(client.get("/")) == [other, good, poor]
    best_first = client.get("/?sort=-r2")
    assert rows_of(best_first) == [good, poor, other]
    assert 'aria-sort="descending"' in best_first.text
    assert rows_of(client.get("/?sort=r2")) == [poor, good, other]
    for query, found in {
        "model=ridge": [poor],
        "verdict=skill": [good],
        "outcome=TIMED_OUT": [other],
        "kind=chain": [good, poor],
        "text=MODEL%3Dridge": [poor],
        "text=x.ipynb": [other],
        "since=2026-01-06&until=2026-01-06": [good],
    }.items():
        assert rows_of(client.get(f"/?{query}")) == found, query
    assert "No run passes these filters" in client.get("/?model=none").text


def test_a_long_list_has_pages(client, make_run):
    """Fifty rows each; the filter stays."""
    for day in range(52):
        make_run(day, given={"n": str(day)})
    first, second = client.get("/?text=n%3D"), client.get("/?text=n%3D&page=2")
    assert (len(rows_of(first)), len(rows_of(second))) == (50, 2)
    assert 'rel="next" href="/?text=n%3D&amp;sort=-started&amp;page=2"' in first.text
    assert "page 2 of 2" in client.get("/?page=99").text


def test_a_manifest_is_read_once(client, make_run, monkeypatch):
    """Until it changes."""
    read = []
    monkeypatch.setattr(listing, "read_manifest", lambda folder: read.append(1) or read_manifest(folder))
    folder = make_run()
    client.get("/")
    client.get("/")
    assert len(read) == 1
    manifest = read_manifest(folder)
    manifest.outcome = "TIMED_OUT"
    manifest.write(folder)
    assert "timed out" in client.get("/").text
    assert len(read) == 2


def test_two_ticked_runs_are_compared(client, make_run):
    """The older one first, whatever differs by kind; any other number of ticks is refused."""
    a = make_run(0, results=results("ridge", -0.01), given={"model": "ridge"}).name
    b = make_run(1, results=results("naive", 0.0), given={"model": "naive"}).name
    ticked = client.get(f"/compare?run={b}&run={a}")
    assert ticked.headers["location"] == f"/compare?first={a}&second={b}"
    page = client.get(ticked.headers["location"]).text
    assert 'id="parameters"' in page
    assert re.search(r"R² against naive</td>.*-1.00 %.*\+0.00 %", page)
    assert "Nothing differs" in client.get(f"/compare?first={a}&second={a}").text
    refused = client.get(f"/compare?run={a}")
    assert (refused.status_code, "1 was ticked" in refused.text) == (400, True)


def test_a_run_is_shown_verdict_first(pages, run):
    """Then forecasts, gates and steps; links lead to its report, notebooks, data docs, files and log."""
    page = pages.get(f"/runs/{run}").text
    places = [page.index(text) for text in ("No skill shown", "Forecasts from", ">Gates<", ">Steps<")]
    assert places == sorted(places)
    for address in re.findall(rf'href="(/runs/{run}[^"#]*)"', page):
        found = pages.get(address)
        assert found.status_code in {200, 307}, address


def test_artifacts_are_previewed_as_tables(pages, run):
    """First and last rows of a Parquet file; other files as they are."""
    page = pages.get(f"/runs/{run}/artifacts/prices.parquet").text
    assert page.count("<tr>") == 32
    assert re.search(r"<td class=\"whole\">AAPL</td><td class=\"whole\">2000-03-01</td>", page)
    other = pages.get(f"/runs/{run}/artifacts/verdict.json")
    assert other.headers["location"] == f"/runs/{run}/files/verdict.json"
    assert json.loads(pages.get(other.headers["location"]).text)["verdict"] == "no skill shown"


def test_what_a_run_brings_along_runs_no_script(pages, run):
    """Report, data docs and notebooks come with a policy without scripts, in a sandbox."""
    for path in ("report.html", "data_docs/index.html", "04_train.ipynb"):
        found = pages.get(f"/runs/{run}/files/{path}")
        policy = found.headers["content-security-policy"]
        assert found.status_code == 200
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "script-src" not in policy
        assert "allow-scripts" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "../service.sqlite",
        "%2e%2e/service.sqlite",
        "/etc/passwd",
        ".lock",
        "x%00",
        "a" * 400,
        "data_docs",
        "none",
    ],
)
def test_nothing_outside_a_run_can_be_read(client, make_run, path):
    """Nor hidden files, folders, or files that are not there."""
    run = make_run()
    (run / ".lock").touch()
    (run / "data_docs").mkdir()
    for part in ("files", "artifacts", "notebooks"):
        assert client.get(f"/runs/{run.name}/{part}/{path}").status_code == 404


def test_a_link_out_of_a_run_is_not_followed(client, make_run, project):
    """It resolves to a file elsewhere."""
    (project / "secret.txt").write_text("x")
    run = make_run()
    (run / "link.txt").symlink_to(project / "secret.txt")
    assert client.get(f"/runs/{run.name}/files/link.txt").status_code == 404


def test_hostile_names_are_text(client, make_run, project):
    """Of notebooks, symbols, parameters, models and messages, on every page that has them."""
    row = {"symbol": HOSTILE, "date": "2026-01-05", "horizon": 1, "model": HOSTILE}
    forecasts = [{**row, "predicted": 0.0, "lower": -0.1, "upper": 0.1}]
    step = StepRecord(
        HOSTILE, "NOTEBOOK_FAILED", message=HOSTILE, notebook=f"{HOSTILE}.ipynb", warnings=[HOSTILE]
    )
    found = {**results(HOSTILE, 0.0, HOSTILE), "forecasts": forecasts, "no_forecast": {HOSTILE: HOSTILE}}
    values = {"given": {HOSTILE: HOSTILE}, "results": found}
    run, other = (
        make_run(0, **values).name,
        make_run(1, steps=[step], title=HOSTILE, kind="notebook", **values).name,
    )
    write(new_notebook(), project / "notebooks" / "<b>x.ipynb")
    for address in (
        "/",
        "/forecasts",
        f"/runs/{run}",
        f"/runs/{other}",
        f"/compare?first={run}&second={other}",
        f"/?text={HOSTILE}",
        f"/start?again={run}",
        f"/{HOSTILE}",
        f"/runs/{HOSTILE}",
    ):
        page = client.get(address).text
        assert "<img" not in page, address
        assert "<b>x" not in page, address


class _Links(HTMLParser):
    """Where a page leads, and the handlers that it brings along."""

    def __init__(self, page):
        super().__init__()
        self.found, self.handlers = [], []
        self.feed(page)

    def handle_starttag(self, _, attrs):
        self.found += [value for name, value in attrs if name in {"href", "src"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_every_link_leads_somewhere_whatever_names_are(client, make_run, project):
    """Of symbols, notebooks, steps and artifacts, also in the run's own report; no handler comes along."""
    odd = ["BRK.B", HOSTILE, "a\"b#?&%2e'", "../x", "L" * 200, "ŁÓDŹ 株"]
    files = [name.replace("../", "") for name in odd]
    steps = [StepRecord(x, "PASSED", notebook=f"{x}.ipynb", artifacts={f"{x}.csv": ""}) for x in files]
    row = {"date": "2026-01-05", "horizon": 1, "predicted": 0.0, "lower": -0.1, "upper": 0.1}
    found = results("ridge", 0.0) | {
        "forecasts": [{**row, "symbol": name, "model": name} for name in odd],
        "no_forecast": dict.fromkeys(odd, HOSTILE),
    }
    run = make_run(steps=steps, results=found, given={name: name for name in odd})
    for name in files:
        for folder in (run, project / "notebooks"):
            write(new_notebook(cells=[new_code_cell("1")]), folder / f"{name}.ipynb")
        (run / f"{name}.csv").write_text("x")
    (run / "run.log").touch()
    write_report(run, read_manifest(run))
    waiting, seen = ["/", "/start", "/night", f"/compare?first={run.name}&second={run.name}"], set()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = client.get(address, follow_redirects=True)
        assert answer.status_code == 200, address
        if "html" in answer.headers["content-type"]:
            page = _Links(answer.text)
            assert (page.handlers, "<img src=x" in answer.text) == ([], False), address
            links = (urlsplit(urljoin(address, urldefrag(link).url)) for link in page.found)
            waiting += [link.geturl() for link in links if not (link.scheme or link.netloc)]
    for name in files:
        assert f"/runs/{run.name}/files/{quote(name)}.ipynb" in seen
        assert f"/runs/{run.name}/artifacts/{quote(name)}.csv" in seen


def test_scripts_in_the_outputs_of_a_notebook_do_not_reach_the_page(client, make_run):
    """The page of an executed notebook has none."""
    html = "<script>alert(1)</script><p onclick='alert(1)'>kept</p>"
    cell = new_code_cell("x", outputs=[new_output("display_data", {"text/html": html})])
    run = make_run()
    write(new_notebook(cells=[cell]), run / "one.ipynb")
    page = client.get(f"/runs/{run.name}/files/one.ipynb").text
    assert "kept" in page
    assert "alert(1)" not in page
    frame = client.get(f"/runs/{run.name}/notebooks/one.ipynb").text
    assert 'sandbox="allow-same-origin allow-popups"' in frame


def test_what_is_not_there_is_a_page_that_suggests(client, make_run):
    """Of a run, and of an address; a program gets JSON."""
    run = make_run().name
    missing = client.get(f"/runs/{run[:-1]}b")
    assert (missing.status_code, f"Did you mean &#39;{run}&#39;" in missing.text) == (404, True)
    assert "Did you mean &#39;/forecasts&#39;" in client.get("/forecast").text
    answer = client.get("/runs/1-1-a", headers={"accept": "application/json"})
    assert answer.json()["detail"].startswith("there is no run '1-1-a'")


def test_a_run_that_goes_on_is_followed(client, make_run, monkeypatch):
    """The script fetches its steps alone; without it the page reloads."""
    step = StepRecord("one", "PASSED", 1.0, started="2026-01-05T21:00:00+00:00")
    run = make_run(outcome="RUNNING", exit_code=None, finished="", steps=[step], not_run=["two"]).name
    assert client.get(f"/runs/{run}?part=progress").headers["x-state"] == "KILLED"
    monkeypatch.setattr(listing, "is_running", lambda _: True)
    page = client.get(f"/runs/{run}").text
    assert f'data-events="/api/v1/runs/{run}/events"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    part = client.get(f"/runs/{run}?part=progress")
    assert part.headers["x-state"] == "RUNNING"
    assert ("waiting" in part.text, "<html" in part.text) == (True, False)


def test_the_api_returns_as_many_lines_of_a_log_as_are_asked_for(client, make_run):
    """Also of a log that is longer than what its page shows."""
    run = make_run()
    (run / "run.log").write_text("".join(f"{number:0100d}\n" for number in range(12_000)))
    lines = client.get(f"/api/v1/runs/{run.name}/log?lines=10000").text.splitlines()
    assert (len(lines), int(lines[0]), int(lines[-1])) == (10_000, 2_000, 11_999)
