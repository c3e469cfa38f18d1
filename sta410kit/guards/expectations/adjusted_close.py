"""`adj_close` that leaves `close` and comes back, or steps where nothing happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import FrameExpectation
from sta410kit.guards.expectations.price_jumps import SPLIT_RATIOS
from sta410kit.guards.robust import local_sigma, near_ratio, stretches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block

_EXACT = 0.02  # a split in the factor is exact, but for a dividend on the same day


class ExpectAdjustedCloseToFollowClose(FrameExpectation):
    """Expect `adj_close / close` to rise at dividends and splits only, and to fall at reverse splits only.

    Prices are adjusted backwards: each dividend and split lowers what came before it, so the factor rises
    with time. It falls only where shares were put together, and then the close jumps up by that ratio.
    """

    tolerance: float = pydantic.Field(2e-4, gt=0, description="Log step that counts as none.")
    noise: float = pydantic.Field(10.0, ge=0, description="Usual steps of the symbol that count as none.")
    dividend: float = pydantic.Field(
        0.05, gt=0, description="Log step a dividend may have with no fall to show."
    )
    sigmas: float = pydantic.Field(
        3.5, gt=0, description="Usual daily moves a fall may differ from the step."
    )
    ratios: list[float] = pydantic.Field(
        SPLIT_RATIOS, description="Ratios of splits, new shares for one old."
    )

    needs: ClassVar[tuple[str, ...]] = ("close", "adj_close")
    sentence: ClassVar[str] = (
        "adj_close divided by close never falls by more than {tolerance} in logs but at a reverse split, and "
        "rises by more than {dividend} only where the close falls with it."
    )

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Return the stretches away from the close, or the row of a step that is not taken back."""
        steps = block.factor_steps
        rows = np.flatnonzero(np.abs(steps) > self.tolerance)
        rows = rows[np.abs(steps[rows]) > self._noise(block, rows)]
        if not len(rows):
            return rows
        size, net = steps[rows], block.returns[rows] + steps[rows]
        usual = np.maximum(local_sigma(block, block.returns + steps, rows, (-1, 1)), 0.01)
        usual = np.where(np.isfinite(usual), usual, 0.02)
        reverse_split = (
            (near_ratio(size, self.ratios) <= _EXACT)
            & (np.abs(size) >= np.log(min(self.ratios)) - _EXACT)
            & (np.abs(net) <= np.maximum(2 * self.sigmas * usual, 0.15))
        )
        fell = (size < 0) & ~reverse_split
        rose = (size > self.dividend) & (np.abs(net) > np.maximum(self.sigmas * usual, size / 2))
        return self._stretches(rows, size, block.symbol_of(rows), fell | rose)

    def _noise(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the step that rounding, or a factor drawn from anywhere, makes every day."""
        noise = np.zeros(len(block.bounds) - 1)
        digits = np.zeros(len(noise))
        for number in np.unique(block.symbol_of(rows)):
            span = slice(block.bounds[number], block.bounds[number + 1])
            steps = np.abs(block.factor_steps[span])
            steps = steps[np.isfinite(steps)]
            noise[number] = self.noise * np.median(steps) if len(steps) else 0.0
            digits[number] = max(_tick(block.column(name)[span]) for name in ("close", "adj_close"))
        number = block.symbol_of(rows)
        prices = np.minimum(block.column("close")[rows], block.column("adj_close")[rows])
        return np.maximum(noise[number], 2 * digits[number] / prices)

    @staticmethod
    def _stretches(
        rows: NDArray[np.int64], size: NDArray[np.float64], symbol: NDArray[np.int64], bad: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Return bad rows, and between two steps that cancel, all rows instead."""
        cancels = np.zeros(len(rows), bool)
        cancels[:-1] = (
            (symbol[:-1] == symbol[1:])
            & (np.abs(size[:-1] + size[1:]) <= 0.15 * np.abs(size[:-1]) + 1e-9)
            & (bad[:-1] | bad[1:])
        )
        begins = np.flatnonzero(cancels)
        covered = np.zeros(len(rows), bool)
        covered[begins] = True
        covered[begins + 1] = True
        between = stretches(rows[begins], rows[begins + 1]) if len(begins) else rows[:0]
        return np.unique(np.concatenate([rows[bad & ~covered], between]))


def _tick(values: NDArray[np.float64]) -> float:
    """Return the step prices are rounded to: a cent, a hundredth of one, or none."""
    finite = values[np.isfinite(values)]
    for tick in (0.01, 0.0001):
        if np.all(np.abs(finite / tick - np.rint(finite / tick)) < 1e-6 / tick):
            return tick
    return 0.0
