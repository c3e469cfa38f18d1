"""Features of many symbols at once, beside the technical-analysis library `ta` called symbol by symbol.

Usage: ``make peers``, then ``.venv-peers/bin/python benchmarks/bench_features.py [--symbols N]``;
run it on an idle machine. The indicators that both have are timed one by one, their values compared, and the
kit's whole sets timed after them. Exits 0 when the kit is ahead in every row and the values agree.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from ta.momentum import RSIIndicator, WilliamsRIndicator
from ta.others import DailyLogReturnIndicator
from ta.trend import MACD, SMAIndicator
from ta.volatility import AverageTrueRange, BollingerBands

from sta410kit.research.features import FEATURES, build_features, default_features

if TYPE_CHECKING:
    from collections.abc import Callable

# What `ta` computes from one symbol's frame, in the units of the kit's feature of that name.
PEER: dict[str, Callable[[pd.DataFrame], pd.Series[float]]] = {
    "return_1": lambda p: DailyLogReturnIndicator(p["close"]).daily_log_return() / 100,
    "ma_ratio_21": lambda p: np.log(p["close"] / SMAIndicator(p["close"], 21).sma_indicator()),
    "rsi_14": lambda p: RSIIndicator(p["close"], 14).rsi(),
    "williams_r_14": lambda p: WilliamsRIndicator(p["high"], p["low"], p["close"], 14).williams_r(),
    "macd_histogram": lambda p: MACD(p["close"]).macd_diff() / p["close"],
    "bollinger_width_20": lambda p: BollingerBands(p["close"], 20).bollinger_wband() / 100,
    "atr_14": lambda p: (
        AverageTrueRange(p["high"], p["low"], p["close"], 14).average_true_range() / p["close"]
    ),
}
SETTLED = 600  # sessions after which differences in how an average starts have faded
AGREEMENT = 1e-8


def simulated(symbols: int, sessions: int) -> pd.DataFrame:
    """Return prices of random walks, a symbol a block."""
    rng = np.random.default_rng(0)
    rows = symbols * sessions
    close = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal((symbols, sessions)), axis=1)).ravel()
    opened = close * np.exp(0.002 * rng.standard_normal(rows))
    return pd.DataFrame(
        {
            "symbol": np.repeat([f"S{number:04d}" for number in range(symbols)], sessions),
            "date": np.tile(pd.bdate_range("2000-01-03", periods=sessions, unit="us"), symbols),
            "open": opened,
            "high": np.maximum(opened, close) * 1.002,
            "low": np.minimum(opened, close) * 0.998,
            "close": close,
            "adj_close": close,
            "volume": rng.integers(1_000, 2_000, rows),
        }
    )


def timed(
    work: Callable[[], pd.DataFrame | pd.Series[float]],
) -> tuple[float, pd.DataFrame | pd.Series[float]]:
    """Return the seconds that some work took, and what came of it."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def one_by_one(name: str, prices: pd.DataFrame) -> pd.Series[float]:
    """Return what a user of `ta` writes: a loop over the symbols, and the parts put together."""
    return pd.concat([PEER[name](part) for _, part in prices.groupby("symbol", sort=False)])


def main() -> int:
    """Time both, print the table, and say whether the kit is ahead everywhere."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--sessions", type=int, default=5000)
    given = parser.parse_args()
    prices = simulated(given.symbols, given.sessions)
    build_features(prices.head(given.sessions), "all")  # both sides start warm
    for name in PEER:
        one_by_one(name, prices.head(given.sessions))
    print(f"{given.symbols} symbols x {given.sessions} sessions, seconds\n")
    print(f"{'feature':22}{'ta':>10}{'sta410kit':>12}{'ratio':>8}  {'difference':>10}")
    good, totals = True, np.zeros(2)
    for name in PEER:
        kit, ours = timed(lambda name=name: build_features(prices, [name])[name])
        peer, theirs = timed(lambda name=name: one_by_one(name, prices))
        settled = prices.groupby("symbol", sort=False).cumcount().to_numpy() >= SETTLED
        apart = float(np.abs(ours.to_numpy() - theirs.to_numpy())[settled].max(initial=0.0))
        good &= kit < peer and apart < AGREEMENT * max(1.0, float(ours.abs().max()))
        totals += [peer, kit]
        print(f"{name:22}{peer:10.2f}{kit:12.2f}{peer / kit:8.1f}  {apart:10.1e}")
    together, _ = timed(lambda: build_features(prices, list(PEER)))
    print(f"{'all seven in one call':22}{totals[0]:10.2f}{together:12.2f}{totals[0] / together:8.1f}")
    for title, names in (("default", default_features()), ("all", list(FEATURES))):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds, frame = timed(lambda names=names: build_features(prices, names))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        size = float(frame.memory_usage().sum()) / 2**20
        print(
            f"{title + f' ({len(names)})':22}{'':10}{seconds:12.2f}          "
            f"frame {size:,.0f} MiB, peak memory grew by {grown:,.0f} MiB"
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
