"""``sta410 trials`` shows what the ledger holds."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from sta410kit.cli.entry import cli
from sta410kit.exceptions import ConfigurationError
from sta410kit.research.skill import assess_skill

pytestmark = pytest.mark.unit


def look(seed, horizon=1, sessions=300):
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2000-01-03", periods=sessions, unit="us")
    actual = np.random.default_rng(99).standard_normal(sessions) / 100
    frame = pd.DataFrame({"symbol": "IBM", "date": dates, "horizon": horizon, "model": f"m{seed}", "fold": 0})
    frame = frame.assign(predicted=rng.standard_normal(sessions), actual=actual, lower=-1.0, upper=1.0)
    assess_skill(frame, resamples=10)


def ask(*words):
    return CliRunner().invoke(cli, ["trials", *words], standalone_mode=False, env={"COLUMNS": "200"})


def test_the_table_has_a_row_a_dataset_and_target():
    """Two targets of one symbol are two rows; one without returns has no ratio."""
    for seed in range(3):
        look(seed)
    look(5, horizon=5)
    asked = ask()
    assert asked.exception is None
    cells = [line.split() for line in asked.output.splitlines() if "IBM" in line]
    assert [row[:5] for row in cells] == [
        ["IBM", "2000-01-03", "2001-02-23", "1", "3"],
        ["IBM", "2000-01-03", "2001-02-23", "5", "1"],
    ]
    assert cells[0][5:8] == ["m0,", "m1,", "m2"]
    assert cells[0][-1].endswith("%")
    assert cells[1][5:] == ["m5"]


def test_json_holds_every_trial():
    """For other programs: figures a dataset, and its entries."""
    for seed in range(3):
        look(seed)
    (dataset,) = json.loads(ask("--json").output)["datasets"]
    assert (dataset["symbols"], dataset["horizon"], dataset["trials"]) == ("IBM", 1, 3)
    assert [entry["model"] for entry in dataset["entries"]] == ["m0", "m1", "m2"]
    assert dataset["best_model"] in {"m0", "m1", "m2"}
    assert 0 <= dataset["probability"] <= 1


def test_outside_a_project_there_is_none(tmp_path, monkeypatch):
    """It says what is missing."""
    monkeypatch.delenv("STA410_LEDGER")
    monkeypatch.chdir(tmp_path)
    asked = ask()
    assert isinstance(asked.exception, ConfigurationError)
    assert "notebooks/pipeline.toml" in str(asked.exception)
