"""Prices of the sealed holdout are held back from every source."""

from datetime import date

import pandas as pd
import pytest
from loguru import logger

from sta410kit.config import Config, ModelConfig, set_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.holdout import unseal
from sta410kit.market import load_prices

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _sealed(tmp_path, monkeypatch):
    """Stand in an empty folder, the holdout beginning on a Sunday."""
    monkeypatch.chdir(tmp_path)
    set_config(Config(model=ModelConfig(holdout_start=date(2012, 1, 1))))
    yield
    set_config(None)


@pytest.fixture
def told():
    """Collect what is logged."""
    lines = []
    sink = logger.add(lines.append, format="{message}")
    yield lines
    logger.remove(sink)


def test_rows_from_its_start_on_are_held_back_and_that_is_said(told):
    """The last session before it is the last there is; rows before it are as they were."""
    prices = load_prices()
    assert prices["date"].max() == pd.Timestamp("2011-12-30")
    assert told == ["1,360 rows from 2012-01-01 on are held back: the holdout is sealed\n"]
    set_config(None)
    everything = load_prices()
    pd.testing.assert_frame_equal(load_prices(end="2011-12-31"), prices)
    assert len(everything) - len(prices) == 1360


def test_the_first_day_of_it_is_sealed_itself():
    """A holdout that begins with a session holds that session."""
    set_config(Config(model=ModelConfig(holdout_start=date(2012, 1, 3))))
    assert load_prices()["date"].max() == pd.Timestamp("2011-12-30")
    with pytest.raises(ConfigurationError, match="start is 2012-01-03 and so lies in the sealed holdout"):
        load_prices(start="2012-01-03")


def test_a_period_before_it_is_not_spoken_of(told):
    """Nothing was held back that was asked for, and yet the source has it."""
    assert load_prices(end="2005-01-01", symbols="IBM")["date"].max() == pd.Timestamp("2004-12-31")
    set_config(None)
    told.clear()
    load_prices()
    assert told == []


def test_ones_own_files_are_sealed_too(tmp_path):
    """The seal is on dates, not on a source."""
    set_config(None)
    load_prices(symbols="IBM", start="2011-12-01").to_parquet(tmp_path / "ibm.parquet")
    set_config(Config(model=ModelConfig(holdout_start=date(2012, 1, 1))))
    assert load_prices("files", path=tmp_path / "ibm.parquet")["date"].max() == pd.Timestamp("2011-12-30")


@pytest.mark.parametrize("asked", [{"start": "2012-01-01"}, {"start": "2012-05-01", "symbols": "IBM"}])
def test_a_period_inside_it_is_refused_with_the_command(asked):
    """Before anything is read."""
    with pytest.raises(
        ConfigurationError, match=r"lies in the sealed holdout, which begins on 2012-01-01.*unseal"
    ):
        load_prices(**asked)


def test_a_source_that_lies_inside_it_is_refused(tmp_path):
    """Nothing would be left."""
    set_config(None)
    load_prices(symbols="IBM", start="2012-06-01").to_parquet(tmp_path / "ibm.parquet")
    set_config(Config(model=ModelConfig(holdout_start=date(2012, 1, 1))))
    with pytest.raises(ConfigurationError, match=r"all 187 rows of the source lie in the sealed holdout"):
        load_prices("files", path=tmp_path / "ibm.parquet")


def test_a_symbol_that_has_no_row_before_it_is_missed_by_name():
    """It is in the source, and its prices are sealed."""
    with pytest.raises(Exception, match="FB"):
        load_prices(symbols=["IBM", "FB"])


def test_unsealed_it_loads():
    """For as long as it is open."""
    unseal("is ridge better?")
    assert load_prices(start="2012-05-01")["date"].max() == pd.Timestamp("2013-03-01")
