"""``sta410 scorecard`` shows how earlier forecasts came out."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from sta410kit.cli.entry import cli
from sta410kit.research.forecast_log import ForecastLog
from sta410kit.runner.scorecard import outcome_points, symbol_rows

pytestmark = pytest.mark.unit


def ask(*words):
    return CliRunner().invoke(cli, ["scorecard", *words], standalone_mode=False)


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Two forecasts, one with an outcome of +2 %."""
    monkeypatch.chdir(tmp_path)
    log = ForecastLog(Path("runs/forecasts.sqlite"))
    numbers = {"horizon": 1, "model": "ridge", "predicted": 0.01, "lower": -0.03, "upper": 0.05}
    made = [{"symbol": symbol, "date": "2024-01-08", **numbers} for symbol in "AB"]
    log.add(made, run="one", made="2024-01-08T22:00:00+00:00")
    closes = [100.0, 100.0 * math.exp(0.02)]
    prices = pd.DataFrame({"symbol": "A", "date": pd.to_datetime(["2024-01-08", "2024-01-09"])})
    log.settle(
        prices.assign(**dict.fromkeys(("open", "high", "low", "close", "adj_close"), closes), volume=1)
    )
    return log


@pytest.mark.usefixtures("log")
def test_the_table_shows_scores_and_outcomes():
    """Percent signs and units are shown; what is open is counted."""
    output = ask().output
    assert [cell.strip() for cell in output.splitlines()[3].split("│")[1:-1]] == [
        *("ridge", "1", "2024-01-08", "2024-01-08", "2", "1", "100.0 %", "+75.0 %", "100.0 %"),
    ]  # fmt: skip
    assert "+1.00 │ -3.00 │ +5.00 │  +2.00 │ inside" in output
    assert "1 forecast without an outcome yet" in output


@pytest.mark.usefixtures("log")
def test_json_is_for_other_programs():
    """The same scores as numbers."""
    found = json.loads(ask("--json").output)
    assert found["logged"] == 2
    assert [(one["model"], one["scored"], one["coverage"]) for one in found["models"]] == [("ridge", 1, 1.0)]


def test_an_outcome_is_drawn_at_its_place_in_the_interval(log):
    """Halfway from -3 % to 5 % is +1 %; +2 % lies a quarter of the way to the upper end."""
    (point,) = outcome_points(log.read())
    assert point == {"place": 0.25, "label": "A from 2024-01-08: forecast +1.00 %, outcome +2.00 %"}


def test_without_forecasts_it_says_where_they_come_from(tmp_path, monkeypatch):
    """An empty log is no error, and asking makes no file."""
    monkeypatch.chdir(tmp_path)
    asked = ask()
    assert (asked.return_value, "each `sta410 run` that passes logs its own" in asked.output) == (0, True)
    assert not Path("runs").exists()


def test_forecasts_of_zero_have_no_hit_rate(tmp_path, monkeypatch):
    """The table says so, and JSON has null: not the share of days that did not rise."""
    monkeypatch.chdir(tmp_path)
    log = ForecastLog(Path("runs/forecasts.sqlite"))
    made = {"symbol": "A", "date": "2024-01-08", "horizon": 1, "model": "naive", "predicted": 0.0}
    log.add([{**made, "lower": -0.03, "upper": 0.03}], run="x", made="2024-01-08T22:00:00+00:00")
    prices = pd.DataFrame({"symbol": "A", "date": pd.to_datetime(["2024-01-08", "2024-01-09"]), "volume": 1})
    closes = pd.Series([100.0, 99.0])
    log.settle(prices.assign(**dict.fromkeys(("open", "high", "low", "close", "adj_close"), closes)))
    assert "│ not defined │ +0.0 % │  100.0 % │" in ask().output
    assert json.loads(ask("--json").output)["models"][0]["hit_rate"] is None
    assert math.isnan(symbol_rows(log.read())[0]["hits"])
