"""Two symbols with one series, and a symbol whose dates are a session off from everybody else's."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import Findings, FrameExpectation, Walker, of_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block, Panel

_DAYS = 24  # sampled over the whole span, and as many from its end
_EXACT = 1e-9  # log returns closer than this are one and the same


class TwinWalker(Walker):
    """Compares the returns of all symbols on some days, then whole series where those agree."""

    expectation: ExpectSymbolsToDiffer

    def __init__(self, expectation: ExpectSymbolsToDiffer, panel: Panel) -> None:
        super().__init__(expectation, panel)
        self.first = int(panel.days.min())
        there = np.flatnonzero(np.bincount(panel.days - self.first))
        chosen = np.concatenate([there[-_DAYS:], there[np.linspace(0, len(there) - 1, _DAYS).astype(int)]])
        self.sampled = np.zeros(there[-1] + 1, bool)
        self.sampled[chosen] = True
        self.seen: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]] = []

    def visit(self, block: Block) -> None:
        """Keep symbol, day and return on the sampled days."""
        if len(self.panel.symbols) > 1:
            moves = self._moves(block)
            rows = np.flatnonzero(self.sampled[block.days - self.first])
            rows = rows[np.abs(moves[rows]) > 1e-6]  # noqa: PLR2004 - no move is no evidence
            self.seen.append((block.symbol_of(rows) + block.first_symbol, block.days[rows], moves[rows]))

    def findings(self) -> Findings:
        """Return the last row of both symbols of each pair, and say how much they share."""
        if not self.seen:
            return Findings()
        symbol, day, move = (np.concatenate(parts) for parts in zip(*self.seen, strict=True))
        order = np.lexsort((move, day))
        symbol, day, move = symbol[order], day[order], move[order]
        close = (day[1:] == day[:-1]) & (np.abs(np.diff(move)) <= _EXACT)
        agreed = Counter(
            (min(pair), max(pair))
            for pair in zip(symbol[:-1][close].tolist(), symbol[1:][close].tolist(), strict=True)
        )
        rows, notes = [], []
        for (one, other), times in agreed.items():
            shared, total = self._shared(one, other) if times >= 3 else (0, 0)  # noqa: PLR2004
            if total >= self.expectation.min_history and shared >= self.expectation.share * total:
                rows += [self.panel.bounds[number + 1] - 1 for number in (one, other)]
                names = self.panel.symbols[one], self.panel.symbols[other]
                notes.append(
                    f"{names[0]} and {names[1]} have the same return in {shared} of {total} sessions"
                )
        return of_rows(self.panel, np.array(rows, np.int64), notes)

    def _moves(self, block: Block) -> NDArray[np.float64]:
        column = self.expectation.column
        return block.column(column) if column else block.returns

    def _shared(self, one: int, other: int) -> tuple[int, int]:
        blocks = [self.panel.block_of(self.panel.symbols[number]) for number in (one, other)]
        series = [(block.days[1:], self._moves(block)[1:]) for block in blocks if block is not None]
        _, here, there = np.intersect1d(series[0][0], series[1][0], assume_unique=True, return_indices=True)
        difference = np.abs(series[0][1][here] - series[1][1][there])
        return int((difference <= _EXACT).sum()), len(here)


class ExpectSymbolsToDiffer(FrameExpectation):
    """Expect every symbol to have a series of its own."""

    share: float = pydantic.Field(
        0.5, gt=0, le=1, description="Share of common sessions with the same return."
    )
    min_history: int = pydantic.Field(
        10, ge=2, description="Common sessions two symbols need to be compared."
    )

    column: str | None = pydantic.Field(
        None,
        description="Column that holds the returns, in a frame without prices; those of the close when null.",
    )

    shows: ClassVar[tuple[str, ...]] = ("close",)
    sentence: ClassVar[str] = (
        "No two symbols have the same return in a share of {share} of their common sessions."
    )
    walker: ClassVar[type[Walker]] = TwinWalker

    def asked(self, panel: Panel) -> bool:
        """Whether the frame has the returns, or the prices they are made of."""
        return super().asked(panel) and panel.raw(self.column or "close") is not None


class StepWalker(Walker):
    """Keeps the newest returns of each symbol and compares them with the mean of the others."""

    expectation: ExpectSymbolsInStep

    def __init__(self, expectation: ExpectSymbolsInStep, panel: Panel) -> None:
        super().__init__(expectation, panel)
        self.seen: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]] = []

    def visit(self, block: Block) -> None:
        """Keep the newest returns, with crashes and splits cut to size."""
        if len(self.panel.symbols) > 1:
            begins = np.maximum(block.bounds[:-1], block.bounds[1:] - self.expectation.sessions)
            rows = np.concatenate([np.arange(a, b) for a, b in zip(begins, block.bounds[1:], strict=True)])
            moves = np.clip(block.returns[rows], -0.15, 0.15)
            keep = np.isfinite(moves)
            self.seen.append(
                (block.symbol_of(rows)[keep] + block.first_symbol, block.days[rows][keep], moves[keep])
            )

    def findings(self) -> Findings:
        """Return the last row of each symbol that moves with yesterday's or tomorrow's market."""
        if not self.seen:
            return Findings()
        symbol, day, move = (np.concatenate(parts) for parts in zip(*self.seen, strict=True))
        if not len(symbol):
            return Findings()
        days, place = np.unique(day, return_inverse=True)
        total = np.pad(np.bincount(place, move, len(days)), 1)
        count = np.pad(np.bincount(place, minlength=len(days)), 1)
        correlation, pairs = {}, {}
        for lag in (-1, 0, 1):
            at = place + 1 + lag
            own = move if lag == 0 else self._own(symbol, place, move, lag)
            others = count[at] - (np.isfinite(own) if lag else 1)
            market = np.where(others > 0, (total[at] - np.nan_to_num(own)) / np.maximum(others, 1), np.nan)
            correlation[lag], pairs[lag] = _correlations(symbol, move, market, len(self.panel.symbols))
        asked = self.expectation
        off = np.zeros(len(self.panel.symbols), bool)
        for lag in (-1, 1):
            off |= (
                (correlation[lag] >= asked.correlation)
                & (correlation[lag] >= correlation[0] + asked.lead)
                & (correlation[lag] * np.sqrt(pairs[lag]) >= asked.sigmas)
            )
        last = self.panel.bounds[1:][off] - 1
        notes = [
            f"{self.panel.symbols[n]} moves a session apart from the others" for n in np.flatnonzero(off)
        ]
        return of_rows(self.panel, last, notes)

    @staticmethod
    def _own(
        symbol: NDArray[np.int64], place: NDArray[np.int64], move: NDArray[np.float64], lag: int
    ) -> NDArray[np.float64]:
        """Return the symbol's own move on the session `lag` later, which the others' mean leaves out."""
        own = np.full(len(move), np.nan)
        here = slice(None, -1) if lag > 0 else slice(1, None)
        there = slice(1, None) if lag > 0 else slice(None, -1)
        next_to = (symbol[here] == symbol[there]) & (place[there] == place[here] + lag)
        own[here] = np.where(next_to, move[there], np.nan)
        return own


class ExpectSymbolsInStep(FrameExpectation):
    """Expect a symbol to move with the others on the same session, not on the one before or after."""

    sessions: int = pydantic.Field(600, ge=40, description="Newest sessions of a symbol that are looked at.")
    correlation: float = pydantic.Field(
        0.25, gt=0, le=1, description="Correlation with the others a session off."
    )
    lead: float = pydantic.Field(0.2, gt=0, description="By how much it exceeds that on the same session.")
    sigmas: float = pydantic.Field(6.0, gt=0, description="Standard errors it is away from zero.")

    needs: ClassVar[tuple[str, ...]] = ("close",)
    sentence: ClassVar[str] = (
        "No symbol's returns go with those of the other symbols a session earlier or later (correlation "
        "{correlation} and more, and {lead} above that on the same session)."
    )
    walker: ClassVar[type[Walker]] = StepWalker


def _correlations(
    symbol: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64], symbols: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the correlation of `x` and `y` within each symbol, 0 where there is none, and the pairs."""
    both = np.isfinite(x) & np.isfinite(y)
    symbol, x, y = symbol[both], x[both], y[both]
    count = np.bincount(symbol, minlength=symbols)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(symbol, values, symbols) / np.maximum(count, 1)

    covariance = mean(x * y) - mean(x) * mean(y)
    scale = np.sqrt(np.maximum((mean(x * x) - mean(x) ** 2) * (mean(y * y) - mean(y) ** 2), 0))
    return np.where(scale > 0, covariance / np.where(scale > 0, scale, 1), 0.0), count
