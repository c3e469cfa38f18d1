"""A price that leaves and is back the next session, and a high or low far from everything around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import FrameExpectation
from sta410kit.guards.robust import local_sigma, median_of_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block


class ExpectNoRevertingSpikes(FrameExpectation):
    """Expect no close or whole bar that the next session takes back, and no open that its own does."""

    min_move: float = pydantic.Field(0.08, gt=0, description="Log move from which on `sigmas` are enough.")
    small_move: float = pydantic.Field(0.03, gt=0, description="Smallest log move, at twice the `sigmas`.")
    sigmas: float = pydantic.Field(6.5, gt=0, description="Usual daily moves that both moves exceed.")
    gap_sigmas: float = pydantic.Field(5.0, gt=0, description="Usual overnight moves that both gaps exceed.")
    undone_sigmas: float = pydantic.Field(
        3.5, gt=0, description="Usual daily moves of a close that the next open takes back whole."
    )
    undone_gap_sigmas: float = pydantic.Field(
        5.0, gt=0, description="Usual overnight moves that such a gap exceeds."
    )
    open_sigmas: float = pydantic.Field(
        6.5,
        gt=0,
        description="Usual moves of an open, overnight and within the session, that its session takes back.",
    )
    quiet_span: float = pydantic.Field(
        1.5, gt=0, description="Usual ranges a bar that only gapped stays within."
    )
    back: float = pydantic.Field(0.35, gt=0, description="Share of the move that may remain of it.")
    coarse: float = pydantic.Field(
        0.012, ge=0, description="Move of a price that its smallest step explains."
    )
    min_history: int = pydantic.Field(15, ge=3, description="Rows a symbol needs to be judged.")

    needs: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close", "adj_close")
    shows: ClassVar[tuple[str, ...]] = ("open", "close", "adj_close")
    sentence: ClassVar[str] = (
        "No close moves by more than {sigmas} times the usual daily move (and {min_move} in logs) and is "
        "back the next session, or by more than {undone_sigmas} and is back at the next open; no open by "
        "more than {open_sigmas} that its own session takes back; and no bar of ordinary range stands "
        "{gap_sigmas} usual overnight moves apart from both its neighbours."
    )

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Return the bars that stand apart."""
        raw, net = block.returns, block.returns + block.factor_steps
        opened = block.gaps + block.factor_steps
        apart = [
            self._apart(block, raw, self.sigmas),
            self._apart(block, net, self.sigmas),
            self._undone(block, net, opened),
            self._misread_open(block, opened),
        ]
        gaps = self._apart(block, opened, self.gap_sigmas)
        if len(gaps):
            usual = median_of_lines(block.around(block.spans, gaps, (-12, 12), (0, 0)))
            gaps = gaps[block.spans[gaps] <= self.quiet_span * usual]
        return np.unique(np.concatenate([*apart, gaps]))

    def _apart(self, block: Block, moves: NDArray[np.float64], sigmas: float) -> NDArray[np.int64]:
        """Return the rows whose move is taken back by the next one."""
        rows, size = self._taken_back(block, moves, moves)
        enough = np.where(size >= self.min_move, sigmas, 2 * sigmas)
        return rows[size >= enough * self._usual(block, moves, rows)]

    def _undone(
        self, block: Block, moves: NDArray[np.float64], opened: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Return the rows whose close the next open takes back: prices seldom move so far overnight."""
        rows, size = self._taken_back(block, moves, opened)
        back = np.abs(opened[rows + 1])
        return rows[
            (size >= self.undone_sigmas * self._usual(block, moves, rows))
            & (back >= self.undone_gap_sigmas * self._usual(block, opened, rows))
        ]

    def _misread_open(self, block: Block, opened: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the rows whose open is far from the close before and from its own close alike."""
        within = block.log("close") - block.log("open")
        smaller = np.minimum(np.abs(opened), np.abs(within))
        rows = np.flatnonzero(
            (smaller >= self.min_move)
            & (np.abs(opened + within) <= self.back * smaller)
            & (opened * within < 0)
        )
        rows = rows[block.length_at(rows) >= self.min_history]
        usual = np.maximum(*(self._usual(block, moves, rows) for moves in (opened, within)))
        return rows[smaller[rows] >= self.open_sigmas * usual]

    def _taken_back(
        self, block: Block, moves: NDArray[np.float64], next_moves: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the rows whose move the next one reverses, and the smaller of the two moves."""
        here, then = moves[:-1], next_moves[1:]
        smaller = np.minimum(np.abs(here), np.abs(then))
        rows = np.flatnonzero(
            (smaller >= self.small_move) & (np.abs(here + then) <= self.back * smaller) & (here * then < 0)
        )
        rows = rows[block.length_at(rows) >= self.min_history]
        return rows, smaller[rows]

    def _usual(
        self, block: Block, moves: NDArray[np.float64], rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the usual move around each row, and no less than the smallest step of its price."""
        return np.maximum(local_sigma(block, moves, rows, (0, 1)), self.coarse / block.column("close")[rows])


class ExpectNoExtremeWicks(FrameExpectation):
    """Expect highs and lows near the rest of their bar."""

    min_wick: float = pydantic.Field(0.25, gt=0, description="Smallest log distance that is looked at.")
    spans: float = pydantic.Field(8.0, gt=0, description="Usual ranges that the distance exceeds.")
    large: float = pydantic.Field(
        0.65, gt=0, description="Log distance from which on the usual range is that of the whole symbol, too."
    )
    impossible: float = pydantic.Field(
        1.5, gt=0, description="Log distance that no bar has, whatever is usual."
    )
    min_history: int = pydantic.Field(15, ge=3, description="Rows a symbol needs to be judged.")

    needs: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close")
    sentence: ClassVar[str] = (
        "No high or low is further than {min_wick} in logs, and than {spans} usual ranges, from open "
        "and close, and none further than {impossible}."
    )

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Return the bars with a high or a low far out."""
        opened, closed = block.log("open"), block.log("close")
        wick = np.maximum(
            block.log("high") - np.maximum(opened, closed), np.minimum(opened, closed) - block.log("low")
        )
        rows = np.flatnonzero(wick >= self.min_wick)
        rows = rows[block.length_at(rows) >= self.min_history]
        usual = median_of_lines(block.around(block.spans, rows, (-12, 12), (0, 0)))
        # In a stretch of such bars they are what is usual near; the symbol knows better.
        usual = np.where(wick[rows] >= self.large, np.fmin(usual, self._whole(block, rows)), usual)
        return rows[(wick[rows] >= self.spans * usual) | (wick[rows] >= self.impossible)]

    @staticmethod
    def _whole(block: Block, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the usual range of the whole symbol of each row."""
        number = block.symbol_of(rows)
        usual = np.zeros(len(block.bounds) - 1)
        for symbol in np.unique(number):
            spans = block.spans[block.bounds[symbol] : block.bounds[symbol + 1]]
            usual[symbol] = median_of_lines(spans[None, :])[0]
        return usual[number]
