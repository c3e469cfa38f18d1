"""Remote sources are found by name: those of the kit, and those that other packages ship."""

import re
import sys
import types
from datetime import date
from pathlib import Path

import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.market.sources import PriceSource, open_source, remote_sources

pytestmark = pytest.mark.unit

PAGE = (Path(__file__).parents[3] / "docs" / "data.md").read_text("utf-8")
(SOURCE,) = re.findall(r"```python\n((?:(?!```).)*?class DeskSource.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Give the function that installs a package with a module and entry points."""

    def install(code, **points):
        (tmp_path / "desk_prices.py").write_text(code)
        info = tmp_path / "desk_prices-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: desk-prices\nVersion: 1.0\n")
        lines = "".join(f"{name} = {value}\n" for name, value in points.items())
        (info / "entry_points.txt").write_text(f"[sta410kit.sources]\n{lines}")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "desk_prices", raising=False)

    return install


def test_the_kit_has_two(monkeypatch):
    """They are opened without being asked anything."""
    monkeypatch.setitem(sys.modules, "yfinance", types.ModuleType("yfinance"))
    assert {"alpaca", "yahoo"} <= set(remote_sources())
    for name in ("alpaca", "yahoo"):
        source = open_source(name)
        assert isinstance(source, PriceSource)
        assert (source.name, source.exchange) == (name, "XNYS")


def test_another_package_ships_one_in_forty_lines(package):
    """The example of the documents is found by its entry point."""
    package(SOURCE, desk="desk_prices:DeskSource")
    source = open_source("desk")
    assert isinstance(source, PriceSource)
    assert len(source.bars(["GILT"], date(2024, 1, 1), date(2024, 1, 5))) == 5
    assert len(SOURCE.splitlines()) < 40


def test_a_source_has_one_name(package):
    """Its prices are stored under it, and would not be found under another."""
    package(SOURCE, bureau="desk_prices:DeskSource")
    with pytest.raises(ConfigurationError, match="calls itself 'desk'; give it one name"):
        open_source("bureau")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("alpcaa", r"Unknown remote source 'alpcaa'. Did you mean 'alpaca'\? Known: absent, alpaca, shape"),
        ("sample", "'sample' is read from this machine"),
        ("absent", r"cannot be loaded \(No module named 'nowhere'\); install what it needs"),
        ("shape", "lacks one of name, exchange, bars, actions"),
    ],
)
def test_what_is_no_source_is_refused(package, name, said):
    """With the nearest name, or what is wrong with it."""
    package("class Empty: pass", absent="nowhere:Source", shape="desk_prices:Empty")
    with pytest.raises(ConfigurationError, match=said):
        open_source(name)


def test_a_missing_extra_is_named(monkeypatch):
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "yfinance", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'sta410kit\[yahoo\]'"):
        open_source("yahoo")
