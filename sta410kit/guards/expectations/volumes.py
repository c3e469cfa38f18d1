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
    local_sigma,
    median_of_lines,
    other_runs,
    per_symbol,
    quantile_of_lines,
    run_lengths,
    tail_chance,
    trailing_zeros,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.block import Block
    from sta410kit.guards.panel import Panel

_SAMPLE = 500  # first rows of a symbol that tell its usual volume
_MOST = 10  # times the money traded in the busiest other symbol that no symbol trades
_BUSIER = 3  # times the money traded in the busiest other symbol that a symbol in shares does not trade
_SIDE = 10  # rows on each side of a step
_NEWS = 4.0  # usual daily moves that come with any volume
_STRETCH = 64  # rows whose median is a first guess at what is usual
_EVEN = 0.2  # usual deviation, in logs, of volumes that hardly differ
_SLACK = 0.4  # how far off, in logs, that guess may be
_NEARBY = (-40, 40)


class ExpectNoRunsOfZeroVolume(BlockExpectation):
    """Expect trading in nearly every session, and none of the rest to have moved the price."""

    max_run: NonNegativeInt = 3  # sessions in a row that may pass without volume
    max_moved: NonNegativeInt = 1  # sessions in a row without volume whose price may move
    quiet_share: float = Field(0.2, ge=0, le=1)  # share of such sessions from which on that is no news
    quiet_runs: PositiveInt = 5  # other runs within half a year from which on that is no news there
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
        found = np.flatnonzero((moved & (runs > self.max_moved)) | (runs > self.max_run))
        return found[other_runs(block, none)[found] < self.quiet_runs]


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

    def goes_beyond(self, block: Block, rows: NDArray[np.int64]) -> bool:  # noqa: ARG002 - the base's signature
        """Return whether there are several: some of the rest may be whole by chance."""
        return len(rows) > 1


class _Volumes(NamedTuple):
    """What a block shows of volume: rows at which the unit changes, and the usual volume of each symbol."""

    rows: NDArray[np.int64]
    zeros: list[int]  # at the end of nearly all volumes; -1 when too few or too similar to tell
    money: list[float]  # median of what is traded in a session


