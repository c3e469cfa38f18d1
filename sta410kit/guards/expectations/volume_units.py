"""Volume in other units: lots or thousands for shares, for one bar, a stretch, or a whole symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import Findings, FrameExpectation, Walker, of_rows
from sta410kit.guards.robust import (
    TO_SIGMA,
    median_of_lines,
    quantile_of_lines,
    run_lengths,
    trailing_zeros,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block, Panel

_SAMPLE = 500
_MOST = 10  # times the money traded in the busiest other symbol that no symbol trades
_RUN = 9  # rows after a step that may still belong to a short run


class UnitWalker(Walker):
    """Looks at steps within symbols, and compares how round the volumes of different symbols are."""

    expectation: ExpectVolumeInOneUnit

    def __init__(self, expectation: ExpectVolumeInOneUnit, panel: Panel) -> None:
        super().__init__(expectation, panel)
        self.round: list[int] = []
        self.money: list[float] = []

    def visit(self, block: Block) -> None:
        """Find the steps, and count the zeros nearly all volumes of a symbol end in."""
        super().visit(block)
        if len(self.panel.symbols) > 1:
            volume = block.column("volume")
            self.round += [
                _zeros(volume[begin : min(begin + _SAMPLE, end)], self.expectation.min_history)
                for begin, end in zip(block.bounds[:-1], block.bounds[1:], strict=True)
            ]
            money = block.column("close") * volume
            self.money += [
                float(median_of_lines(money[None, begin : min(begin + _SAMPLE, end)])[0])
                for begin, end in zip(block.bounds[:-1], block.bounds[1:], strict=True)
            ]

    def findings(self) -> Findings:
        """Return steps, and the last row of each symbol whose volumes are rounder than all others."""
        found = super().findings()
        zeros = np.array(self.round)
        judged = np.flatnonzero(zeros >= 0)
        if len(judged) < 2:  # noqa: PLR2004 - nothing to compare with
            return found
        strange = []
        money = np.array(self.money)
        for number in judged:
            other = judged[judged != number]
            others = zeros[other]
            rounder = zeros[number] >= others.max() + self.expectation.zeros
            exact = len(others) > 2 and zeros[number] <= others.min() - self.expectation.zeros  # noqa: PLR2004
            # In lots it would trade as much as others do; a source that stopped rounding changes no level.
            lots = float(others.min() - zeros[number])
            exact = exact and bool(money[number] * 10**lots <= _MOST * money[other].max())
            if rounder or exact:
                strange.append(number)
        if not strange:
            return found
        last = self.panel.bounds[np.array(strange) + 1] - 1
        notes = [
            f"{self.panel.symbols[n]}: volumes end in {zeros[n]} zeros, "
            f"others in {int(np.median(zeros[judged]))}"
            for n in strange
        ]
        rounded = of_rows(self.panel, last, notes)
        return Findings(
            np.concatenate([found.symbols, rounded.symbols]),
            np.concatenate([found.days, rounded.days]),
            np.concatenate([found.rows, rounded.rows]),
            rounded.notes,
        )


class ExpectVolumeInOneUnit(FrameExpectation):
    """Expect the volume of a symbol to keep its level, within what splits and busy days explain."""

    step: float = pydantic.Field(20.0, gt=1, description="Factor between the usual volume before and after.")
    outlier: float = pydantic.Field(
        30.0, gt=1, description="Factor between a bar and the usual volume around it."
    )
    sigmas: float = pydantic.Field(4.0, gt=0, description="Usual deviations, in logs, that a step exceeds.")
    changes: float = pydantic.Field(
        6.2, gt=0, description="Upper quartiles of the daily change a bar exceeds."
    )
    run: int = pydantic.Field(4, ge=2, description="Bars in a row that are judged by `step`.")
    ragged: float = pydantic.Field(
        1.8, gt=0, description="Usual spreads of log volume that no low run in one other unit exceeds."
    )
    zeros: int = pydantic.Field(2, ge=1, description="More zeros at the end than in every other symbol.")
    min_history: int = pydantic.Field(15, ge=3, description="Rows a symbol needs to be judged.")

    needs: ClassVar[tuple[str, ...]] = ("close", "volume")
    shows: ClassVar[tuple[str, ...]] = ("volume",)
    sentence: ClassVar[str] = (
        "The usual volume never changes by a factor of {step} from one session to the next but with a split, "
        "no bar's volume is {outlier} times that of the bars around it or a part of it as small, and no "
        "symbol's volumes end in {zeros} zeros more than all others'."
    )
    walker: ClassVar[type[Walker]] = UnitWalker

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Return the bars in other units, or those at which the unit changes."""
        volume = block.column("volume")
        edge = np.zeros(block.rows, bool)
        ratio = volume[1:] / volume[:-1]
        edge[1:] = (ratio > self.step / 2) | (ratio < 2 / self.step)
        edge[block.first] = False
        rows = np.flatnonzero(edge)
        rows = rows[(block.length_at(rows) >= self.min_history) & (volume[rows] > 0) & (volume[rows - 1] > 0)]
        if not len(rows):
            return rows
        near = np.unique(np.concatenate([rows - 1, rows]))
        return np.unique(np.concatenate([self._steps(block, rows), self._outliers(block, near)]))

    def _steps(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows from which on shares and money traded are both at another level."""
        shares = block.log("volume")
        before, after = (block.around(shares, rows, reach, (1, 0)) for reach in ((-10, -1), (0, 9)))
        step = median_of_lines(after) - median_of_lines(before)
        price = median_of_lines(block.around(block.log("close"), rows, (0, 9), (1, 0)))
        price -= median_of_lines(block.around(block.log("close"), rows, (-10, -1), (1, 0)))
        spread = np.concatenate([part - median_of_lines(part)[:, None] for part in (before, after)], axis=1)
        sigma = TO_SIGMA * median_of_lines(np.abs(spread))
        size = np.minimum(np.abs(step), np.abs(step + price))
        enough = (np.isfinite(before).sum(axis=1) >= 8) & (np.isfinite(after).sum(axis=1) >= 8)  # noqa: PLR2004
        found: NDArray[np.int64] = rows[enough & (size >= np.maximum(np.log(self.step), self.sigmas * sigma))]
        return found

    def _outliers(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return bars, alone or in short runs, far from the bars around them.

        How far depends on the shape of the symbol's volumes on that side; several in a row need less, and so
        does one whose volume ends in more zeros, as lots read as shares do.
        """
        rows = np.unique(np.clip(rows[:, None] + np.arange(-1, _RUN + 1), 0, block.rows - 1))
        shares = block.log("volume")
        around = block.around(shares, rows, (-40, 40), (0, 0))
        middle = median_of_lines(around)
        away = shares[rows] - middle
        traded = block.column("volume")[rows] > 0
        alone = np.abs(away) >= np.maximum(np.log(self.outlier), self.changes * self._change(block, rows))
        high, low = (np.zeros(block.rows, bool) for _ in range(2))
        several = traded & (np.abs(away) >= np.log(self.step))
        high[rows], low[rows] = several & (away > 0), several & (away < 0)
        runs = np.maximum(run_lengths(high, block.first), run_lengths(low, block.first))[rows]
        alone[high[rows]] |= self._rounder(block, rows[high[rows]])
        found = traded & (alone | (runs >= self.run))
        spread = TO_SIGMA * median_of_lines(np.abs(around - middle[:, None]))
        side = high[rows].astype(np.int64) - low[rows]
        return rows[found & ~self._ragged(rows, away, side, spread)]

    def _ragged(
        self,
        rows: NDArray[np.int64],
        away: NDArray[np.float64],
        side: NDArray[np.int64],
        spread: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        """Tell which low runs differ among themselves far more than volumes do: another unit keeps step.

        A class of shares traded before it is issued has some days of thin and uneven volume.
        """
        ragged = np.zeros(len(rows), bool)
        breaks = (np.diff(rows) != 1) | (np.diff(side) != 0)
        for run in np.split(np.arange(len(rows)), np.flatnonzero(breaks) + 1):
            if side[run[0]] < 0 and len(run) >= self.run:
                ragged[run] = np.std(away[run]) > self.ragged * spread[run[0]]
        return ragged

    def _rounder(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which volumes end in more zeros than those around them."""
        volume = block.column("volume")
        usual = quantile_of_lines(trailing_zeros(block.around(volume, rows, (-40, 40), (0, 0))), 0.8)
        rounder: NDArray[np.bool_] = trailing_zeros(volume[rows]) >= usual + self.zeros
        return rounder

    @staticmethod
    def _change(block: Block, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how much the log volume of each row's symbol changes from day to day on a lively day."""
        number = block.symbol_of(rows)
        usual = np.zeros(len(block.bounds) - 1)
        for symbol in np.unique(number):
            steps = np.abs(np.diff(block.log("volume")[block.bounds[symbol] : block.bounds[symbol + 1]]))
            usual[symbol] = quantile_of_lines(steps[None, :], 0.75)[0]
        return usual[number]


def _zeros(volume: NDArray[np.float64], min_history: int) -> int:
    """Return how many zeros nearly all volumes end in; -1 when too few or too much alike to tell."""
    traded = volume[volume > 0]
    if len(traded) < min_history or len(np.unique(traded)) < min_history // 2:
        return -1
    count = 0
    while count < 9 and np.mean(traded % 10 ** (count + 1) == 0) >= 0.99:  # noqa: PLR2004
        count += 1
    return count
