"""Which symbols were members of the universe when: read from a file, marked in the prices, told to the gate.

A list of today's members holds the survivors only (Brown, Goetzmann, Ibbotson and Ross 1992, "Survivorship
bias in performance studies", Review of Financial Studies 5). With a universe file, what is computed on a
date uses the members of that date.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from sta410kit._internal.text import pluralize
from sta410kit.exceptions import ConfigurationError, DataValidationError

if TYPE_CHECKING:
    import pandas as pd

MEMBER = "member"
_SHOWN = 10


@dataclass(frozen=True)
class Universe:
    """The periods of membership of each symbol, first and last day included, in order."""

    periods: dict[str, list[tuple[date, date]]]
    source: str  # name of the file

    def of(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of symbols that are a member at some time.

        Raises
        ------
        DataValidationError
            If there are none.
        """
        kept = rows[rows["symbol"].astype(str).str.strip().isin(self.periods)].reset_index(drop=True)
        if kept.empty:
            message = f"None of the symbols of {self.source} has prices; it names {_named([*self.periods])}."
            raise DataValidationError(message)
        return kept

    def mark(self, prices: pd.DataFrame) -> pd.DataFrame:
        """Return the prices with a column ``member``, without symbols that are none on any session."""
        import numpy as np

        days = prices["date"].to_numpy().astype("datetime64[D]")
        member = np.zeros(len(prices), dtype=bool)
        for symbol, rows in prices.groupby("symbol", sort=False, observed=True).indices.items():
            for first, last in self.periods.get(str(symbol), []):
                member[rows] |= (days[rows] >= np.datetime64(first)) & (days[rows] <= np.datetime64(last))
        marked = prices.assign(**{MEMBER: member})
        kept = marked[marked.groupby("symbol", observed=True)[MEMBER].transform("any")]
        if kept.empty:
            message = f"{self.source}: no symbol is a member on a session of the prices, {_span(prices)}."
            raise DataValidationError(message)
        return kept.reset_index(drop=True)

    def absent(self, prices: pd.DataFrame) -> list[str]:
        """Return the symbols that are a member within the period of the prices and have none."""
        first, last = prices["date"].min().date(), prices["date"].max().date()
        there = set(prices["symbol"])
        return [
            symbol
            for symbol, periods in self.periods.items()
            if symbol not in there and any(begin <= last and end >= first for begin, end in periods)
        ]


def read_universe(path: str | Path | None) -> Universe | None:
    """Read a universe from a CSV file with the columns ``symbol``, ``from`` and ``to``; None without a path.

    Days are written YYYY-MM-DD, and both count. An empty ``to`` means until today. A symbol that comes back
    has several lines.

    Raises
    ------
    ConfigurationError
        The file cannot be read, lacks a column, or has a line with a wrong day or an overlapping period.
    """
    if path is None:
        return None
    import csv

    form = "it is a CSV file with symbol, from and to"
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True))
    except (OSError, ValueError, csv.Error) as error:
        message = f"universe: {path} cannot be read ({error}); {form}"
        raise ConfigurationError(message) from error
    if not rows or not {"symbol", "from", "to"} <= rows[0].keys():
        message = f"universe: {path} has no line with symbol, from and to; {form}"
        raise ConfigurationError(message)
    found: dict[str, list[tuple[date, date]]] = {}
    for number, row in enumerate(rows, 2):
        symbol, begin, end = (str(row[name] or "").strip() for name in ("symbol", "from", "to"))
        try:
            first, last = date.fromisoformat(begin), date.fromisoformat(end) if end else date.max
        except ValueError as error:
            message = f"universe: {path}, line {number}: {error}; write days as YYYY-MM-DD"
            raise ConfigurationError(message) from error
        periods = found.setdefault(symbol, [])
        overlaps = [f"overlaps its period from {a}" for a, b in periods if first <= b and a <= last]
        faults = [
            *([] if symbol else ["no symbol"]),
            *(["it ends before it begins"] * (last < first)),
            *overlaps,
        ]
        if faults:
            message = f"universe: {path}, line {number}: {symbol} from {begin}: {faults[0]}"
            raise ConfigurationError(message)
        periods.append((first, last))
    return Universe({symbol: sorted(periods) for symbol, periods in found.items()}, Path(path).name)


def survivorship(prices: pd.DataFrame, universe: Universe | None = None) -> str:
    """Return in words how far the symbols were selected by having survived.

    Parameters
    ----------
    prices : DataFrame
        Accepted prices; with a `universe`, marked by it.
    """
    ends = prices.groupby("symbol", observed=True)["date"].max()
    ended, count, last = int((ends < ends.max()).sum()), len(ends), f"{ends.max():%Y-%m-%d}"
    if universe is None:
        hint = "A universe file (-p universe=FILE) keeps the chain to the members of each date."
        if not ended:
            who = f"All {count} symbols are survivors" if count > 1 else "The symbol is a survivor"
            return (
                f"{who}: their prices reach the last session, {last}, and what was delisted before is not "
                f"among them, so results look better than they could have been. {hint}"
            )
        return (
            f"The prices of {ended} of {pluralize(count, 'symbol')} end before the last session, {last}; "
            f"whether others that were delisted are missing, prices cannot tell. {hint}"
        )
    now = int(prices.loc[prices["date"] == ends.max(), MEMBER].sum())
    words = f"Members by date from {universe.source}: {pluralize(count, 'symbol')}, {now} of them on {last}."
    absent = universe.absent(prices)
    if absent:
        words += (
            f" {pluralize(len(absent), 'member')} of {count + len(absent)} "
            f"{'have' if len(absent) > 1 else 'has'} no prices, which biases results towards survivors: "
            f"{_named(absent)}."
        )
    return words


def _named(symbols: list[str]) -> str:
    more = f" and {len(symbols) - _SHOWN} more" if len(symbols) > _SHOWN else ""
    return ", ".join(symbols[:_SHOWN]) + more


def _span(prices: pd.DataFrame) -> str:
    return f"{prices['date'].min():%Y-%m-%d} to {prices['date'].max():%Y-%m-%d}"
