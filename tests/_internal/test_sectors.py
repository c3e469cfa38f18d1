"""One rule says which sector a symbol counts in."""

import numpy as np
import pandas as pd
import pytest

from sta410kit._internal.sectors import sectors_of
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
