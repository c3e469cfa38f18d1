"""The default chain on a universe as vendors deliver it: it goes on with what is usable, and says so."""

import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest

from tests.conftest import ROOT
from tests.guards.universe import faulty_universe

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """Run the chain on the universe, with one symbol's last bar and all of another at fault as well."""
    folder = tmp_path_factory.mktemp("vendor")
    for name in ("notebooks", "expectations"):
        shutil.copytree(ROOT / name, folder / name)
    frame, _ = faulty_universe()
    frame.loc[frame.index[frame["symbol"] == "S30"][-1], "low"] = 0.0
    swapped = frame["symbol"] == "S23"
    frame.loc[swapped, ["open", "close"]] = frame.loc[swapped, ["close", "open"]].to_numpy()
    frame.to_parquet(folder / "universe.parquet")

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "sta410kit", *words],
            cwd=folder, env={**os.environ, "COLUMNS": "120"}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = run("run", "-p", "path=universe.parquet")
    return SimpleNamespace(done=done, run=run, folder=next((folder / "runs").glob("2*")))


def test_it_ends_with_0_and_one_line_that_counts_what_was_left_out(chain):
    """The line says how much, of which gate, and where it is shown."""
    assert chain.done.returncode == 0, chain.done.stderr
    (line,) = re.findall(r"^warning: 02_validate.*$", chain.done.stdout, re.MULTILINE)
    assert re.fullmatch(
        r"warning: 02_validate: the gate 'prices' left out (\d) of 31 symbols and [\d,]+ of [\d,]+ bars"
        r"(?: and has \d+ warnings?)?, see the data docs",
        line,
    )
    prices = pd.read_parquet(chain.folder / "prices.parquet")
    assert prices["symbol"].nunique() >= 28
    assert prices["close"].notna().groupby(prices["symbol"]).mean().min() > 0.98


def test_manifest_show_and_report_name_what_was_left_out(chain):
    """Symbols with the reason, bars by expectation, and forecasts that there are not."""
    manifest = json.loads((chain.folder / "manifest.json").read_text())
    results = manifest["results"]
    assert "S23" in results["quarantined"]["symbols"]
    assert results["quarantined"]["bars"]["expect_sessions_to_match_calendar"] >= 28
    assert {"S23", "S30"} <= set(results["no_forecast"])
    validated = next(step for step in manifest["steps"] if step["name"] == "02_validate")
    assert validated["recorded"]["quarantined_symbols"] == 31 - len(results["data"]["symbols"])
    assert validated["recorded"]["quarantined_bars"] >= 31
    shown = chain.run("show", chain.folder.name).stdout
    assert re.search(r"gate prices \(02_validate\): accepted without \d of 31 symbols", shown)
    assert "quarantined S23: " in shown
    assert re.search(r"S30 .* no forecast .* quarantined", shown)
    report = (chain.folder / "report.html").read_text()
    assert "<br>quarantined S23: " in report
    assert re.search(r'<b>S23</b></td><td [^>]*class="warn">no forecast: quarantined', report)
    orders = pd.read_parquet(chain.folder / "orders.parquet").set_index("symbol")
    assert orders.loc["S30", "reason"] == "no forecast: quarantined"


def test_strict_stops_on_any_critical_finding(chain):
    """Exit code 3, from the command and from the chain."""
    done = chain.run("run", "-p", "path=universe.parquet", "-p", "strict=true")
    assert done.returncode == 3
    assert "S29 2007-10-09 (low=0.0)" in done.stderr
    assert chain.run("validate", "universe.parquet", "--strict").returncode == 3
