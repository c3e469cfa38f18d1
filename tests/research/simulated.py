"""Simulated prices and predictions."""

import numpy as np
import pandas as pd


def simulate(sessions, symbols=2, seed=0, volatility=0.01):
    """Return prices of random walks without drift; `volatility` is a number or one per session."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2000-01-03", periods=sessions, unit="us")
    parts = []
    for number in range(symbols):
        close = 100 * np.exp(np.cumsum(volatility * rng.standard_normal(sessions)))
        opened = close * np.exp(0.002 * rng.standard_normal(sessions))
        parts.append(
            pd.DataFrame(
                {
                    "symbol": f"S{number}",
                    "date": days,
                    "open": opened,
                    "high": np.maximum(opened, close) * 1.002,
                    "low": np.minimum(opened, close) * 0.998,
                    "close": close,
                    "adj_close": close,
                    "volume": rng.integers(1_000, 2_000, sessions),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def make_predictions(predicted, actual, symbol="A", model="ridge", horizon=1, start="2000-01-03"):  # noqa: PLR0913, PLR0917
    """Return a predictions frame of one symbol."""
    dates = pd.bdate_range(start, periods=len(actual), unit="us")
    columns = {"horizon": horizon, "model": model, "fold": 0, "predicted": predicted, "actual": actual}
    return pd.DataFrame({"symbol": symbol, "date": dates, **columns, "lower": -1.0, "upper": 1.0})