class ExpectVolumeInOneUnit(BlockExpectation):
    """Expect the volume of a symbol to keep its level, within what splits and busy days explain.

    False alarms per symbol and decade: below 0.001 with lognormal or evenly distributed volumes; findings on
    real US dailies, most of them sessions of which the vendor has a part: 0.1 above 100 M dollars a day,
    0.5 above 1 M.
    """

    step: float = Field(20.0, gt=1)  # factor between the usual volume before and after
    outlier: float = Field(
        30.0, gt=1
    )  # factor by which a bar falls below the volume around it, or exceeds it
    busy: float = Field(100.0, gt=1)  # factor by which a busy day's may exceed it
    sigmas: PositiveFloat = 4.0  # usual deviations, in logs, that a step exceeds
    changes: PositiveFloat = 6.2  # upper quartiles of the daily change that a bar exceeds
    chance: PositiveFloat = 0.2  # outliers that chance is expected to bring about in a symbol
    run: int = Field(5, ge=2)  # bars in a row that are judged by `step`
    ragged: PositiveFloat = 1.8  # usual spreads of log volume that no low run in another unit exceeds
    zeros: PositiveInt = 2  # more zeros at the end than in every other symbol, or on the days around
    listing: NonNegativeInt = 8  # first sessions, of when-issued trade or of an offering, that may differ
    min_history: int = Field(15, ge=3)  # rows a symbol needs to be judged

    needs: ClassVar[tuple[str, ...]] = ("close", "volume")
    shows: ClassVar[tuple[str, ...]] = ("volume",)
    sentence: ClassVar[str] = (
        "The usual volume never changes by a factor of {step} from one session to the next but with a split, "
        "no bar's volume is a part in {outlier} of that around it, or as many times as large and rounder by "
        "{zeros} zeros, or {busy} times as large without a move of the price, and no symbol's volumes end in "
        "{zeros} zeros more than all others' while it trades more money than any of them."
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
            # Vendors round volumes, too; multiplied by a hundred they are more than any other symbol trades.
            rounder = zeros[number] >= zeros[other].max() + self.zeros
            rounder &= money[number] > _BUSIER * money[other].max()
            fewer = int(zeros[other].min() - zeros[number])
            # In lots it would trade as much as others do; a source that stopped rounding changes no level.
            lots = money[number] * 10.0**fewer <= _MOST * money[other].max()
            if rounder or (len(other) > 2 and fewer >= self.zeros and lots):  # noqa: PLR2004 - two others may agree
                strange.append(number)
        if not strange:
            return found
        usual = int(np.median(zeros[judged]))
        notes = [f"{panel.symbols[n]}: volumes end in {zeros[n]} zeros, others in {usual}" for n in strange]
        last, names = panel.bounds[np.array(strange) + 1] - 1, [panel.symbols[n] for n in strange]
        return concatenate([found, at_panel_rows(panel, last, notes, whole=names)])

    def goes_beyond(self, block: Block, rows: NDArray[np.int64]) -> bool:
        """Return whether the unit changes at one of the rows."""
        volume = block.column("volume")
        steps = self._steps(block, np.where(volume > 0, block.log("volume"), np.nan))
        return bool(np.isin(steps, rows).any())

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the bars in other units, or those at which the unit changes."""
        volume = block.column("volume")
        traded = np.where(volume > 0, block.log("volume"), np.nan)
        found = [self._steps(block, traded), self._outliers(block, traded)]
        return block.with_history(np.unique(np.concatenate(found)), self.min_history)

    def _steps(self, block: Block, traded: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the rows from which on shares and money traded are both at another level."""
        change = block.change(traded)
        rows = np.flatnonzero(np.abs(change) > np.log(self.step / 2))
        rows = rows[(rows >= _SIDE) & (rows <= block.rows - _SIDE)]
        # A step shows in the middle of three on either side, too, which is quickly told.
        middles = [_middle(*(traded[rows + k] for k in three)) for three in ((-3, -2, -1), (0, 1, 2))]
        rows = rows[np.abs(middles[1] - middles[0]) > np.log(self.step) / 2]
        step, sigma = level_change(block, traded, rows)
        price, _ = level_change(block, block.log("close"), rows)
        size = np.minimum(np.abs(step), np.abs(step + price))
        known = [
            np.isfinite(block.around(traded, rows, side, (1, 0))).sum(axis=1)
            for side in ((-_SIDE, -1), (0, _SIDE - 1))
        ]
        enough = np.minimum(*known) >= 8  # noqa: PLR2004 - of ten
        found: NDArray[np.int64] = rows[enough & (size >= np.maximum(np.log(self.step), self.sigmas * sigma))]
        return found

    def _outliers(self, block: Block, traded: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return bars, alone or in short runs, far from the bars around them.

        A day of news, an offering or a change of an index has up to a hundred times the usual volume. In lots
        or thousands a volume is rounder than those around it, which tells it from such a day.
        """
        least, most = _levels(block, traded)
        high = np.flatnonzero(traded - least >= np.log(self.outlier) - _SLACK)
        ends = per_symbol(
            block,
            high,
            lambda span: quantile_of_lines(
                trailing_zeros(block.column("volume")[span][:: max(1, (span.stop - span.start) // _SAMPLE)])[
                    None
                ],
                0.8,
            )[0],
        )
        round_ones = trailing_zeros(block.column("volume")[high]) >= ends + self.zeros
        high = high[round_ones | (traded[high] - least[high] >= np.log(self.busy) - _SLACK)]
        short = traded - most <= _SLACK - np.log(self.step)
        runs = run_lengths(short, block.first)
        low = np.flatnonzero(short)
        farthest = np.maximum(np.log(self.outlier), self._lively(block, traded, low))
        low = low[(runs[low] >= self.run) | (most[low] - traded[low] >= farthest - _SLACK)]
        rows = np.unique(np.concatenate([high, low]))
        rows = rows[rows - block.bounds[block.symbol_of(rows)] >= self.listing].astype(np.int64)
        return self._exactly(block, traded, rows) if len(rows) else rows

    def _exactly(
        self, block: Block, traded: NDArray[np.float64], rows: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the rows that are outliers beside the bars around each of them."""
        volume = block.column("volume")
        middle, spread = _nearby(block, traded, rows)
        away = traded[rows] - middle
        usual = quantile_of_lines(trailing_zeros(block.around(volume, rows, _NEARBY, (0, 0))), 0.8)
        rounder = trailing_zeros(volume[rows]) >= usual + self.zeros
        farthest = self._lively(block, traded, rows)
        high = (away >= np.log(self.outlier)) & rounder
        quiet = ~(np.abs(block.returns[rows]) >= _NEWS * local_sigma(block, block.returns, rows, (0, 1)))
        busy = quiet & (away >= np.maximum(np.log(self.busy), farthest))
        busy[busy] = self._chance(block, traded, rows[busy], 1) <= self.chance
        high |= busy
        low = away <= -np.log(self.step)
        flags = np.zeros(block.rows, bool)
        flags[rows] = low
        run = run_lengths(flags, block.first)[rows] >= self.run
        alone = -away >= np.maximum(np.log(self.outlier), farthest)
        alone[alone] = self._chance(block, traded, rows[alone], -1) <= self.chance
        ragged = self._ragged(rows, away, -low.astype(np.int64), spread)
        found: NDArray[np.int64] = rows[high | (low & (run | alone) & ~ragged)]
        return found

    def _lively(
        self, block: Block, traded: NDArray[np.float64], rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the change from day to day that the symbol of each row seldom exceeds."""
        return self.changes * per_symbol(
            block, rows, lambda span: quantile_of_lines(np.abs(np.diff(traded[span]))[None, :], 0.75)[0]
        )

    def _chance(
        self, block: Block, traded: NDArray[np.float64], rows: NDArray[np.int64], side: int
    ) -> NDArray[np.float64]:
        """Return how many volumes of the symbol are as far above (1) or below (-1) those around them."""

        def score(rows: NDArray[np.int64]) -> NDArray[np.float64]:
            middle, spread = _nearby(block, traded, rows)
            return np.maximum(side * (traded[rows] - middle), 0.0) / np.maximum(spread, _EVEN)

        return tail_chance(block, rows, score) * block.length_at(rows)

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


def _nearby(
    block: Block, traded: NDArray[np.float64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the median of the bars around each row, and their usual deviation from it."""
    around = block.around(traded, rows, _NEARBY, (0, 0))
    middle = median_of_lines(around)
    return middle, TO_SIGMA * median_of_lines(np.abs(around - middle[:, None]))


def _middle(
    one: NDArray[np.float64], two: NDArray[np.float64], three: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the middle of three numbers."""
    middle: NDArray[np.float64] = np.fmax(np.fmin(one, two), np.fmin(np.fmax(one, two), three))
    return middle


def _levels(block: Block, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and the highest median of the stretch of each row and those beside it."""
    least, most = np.empty((2, block.rows))
    for _, span in block.spans_of_symbols():
        lines = -(-(span.stop - span.start) // _STRETCH)
        padded = np.full(lines * _STRETCH, np.nan)
        padded[: span.stop - span.start] = values[span]
        level = np.pad(median_of_lines(padded.reshape(lines, _STRETCH)), 1, mode="edge")
        three = level[:-2], level[1:-1], level[2:]
        for found, extreme in ((least, np.fmin), (most, np.fmax)):
            found[span] = np.repeat(extreme(extreme(*three[:2]), three[2]), _STRETCH)[
                : span.stop - span.start
            ]
    return least, most


def _zeros(volume: NDArray[np.float64], min_history: int) -> int:
    """Return how many zeros nearly all volumes end in; -1 when too few or too similar to tell."""
    traded = volume[volume > 0]
    if len(traded) < min_history or len(np.unique(traded)) < min_history // 2:
        return -1
    ends = np.sort(trailing_zeros(traded))
    return int(ends[int(0.01 * len(ends))])
