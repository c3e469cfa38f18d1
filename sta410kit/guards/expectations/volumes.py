"""Volume: sessions without any, parts of shares, and other units such as lots or thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from sta410kit.guards.evidence import Evidence, at_panel_rows, concatenate
from sta410kit.guards.expectations.base import BlockExpectation
from sta410kit.guards.robust import (
    TO_SIGMA,
    level_change,
    median_of_lines,
    per_symbol,
    quantile_of_lines,
    run_lengths,
    trailing_zeros,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.block import Block
    from sta410kit.guards.panel import Panel

_SAMPLE = 500  # first rows of a symbol that tell its usual volume
_MOST = 10  # times the money traded in the busiest other symbol that no symbol trades
_RUN = 9  # rows after a step that may still belong to a short run
_NEARBY = (-40, 40)


class ExpectNoRunsOfZeroVolume(BlockExpectation):
    """Expect trading in nearly every session, and none of the rest to have moved the price."""

    max_run: NonNegativeInt = 3  # sessions in a row that may pass without volume
    max_moved: NonNegativeInt = 1  # sessions in a row without volume whose price may move
    quiet_share: float = Field(0.2, ge=0, le=1)  # share of such sessions from which on that is no news
    min_history: PositiveInt = 15  # rows from which on single sessions are judged

    needs: ClassVar[tuple[str, ...]] = ("high", "low", "volume")
    sentence: ClassVar[str] = (
        "No more than {max_run} sessions in a row pass without volume, and no more than {max_moved} in which "
        "the price moved."
    )

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the sessions without volume that are too many, or whose price moved."""
        none = block.column("volume") == 0
        if not none.any():
            return np.empty(0, np.int64)
        sizes = np.diff(block.bounds)
        share = np.add.reduceat(none.astype(np.int64), block.first) / sizes
        judged = np.repeat((share < self.quiet_share) & (sizes >= self.min_history), sizes)
        moved = none & judged & (block.column("high") > block.column("low"))
        runs = run_lengths(none, block.first)
        return np.flatnonzero((moved & (runs > self.max_moved)) | (runs > self.max_run))


