"""How much of a frame a gate leaves out."""

from __future__ import annotations

from dataclasses import dataclass

from sta410kit._internal.text import pluralize


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
