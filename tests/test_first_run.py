"""The first run of the chain: what a newcomer reads, and what it leaves."""

import hashlib
import re
import tomllib

import pytest

from sta410kit.research.forecast_log import ForecastLog

pytestmark = pytest.mark.integration

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
