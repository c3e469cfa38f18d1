"""The default chain on shares of several exchanges, one of them halted to the end and one delisted early."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from sta410kit._internal.calendars import sessions
from tests.conftest import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EXCHANGES = {
    "A.L": "XLON", "B.L": "XLON", "C.AX": "XASX", "D.AX": "XASX", "AAA": "XNYS", "BBB": "XNYS", "CCC": "XNYS",
}  # fmt: skip
ENDS = {"BBB": "2022-11-16", "CCC": "2021-01-29"}  # the second before any prediction
EVENTS = """
[[event]]
symbol = "BBB"
first = 2022-11-17
last = 2022-12-30
kind = "halt"
note = "No trading."

[[event]]
symbol = "CCC"
date = 2021-02-01
kind = "delisting"
"""


def universe():
    """Give a random walk of each symbol over three years, in the sessions of its exchange."""
    rng = np.random.default_rng(0)
    first, last = (int(np.datetime64(day, "D").astype(int)) for day in ("2020-01-02", "2022-12-30"))
    parts = []
    for symbol, exchange in EXCHANGES.items():
        days = sessions(exchange, first, last).astype("datetime64[D]").astype("datetime64[us]")
        close = 50 * np.exp(np.cumsum(0.011 * rng.standard_t(5, len(days))))
        opened = np.r_[close[0], close[:-1]] * np.exp(0.004 * rng.standard_normal(len(days)))
        wick = np.exp(0.005 * np.abs(rng.standard_normal((2, len(days)))))
        high, low = np.maximum(opened, close) * wick[0], np.minimum(opened, close) / wick[1]
        bar = pd.DataFrame({"open": opened, "high": high, "low": low, "close": close}).round(2)
        volume = rng.lognormal(14, 0.4, len(days)).astype(int)
        parts.append(bar.assign(symbol=symbol, date=days, adj_close=bar["close"], volume=volume))
    frame = pd.concat(parts, ignore_index=True)
    return frame[frame["date"] <= pd.to_datetime(frame["symbol"].map(ENDS).fillna("2022-12-30"))]


def test_it_forecasts_all_but_what_has_ended(tmp_path):
    """No fold is refused for the sessions of other exchanges; the orders say why there is no forecast."""
    for name in ("notebooks", "expectations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "expectations" / "events.toml").write_text(EVENTS)
    universe().to_csv(tmp_path / "universe.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-m", "sta410kit", "run", "-p", "path=universe.csv"],
        cwd=tmp_path, env={**os.environ, "COLUMNS": "120"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs").glob("2*")
    results = json.loads((folder / "manifest.json").read_text())["results"]
    assert [row["symbol"] for row in results["forecasts"]] == ["A.L", "AAA", "B.L", "C.AX", "D.AX"]
    assert results["no_forecast"] == {symbol: f"its prices end on {day}" for symbol, day in ENDS.items()}
    assert "no forecast: its prices end on 2022-11-16" in (folder / "report.html").read_text()
    orders = pd.read_parquet(folder / "orders.parquet").set_index("symbol")
    assert orders.loc["BBB", "reason"] == "no forecast: its prices end on 2022-11-16"
