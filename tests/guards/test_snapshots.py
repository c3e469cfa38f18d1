"""The last accepted prices: what changed since is named, and only accepted prices replace them."""

import pandas as pd
import pytest

from sta410kit import guards
from sta410kit.exceptions import DataLoadingError, DataValidationError
from sta410kit.guards.snapshots import read_snapshot, schema_of

pytestmark = pytest.mark.unit


@pytest.fixture
def prices(make_walk):
    """Give two symbols over eighty sessions."""
    return make_walk(symbols=2, rows=80)


@pytest.fixture
def kept(prices, tmp_path):
    """Give the snapshot of the first sixty sessions."""
    first = prices[prices["date"] <= prices["date"].iloc[59]].reset_index(drop=True)
    return guards.keep_snapshot(first, guards.validate(first, "prices"), tmp_path / "kept" / "prices.parquet")


def test_new_sessions_are_no_revision(prices, kept):
    """The download goes on; what was there is as it was."""
    assert guards.validate(prices, "prices", snapshot=kept).failures == ()


def test_a_revised_close_is_named_with_symbol_and_date(prices, kept):
    """Half a cent on one past session, within its bar: nothing but the snapshot could know."""
    row = 10
    prices.loc[row, "close"] = (prices.loc[row, "high"] + prices.loc[row, "low"]) / 2
    prices.loc[row, "adj_close"] = prices.loc[row, "close"]
    assert guards.validate(prices, "prices").passed
    failure = guards.validate(prices, "prices", snapshot=kept).critical[0]
    assert failure.expectation == "expect_history_unrevised"
    assert failure.rows[0]["date"] == f"{prices.loc[row, 'date']:%Y-%m-%d}"
    assert "S0: 1 session with another close, adj_close" in failure.message


def test_adj_close_may_be_rescaled_as_a_whole(prices, kept):
    """A new dividend lowers every earlier adj_close by one factor."""
    assert guards.validate(
        prices.assign(adj_close=prices["adj_close"] * 0.99), "prices", snapshot=kept
    ).passed


def test_schema_drift_is_reported_as_a_difference(prices, kept):
    """A new column and a column of another kind, in words."""
    drifted = prices.assign(vwap=1.0, volume=prices["volume"].astype(float))
    failure = guards.validate(drifted, "prices", snapshot=kept).critical[0]
    assert failure.expectation == "expect_schema_unchanged"
    assert "column vwap (numbers) is new" in failure.message
    assert "column volume was whole numbers and is numbers" in failure.message


def test_sessions_that_are_gone_are_named(prices, kept):
    """A session every symbol has lost is missed by nobody but the calendar and the snapshot."""
    day = prices["date"].iloc[30]
    lost = prices[prices["date"] != day].reset_index(drop=True)
    kinds = [failure.expectation for failure in guards.validate(lost, "prices", snapshot=kept).critical]
    assert kinds == ["expect_sessions_to_match_calendar", "expect_history_unrevised"]


def test_a_snapshot_keeps_what_the_new_frame_does_not_speak_of(prices, kept):
    """A run on one symbol does not forget the other one's history."""
    one = prices[prices["symbol"] == "S1"].reset_index(drop=True)
    guards.keep_snapshot(one, guards.validate(one, "prices"), kept)
    whole = read_snapshot(kept)
    assert whole.groupby("symbol").size().to_dict() == {"S0": 60, "S1": 80}
    late = prices[prices["date"] > prices["date"].iloc[59]].reset_index(drop=True)
    guards.keep_snapshot(late, guards.validate(late, "prices"), kept)
    whole = read_snapshot(kept)
    assert len(whole) == 160
    assert whole[["symbol", "date"]].equals(
        whole[["symbol", "date"]].sort_values(["symbol", "date"], ignore_index=True)
    )


def test_refused_prices_replace_nothing(prices, kept):
    """Neither a refused frame nor another one than was judged is kept."""
    before = kept.read_bytes()
    with pytest.raises(DataValidationError):
        guards.keep_snapshot(prices, guards.validate(prices.assign(volume=-1), "prices"), kept)
    with pytest.raises(DataValidationError, match="not the frame"):
        guards.keep_snapshot(prices.iloc[:5], guards.validate(prices, "prices"), kept)
    assert kept.read_bytes() == before


def test_a_file_that_is_no_snapshot_is_named(prices, tmp_path):
    """The error says what to do."""
    path = tmp_path / "x.parquet"
    path.write_text("no parquet")
    with pytest.raises(DataLoadingError, match="delete it to begin a new one"):
        guards.validate(prices, "prices", snapshot=path)
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(DataLoadingError, match="is no snapshot of prices"):
        guards.validate(prices, "prices", snapshot=path)


def test_a_snapshot_that_is_not_there_yet_compares_with_nothing(prices, tmp_path):
    """The first night has no yesterday."""
    assert guards.validate(prices, "prices", snapshot=tmp_path / "none.parquet").passed


def test_the_schema_tells_kinds_and_not_widths():
    """Text as objects or strings, floats of any width: the same kind."""
    frame = pd.DataFrame({"a": ["x"], "b": [1.0], "c": [True], "d": pd.to_datetime(["2024-01-02"])})
    kinds = {"a": "text or objects", "b": "numbers", "c": "truth values", "d": "dates"}
    assert schema_of(frame) == schema_of(frame.astype({"a": object, "b": "float32"})) == kinds
