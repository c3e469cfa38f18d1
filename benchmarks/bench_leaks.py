"""What the leak probe costs, beside computing the features once.

Usage: ``python benchmarks/bench_leaks.py [--repeats N]``; run it on an idle machine.
Forty features of five symbols, twenty cutoffs. Exits 0 when the probe takes at most 20 times as long as the
features, 1 otherwise.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import TYPE_CHECKING

import pandas as pd

from sta410kit.guards import probe_leaks
from sta410kit.market import load_prices
from sta410kit.research.features import History, build_features

if TYPE_CHECKING:
    from collections.abc import Callable

CUTOFFS = 20
LIMIT = 20.0
WINDOWS = (3, 5, 10, 15, 21, 42, 63, 126, 189, 252)


def forty_features(prices: pd.DataFrame) -> pd.DataFrame:
    """Return the kit's ten features and three families of ten windows, all of them honest."""
    features = build_features(prices)
    history = History(prices.reset_index(drop=True))
    columns = {}
    for window in WINDOWS:
        columns[f"momentum_{window}"] = history.close - history.lag(history.close, window)
        columns[f"volatility_{window}"] = history.std(history.daily, window)
        columns[f"smooth_{window}"] = history.smoothed(history.daily, window)
    return pd.concat([features, pd.DataFrame(columns)], axis=1)


def cut_only(prices: pd.DataFrame, cutoffs: list[pd.Timestamp]) -> None:
    """Do what is commonly done by hand: compute on each history up to a cutoff and compare."""
    whole = forty_features(prices).set_index(["symbol", "date"])
    for cutoff in cutoffs:
        part = forty_features(prices[prices["date"] <= cutoff]).set_index(["symbol", "date"])
        pd.testing.assert_frame_equal(part, whole.loc[part.index])


def seconds(work: Callable[[], object], calls: int) -> float:
    """Return the CPU seconds of one of several calls: what else runs on the machine counts less."""
    began = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - began) / calls


def main() -> int:
    """Print the table; return 0 when the target is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=5, help="timed rounds (default: 5)")
    repeats = max(1, parser.parse_args().repeats)

    prices = load_prices()
    report = probe_leaks(forty_features, prices, cutoffs=CUTOFFS)  # warms up, too
    report.require()
    days = [pd.Timestamp(day) for day in report.cutoffs]
    works: dict[str, Callable[[], object]] = {
        "features once": lambda: forty_features(prices),
        "leak probe": lambda: probe_leaks(forty_features, prices, cutoffs=CUTOFFS),
        "cut off and compare, by hand": lambda: cut_only(prices, days),
    }
    # The features take a twentieth of the time of the others, so they are called more often.
    calls = {name: CUTOFFS if name == "features once" else 1 for name in works}
    rounds = [[seconds(work, calls[name]) for name, work in works.items()] for _ in range(repeats)]
    medians = dict(zip(works, map(statistics.median, zip(*rounds, strict=True)), strict=True))
    once = medians["features once"]
    print(f"{report.summary()}; median of {repeats}, Python {sys.version.split()[0]}\n")
    print(f"{'':<32}{'seconds':>9}{'x features':>12}  target")
    for name, median in medians.items():
        target = (
            "" if name != "leak probe" else f"{'met' if median <= LIMIT * once else 'MISSED'} (<= {LIMIT:g})"
        )
        print(f"{name:<32}{median:>9.3f}{median / once:>12.1f}  {target}".rstrip())
    return 0 if medians["leak probe"] <= LIMIT * once else 1


if __name__ == "__main__":
    sys.exit(main())
