"""The embedded file against the package it was built from."""

import runpy
from pathlib import Path

import pytest

from sta410kit.exceptions import DataLoadingError
from sta410kit.market import load_prices
from sta410kit.market.sources import sample

pytestmark = pytest.mark.unit

SCRIPT = Path(__file__).parents[3] / "scripts" / "build_sample_prices.py"


@pytest.fixture(scope="module")
def script():
    pytest.importorskip("bokeh_sampledata", reason="only needed to rebuild the embedded prices")
    return runpy.run_path(str(SCRIPT))


def test_the_committed_file_is_what_the_script_builds(script):
    """The file in the repository holds the source's values and nothing else."""
    assert script["same_as"](script["build"](), script["TARGET"])


def test_building_twice_gives_the_same_bytes(script, tmp_path):
    """The file does not change when it is rebuilt from the same source."""
    table = script["build"]()
    for name in ("one.parquet", "two.parquet"):
        script["write"](table, tmp_path / name)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_a_damaged_installation_says_so(tmp_path, monkeypatch):
    """When the embedded file cannot be read the message says what to do."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "prices.parquet").write_bytes(b"junk")
    monkeypatch.setattr(sample, "files", lambda _: tmp_path)
    with pytest.raises(DataLoadingError, match="install the kit again"):
        load_prices()


def test_the_check_notices_a_changed_value(script, tmp_path):
    """One changed number is a difference."""
    table = script["build"]()
    changed = table.set_column(2, "open", [[value.as_py() + 0.01 for value in table["open"]]])
    script["write"](changed, tmp_path / "changed.parquet")
    assert not script["same_as"](table, tmp_path / "changed.parquet")
    assert not script["same_as"](table, tmp_path / "absent.parquet")
