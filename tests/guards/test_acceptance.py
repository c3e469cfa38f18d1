"""What a gate accepted bears its stamp; anything else goes through the gate when it is read."""

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError, DataLoadingError, DataValidationError

pytestmark = pytest.mark.unit


def test_accepted_prices_are_read_back_unchanged_and_not_judged_again(prices, tmp_path, monkeypatch):
    """The stamp is enough: the gate is not asked a second time."""
    path = tmp_path / "prices.parquet"
    guards.accept(prices, guards.validate(prices, "prices"), path)
    monkeypatch.setattr("sta410kit.guards.acceptance.validate", lambda *_args: pytest.fail("asked again"))
    pd.testing.assert_frame_equal(guards.read_accepted(path, "prices"), prices, check_dtype=False)


def test_a_refused_frame_is_not_written(prices, tmp_path):
    """Nothing appears where the gate said no."""
    bad = prices.assign(close=-1.0)
    with pytest.raises(DataValidationError):
        guards.accept(bad, guards.validate(bad, "prices"), tmp_path / "prices.parquet")
    assert list(tmp_path.iterdir()) == []


def test_only_the_frame_that_was_judged_can_be_accepted(prices, tmp_path):
    """A result of one frame does not carry another one into the file."""
    result = guards.validate(prices, "prices")
    with pytest.raises(DataValidationError, match="not the frame"):
        guards.accept(prices.assign(close=10.0), result, tmp_path / "prices.parquet")
    assert list(tmp_path.iterdir()) == []


def test_the_stamp_of_a_suite_given_by_its_path_goes_when_the_suite_changes(prices, tmp_path, monkeypatch):
    """A suite of the user's own is read back by its file; what older rules accepted is judged again."""
    suite, path = tmp_path / "mine.json", tmp_path / "prices.parquet"
    rows = {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1}}
    suite.write_text(json.dumps({"name": "mine", "expectations": [rows]}))
    guards.accept(prices, guards.validate(prices, suite), path)
    with monkeypatch.context() as patch:
        patch.setattr("sta410kit.guards.acceptance.validate", lambda *_args: pytest.fail("asked again"))
        assert len(guards.read_accepted(path, suite)) == 6
    rows["kwargs"]["min_value"] = 7
    suite.write_text(json.dumps({"name": "mine", "expectations": [rows]}))
    with pytest.raises(DataValidationError, match="row_count"):
        guards.read_accepted(path, suite)


def test_a_file_without_a_stamp_goes_through_the_gate(prices, tmp_path):
    """A clean file is let through, a bad one is refused."""
    prices.to_parquet(tmp_path / "clean.parquet")
    prices.assign(high=0.5).to_parquet(tmp_path / "bad.parquet")
    assert len(guards.read_accepted(tmp_path / "clean.parquet", "prices")) == 6
    with pytest.raises(DataValidationError, match="high"):
        guards.read_accepted(tmp_path / "bad.parquet", "prices")


def test_an_edited_file_that_kept_its_stamp_is_refused(prices, tmp_path):
    """The stamp holds a digest of the values, so copying it onto other data does not help."""
    path = tmp_path / "prices.parquet"
    guards.accept(prices, guards.validate(prices, "prices"), path)
    table = pq.read_table(path)
    place = table.schema.get_field_index("close")
    forged = table.set_column(place, "close", [[-5.0] * 6])
    pq.write_table(forged.replace_schema_metadata(table.schema.metadata), path)
    with pytest.raises(DataValidationError, match="close"):
        guards.read_accepted(path, "prices")


def test_one_suites_stamp_does_not_serve_another(prices, tmp_path):
    """Accepted as prices is not accepted as features."""
    path = tmp_path / "prices.parquet"
    guards.accept(prices, guards.validate(prices, "prices"), path)
    with pytest.raises(DataValidationError, match="features"):
        guards.read_accepted(path, "features")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"symbol,date\n", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_what_is_not_parquet_is_a_loading_error(tmp_path, content):
    """Empty, truncated and foreign files are refused as unreadable, by name."""
    path = tmp_path / "prices.parquet"
    path.write_bytes(content)
    with pytest.raises(DataLoadingError, match=r"prices\.parquet"):
        guards.read_accepted(path, "prices")


def test_a_missing_file_is_a_usage_error(tmp_path):
    """The error says what writes the file."""
    with pytest.raises(ConfigurationError, match="sta410 run"):
        guards.read_accepted(tmp_path / "none.parquet", "prices")
