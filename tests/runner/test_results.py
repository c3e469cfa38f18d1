"""What steps and runs resulted in, as the run store keeps it."""

import json
import re
from datetime import date

import pandas as pd
import pytest

from sta410kit.runner.chain import run_plan
from sta410kit.runner.manifest import Manifest, StepRecord, read_manifest
from sta410kit.runner.plan import Options, plan_chain
from sta410kit.runner.progress import Progress
from sta410kit.runner.results import data_coverage, run_results
from sta410kit.runner.summary import print_details

pytestmark = pytest.mark.unit

FORECAST = {
    "symbol": "IBM", "date": pd.Timestamp("2012-01-03"), "horizon": 1, "model": "ridge",
    "predicted": 0.01, "lower": -0.02, "upper": 0.04,
}  # fmt: skip


def test_data_coverage_is_symbols_sessions_and_rows(tmp_path):
    """None where there are no symbols and dates."""
    path = tmp_path / "x.parquet"
    dates = pd.to_datetime(["2012-01-04", "2012-01-03", "2012-01-05"])
    pd.DataFrame({"symbol": ["B", "A", "B"], "date": dates}).to_parquet(path)
    assert data_coverage(path) == {
        "symbols": ["A", "B"],
        "first": "2012-01-03",
        "last": "2012-01-05",
        "rows": 3,
    }
    pd.DataFrame({"symbol": ["A"], "date": [date(2012, 1, 3)]}).iloc[:0].to_parquet(path)
    assert data_coverage(path) == {"symbols": [], "first": "", "last": "", "rows": 0}
    for other in ({"close": [1.0]}, {"symbol": ["A"]}, {"symbol": [["A"]], "date": [{"x": 1}]}):
        pd.DataFrame(other).to_parquet(path)
        assert data_coverage(path) is None
    path.write_text("damaged")
    assert data_coverage(path) is None


def test_the_results_of_a_run_come_from_its_steps_and_files(tmp_path):
    """Model, scores, data, verdict and forecasts; what is unknown is absent."""
    assert run_results(tmp_path, []) == ({}, [])
    pd.DataFrame([FORECAST]).to_parquet(tmp_path / "forecasts.parquet")
    verdict = {"verdict": "no skill shown", "sentence": "It is not better than naive.", "trials": 1}
    (tmp_path / "verdict.json").write_text(json.dumps(verdict))
    steps = [
        StepRecord("one", "PASSED", data={"raw_prices.parquet": {"rows": 3}}),
        StepRecord("two", "PASSED", data={"prices.parquet": {"rows": 2}}, parameters={"model": "ridge"}),
        StepRecord("three", "PASSED", recorded={"r2": 0.1, "verdict": "none", "done": True}),
    ]
    found = {
        "model": "ridge",
        "scores": {"r2": 0.1},
        "data": {"rows": 2},
        "verdict": verdict,
        "forecasts": [{**FORECAST, "date": "2012-01-03"}],
    }
    assert run_results(tmp_path, steps) == (found, [])


def test_orders_say_which_symbols_have_no_forecast(tmp_path, capsys):
    """The reason is in the results and in the table of forecasts; other holds are not."""
    pd.DataFrame([FORECAST]).to_parquet(tmp_path / "forecasts.parquet")
    reasons = {"IBM": "no move", "SYE": "no forecast: its prices end on 2011-11-16"}
    pd.DataFrame(reasons.items(), columns=["symbol", "reason"]).to_parquet(tmp_path / "orders.parquet")
    results, warnings = run_results(tmp_path, [])
    assert (results["no_forecast"], warnings) == ({"SYE": "its prices end on 2011-11-16"}, [])
    Manifest("a", outcome="PASSED", exit_code=0, results=results).write(tmp_path)
    print_details(tmp_path)
    assert re.search(r"SYE .* no forecast .* its prices end on 2011-11-16", capsys.readouterr().out)


@pytest.mark.parametrize(
    "changed", [{"predicted": None}, {"upper": float("inf")}, {"date": "soon"}, {"horizon": "soon"}]
)
def test_other_forecasts_are_a_warning(tmp_path, changed):
    """So are a missing column and a file that is not Parquet."""
    path = tmp_path / "forecasts.parquet"
    for frame in (pd.DataFrame([{**FORECAST, **changed}]), pd.DataFrame([FORECAST]).drop(columns="lower")):
        frame.to_parquet(path)
        found, (sentence,) = run_results(tmp_path, [])
        assert found == {}
        assert sentence.startswith("forecasts.parquet does not hold the forecasts of a run")
    path.write_text("symbol,predicted")
    assert len(run_results(tmp_path, [])[1]) == 1


@pytest.mark.integration
def test_each_step_keeps_its_parameters_and_recorded_values(tmp_path, write_notebook):
    """Defaults too, and also when the step is reused."""
    write_notebook(
        tmp_path / "notebooks" / "one.ipynb",
        (
            "model: str = 'ridge'\nhorizons: list[int] = [1, 5]\nn: int = 2\nrun_dir: str | None = None",
            "parameters",
        ),
        "from pathlib import Path\nfrom sta410kit.steps import record\nrecord('r2', n / 4)\nmodel, horizons",
        "(Path(run_dir) / 'x.txt').write_text('x')",
    )
    (tmp_path / "notebooks" / "pipeline.toml").write_text(
        '[[step]]\nnotebook = "one.ipynb"\nproduces = { x = "x.txt" }\n'
    )
    for options in (Options(), Options(fresh=True), Options()):
        run = run_plan(plan_chain(tmp_path, {"n": "1"}, options), Progress())
        manifest = read_manifest(run.folder)
        assert manifest.steps[0].parameters == {"model": "ridge", "horizons": [1, 5], "n": 1}
        assert manifest.steps[0].recorded == {"r2": 0.25}
        assert manifest.results == {"model": "ridge", "scores": {"r2": 0.25}}
