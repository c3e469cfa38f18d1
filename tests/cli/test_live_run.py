"""A source from a package of its own, stored, run, down, and verified later."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sta410kit._internal.calendars import closed_sessions

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SOURCE = '''
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from sta410kit._internal.calendars import closed_sessions
from sta410kit.exceptions import APIError
from sta410kit.market import load_prices


class Desk:
    """The last bars of the sample, on the newest sessions."""

    name, exchange = "desk", "XNYS"

    def bars(self, symbols, start, end):
        if Path(__file__).with_name("down").exists():
            raise APIError("the desk does not answer")
        sample = load_prices(symbols=symbols).groupby("symbol").tail(700)
        days = closed_sessions("XNYS", 0, datetime.now(UTC))[-700:].astype("M8[D]")
        sample["date"] = sample.groupby("symbol").cumcount().map(pd.Series(days.astype("M8[us]")))
        inside = sample["date"].between(pd.Timestamp(start), pd.Timestamp(end))
        return sample[inside].drop(columns="adj_close")

    def actions(self, symbols, start, end):
        return pd.DataFrame({"symbol": [], "date": pd.to_datetime([]), "kind": [], "value": []})
'''


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Give the folder of an installed package with a source; it is down while a file `down` is there."""
    folder = tmp_path / "site"
    metadata = folder / "desk_prices-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "desk_prices.py").write_text(SOURCE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: desk-prices\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[sta410kit.sources]\ndesk = desk_prices:Desk\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    yield folder
    sys.modules.pop("desk_prices", None)  # the next test has a desk of its own


@pytest.fixture
def project(tmp_path):
    """Copy this project's notebooks and suites."""
    for name in ("notebooks", "expectations"):
        shutil.copytree(
            ROOT / name, tmp_path / "project" / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints")
        )
    return tmp_path / "project"


def newest(project):
    """Return the folder of the newest run and its manifest."""
    folder = max((project / "runs").glob("2*"))
    return folder, json.loads((folder / "manifest.json").read_text("utf-8"))


def test_a_run_on_stored_prices_says_so_and_is_verified_when_the_store_has_grown(desk, project, typed):
    """One session is missing while the source is down: used, marked, and reproduced after it has come."""
    before_last, last = closed_sessions("XNYS", 0, datetime.now(UTC))[-2:].astype("M8[D]").astype(str)
    wanted = ("fetch", "IBM", "MSFT", "--from", "2020", "--source", "desk")
    assert typed(*wanted, "--to", before_last, cwd=project).returncode == 0
    (desk / "down").touch()
    done = typed("run", "-p", "source=desk", cwd=project)
    assert done.returncode == 0, done.stderr
    folder, manifest = newest(project)
    note = f"No newer prices were available: 1 session closed since {before_last}."
    assert manifest["warnings"] == [note]
    assert manifest["results"]["origin"]["source"] == "desk"
    assert manifest["steps"][5]["recorded"]["prices_end_early"] == note
    assert note in (folder / "report.html").read_text("utf-8")
    assert {row["date"] for row in manifest["results"]["forecasts"]} == {before_last}
    (desk / "down").unlink()
    grown = typed(*wanted, "--json", cwd=project)
    assert json.loads(grown.stdout)["stored"][0]["last"] == last
    done = typed("verify", "latest", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "01_ingest: reproduced" in done.stdout


def test_prices_that_are_too_old_end_the_run_with_11(desk, project, typed):
    """Nothing is published, and the message says how old they are and what is allowed."""
    old = str(closed_sessions("XNYS", 0, datetime.now(UTC))[-5].astype("M8[D]"))
    done = typed("fetch", "IBM", "--from", "2020", "--to", old, "--source", "desk", cwd=project)
    assert "4 sessions behind" in done.stdout
    (desk / "down").touch()
    done = typed("run", "-p", "source=desk", cwd=project)
    assert done.returncode == 11
    assert f"the last stored bar is 4 sessions old ({old}), and CACHE_TTL_HOURS=24 allows 1" in done.stderr
    assert not list(newest(project)[0].glob("*.parquet"))


def test_processes_that_fetch_at_once_ask_once(desk, project):
    """The first fetches; the others wait, and find the store filled."""
    (desk / "desk_prices.py").write_text(
        SOURCE.replace(
            "        sample =",
            '        Path(__file__).with_name("asked").open("a").write("x")\n        sample =',
        )
    )
    words = [
        sys.executable,
        "-m",
        "sta410kit",
        "fetch",
        "IBM",
        "--from",
        "2025",
        "--source",
        "desk",
        "--json",
    ]
    running = [subprocess.Popen(words, cwd=project, stdout=subprocess.PIPE) for _ in range(4)]
    found = [json.loads(one.communicate()[0]) for one in running]
    assert (desk / "asked").read_text() == "x"
    assert len({one["stored"][0]["bars"] for one in found}) == 1
    assert sorted(one["added"] > 0 for one in found) == [False, False, False, True]
