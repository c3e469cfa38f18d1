"""How much of a frame a gate leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAMED = 5


@dataclass(frozen=True)
class Coverage:
    """How much of a frame is left out.

    Attributes
    ----------
    symbols, symbols_left_out : int
        Symbols of the frame, and those that are quarantined.
    bars, bars_left_out : int
        Bars of the other symbols, missing sessions included, and those that are quarantined.
    """

    symbols: int = 0
    symbols_left_out: int = 0
    bars: int = 0
    bars_left_out: int = 0

    def __str__(self) -> str:
        parts = []
        if self.symbols_left_out:
            parts.append(f"{self.symbols_left_out} of {pluralize(self.symbols, 'symbol')}")
        if self.bars_left_out:
            parts.append(f"{self.bars_left_out:,} of {pluralize(self.bars, 'bar')}")
        return " and ".join(parts)


def name_left_out(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each of the first few symbols and bars left out, and how many more there are.

    Parameters
    ----------
    rows : iterable of mappings
        ``symbol, date, expectation, reason``; the date as text, and None for a whole symbol.
    """
    symbols, bars = [], []
    for row in rows:
        if row["date"] is None:
            symbols.append(f"quarantined {row['symbol']}: {row['reason']}")
        else:
            bars.append(f"quarantined {row['symbol']} {row['date'][:10]}: {row['expectation']}")
    return [*_first(symbols, "symbol"), *_first(bars, "bar")]


def _first(lines: list[str], noun: str) -> list[str]:
    more = len(lines) - _NAMED
    return lines[:_NAMED] + ([f"and {pluralize(more, f'more {noun}')}"] if more > 0 else [])
