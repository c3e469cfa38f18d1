"""A night on which the source misbehaves ends as a clean night, with the same forecasts."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from sta410kit.market import load_prices
from sta410kit.market.adjustment import find_splits
from tests.market.alpaca_server import SECRET, AlpacaServer

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
FAULTS = ["500", None, "reset", None, "truncated", "html", None, "502", None, ("429", {"Retry-After": "0"})]


@pytest.fixture(scope="module")
def prices():
    """Three years of the embedded prices, raw, with a split among them."""
    return load_prices(symbols="AAPL,IBM,MSFT", start="2003-01-01", end="2006-12-29")


@pytest.fixture
def server(prices):
    """Serve them as Alpaca does, on small pages."""
    stamps = prices["date"].dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    rows = prices.assign(stamp=stamps.dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    columns = ["stamp", "open", "high", "low", "close", "volume"]
    bars = {
        symbol: list(part[columns].itertuples(index=False, name=None))
        for symbol, part in rows.groupby("symbol")
    }
    splits = [
        {
            "symbol": one.symbol, "new_rate": one.ratio, "old_rate": 1,
            "ex_date": f"{one.date:%Y-%m-%d}", "process_date": f"{one.date:%Y-%m-%d}",
        }
        for one in find_splits(prices).itertuples()
    ]  # fmt: skip
    assert splits
    with AlpacaServer(bars, {"forward_splits": splits}, page_size=400) as one:
        yield one


def night(folder, typed, settings):
    """Fetch and run in a project of its own; return the forecasts."""
    for name in ("notebooks", "expectations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    settings = {**settings, "XDG_CACHE_HOME": str(folder / "cache")}
    period = ("--from", "2003-01-01", "--to", "2006-12-29")
    fetched = typed("fetch", "AAPL", "IBM", "MSFT", *period, "--source", "alpaca", cwd=folder, env=settings)
    assert fetched.returncode == 0, fetched.stderr
    wanted = (
        "-p",
        "source=alpaca",
        "-p",
        "symbols=AAPL,IBM,MSFT",
        "-p",
        "start=2003-01-01",
        "-p",
        "end=2006-12-29",
    )
    done = typed("run", *wanted, cwd=folder, env=settings)
    assert done.returncode == 0, done.stderr + done.stdout
    (run,) = (folder / "runs").glob("2*")
    return pd.read_parquet(run / "forecasts.parquet")


def test_the_forecasts_after_a_bad_night_are_those_of_a_clean_one(tmp_path, typed, server):
    """Every fault is met, and costs nothing but another request."""
    clean = night(tmp_path / "clean", typed, server.settings)
    quiet = len(server.requests)
    server.faults += FAULTS
    bad = night(tmp_path / "bad", typed, server.settings)
    assert not server.faults
    assert len(server.requests) == 2 * quiet + sum(fault is not None for fault in FAULTS)
    pd.testing.assert_frame_equal(bad, clean)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
