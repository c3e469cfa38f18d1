"""A small clean prices frame for the gates."""

import numpy as np
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


@pytest.fixture
def suite(tmp_path):
    """Copy the prices suite to where accepted findings, events and repairs can be declared beside it."""
    from sta410kit.guards.suites import read_suite

    path = tmp_path / "prices.json"
    path.write_text(read_suite("prices").path.read_text())
    return path


@pytest.fixture(scope="session")
def crisis():
    """Five real symbols from 2007 on: crashes, a special market, an initial public offering."""
    from sta410kit.market import load_prices

    return load_prices(start="2007-01-03")


def walk(  # noqa: PLR0913, PLR0917 - each a property of a series
    seed=0, symbols=3, rows=400, start="2015-01-02", sigma=0.02, price=100.0, shocks="normal", cents=False
):
    """Give made-up prices: random walks over the sessions of the exchange."""
    from sta410kit._internal.calendars import sessions

    rng = np.random.default_rng(seed)
    first = int(np.datetime64(start, "D").astype(int))
    dates = (
        sessions("XNYS", first, first + 2 * rows + 20)[:rows].astype("datetime64[D]").astype("datetime64[us]")
    )
    parts = []
    for number in range(symbols):
        if shocks == "normal":
            move = sigma * rng.normal(size=rows)
        elif shocks == "t5":
            move = sigma * rng.standard_t(5, rows) / np.sqrt(5 / 3)
        else:
            move, variance = np.empty(rows), sigma**2
            for day in range(rows):
                move[day] = np.sqrt(variance) * rng.normal()
                variance = 0.03 * sigma**2 + 0.09 * move[day] ** 2 + 0.88 * variance
        close = price * np.exp(np.cumsum(move))
        opened = np.r_[price, close[:-1]] * np.exp(rng.normal(0, sigma / 3, rows))
        bar = {"open": opened, "close": close}
        bar["high"] = np.maximum(opened, close) * (1 + np.abs(rng.normal(0, sigma / 3, rows)))
        bar["low"] = np.minimum(opened, close) * (1 - np.abs(rng.normal(0, sigma / 3, rows)))
        if cents:
            bar = {name: np.maximum(np.round(values, 2), 0.01) for name, values in bar.items()}
        volume = rng.lognormal(13, 0.5, rows).astype(int)
        parts.append(
            pd.DataFrame(
                {"symbol": f"S{number}", "date": dates, **bar, "adj_close": bar["close"], "volume": volume}
            )
        )
    return pd.concat(parts, ignore_index=True)[
        ["symbol", "date", "open", "high", "low", "close", "adj_close", "volume"]
    ]


@pytest.fixture(scope="session")
def make_walk():
    """Give the maker of made-up prices."""
    return walk
