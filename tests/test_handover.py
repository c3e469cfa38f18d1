"""Steps hand over files; a notebook opened alone starts from the embedded prices."""

import pandas as pd
import pytest

from sta410kit import steps
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.market import load_prices

pytestmark = pytest.mark.unit


def test_alone_a_step_starts_from_the_embedded_prices(tmp_path, monkeypatch):
    """Whatever the last run has left in the project."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    pd.testing.assert_frame_equal(steps.prices(None), load_prices())
    pd.testing.assert_frame_equal(steps.raw_prices(None), load_prices())
    assert steps.step_folder(None, "03_features") == tmp_path / "runs" / "alone" / "03_features"


def test_in_a_run_a_step_writes_to_the_runs_folder(tmp_path):
    """The folder the chain names, as text or as a path."""
    assert steps.step_folder(str(tmp_path / "r"), "x") == tmp_path / "r"
    assert (tmp_path / "r").is_dir()


def test_raw_prices_come_back_as_they_were_written(tmp_path):
    """Nothing is repaired on the way to the gate."""
    prices = load_prices(symbols=["FB"])
    prices.loc[3, "close"] = float("nan")
    path = steps.write_frame(prices, tmp_path / "raw.parquet")
    pd.testing.assert_frame_equal(steps.raw_prices(path), prices, check_dtype=False)


def test_prices_the_gate_has_not_seen_are_judged_when_they_are_read(tmp_path):
    """A file given by hand goes through the gate."""
    prices = load_prices(symbols=["FB"])
    prices.loc[3, "high"] = 0.01
    path = steps.write_frame(prices, tmp_path / "mine.parquet")
    with pytest.raises(DataValidationError, match="FB 2012-05-23"):
        steps.prices(path)
    with pytest.raises(ConfigurationError, match=r"no file .*none\.parquet"):
        steps.prices(tmp_path / "none.parquet")


def test_alone_the_later_steps_compute_what_they_need():
    """Features, predictions and a model come from the prices, with the default model."""
    prices = load_prices(symbols=["MSFT"])
    assert steps.features(None, prices).columns[:2].tolist() == ["symbol", "date"]
    predictions = steps.predictions(None, prices, seed=1)
    assert set(predictions["model"]) == {"ridge"}
    assert steps.fitted_model(None, prices, seed=1).name == "ridge"
