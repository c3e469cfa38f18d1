"""Symbols compared with each other: two with one series, and one whose dates are a session off."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from pydantic import Field, PositiveFloat

from sta410kit.guards.evidence import Evidence, at_panel_rows
from sta410kit.guards.expectations.base import BlockExpectation, Share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.block import Block
    from sta410kit.guards.panel import Panel

    Moves = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]  # symbol, day, return

_DAYS = 24  # sampled over the whole span, and as many from its end
_EXACT = 1e-9  # log returns closer than this are the same
_NO_MOVE = 1e-6


class ExpectSymbolsToDiffer(BlockExpectation):
    """Expect every symbol to have its own series."""

    share: Share = 0.5  # of common sessions with the same return
    min_history: int = Field(10, ge=2)  # common sessions two symbols need to be compared
    column: str | None = None  # the returns, in a frame without prices; those of the close when null

    shows: ClassVar[tuple[str, ...]] = ("close",)
    sentence: ClassVar[str] = (
        "No two symbols have the same return in a share of {share} of their common sessions."
    )

    def applies(self, panel: Panel) -> bool:
        """Whether the frame has the returns, or the prices they are made of."""
        return super().applies(panel) and panel.raw(self.column or "close") is not None

    def scan(self, block: Block) -> Moves | None:
        """Return symbol, day and return on some days; whole series are compared only where those agree."""
        if len(block.panel.symbols) == 1:
            return None
        moves = self._moves(block)
        rows = np.flatnonzero(block.panel.cached(_sampled_days)[block.days - block.panel.span[0]])
        rows = rows[np.abs(moves[rows]) > _NO_MOVE]  # no move is no evidence
        return block.symbol_of(rows) + block.first_symbol, block.days[rows], moves[rows]

    def conclude(self, panel: Panel, parts: list[Any]) -> Evidence:
        """Return the last row of both symbols of each pair, and say how much they share."""
        symbol, day, move = _joined(parts)
        order = np.lexsort((move, day))
        symbol, day, move = symbol[order], day[order], move[order]
        close = (day[1:] == day[:-1]) & (np.abs(np.diff(move)) <= _EXACT)
        agreed = Counter(
            (min(pair), max(pair))
            for pair in zip(symbol[:-1][close].tolist(), symbol[1:][close].tolist(), strict=True)
        )
        rows, notes = [], []
        for pair, times in agreed.items():
            shared, total = self._shared(panel, pair) if times >= 3 else (0, 0)  # noqa: PLR2004
            if total >= self.min_history and shared >= self.share * total:
                rows += [panel.bounds[number + 1] - 1 for number in pair]
                one, other = (panel.symbols[number] for number in pair)
                notes.append(f"{one} and {other} have the same return in {shared} of {total} sessions")
        return at_panel_rows(panel, np.array(rows, np.int64), notes)

    def _moves(self, block: Block) -> NDArray[np.float64]:
        return block.column(self.column) if self.column else block.returns

    def _shared(self, panel: Panel, pair: tuple[int, int]) -> tuple[int, int]:
        series = [(block.days[1:], self._moves(block)[1:]) for block in map(panel.block_of, pair)]
        _, here, there = np.intersect1d(series[0][0], series[1][0], assume_unique=True, return_indices=True)
        difference = np.abs(series[0][1][here] - series[1][1][there])
        return int((difference <= _EXACT).sum()), len(here)


class ExpectSymbolsInStep(BlockExpectation):
    """Expect a symbol to move with the others on the same session, not on the one before or after."""

    sessions: int = Field(600, ge=40)  # newest sessions of a symbol that are considered
    correlation: Share = 0.25  # with the others a session off
    lead: PositiveFloat = 0.2  # by how much it exceeds that on the same session
    sigmas: PositiveFloat = 6.0  # standard errors from zero

    needs: ClassVar[tuple[str, ...]] = ("close",)
    sentence: ClassVar[str] = (
        "No symbol's returns follow those of the other symbols a session earlier or later (correlation "
        "{correlation} and more, and {lead} above that on the same session)."
    )

    def scan(self, block: Block) -> Moves | None:
        """Return the newest returns, with crashes and splits clipped."""
        if len(block.panel.symbols) == 1:
            return None
        begins = np.maximum(block.bounds[:-1], block.bounds[1:] - self.sessions)
        rows = np.concatenate([np.arange(a, b) for a, b in zip(begins, block.bounds[1:], strict=True)])
        moves = np.clip(block.returns[rows], -0.15, 0.15)
        rows, moves = rows[np.isfinite(moves)], moves[np.isfinite(moves)]
        return block.symbol_of(rows) + block.first_symbol, block.days[rows], moves

    def conclude(self, panel: Panel, parts: list[Any]) -> Evidence:
        """Return the last row of each symbol that moves with yesterday's or tomorrow's market."""
        symbol, day, move = _joined(parts)
        if not len(symbol):
            return Evidence()
        days, place = np.unique(day, return_inverse=True)
        moves = np.full((len(days), len(panel.symbols)), np.nan)
        moves[place, symbol] = move
        known = np.isfinite(moves)
        count = known.sum(axis=1, keepdims=True) - known
        total = np.nansum(moves, axis=1, keepdims=True) - np.nan_to_num(moves)
        own, others = (
            pd.DataFrame(moves),
            pd.DataFrame(np.where(count > 0, total / np.maximum(count, 1), np.nan)),
        )
        same = own.corrwith(others).fillna(0)
        off = np.zeros(len(panel.symbols), bool)
        for lag in (-1, 1):
            later = others.shift(-lag)
            correlation, pairs = own.corrwith(later).fillna(0), (own.notna() & later.notna()).sum()
            apart = (correlation >= self.correlation) & (correlation >= same + self.lead)
            off |= (apart & (correlation * np.sqrt(pairs) >= self.sigmas)).to_numpy()
        notes = [f"{panel.symbols[n]} moves a session apart from the others" for n in np.flatnonzero(off)]
        return at_panel_rows(panel, panel.bounds[1:][off] - 1, notes)


def _joined(parts: list[Moves | None]) -> Moves:
    known = [part for part in parts if part is not None]
    if not known:
        return np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0)
    symbol, day, move = (np.concatenate(columns) for columns in zip(*known, strict=True))
    return symbol, day, move


def _sampled_days(panel: Panel) -> NDArray[np.bool_]:
    """Return which days, from the first of the panel on, are compared."""
    first, last = panel.span
    there = np.flatnonzero(np.bincount(panel.days - first))
    sampled = np.zeros(last - first + 1, bool)
    sampled[there[-_DAYS:]] = True
    sampled[there[np.linspace(0, len(there) - 1, _DAYS).astype(int)]] = True
    return sampled
