"""Made-up prices: random walks with volume, a dividend now and then, one row a symbol and business day."""

from __future__ import annotations

import numpy as np
import pandas as pd


def synthetic_prices(symbols: int = 2, sessions: int = 300, seed: int = 0) -> pd.DataFrame:
    """Return a prices frame of random walks.

    Parameters
    ----------
    symbols : int
        Named ``AAA``, ``BBB``, ... up to 26.
    sessions : int
        Business days from 2022-06-01 on.
    seed : int
        The same seed gives the same prices.
    """
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2022-06-01", periods=sessions)
    frames = []
    for number in range(symbols):
        close = 50 * (number + 1) * np.exp(np.cumsum(rng.normal(0.0003, 0.015, sessions)))
        opened = close * np.exp(rng.normal(0, 0.006, sessions))
        spread = np.exp(np.abs(rng.normal(0, 0.006, (2, sessions))))
        paid = np.where(np.arange(sessions) % 63 == 62, 0.99, 1.0)
        later = np.cumprod(paid[::-1])[::-1] / paid  # the dividends still to come
        frames.append(
            pd.DataFrame(
                {
                    "symbol": chr(ord("A") + number) * 3,
                    "date": dates,
                    "open": opened,
                    "high": np.maximum(opened, close) * spread[0],
                    "low": np.minimum(opened, close) / spread[1],
                    "close": close,
                    "adj_close": close * later,
                    "volume": rng.integers(100_000, 5_000_000, sessions),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
