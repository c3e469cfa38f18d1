"""What a universe of daily prices costs: fetched, stored, gated, read back, and one more night.

The store is compared with what one writes instead: pandas with one Parquet file per symbol that is rewritten
every night, and the same with CSV files, as scripts around yfinance keep them. Neither keeps revisions,
checks its files or adjusts on reading. A source in memory stands for the vendor, so no network is timed.

Usage: ``python benchmarks/bench_store.py [--symbols 500] [--years 20]``; run it on an idle machine.
Exits 0 when a night takes no longer than the CSV files, 1 otherwise.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from loguru import logger

from sta410kit import guards
from sta410kit.market.store.files import PriceStore
from sta410kit.market.store.reading import stored_prices
from sta410kit.market.store.updating import Market, update

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BARS = ["symbol", "date", "open", "high", "low", "close", "volume"]
FIRST = date(2005, 1, 3)


class MemorySource:
    """A source whose answers are made once and cut from memory."""

    name = "memory"
    exchange: str | None = "XNYS"

    def __init__(self, frame: pd.DataFrame) -> None:
        self.by_symbol = {str(name): part for name, part in frame.groupby("symbol")}

    def bars(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return the rows of the period."""
        days = pd.Timestamp(start), pd.Timestamp(end)
        return pd.concat([part[part["date"].between(*days)] for part in map(self.by_symbol.get, symbols)])

    def actions(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:  # noqa: ARG002 - the protocol
        """Return none."""
        return pd.DataFrame(columns=["symbol", "date", "kind", "value"])


def made_prices(symbols: int, years: int) -> pd.DataFrame:
    """Return a random walk of each symbol on the sessions of New York."""
    from sta410kit._internal.calendars import sessions

    first = (FIRST - date(1970, 1, 1)).days
    days = (
        sessions("XNYS", first, first + int(365.25 * years)).astype("datetime64[D]").astype("datetime64[us]")
    )
    rng, shape = np.random.default_rng(0), (symbols, len(days))
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.012, shape), axis=1))
    opened = np.concatenate([close[:, :1], close[:, :-1]], axis=1) * np.exp(rng.normal(0, 0.004, shape))
    high = np.maximum(opened, close) * (1 + np.abs(rng.normal(0, 0.004, shape)))
    low = np.minimum(opened, close) * (1 - np.abs(rng.normal(0, 0.004, shape)))
    names = pd.Index([f"S{number:04}" for number in range(symbols)], dtype="str")
    frame = pd.DataFrame({"symbol": names.repeat(len(days)), "date": np.tile(days, symbols)})
    for name, values in {"open": opened, "high": high, "low": low, "close": close}.items():
        frame[name] = values.ravel()
    return frame.assign(volume=rng.lognormal(14, 0.4, len(frame)).astype(np.int64))


class Kit:
    """The kit's store."""

    name = "sta410kit"

    def __init__(self, folder: Path, source: MemorySource) -> None:
        self.store, self.source = PriceStore(folder), source
        self.symbols = list(source.by_symbol)

    def fetch(self, end: date) -> None:
        """Ask for what is missing up to `end`."""
        moment = datetime(end.year, end.month, end.day, 23, 59, tzinfo=UTC)
        update(self.store, self.source, self.symbols, (FIRST, end), Market("XNYS", None, moment))

    def read(self) -> pd.DataFrame:
        """Return all prices."""
        return stored_prices(self.store, self.source.name, self.symbols)


class Files:
    """One file per symbol, rewritten with each update."""

    def __init__(self, folder: Path, source: MemorySource, kind: str) -> None:
        self.name, self.kind, self.folder, self.source = f"pandas, {kind}", kind, folder, source
        folder.mkdir()

    def fetch(self, end: date) -> None:
        """Read each file, ask for what follows, write the file again."""
        for symbol in self.source.by_symbol:
            path = self.folder / f"{symbol}.{self.kind}"
            before = self._load(path) if path.exists() else None
            start = FIRST if before is None else before["date"].max().date()
            more = self.source.bars([symbol], start, end)
            frame = more if before is None else pd.concat([before, more[more["date"] > before["date"].max()]])
            if self.kind == "csv":
                frame.to_csv(path, index=False)
            else:
                frame.to_parquet(path, index=False)

    def read(self) -> pd.DataFrame:
        """Return all prices."""
        return pd.concat([self._load(path) for path in sorted(self.folder.iterdir())], ignore_index=True)

    def _load(self, path: Path) -> pd.DataFrame:
        return pd.read_csv(path, parse_dates=["date"]) if self.kind == "csv" else pd.read_parquet(path)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> int:
    """Time each contender, print the table, and say whether a night is fast enough."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--years", type=int, default=20)
    given = parser.parse_args()
    logger.remove()
    frame = made_prices(given.symbols, given.years)
    source = MemorySource(frame)
    days = [day.date() for day in sorted(frame["date"].unique())]
    print(f"{given.symbols} symbols x {len(days):,} sessions, {len(frame):,} bars; seconds\n")
    print(f"{'':16}{'first fetch':>12}{'read back':>12}{'one night':>12}{'MB':>8}")
    nights = {}
    with tempfile.TemporaryDirectory() as scratch:
        for number, make in enumerate(
            (Kit, lambda f, s: Files(f, s, "parquet"), lambda f, s: Files(f, s, "csv"))
        ):
            folder = Path(scratch) / str(number)
            one = make(folder, source)
            first = timed(lambda one=one: one.fetch(days[-2]))
            read = timed(one.read)
            nights[one.name] = timed(lambda one=one: one.fetch(days[-1]))
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
            print(f"{one.name:16}{first:12.1f}{read:12.1f}{nights[one.name]:12.1f}{size:8.0f}")
            prices = one.read() if number == 0 else None
            if prices is not None:
                gate = timed(lambda prices=prices: guards.validate(prices, "prices"))
                print(f"{'  its gate':16}{gate:12.1f}")
            shutil.rmtree(folder)
    ratio = nights["pandas, csv"] / nights["sta410kit"]
    print(f"\na night: {ratio:.2f} x as fast as CSV files")
    return 0 if ratio >= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
