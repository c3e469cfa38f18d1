"""The report of a run: failures first, then steps, forecasts, gates and changes."""

import re

import pytest

from sta410kit.exit_codes import ExitCode
from sta410kit.guards.data_docs import newest_gates
from sta410kit.runner.chain import run_plan
from sta410kit.runner.key_metrics import changed_metrics
from sta410kit.runner.manifest import Manifest, StepRecord
from sta410kit.runner.plan import Options, plan_notebook
from sta410kit.runner.progress import Progress
from sta410kit.runner.report import changes_since, timeline, write_report
from sta410kit.runner.summary import print_details, run_details

pytestmark = pytest.mark.unit


def test_bars_show_when_and_how_long_steps_ran():
    """In percent of the run; a reused step starts at the left."""
    steps = [
        StepRecord("kept", "PASSED", 4.0, reused="before", started="2026-01-01T00:00:00+00:00"),
        StepRecord("a", "PASSED", 6.0, started="2026-01-02T00:00:00+00:00"),
        StepRecord("b", "PASSED", 4.0, started="2026-01-02T00:00:04+00:00"),
    ]
    bars = [(bar["left"], bar["width"]) for bar in timeline(Manifest("x", steps=steps))]
    assert bars == [(0.0, 50.0), (0.0, 75.0), (50.0, 50.0)]
    assert timeline(Manifest("x")) == []


def test_only_the_newest_gate_of_a_step_counts():
    """A resumed run has older ones too; they are listed newest first."""
    gates = [
        {"step": "two", "suite": "prices", "page": "v/prices/two/3/index.html"},
        {"step": "one", "suite": "prices", "page": "v/prices/one/2/index.html"},
        {"step": "two", "suite": "prices", "page": "v/prices/two/1/index.html"},
    ]
    assert [gate["page"] for gate in newest_gates(gates)] == [gates[1]["page"], gates[0]["page"]]


def test_a_run_is_compared_with_the_last_passed_one_of_the_same_notebook(tmp_path):
    """Runs of another notebook and failed ones in between are skipped; a sweep is compared with none."""
    runs = ((1, "x", "old", "PASSED"), (2, "y", "other", "PASSED"), (3, "x", "bad", "NOTEBOOK_FAILED"))
    for day, title, code, outcome in (*runs, (4, "x", "new", "PASSED")):
        folder = tmp_path / f"2026010{day}-000000-aaaa"
        folder.mkdir()
        step = StepRecord(title, outcome, parts={"code": code, "python": "3"})
        manifest = Manifest(folder.name, "notebook", title, outcome=outcome, steps=[step])
        manifest.write(folder)
    (tmp_path / "20260102-000001-aaaa").mkdir()
    assert changes_since(folder, manifest) == {
        "run": "20260101-000000-aaaa",
        "steps": {"x": ["code"]},
        "metrics": [],
    }
    manifest.kind = "sweep"
    assert changes_since(folder, manifest) == {}


def test_forecasts_are_drawn_around_zero(tmp_path):
    """The widest interval sets the scale."""
    row = {"symbol": "IBM", "date": "2012-01-03", "horizon": 1, "model": "ridge"}
    rows = [{**row, "predicted": 0.0, "lower": -0.02, "upper": 0.04}]
    page = write_report(tmp_path, Manifest("x", results={"forecasts": rows})).read_text()
    assert '<line x1="26.0" x2="98.0" y1="9" y2="9"/>' in page
    assert '<line class="at" x1="50.0"' in page
    assert "prefers-color-scheme: dark" in page
    assert "http://" not in page
    assert "https://" not in page


VERDICT = {
    "verdict": "no skill shown",
    "sentence": "ridge does not beat naive.",
    "ranking": {"verdict": "skill", "sentence": "It ranks."},
    "deflated_sharpe": {"probability": 0.0046, "sentence": "Luck explains it."},
    "sheet": {
        "rank_ic": {"horizon": 5, "dates": 9, "rank_ic": 0.0214, "rank_ic_low": -0.01, "rank_ic_high": 0.053},
        "decay": [{"horizon": 1, "dates": 9, "rank_ic": None, "rank_ic_low": None, "rank_ic_high": None}],
        "sharpe": 0.456, "benchmark_sharpe": -0.001, "annualised_return": 0.1234, "benchmark_return": None,
        "turnover": 0.4242, "costs": 12.3456,
        "worst_drawdown": {"depth": -0.681, "start": "2002-10-09", "trough": "2006-05-31", "end": None},
        "yearly": [{"year": 2020, "strategy": 0.1, "benchmark": -0.2, "excess": 0.3}],
        "contribution": [],
    },
}  # fmt: skip


