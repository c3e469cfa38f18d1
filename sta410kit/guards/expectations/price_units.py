"""Prices in another unit: cents for dollars, or a digit too many, for one bar or a stretch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import FrameExpectation
from sta410kit.guards.robust import median_of_lines, near_ratio, stretches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block


class ExpectPricesInOneUnit(FrameExpectation):
    """Expect no step by a power of ten that is taken back, or that the volume contradicts.

    A step that `adj_close` shares is no split at all. One that it does not share is a split on paper; it is
    still refused when it is taken back later, or when the money traded steps with it, which no split does,
    and the factor is large or the step stands near an end.
    """

    factors: list[float] = pydantic.Field([10, 100, 1000], description="Factors between units of a price.")
    tolerance: float = pydantic.Field(0.25, gt=0, description="Log distance from a factor that counts as it.")
    within: int = pydantic.Field(2520, ge=1, description="Rows within which a step may be taken back.")
    large: float = pydantic.Field(50.0, gt=1, description="Factor no split has without the volume telling.")
    edge: int = pydantic.Field(63, ge=0, description="Rows from the ends where a step is looked at twice.")
    min_history: int = pydantic.Field(15, ge=3, description="Rows a symbol needs to be judged.")

    needs: ClassVar[tuple[str, ...]] = ("open", "close", "adj_close", "volume")
    shows: ClassVar[tuple[str, ...]] = ("close", "adj_close")
    sentence: ClassVar[str] = (
        "No price steps by a factor of {factors} that adj_close shares, that is taken back within {within} "
        "rows, or that the volume contradicts."
    )

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Return the rows in another unit, or the row of the step when it is not taken back."""
        moves = block.returns
        rows = np.flatnonzero(np.abs(moves) >= np.log(min(self.factors)) - self.tolerance)
        rows = rows[block.length_at(rows) >= self.min_history]
        rows = rows[near_ratio(moves[rows], self.factors) <= self.tolerance]
        if not len(rows):
            return rows
        shared = np.abs(moves[rows] + block.factor_steps[rows]) >= np.abs(moves[rows]) / 2
        back = self._taken_back(block, rows)
        return np.unique(np.concatenate([rows[shared | self._contradicted(block, rows)], back]))

    def _taken_back(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        here, then = rows[:-1], rows[1:]
        moves = block.returns
        pairs = (
            (block.symbol_of(here) == block.symbol_of(then))
            & (then - here <= self.within)
            & (moves[here] * moves[then] < 0)
            & (np.abs(moves[here] + moves[then]) <= 2 * self.tolerance)
        )
        return stretches(here[pairs], then[pairs])

    def _contradicted(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell where money traded, price times shares, steps by most of the factor too."""
        money = block.log("volume") + block.log("close")
        step = median_of_lines(block.around(money, rows, (0, 9), (1, 0)))
        step -= median_of_lines(block.around(money, rows, (-10, -1), (1, 0)))
        size = np.abs(block.returns[rows])
        with_it = step * np.sign(block.returns[rows]) >= 0.7 * size
        number = block.symbol_of(rows)
        at_end = np.minimum(rows - block.bounds[number], block.bounds[number + 1] - rows) <= self.edge
        told: NDArray[np.bool_] = with_it & (at_end | (size >= np.log(self.large)))
        return told
