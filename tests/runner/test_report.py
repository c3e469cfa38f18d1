"""The page a run leaves: what failed first, when each step ran, what changed."""

import json

import pandas as pd
import pytest

from sta410kit.exit_codes import ExitCode
from sta410kit.runner.chain import run_plan
from sta410kit.runner.history.explanation import explained, print_explained
from sta410kit.runner.manifest import Manifest, StepRecord
from sta410kit.runner.plan import Options, plan_notebook
from sta410kit.runner.progress import Progress
from sta410kit.runner.report import changes_since, newest_gates, results_of, timeline, write_report

pytestmark = pytest.mark.unit


def test_bars_stand_where_and_as_long_as_their_steps_ran():
    """In percent of the run; what was taken over begins at the left."""
    steps = [
        StepRecord("kept", "PASSED", 4.0, reused="before", started="2026-01-01T00:00:00+00:00"),
        StepRecord("a", "PASSED", 6.0, started="2026-01-02T00:00:00+00:00"),
        StepRecord("b", "PASSED", 4.0, started="2026-01-02T00:00:04+00:00"),
    ]
    bars = [(bar["left"], bar["width"]) for bar in timeline(Manifest("x", steps=steps))]
    assert bars == [(0.0, 50.0), (0.0, 75.0), (50.0, 50.0)]
    assert timeline(Manifest("x")) == []


def test_only_the_newest_gate_of_a_step_counts():
    """A run that was resumed has older ones too; newest first is how they come."""
    gates = [
        {"step": "two", "suite": "prices", "page": "v/prices/two/3/index.html"},
        {"step": "one", "suite": "prices", "page": "v/prices/one/2/index.html"},
        {"step": "two", "suite": "prices", "page": "v/prices/two/1/index.html"},
    ]
    assert [gate["page"] for gate in newest_gates(gates)] == [gates[1]["page"], gates[0]["page"]]


def test_a_run_is_compared_with_the_one_before_of_the_same_notebook(tmp_path):
    """Another notebook's run in between is none of its business."""
    for day, title, code in ((1, "x", "old"), (2, "y", "other"), (3, "x", "new")):
        folder = tmp_path / f"2026010{day}-000000-aaaa"
        folder.mkdir()
        step = StepRecord(title, "PASSED", parts={"code": code, "python": "3"})
        manifest = Manifest(folder.name, "notebook", title, steps=[step])
        manifest.write(folder)
    (tmp_path / "20260102-000001-aaaa").mkdir()
    assert changes_since(folder, manifest) == {"run": "20260101-000000-aaaa", "steps": {"x": ["code"]}}


def test_forecasts_are_drawn_around_zero(tmp_path):
    """The widest interval sets the scale."""
    row = {"symbol": "IBM", "date": "2012-01-03", "horizon": 1, "model": "ridge"}
    rows = [{**row, "predicted": 0.0, "lower": -0.02, "upper": 0.04}]
    page = write_report(tmp_path, Manifest("x", results={"forecasts": rows})).read_text()
    assert "left:26.0%;width:72.0%" in page
    assert 'left:50.0%"></b>' in page
    assert "prefers-color-scheme: dark" in page
    assert "http://" not in page
    assert "https://" not in page


FORECAST = {
    "symbol": "IBM", "date": pd.Timestamp("2012-01-03"), "horizon": 1, "model": "ridge",
    "predicted": 0.01, "lower": -0.02, "upper": 0.04,
}  # fmt: skip


def test_verdict_and_forecasts_are_read_as_json_values(tmp_path):
    """Where a run has left them; elsewhere there is nothing, and nothing to tell."""
    assert results_of(tmp_path) == ({}, [])
    pd.DataFrame([FORECAST]).to_parquet(tmp_path / "forecasts.parquet")
    verdict = {"verdict": "no skill shown", "sentence": "It is not better than naive.", "trials": 1}
    (tmp_path / "verdict.json").write_text(json.dumps(verdict))
    found = {"verdict": verdict, "forecasts": [{**FORECAST, "date": "2012-01-03"}]}
    assert results_of(tmp_path) == (found, [])


@pytest.mark.parametrize("content", ["good", '"good"', "[1]", "{}", '{"verdict": "skill"}'])
def test_another_verdict_is_told_and_not_shown(tmp_path, content):
    """A chain of one's own may leave a file of this name."""
    (tmp_path / "verdict.json").write_text(content)
    found, (sentence,) = results_of(tmp_path)
    assert found == {}
    assert sentence.startswith("verdict.json does not hold the verdict of a run, so the report is without (")


@pytest.mark.parametrize(
    "changed", [{"predicted": None}, {"upper": float("inf")}, {"date": "2012-01-03"}, {"horizon": "soon"}]
)
def test_other_forecasts_are_told_and_not_shown(tmp_path, changed):
    """Nor do a missing column or no table at all end a run whose steps have passed."""
    path = tmp_path / "forecasts.parquet"
    for frame in (pd.DataFrame([{**FORECAST, **changed}]), pd.DataFrame([FORECAST]).drop(columns="lower")):
        frame.to_parquet(path)
        found, (sentence,) = results_of(tmp_path)
        assert found == {}
        assert sentence.startswith("forecasts.parquet does not hold the forecasts of a run")
    path.write_text("symbol,predicted")
    assert len(results_of(tmp_path)[1]) == 1


@pytest.mark.integration
def test_a_failure_stands_first_with_its_cell_and_traceback(tmp_path, write_notebook, capsys):
    """On the page, in `sta410 show`, and in its JSON."""
    notebook = write_notebook(tmp_path / "x.ipynb", "total = 3", "raise KeyError('<b>')")
    run = run_plan(plan_notebook(notebook, {}, Options()), Progress())
    page = (run.folder / "report.html").read_text()
    assert page.index("raise KeyError(&#39;&lt;b&gt;&#39;)") < page.index("<h2>Steps</h2>")
    assert "Traceback" in page
    assert "\x1b" not in page
    content = explained(run.folder)
    assert (content["state"], content["exit_code"], content["title"]) == ("NOTEBOOK_FAILED", 4, str(notebook))
    assert set(content["paths"]) == {"folder", "manifest", "report", "log"}
    print_explained(content)
    shown = capsys.readouterr().out
    assert f"run {run.folder.name}: NOTEBOOK_FAILED, exit code 4" in shown
    assert "x failed: cell In [2]: KeyError: '<b>'" in shown
    assert run.outcome is ExitCode.NOTEBOOK_FAILED