def test_the_report_begins_with_the_verdict_and_shows_the_tear_sheet(tmp_path, capsys):
    """In words before any PASSED, with survivorship; `sta410 show` has the same figures."""
    said = "All 5 symbols are survivors."
    manifest = Manifest("x", outcome="PASSED", results={"verdict": VERDICT, "survivorship": said})
    page = write_report(tmp_path, manifest).read_text()
    assert "<h1>No skill shown</h1>" in page
    assert page.index("ridge does not beat naive.") < page.index(said) < page.index("PASSED</b>")
    figures = re.findall(r"<tr><td>([^<]*)</td><td class=.number.><b>([^<]*)</b>", page)
    assert figures == [
        ("rank IC, 5 sessions ahead", "+0.021"),
        ("Sharpe ratio after costs", "+0.46"),
        ("deflated Sharpe ratio", "0.5 %"),
        ("return a year after costs", "+12.3 %"),
        ("worst drawdown", "-68.1 %"),
        ("turnover a session", "42.4 %"),
    ]
    assert "95 % interval -0.010 to +0.053, allowing for overlap" in page
    assert "from 2002-10-09, lowest on 2006-05-31, not back yet" in page
    assert "buy and hold +0.00" in page
    assert "costs took 1,234.6 % of the capital" in page
    assert "Gain by symbol" not in page
    manifest.write(tmp_path)
    print_details(tmp_path)
    shown = capsys.readouterr().out
    for text in (said, "ranking: skill. It ranks.", "+12.3 %", "2020", "+30.0 %"):
        assert text in shown


def test_a_failed_run_begins_with_its_failure(tmp_path):
    """Also where a verdict was reached before."""
    manifest = Manifest("x", outcome="NOTEBOOK_FAILED", exit_code=4, results={"verdict": VERDICT})
    page = write_report(tmp_path, manifest).read_text()
    assert '<h1>Run x: <span class="bad">NOTEBOOK_FAILED</span></h1>' in page


def test_every_value_is_escaped_and_no_script_can_run(tmp_path):
    """Names, messages, parameters and warnings come from notebooks and data."""
    tag = "<img src=x onerror=1>"
    row = {"symbol": tag, "date": "2012-01-03", "horizon": 1, "model": tag}
    forecasts = [{**row, "predicted": 0.0, "lower": -0.02, "upper": 0.04}]
    steps = [
        StepRecord(
            tag, "NOTEBOOK_FAILED", message=tag, warnings=[tag], artifacts={tag: ""}, recorded={tag: tag}
        )
    ]
    manifest = Manifest(
        tag, title=tag, outcome="NOTEBOOK_FAILED", given={tag: tag}, steps=steps, not_run=[tag],
        warnings=[tag], results={"forecasts": forecasts, "verdict": {"verdict": tag, "sentence": tag}},
        host={"user": tag}, git={"commit": tag, "branch": tag, "changed": True}, versions={tag: tag},
    )  # fmt: skip
    page = write_report(tmp_path, manifest).read_text()
    assert "<img src=x" not in page
    assert "<script" not in page
    policy = re.search('http-equiv="Content-Security-Policy" content="(.*?)"', page)[1]
    assert policy.startswith("default-src &#39;none&#39;;")


@pytest.mark.integration
def test_a_failure_is_shown_first_with_cell_and_traceback(tmp_path, write_notebook, capsys):
    """On the page, in `sta410 show`, and in its JSON."""
    notebook = write_notebook(tmp_path / "x.ipynb", "total = 3", "raise KeyError('<b>')")
    run = run_plan(plan_notebook(notebook, {}, Options()), Progress())
    page = (run.folder / "report.html").read_text()
    assert page.index("raise KeyError(&#39;&lt;b&gt;&#39;)") < page.index("<h2>Steps</h2>")
    assert "Traceback" in page
    assert "\x1b" not in page
    content = run_details(run.folder)
    assert (content["state"], content["exit_code"], content["title"]) == ("NOTEBOOK_FAILED", 4, str(notebook))
    assert set(content["paths"]) == {"folder", "manifest", "report", "log"}
    print_details(run.folder)
    shown = capsys.readouterr().out
    assert f"run {run.folder.name}: NOTEBOOK_FAILED, exit code 4" in shown
    assert "x failed: cell In [2]: KeyError: '<b>'" in shown
    assert run.outcome is ExitCode.NOTEBOOK_FAILED


def test_metrics_that_a_failed_run_has_not_reached_are_no_change():
    """A passed run without a metric of the one before has lost it."""
    before = Manifest("a", outcome="PASSED", results={"scores": {"r2_against_naive": 0.001, "mine_2": 0.5}})
    now = Manifest("b", outcome="DATA_REJECTED", results={"scores": {"mine_2": 0.25}})
    assert changed_metrics(before, now) == [("mine 2", "0.5", "0.25")]
    now.outcome = "PASSED"
    assert changed_metrics(before, now) == [("R² against naive", "+0.10 %", ""), ("mine 2", "0.5", "0.25")]
