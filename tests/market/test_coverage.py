"""Which sessions are there and which are missing."""

import pandas as pd
import pytest

from sta410kit.exceptions import DataValidationError
from sta410kit.market import load_prices
from sta410kit.market.adjustment import find_splits
from sta410kit.market.coverage import coverage

pytestmark = pytest.mark.unit


def test_the_sample_misses_nothing():
    """Every embedded symbol has each session between its first and last."""
    table = coverage(load_prices())
    assert list(table.columns) == ["symbol", "first", "last", "sessions", "missing"]
    assert table["sessions"].tolist() == [3270, 196, 2148, 3270, 3270]
    assert table["missing"].tolist() == [0, 0, 0, 0, 0]
    assert table.loc[1, "first"] == pd.Timestamp("2012-05-18")


def test_missing_counts_only_between_first_and_last():
    """Sessions before the first or after the last are not missing, one between is; a duplicate is one."""
    days = pd.to_datetime(["2012-01-02", "2012-01-03", "2012-01-04", "2012-01-05", "2012-01-06"])
    full = pd.DataFrame({"symbol": "FULL", "date": days})
    holey = pd.DataFrame({"symbol": "HOLEY", "date": days[[1, 1, 3]]})
    table = coverage(pd.concat([full, holey]).assign(close=1.0)).set_index("symbol")
    assert table["sessions"].to_dict() == {"FULL": 5, "HOLEY": 2}
    assert table["missing"].to_dict() == {"FULL": 0, "HOLEY": 1}


def test_a_row_without_a_close_is_missing():
    """A quarantined bar keeps its row, which is no session of the symbol."""
    rows = load_prices(symbols="FB,MSFT")
    gap = (rows["symbol"] == "FB") & (rows["date"] == "2012-05-21")
    table = coverage(rows.assign(close=rows["close"].where(~gap)))
    assert table["sessions"].tolist() == [195, 3270]
    assert table["missing"].tolist() == [1, 0]


@pytest.mark.parametrize(("view", "column"), [(coverage, "date"), (find_splits, "adj_close")])
def test_a_missing_column_is_named(view, column):
    """Instead of a bare KeyError."""
    with pytest.raises(DataValidationError, match=rf"lack the column\(s\) {column}; found symbol"):
        view(load_prices(symbols="FB").drop(columns=column))
