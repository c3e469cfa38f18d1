"""Runs as the chain leaves them, written by hand: for tests of what is made of a run store."""

import json

import pandas as pd

from sta410kit.runner.manifest import Manifest, StepRecord

SCORES = {"scored": 40, "coverage": 0.9, "r2_against_naive": 0.01, "hit_rate": 0.55}
DRIFT = {"sessions": 40, "coverage": 0.9, "coverage_t": -1.5, "skill_t": 0.5, "drifted": []}
RIDGE = {"model": "ridge", "horizon": 1, "target": "close_to_close"}
FINDING = {"expectation": "expect_x", "column": "close", "count": 3, "message": "odd", "severity": "warning"}


def forecast(symbol, predicted):
    """Return a forecast of a session ahead."""
    return {"symbol": symbol, "date": "2024-01-05", "horizon": 1, "model": "ridge", "predicted": predicted}


def store_run(project, run, *, outcome="PASSED", findings=(), closes=None, given=None, **results):  # noqa: PLR0913
    """Write the manifest of a run of the chain, its gate's summary and its prices; return its folder."""
    folder = project / "runs" / run
    folder.mkdir(parents=True)
    started = f"{run[:4]}-{run[4:6]}-{run[6:8]}T22:00:00.000+00:00"
    steps = [
        StepRecord(
            "01_ingest", "PASSED", 2.0, peak_memory=2**28, parameters={"source": "alpaca"}, started=started
        ),
        StepRecord("02_validate", outcome, 3.0, started=started.replace("22:00:00", "22:00:03")),
    ]  # fmt: skip
    manifest = Manifest(
        run, outcome=outcome, started=started, finished=started.replace("22:00:00", "22:00:10"),
        steps=steps, given=given or {}, results={"origin": {"source": "alpaca"}, **results},
    )  # fmt: skip
    manifest.write(folder)
    page = "validations/prices/02_validate/20240101T000000000000Z"
    (folder / "data_docs" / page).mkdir(parents=True)
    gate = {"suite": "prices", "step": "02_validate", "page": f"{page}/index.html", "passed": True}
    (folder / "data_docs" / page / "summary.json").write_text(
        json.dumps({**gate, "failures": list(findings)})
    )
    if closes is not None:
        dates = pd.bdate_range("2024-01-01", periods=len(closes))
        frame = pd.DataFrame({"symbol": "KO", "date": dates, "close": closes, "volume": 1})
        frame = frame.assign(open=100.0, high=100.0, low=100.0).dropna()
        frame.to_parquet(folder / "prices.parquet")
    return folder