class ExpectWholeShares(BlockExpectation):
    """Expect volume in whole shares."""

    needs: ClassVar[tuple[str, ...]] = ("volume",)
    sentence: ClassVar[str] = "Volume is a whole number of shares."

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the rows with a part of a share."""
        raw = block.panel.raw("volume")
        if raw is not None and raw.dtype.kind in "iu":
            return np.empty(0, np.int64)
        volume = block.column("volume")
        # NaN differs from itself; another expectation reports it.
        return np.flatnonzero((volume != np.rint(volume)) & ~np.isnan(volume))


class _Volumes(NamedTuple):
    """What a block shows of volume: rows at which the unit changes, and the usual volume of each symbol."""

    rows: NDArray[np.int64]
    zeros: list[int]  # at the end of nearly all volumes; -1 when too few or too similar to tell
    money: list[float]  # median of what is traded in a session


class ExpectVolumeInOneUnit(BlockExpectation):
    """Expect the volume of a symbol to keep its level, within what splits and busy days explain."""

    step: float = Field(20.0, gt=1)  # factor between the usual volume before and after
    outlier: float = Field(30.0, gt=1)  # factor between a bar and the usual volume around it
    sigmas: PositiveFloat = 4.0  # usual deviations, in logs, that a step exceeds
    changes: PositiveFloat = 6.2  # upper quartiles of the daily change that a bar exceeds
    run: int = Field(4, ge=2)  # bars in a row that are judged by `step`
    ragged: PositiveFloat = 1.8  # usual spreads of log volume that no low run in another unit exceeds
    zeros: PositiveInt = 2  # more zeros at the end than in every other symbol
    min_history: int = Field(15, ge=3)  # rows a symbol needs to be judged

    needs: ClassVar[tuple[str, ...]] = ("close", "volume")
    shows: ClassVar[tuple[str, ...]] = ("volume",)
    sentence: ClassVar[str] = (
        "The usual volume never changes by a factor of {step} from one session to the next but with a split, "
        "no bar's volume is {outlier} times that of the bars around it or a part of it as small, and no "
        "symbol's volumes end in {zeros} zeros more than all others'."
    )

    def scan(self, block: Block) -> _Volumes:
        """Find the steps, and count the zeros nearly all volumes of a symbol end in."""
        rows = super().scan(block)
        if len(block.panel.symbols) == 1:
            return _Volumes(rows, [], [])
        volume = block.column("volume")
        money = block.column("close") * volume
        samples = [
            slice(span.start, min(span.start + _SAMPLE, span.stop)) for _, span in block.spans_of_symbols()
        ]
        return _Volumes(
            rows,
            [_zeros(volume[sample], self.min_history) for sample in samples],
            [float(median_of_lines(money[None, sample])[0]) for sample in samples],
        )

    def conclude(self, panel: Panel, parts: list[Any]) -> Evidence:
        """Return steps, and the last row of each symbol whose volumes are rounder than all others."""
        found = super().conclude(panel, [part.rows for part in parts])
        zeros = np.array([count for part in parts for count in part.zeros])
        money = np.array([usual for part in parts for usual in part.money])
        judged = np.flatnonzero(zeros >= 0)
        strange = []
        for number in judged if len(judged) > 1 else ():
            other = judged[judged != number]
            rounder = zeros[number] >= zeros[other].max() + self.zeros
            fewer = int(zeros[other].min() - zeros[number])
            # In lots it would trade as much as others do; a source that stopped rounding changes no level.
            lots = money[number] * 10.0**fewer <= _MOST * money[other].max()
            if rounder or (len(other) > 2 and fewer >= self.zeros and lots):  # noqa: PLR2004 - two others may agree
                strange.append(number)
        if not strange:
            return found
        usual = int(np.median(zeros[judged]))
        notes = [f"{panel.symbols[n]}: volumes end in {zeros[n]} zeros, others in {usual}" for n in strange]
        return concatenate([found, at_panel_rows(panel, panel.bounds[np.array(strange) + 1] - 1, notes)])

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the bars in other units, or those at which the unit changes."""
        volume = block.column("volume")
        edge = np.zeros(block.rows, bool)
        ratio = volume[1:] / volume[:-1]
        edge[1:] = (ratio > self.step / 2) | (ratio < 2 / self.step)
        edge[block.first] = False
        rows = block.with_history(np.flatnonzero(edge), self.min_history)
        rows = rows[(volume[rows] > 0) & (volume[rows - 1] > 0)]
        if not len(rows):
            return rows
        near = np.unique(np.concatenate([rows - 1, rows]))
        return np.unique(np.concatenate([self._steps(block, rows), self._outliers(block, near)]))

    def _steps(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows from which on shares and money traded are both at another level."""
        shares = block.log("volume")
        step, sigma = level_change(block, shares, rows)
        price, _ = level_change(block, block.log("close"), rows)
        size = np.minimum(np.abs(step), np.abs(step + price))
        known = [
            np.isfinite(block.around(shares, rows, side, (1, 0))).sum(axis=1) for side in ((-10, -1), (0, 9))
        ]
        enough = np.minimum(*known) >= 8  # noqa: PLR2004 - of ten
        found: NDArray[np.int64] = rows[enough & (size >= np.maximum(np.log(self.step), self.sigmas * sigma))]
        return found

    def _outliers(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return bars, alone or in short runs, far from the bars around them.

        How far depends on the spread of the symbol's volumes on that side; several in a row need less, and so
        does one whose volume ends in more zeros, as lots read as shares do.
        """
        rows = np.unique(np.clip(rows[:, None] + np.arange(-1, _RUN + 1), 0, block.rows - 1))
        shares, volume = block.log("volume"), block.column("volume")
        around = block.around(shares, rows, _NEARBY, (0, 0))
        middle = median_of_lines(around)
        away = shares[rows] - middle
        traded = volume[rows] > 0
        lively = per_symbol(
            block, rows, lambda span: quantile_of_lines(np.abs(np.diff(shares[span]))[None, :], 0.75)[0]
        )
        alone = np.abs(away) >= np.maximum(np.log(self.outlier), self.changes * lively)
        high, low = np.zeros((2, block.rows), bool)
        several = traded & (np.abs(away) >= np.log(self.step))
        high[rows], low[rows] = several & (away > 0), several & (away < 0)
        runs = np.maximum(run_lengths(high, block.first), run_lengths(low, block.first))[rows]
        usual = quantile_of_lines(trailing_zeros(block.around(volume, rows, _NEARBY, (0, 0))), 0.8)
        alone |= high[rows] & (trailing_zeros(volume[rows]) >= usual + self.zeros)
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
        """Return the low runs that vary far more than volumes do: in another unit they would not.

        A class of shares traded before it is issued has some days of thin and uneven volume.
        """
        ragged = np.zeros(len(rows), bool)
        breaks = (np.diff(rows) != 1) | (np.diff(side) != 0)
        for run in np.split(np.arange(len(rows)), np.flatnonzero(breaks) + 1):
            if side[run[0]] < 0 and len(run) >= self.run:
                ragged[run] = np.std(away[run]) > self.ragged * spread[run[0]]
        return ragged


def _zeros(volume: NDArray[np.float64], min_history: int) -> int:
    """Return how many zeros nearly all volumes end in; -1 when too few or too similar to tell."""
    traded = volume[volume > 0]
    if len(traded) < min_history or len(np.unique(traded)) < min_history // 2:
        return -1
    ends = np.sort(trailing_zeros(traded))
    return int(ends[int(0.01 * len(ends))])
