"""Simulated prices and predictions."""

import numpy as np
import pandas as pd

from sta410kit.research import conformal
from sta410kit.research.targets import build_target, realised_on


def simulate(sessions, symbols=2, seed=0, volatility=0.01):
    """Return prices of random walks without drift; `volatility` is a number or one per session."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2000-01-03", periods=sessions, unit="us")
    parts = []
    for number in range(symbols):
        close = 100 * np.exp(np.cumsum(volatility * rng.standard_normal(sessions)))
        opened = close * np.exp(0.002 * rng.standard_normal(sessions))
        one = bars(opened, close, symbol=f"S{number}", volume=rng.integers(1_000, 2_000, sessions))
        parts.append(one.assign(date=days, high=one["high"] * 1.002, low=one["low"] * 0.998))
    return pd.concat(parts, ignore_index=True)


def bars(opens, closes=None, *, symbol="A", start="2012-01-02", volume=1000):
    """Return prices of one symbol with these opens and closes."""
    opens = np.array(opens, dtype=float)
    closes = opens if closes is None else np.array(closes, dtype=float)
    return pd.DataFrame(
        {
            "symbol": symbol,
            "date": pd.bdate_range(start, periods=len(opens), unit="us"),
            "open": opens,
            "high": np.maximum(opens, closes),
            "low": np.minimum(opens, closes),
            "close": closes,
            "adj_close": closes,
            "volume": volume,
        }
    )


def naive_with_intervals(prices, horizon=1):
    """Return predictions of no change with their targets and intervals."""
    table = build_target(prices, horizon).assign(known=realised_on(prices, horizon), predicted=0.0)
    return conformal.add_intervals(table.dropna(), prices, horizon)


def make_predictions(predicted, actual, symbol="A", model="ridge", horizon=1, start="2000-01-03"):  # noqa: PLR0913, PLR0917
    """Return a predictions frame of one symbol."""
    dates = pd.bdate_range(start, periods=len(actual), unit="us")
    columns = {"horizon": horizon, "model": model, "fold": 0, "predicted": predicted, "actual": actual}
    return pd.DataFrame({"symbol": symbol, "date": dates, **columns, "lower": -1.0, "upper": 1.0})
