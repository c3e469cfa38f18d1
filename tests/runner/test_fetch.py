"""`sta410 fetch` fills the store, and the gate judges what a source has revised."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sta410kit.market import load_prices, sources
from sta410kit.market.store import files
from sta410kit.runner import fetch
from tests.market.vendor import NOON, Vendor

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
ENTRY = """
[[finding]]
suite = "prices"
expectation = "expect_history_unrevised"
symbol = "KO"
first = 2024-03-06
reason = "Late trades."
by = "R. Eviewer"
expires = 2099-12-31
"""


@pytest.fixture
def vendor(tmp_path, monkeypatch):
    """Give a source in a project with the suites, at noon of a Friday."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").touch()
    shutil.copytree(ROOT / "expectations", tmp_path / "expectations")
    found = Vendor()
    for module in (sources, fetch):
        monkeypatch.setattr(module, "open_source", lambda _: found)
    monkeypatch.setattr(sources, "remote_sources", lambda: {"vendor": ""})
    monkeypatch.setattr(files, "now", lambda: NOON)
    return found


def test_fetch_fills_the_store_by_symbols_and_year(vendor, typed, tmp_path):
    """Symbols with commas or spaces; the year's first day; without symbols all that are stored."""
    done = typed("fetch", "AAPL,KO", "--from", "2024", "--source", "vendor", "--json", cwd=tmp_path)
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["added"] == 92
    assert found["stored"][1] == {"symbol": "KO", "first": "2024-01-02", "last": "2024-03-07", "bars": 46}
    done = typed("fetch", "--source", "vendor", cwd=tmp_path)
    assert "0 rows added, up to date" in done.stdout
    assert vendor.asked == [(("AAPL", "KO"), "2024-01-01", "2024-03-07")]


def test_what_cannot_be_fetched_has_an_exit_code(vendor, typed, tmp_path):
    """2 without a symbol, 3 for one that is unknown, 11 for a source that is down."""
    done = typed("fetch", "--source", "vendor", cwd=tmp_path)
    assert (done.returncode, "sta410 fetch AAPL KO" in done.stderr) == (2, True)
    done = typed("fetch", "KO", "--from", "2024-03-08", "--source", "vendor", cwd=tmp_path)
    assert (done.returncode, "is after 2024-03-07" in done.stderr) == (2, True)
    done = typed("fetch", "KO", "KOO", "--from", "2024-03", "--source", "vendor", cwd=tmp_path)
    assert (done.returncode, "start is '2024-03', which is not a day" in done.stderr) == (2, True)
    done = typed("fetch", "KO", "KOO", "--from", "2024", "--source", "vendor", cwd=tmp_path)
    assert (done.returncode, "vendor has no prices of KOO" in done.stderr) == (3, True)
    vendor.down = True
    done = typed("fetch", "AAPL", "--source", "vendor", cwd=tmp_path)
    assert (done.returncode, "vendor does not answer" in done.stderr) == (11, True)


def test_the_gate_decides_on_a_revision(vendor, typed, tmp_path, monkeypatch):
    """Held, with exit code 3, until a reviewer accepts the finding; then it is current, from then on."""
    typed("fetch", "AAPL", "KO", "--from", "2022", "--source", "vendor", cwd=tmp_path)
    before = load_prices("vendor", "KO")
    vendor.revise("KO", "2024-03-06", volume=1_000_300.0)
    monkeypatch.setattr(files, "now", lambda: datetime(2024, 3, 8, 13, tzinfo=UTC))
    done = typed("fetch", "--again", "--source", "vendor", cwd=tmp_path)
    assert done.returncode == 3
    assert "│ KO     │ 2024-03-06 │ volume │  1e+06 │ 1.0003e+06 │ held │" in done.stdout
    assert 'symbol = "KO"\nfirst = 2024-03-06' in done.stderr
    assert load_prices("vendor", "KO").equals(before)
    with (tmp_path / "expectations" / "accepted.toml").open("a") as file:
        file.write(ENTRY)
    done = typed("fetch", "--source", "vendor", "--json", cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["revised"][0]["accepted"]) == (0, True)
    after = load_prices("vendor", "KO").set_index("date")["volume"]
    assert after["2024-03-06"] == 1_000_300
    assert load_prices("vendor", "KO", as_of=NOON).equals(before)
    done = typed("fetch", "--source", "vendor", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["revised"] == []


def test_a_withdrawn_session_and_a_changed_action_are_judged_too(vendor, typed, tmp_path):
    """Neither becomes current by itself."""
    vendor.act("AAPL", "2024-02-09", "dividend", 1.0)
    typed("fetch", "AAPL", "KO", "--from", "2022", "--source", "vendor", cwd=tmp_path)
    before = load_prices("vendor")
    vendor.table = vendor.table[(vendor.table["symbol"] == "AAPL") | (vendor.table["date"] != "2024-03-05")]
    vendor.paid["value"] = 2.0
    done = typed("fetch", "--again", "--source", "vendor", "--json", cwd=tmp_path)
    assert done.returncode == 3
    revised = json.loads(done.stdout)["revised"]
    assert {(one["symbol"], one["kind"], one["accepted"]) for one in revised} == {
        ("AAPL", "dividend", False), ("KO", "bar", False),
    }  # fmt: skip
    assert load_prices("vendor").equals(before)
