"""How a notebook reads its inputs and hands over its outputs: files, and values in scrapbook's format."""

import datetime as dt
import enum
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit import steps
from sta410kit._internal.redaction import register
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.market import load_prices
from sta410kit.steps import MIMETYPE, record, recorded_values

pytestmark = pytest.mark.unit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class Number(enum.IntEnum):
    """A number with a name."""

    SEVEN = 7


class Shell:
    """Takes what would be displayed."""

    def __init__(self):
        self.outputs = []
        self.display_pub = self

    def publish(self, data, metadata):
        """Keep an output as a notebook would."""
        self.outputs.append({"output_type": "display_data", "data": data, "metadata": metadata})


def recorded(*pairs):
    """Return what a notebook would hold after these were recorded."""
    shell = Shell()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
        for name, value in pairs:
            record(name, value)
    return shell.outputs


def test_it_is_written_as_scrapbook_writes_it():
    """Mimetype, payload and metadata are scrapbook's, and nothing that a page would show."""
    (output,) = recorded(("r2", 0.5))
    assert output == {
        "output_type": "display_data",
        "data": {
            "application/scrapbook.scrap.json+json": {
                "name": "r2", "data": 0.5, "encoder": "json", "version": 1,
            }
        },
        "metadata": {"scrapbook": {"name": "r2", "data": True, "display": False}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        (True, True),
        (np.True_, True),
        (np.float64(0.25), 0.25),
        (np.int32(3), 3),
        (np.array(2), 2),
        (Number.SEVEN, 7),
        ((1, "a"), [1, "a"]),
        ({"a": {"b": [1.5]}}, {"a": {"b": [1.5]}}),
        (dt.date(2012, 1, 31), "2012-01-31"),
        (pd.Timestamp("2012-01-31 10:00"), "2012-01-31T10:00:00"),
        (Path("a") / "b", "a/b"),
    ],
)
def test_a_value_is_kept_as_json_holds_it(value, kept):
    """Numbers of numpy's, dates and paths become plain."""
    found = recorded_values(recorded(("x", value)))["x"]
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("", 1, "needs a name, got ''"),
        (3, 1, "needs a name, got 3"),
        ("x", float("nan"), "JSON has no such number; record None"),
        ("x", [float("inf")], "JSON has no such number"),
        ("x", np.float64("nan"), "JSON has no such number"),
        ("x", {1: 2}, "keys of JSON dictionaries are text, got 1"),
        ("x", pd.DataFrame({"a": [1]}), "got pandas.*DataFrame. Record a number computed from it"),
        ("x", np.zeros(3), "got numpy.ndarray"),
        ("x", {1, 2}, "got builtins.set"),
        ("x", object(), "got builtins.object"),
        ("x", "a" * 1_100_000, "takes up to a million characters, got 1,100,002"),
    ],
)
def test_what_json_cannot_hold_is_refused(name, value, complaint):
    """The error names the value and what to do; it is the same outside a notebook."""
    with pytest.raises(ConfigurationError, match=complaint):
        record(name, value)


def test_a_secret_is_redacted():
    """Wherever in the value it stands."""
    register("PKRECORDEDSECRET1")
    (output,) = recorded(("x", {"url": ["https://PKRECORDEDSECRET1@host"]}))
    assert output["data"][MIMETYPE]["data"] == {"url": ["https://***@host"]}


def test_outside_ipython_nothing_happens(monkeypatch):
    """Neither in a plain script nor where IPython is loaded without a shell."""
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    record("x", 1)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    record("x", 1)


def test_the_last_of_one_name_counts_and_strange_outputs_are_passed_over():
    """A notebook holds other outputs too, and scraps of other kinds."""
    outputs = [
        {"output_type": "stream", "text": "x"},
        {"data": {"text/plain": "1"}},
        {"data": {MIMETYPE: "not a scrap"}},
        {"data": {MIMETYPE: {"name": 3, "data": 1}}},
        {"data": {MIMETYPE: {"name": "x"}}},
        {"data": None},
    ]
    assert recorded_values(outputs + recorded(("x", 1), ("y", 2), ("x", 3))) == {"x": 3, "y": 2}


@given(JSON)
def test_whatever_json_holds_comes_back(value):
    """Through the notebook's file and back."""
    outputs = json.loads(json.dumps(recorded(("x", value))))
    assert recorded_values(outputs) == {"x": value}


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
    """A file given by hand goes through the gate: a bad bar is left empty, and a bad symbol refused alone."""
    prices = load_prices(symbols=["FB"])
    prices.loc[3, "high"] = 0.01
    path = steps.write_frame(prices, tmp_path / "mine.parquet")
    read = steps.prices(path)
    assert read["close"].isna().to_numpy().nonzero()[0].tolist() == [3]
    assert steps.quarantined_symbols(path) == {}
    with pytest.raises(DataValidationError, match="FB 2012-05-23"):
        steps.prices(steps.write_frame(prices.assign(low=0.0), tmp_path / "worse.parquet"))
    with pytest.raises(ConfigurationError, match=r"no file .*none\.parquet"):
        steps.prices(tmp_path / "none.parquet")


def test_alone_the_later_steps_compute_what_they_need():
    """Features, predictions and a model come from the prices, with the default model."""
    prices = load_prices(symbols=["MSFT"])
    assert steps.features(None, prices).columns[:2].tolist() == ["symbol", "date"]
    predictions = steps.predictions(None, prices, seed=1)
    assert set(predictions["model"]) == {"ridge"}
    assert steps.fitted_model(None, prices, seed=1).name == "ridge"


@pytest.mark.parametrize(
    ("origin", "seal", "sentences"),
    [
        (None, "", ["Prices of sample, the last of 2012-12-31."]),
        (
            {"source": "desk", "last_session": "2012-12-31", "sessions_behind": 1},
            "",
            [
                "Prices of desk, the last of 2012-12-31.",
                "No newer prices were available: 1 session closed since 2012-12-31.",
            ],
        ),
        (
            {"source": "desk", "last_session": "2026-11-27", "sessions_behind": 0},
            "2013-01-01",
            [
                "Prices of desk, the last of 2012-12-31.",
                "The holdout is sealed: forecasts stop before 2013-01-01 (HOLDOUT_START).",
            ],
        ),
        (
            {"source": "files"},
            "2013-01-01",
            [
                "Prices of files, the last of 2012-12-31.",
                "The holdout is sealed: forecasts stop before 2013-01-01 (HOLDOUT_START).",
            ],
        ),
        ({"source": "files"}, "2030-01-01", ["Prices of files, the last of 2012-12-31."]),
    ],
)
def test_a_forecast_says_where_its_prices_are_from_and_why_they_end(
    tmp_path, monkeypatch, origin, seal, sentences
):
    """Stored prices that stand in, and the sealed holdout, are named and recorded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOLDOUT_START", seal)
    prices = load_prices(symbols="IBM", start="2012-12-20", end="2012-12-31")
    path = None
    if origin:
        kept = []
        monkeypatch.setattr(steps, "record", lambda *pair: kept.append(pair))
        aside = {"as_of": "2026-11-28T03:00:00+00:00", "source_failure": "no answer"}
        prices.attrs["sta410.origin"] = {**origin, **aside}
        path = steps.record_origin(prices, origin["source"], tmp_path / "origin.json")
        assert json.loads(path.read_text()) == origin
        assert kept == list(aside.items())
        assert prices.attrs == {}
    assert steps.describe_origin(path, prices) == " ".join(sentences)
    if origin:
        assert kept[2:] == ([("prices_end_early", " ".join(sentences[1:]))] if sentences[1:] else [])
