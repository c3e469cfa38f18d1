"""One rule says which sector a symbol counts in."""

import numpy as np
import pandas as pd
import pytest

from sta410kit._internal.sectors import read_sectors, sectors_of
from sta410kit.exceptions import ConfigurationError

pytestmark = pytest.mark.unit


def test_each_symbol_has_a_sector():
    """The first spelling names it; a whole number is a name; what is no name is unknown."""
    sectors = {
        "A": "Tech",
        "B": " tech",
        "C": 45,
        "D": np.int64(45),
        "E": np.nan,
        "F": None,
        "G": "",
        "H": pd.NA,
    }
    assert sectors_of("ABCDEFGHI", sectors) == ["Tech", "Tech", "45", "45", *["unknown"] * 5]
    assert sectors_of("AB", None) == ["unknown", "unknown"]


def test_sectors_that_are_no_mapping_are_refused():
    """With what to give instead."""
    with pytest.raises(ConfigurationError, match=r"sectors is list; .*such as read_sectors\(path\)"):
        sectors_of("A", ["tech"])  # type: ignore[arg-type]


def test_sectors_from_a_file(tmp_path):
    """A CSV file of symbol and sector, in any order of columns; none without a path."""
    path = tmp_path / "sectors.csv"
    path.write_text("\ufeffsector,name,symbol\nTechnology,Apple, AAPL\nBanks,x,JPM\n", encoding="utf-8")
    assert read_sectors(path) == {"AAPL": "Technology", "JPM": "Banks"}
    assert read_sectors(None) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no symbol"),
        ("symbol,sector\n", "names no symbol"),
        ("symbol,sector\nA,x\nA,y\n", "line 3: each line is a symbol, once, and its sector"),
        ("symbol,sector\nA,\n", "line 2"),
        ("ticker,sector\nA,x\n", "line 2"),
        ("symbol,sector\nA\n", "line 2"),
    ],
)
def test_a_file_of_sectors_that_is_wrong_is_named(tmp_path, text, words):
    """With the line."""
    path = tmp_path / "sectors.csv"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        read_sectors(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_sectors(tmp_path)
