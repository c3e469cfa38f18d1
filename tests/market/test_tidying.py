"""Rows as written: what is kept for the gate, what is made tidy, and which orders of files are understood."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sta410kit.market import load_prices
from sta410kit.market.tidying import in_order, tidy

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def prices():
    """Give a few sessions of three symbols."""
    return load_prices(symbols=["FB", "IBM", "MSFT"], start="2013-02-15")


def test_rows_come_as_a_csv_has_them(tmp_path, prices):
    """Order, time of day and spaces around symbols are kept when asked, and only then taken off."""
    written = prices.assign(symbol=prices["symbol"] + " ", date=prices["date"] + pd.Timedelta(hours=16))
    written = written.sample(frac=1, random_state=3, ignore_index=True)
    written.to_csv(tmp_path / "all.csv", index=False)
    rows = load_prices("files", path=tmp_path / "all.csv", tidy=False)
    pd.testing.assert_frame_equal(rows, written.astype({"date": "datetime64[us]"}), check_exact=True)
    pd.testing.assert_frame_equal(load_prices("files", path=tmp_path / "all.csv"), prices, check_exact=True)
    pd.testing.assert_frame_equal(tidy(rows), prices, check_exact=True)


def test_text_that_a_parquet_file_holds_for_numbers_is_kept_and_read(tmp_path, prices):
    """The gate sees text; a tidy frame has the numbers in it, gaps as NaN. Decimals are numbers."""
    from decimal import Decimal

    text = prices["close"].astype(str).where(prices.index != 1, "n/a")
    decimals = [Decimal(str(value)) for value in prices["open"]]
    prices.assign(close=text, open=decimals).to_parquet(tmp_path / "text.parquet")
    rows = load_prices("files", path=tmp_path / "text.parquet", tidy=False)
    assert rows["close"].tolist() == text.tolist()
    assert rows["open"].dtype == "float64"
    expected = prices["close"].where(prices.index != 1)
    pd.testing.assert_series_equal(tidy(rows)["close"], expected, check_exact=True)


@pytest.mark.parametrize("name", ["wide.csv", "wide.parquet"])
def test_columns_the_kit_does_not_know_stand_behind_the_others(tmp_path, prices, name):
    """Numbers as numbers, anything else as text, without an index written along; a tidy frame has none."""
    wide = prices.assign(dividends=0.5, note="x", lists=[[1]] * len(prices))
    wide = wide[[*wide.columns[-3:], *wide.columns[:-3]]]
    wide.to_csv(tmp_path / name) if name.endswith("csv") else wide.to_parquet(tmp_path / name)
    rows = load_prices("files", path=tmp_path / name, tidy=False)
    assert rows.columns[8:].tolist() == ["dividends", "note", "lists"]
    assert rows.iloc[0, 8:].tolist() == [0.5, "x", "[1]"]
    pd.testing.assert_frame_equal(load_prices("files", path=tmp_path / name), prices, check_exact=True)


def test_files_of_a_folder_may_differ_in_columns_the_kit_does_not_know(tmp_path, prices):
    """What one file lacks is missing there; a column of numbers here and text there is text."""
    ibm, msft = (prices[prices["symbol"] == symbol] for symbol in ("IBM", "MSFT"))
    ibm.assign(split=1.0, note=5).to_parquet(tmp_path / "ibm.parquet")
    msft.assign(note="x").to_csv(tmp_path / "msft.csv", index=False)
    rows = load_prices("files", path=tmp_path, tidy=False)
    assert rows["note"].unique().tolist() == ["5", "x"]
    assert rows["split"].isna().sum() == len(msft)


def test_a_selection_finds_what_is_written_oddly(tmp_path, prices):
    """Spaces hide no symbol, and the last day is included with its times."""
    odd = prices.assign(symbol=" " + prices["symbol"], date=prices["date"] + pd.Timedelta(hours=16))
    odd.to_csv(tmp_path / "odd.csv", index=False)
    chosen = {"symbols": "FB", "start": "2013-02-28", "end": "2013-03-01"}
    rows = load_prices("files", path=tmp_path / "odd.csv", tidy=False, **chosen)
    assert rows["symbol"].tolist() == [" FB", " FB"]
    assert rows["date"].dt.day.tolist() == [28, 1]
    assert load_prices("files", path=tmp_path / "odd.csv", **chosen)["symbol"].tolist() == ["FB", "FB"]


@pytest.mark.parametrize("by", [["symbol", "date"], ["date", "symbol"]])
@pytest.mark.parametrize("ascending", [[True, True], [False, False], [True, False], [False, True]])
def test_files_of_any_one_order_are_put_in_order(prices, by, ascending):
    """By symbol or by date, each from either end."""
    written = prices.sort_values(by, ascending=ascending, ignore_index=True)
    ordered = in_order(written).sort_values("symbol", kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(ordered, prices)


def test_a_folder_may_hold_files_of_both_orders(prices):
    """Each symbol has an order of its own."""
    turned = prices["symbol"] == "IBM"
    written = pd.concat([prices[~turned], prices[turned].iloc[::-1]], ignore_index=True)
    pd.testing.assert_frame_equal(in_order(written), prices)


@pytest.mark.parametrize("by", [["symbol", "date"], ["date", "symbol"]])
@given(first=st.integers(0, 28), second=st.integers(0, 28))
def test_rows_that_changed_places_are_left_for_the_gate(prices, by, first, second):
    """Two sessions exchanged in a file of any order are no order that files are kept in."""
    written = prices.sort_values(by, ignore_index=True)
    assume(written["date"][first] != written["date"][second])
    order = np.arange(len(written))
    order[[first, second]] = order[[second, first]]
    changed = written.iloc[order].reset_index(drop=True)
    assert in_order(changed).equals(changed)


def test_tidy_leaves_a_tidy_frame_alone(prices):
    """Values, order and types stay, and the frame given is not changed."""
    before = prices.copy()
    pd.testing.assert_frame_equal(tidy(prices), before, check_exact=True)
    rows = prices.iloc[::-1].reset_index(drop=True)
    kept = rows.copy()
    tidy(rows)
    pd.testing.assert_frame_equal(rows, kept)
