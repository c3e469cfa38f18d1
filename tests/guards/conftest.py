"""A small clean prices frame for the gates."""

import pandas as pd
import pytest


@pytest.fixture
def prices():
    """Two symbols, three sessions each, nothing wrong."""
    dates = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"])
    return pd.DataFrame(
        {
            "symbol": ["AAA"] * 3 + ["BBB"] * 3,
            "date": list(dates) * 2,
            "open": [10.0, 11.0, 12.0, 20.0, 21.0, 22.0],
            "high": [11.0, 12.0, 13.0, 21.0, 22.0, 23.0],
            "low": [9.0, 10.0, 11.0, 19.0, 20.0, 21.0],
            "close": [10.5, 11.5, 12.5, 20.5, 21.5, 22.5],
            "adj_close": [10.5, 11.5, 12.5, 20.5, 21.5, 22.5],
            "volume": [100, 200, 300, 400, 500, 600],
        }
    )
