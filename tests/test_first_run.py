"""The first run of the chain: what a newcomer reads, and what it leaves."""

import hashlib
import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from sta410kit.research.forecast_log import ForecastLog

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[1]
STEPS = ["01_ingest", "02_validate", "03_features", "04_train", "05_evaluate", "06_forecast"]
OUTPUT = """\
run ID
┏━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━┓
┃ step        ┃ outcome ┃ seconds ┃ peak MiB ┃
┡━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━┩
│ 01_ingest   │ PASSED  │ SECONDS │ MEMORY │
│ 02_validate │ PASSED  │ SECONDS │ MEMORY │
│ 03_features │ PASSED  │ SECONDS │ MEMORY │
│ 04_train    │ PASSED  │ SECONDS │ MEMORY │
│ 05_evaluate │ PASSED  │ SECONDS │ MEMORY │
│ 06_forecast │ PASSED  │ SECONDS │ MEMORY │
└─────────────┴─────────┴─────────┴──────────┘
forecasts from the last session, in % (log returns)
┏━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━━━━━━━━━┓
┃ symbol ┃ last session ┃ model ┃ horizon ┃ forecast ┃       interval ┃
┡━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━━━━━━━━┩
│ AAPL   │ 2013-03-01   │ ridge │       1 │    +0.14 │ -3.25 to +3.28 │
│ FB     │ 2013-03-01   │ ridge │       1 │    +0.00 │ -3.97 to +4.07 │
│ GOOG   │ 2013-03-01   │ ridge │       1 │    +0.08 │ -1.77 to +1.93 │
│ IBM    │ 2013-03-01   │ ridge │       1 │    +0.08 │ -1.61 to +1.80 │
│ MSFT   │ 2013-03-01   │ ridge │       1 │    +0.09 │ -1.64 to +1.73 │
└────────┴──────────────┴───────┴─────────┴──────────┴────────────────┘
verdict: no skill shown. ridge does not beat the naive forecast of no change for the next session: \
out-of-sample R² against naive is -0.08 % (95 % interval -0.31 % to +0.14 %, p = 0.234 after one trial, \
2,904 sessions). That is expected on daily returns.
metrics: R² against naive -0.08 %, rank IC -0.010, Sharpe ratio after costs +0.08, worst drawdown -68.1 %, \
90 % interval covers 90.1 %, trials 1
report:    PROJECT/runs/ID/report.html
data docs: PROJECT/runs/ID/data_docs/index.html
"""


def masked(first_run):
    """Replace what differs from run to run: the folder, the run's id, seconds and memory."""
    text = first_run.stdout.replace(str(first_run.cwd), "PROJECT").replace(first_run.run.name, "ID")
    return re.sub(r" +\d+\.\d │ +\d+ (?=│\n)", " SECONDS │ MEMORY ", text)


def test_it_prints_what_its_reader_needs_and_nothing_else(first_run):
    """Every line is pinned; steps may start in any order that their needs allow."""
    assert first_run.returncode == 0, first_run.stderr
    assert sorted(first_run.stderr.splitlines()) == [f"running {step}" for step in STEPS]
    assert masked(first_run) == OUTPUT


def test_no_file_changes_after_its_step_has_written_it(first_run):
    """What each step saw in its last cell is what lies in the run folder at the end."""
    steps = tomllib.loads((first_run.cwd / "notebooks" / "pipeline.toml").read_text("utf-8"))["step"]
    seen = {path.name: path.read_text("utf-8") for path in (first_run.cwd / "digests").iterdir()}
    assert seen.keys() == {name for step in steps for name in step["produces"].values()}
    left = {name: hashlib.sha256((first_run.run / name).read_bytes()).hexdigest() for name in seen}
    assert left == seen


def test_its_forecasts_are_logged_for_the_scorecard(first_run):
    """One of each symbol, without an outcome yet."""
    logged = ForecastLog(first_run.run.parent / "forecasts.sqlite").read()
    assert logged["symbol"].tolist() == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert logged["actual"].isna().all()
    assert set(logged["run"]) == {first_run.run.name}


@pytest.mark.slow
def test_a_model_that_predicts_zero_says_what_is_not_defined(tmp_path, typed):
    """In the terminal, the record, the notebook and the report; no page shows nan or a direction of 0 %."""
    for name in ("notebooks", "expectations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    done = typed("run", "-p", "model=naive", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (
        "metrics: R² against naive +0.00 %, worst drawdown 0.0 %, 90 % interval covers 90.1 %, trials 1\n"
        in done.stdout
    )
    (record,) = tmp_path.glob("runs/*/manifest.json")
    steps = {step["name"]: step["recorded"] for step in json.loads(record.read_text("utf-8"))["steps"]}
    assert (steps["05_evaluate"]["rank_ic"], steps["05_evaluate"]["sharpe_after_costs"]) == (None, None)
    assert "directional_accuracy" not in (record.parent / "verdict.json").read_text("utf-8")
    pages = {}
    for name in ("report.html", "04_train.ipynb.html", "05_evaluate.ipynb.html"):
        page = (record.parent / name).read_text("utf-8")
        pages[name] = re.sub('base64,[^"]*', "", page)
        assert not re.search(r"\bnan\b", pages[name], re.IGNORECASE), name
    assert (
        "every prediction is 0, so direction, ranking and Sharpe ratio are not defined"
        in pages["report.html"]
    )
    for name in ("04_train.ipynb.html", "05_evaluate.ipynb.html"):
        assert pages[name].count("<td>not defined</td>") >= len(["AAPL", "FB", "GOOG", "IBM", "MSFT", "all"])
    assert "No drawdown: it is never below its start." in pages["05_evaluate.ipynb.html"]
