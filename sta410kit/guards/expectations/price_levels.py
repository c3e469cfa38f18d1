"""Levels of a price that change for no reason: forgotten splits, other units, an adjusted close that departs.

A split that the source forgot to adjust for comes overnight, between two sessions of ordinary range and
ordinary turnover, and stays. A crash (AAPL, 2000-09-29) comes with many times the usual volume or range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from sta410kit.guards.expectations.base import BlockExpectation, Share
from sta410kit.guards.robust import (
    is_lasting,
    level_change,
    local_sigma,
    median_of_lines,
    near_ratio,
    quantile_of_lines,
    shared_by_others,
    stretches,
)
from sta410kit.guards.suites import PRICES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.block import Block
    from sta410kit.guards.evidence import Evidence
    from sta410kit.guards.panel import Panel

SPLIT_RATIOS = [1.25, 4 / 3, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 100, 1000]
_BACK = 0.35  # share of a jump that may remain of it when it is taken back
_EXACT = 0.02  # a split in the factor is exact, but for a dividend on the same day


class ExpectJumpsToBeExplained(BlockExpectation):
    """Expect no overnight jump of the adjusted price, split-like or extreme, on a quiet day.

    False alarms per symbol and decade: 0.005 with Student-t(3) shocks half of which come overnight, without
    the volume that news has, none where they come within the session; findings on real US dailies, faults
    among them: 0.01 above 100 M dollars a day, 0.02 above 1 M.
    """

    ratios: list[float] = SPLIT_RATIOS  # new shares for one old
    tolerance: PositiveFloat = 0.04  # log distance from a ratio that counts as it
    min_jump: PositiveFloat = 0.2  # smallest log jump that is considered
    split_sigmas: PositiveFloat = 9.0  # usual daily moves a split-like jump exceeds
    far_jump: PositiveFloat = 0.38  # log jump that is extreme at any ratio
    far_sigmas: PositiveFloat = 12.0  # usual daily moves an extreme jump exceeds
    alone: float = Field(2.5, ge=1)  # times the largest gaps nearby, but for the top 2 %
    quiet_span: PositiveFloat = 3.0  # usual ranges a quiet day stays within
    quiet_volume: PositiveFloat = 4.0  # usual volumes a quiet day stays within
    news_volume: PositiveFloat = 2.4  # usual volumes that explain a small jump, or one on the busiest day
    busiest: float = Field(1.25, ge=1)  # times the next largest volume nearby that the busiest day has
    market: Share = 0.1  # share of the other symbols, and at least three, that makes it an event
    min_history: int = Field(15, ge=3)  # rows a symbol needs to be judged

    needs: ClassVar[tuple[str, ...]] = (*PRICES, "volume")
    shows: ClassVar[tuple[str, ...]] = ("close", "adj_close", "volume")
    sentence: ClassVar[str] = (
        "No price jumps overnight by the ratio of a split (a log jump of {min_jump} and more) that "
        "adj_close does not show, and none by {far_jump} at any ratio, on a day whose range stays "
        "within {quiet_span} and whose volume stays within {quiet_volume} times the usual. A crash is no "
        "such day, nor one on which a share of {market} of the other symbols jumps."
    )

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the rows after an unexplained jump."""
        jumps = block.gaps + block.factor_steps
        net = block.returns + block.factor_steps
        rows = np.flatnonzero((np.abs(jumps) >= self.min_jump) & (np.abs(net) >= self.min_jump / 2))
        rows = block.with_history(rows, self.min_history)
        if not len(rows):
            return rows
        size = np.abs(jumps[rows])
        usual = local_sigma(block, net, rows, (-1, 1))
        near = near_ratio(size, self.ratios) <= np.maximum(
            self.tolerance, 3 * local_sigma(block, jumps, rows, (-1, 1))
        )
        extreme = size >= np.maximum(self.far_jump, self.far_sigmas * usual)
        # Where opens do not follow the close before, every move comes overnight: a jump says less.
        overnight, daily = (local_sigma(block, moves, rows, (-1, 1), reach=30) for moves in (jumps, net))
        loose = overnight >= 0.8 * daily
        enough = np.where(size < self.far_jump, self.far_sigmas, self.split_sigmas)  # small ones are common
        chosen = near & (size >= enough * usual) & (~loose | extreme) | (~loose & extreme)
        # Where large jumps are common, one is no news; the largest few may be jumps of the same kind.
        others = quantile_of_lines(np.abs(block.around(jumps, rows, (-120, 120), (-1, 1))), 0.98)
        return rows[chosen & self._quiet(block, rows, jumps[rows]) & (size >= self.alone * others)]

    def conclude(self, panel: Panel, parts: list[Any]) -> Evidence:
        """Return the rows after an unexplained jump, those of the whole market left out.

        Where a jump takes the one before it back, the bar between them is the one that is wrong.
        """
        rows = np.concatenate([*parts, np.empty(0, np.int64)])
        rows = rows[~shared_by_others(panel, rows, _gap, self.min_jump / 2, self.market)]
        before = rows[rows > panel.bounds[panel.symbol_of(rows)]] - 1
        moves = _gap(panel, before) + _gap(panel, before + 1)
        back = before[np.abs(moves) <= _BACK * np.abs(_gap(panel, before + 1))]
        return super().conclude(panel, [rows, back])

    def goes_beyond(self, block: Block, rows: NDArray[np.int64]) -> bool:
        """Return whether a jump is not taken back by the next session."""
        return is_lasting(block.returns + block.factor_steps, rows, 0.0, _BACK)

    def _quiet(self, block: Block, rows: NDArray[np.int64], jumps: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return where range and volume are ordinary; a split multiplies the shares traded by its ratio.

        A crash has a range of some size beside its fall: a busy day at another level is still a busy day.
        """
        size = np.abs(jumps)
        span = median_of_lines(block.around(block.spans, rows, (-12, 12), (0, 0)))
        near = block.around(block.log("volume"), rows, (-12, 12), (0, 0))
        traded = block.log("volume")[rows]
        # After days of news the usual volume is that of the months before them.
        earlier = median_of_lines(block.around(block.log("volume"), rows, (-60, -13), (1, 0)))
        more = traded - np.fmin(median_of_lines(near), earlier) + np.minimum(jumps, 0)
        loud = block.spans[rows] > np.maximum(self.quiet_span * np.maximum(span, 0.005), size / 3)
        loud |= more > np.log(self.quiet_volume)
        # Jumps come from news more often than from forgotten splits, small ones above all: such a day is
        # busy, and after a large one the busiest nearby.
        busiest = traded >= quantile_of_lines(near, 1.0) + np.log(self.busiest)
        loud |= (busiest | (size < self.far_jump)) & (more > np.log(self.news_volume))
        return ~loud


def _gap(panel: Panel, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the log move from the close before to the open."""
    before = np.maximum(rows - 1, panel.bounds[panel.symbol_of(rows)])
    return np.log(panel.values("open", rows)) - np.log(panel.values("close", before))


class ExpectPricesInOneUnit(BlockExpectation):
    """Expect no step by a power of ten that is taken back, or that the volume contradicts.

    A step that `adj_close` shares is not a split. One that it does not share looks like a split; it is
    still refused when it is taken back later, or when the money traded steps with it, which no split does,
    and the factor is large or the step is near an end.
    """

    factors: list[float] = [10, 100, 1000]  # between units of a price
    tolerance: PositiveFloat = 0.25  # log distance from a factor that counts as it
    within: PositiveInt = 2520  # rows within which a step may be taken back
    large: float = Field(50.0, gt=1)  # factor no split has without the volume showing it
    edge: NonNegativeInt = 63  # rows from the ends where a step is examined twice
    min_history: int = Field(15, ge=3)  # rows a symbol needs to be judged

    needs: ClassVar[tuple[str, ...]] = ("open", "close", "adj_close", "volume")
    shows: ClassVar[tuple[str, ...]] = ("close", "adj_close")
    sentence: ClassVar[str] = (
        "No price steps by a factor of {factors} that adj_close shares, that is taken back within {within} "
        "rows, or that the volume contradicts."
    )

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the rows in another unit, or the row of the step when it is not taken back."""
        moves = block.returns
        rows = np.flatnonzero(np.abs(moves) >= np.log(min(self.factors)) - self.tolerance)
        rows = block.with_history(rows, self.min_history)
        rows = rows[near_ratio(moves[rows], self.factors) <= self.tolerance]
        if not len(rows):
            return rows
        shared = np.abs(moves[rows] + block.factor_steps[rows]) >= np.abs(moves[rows]) / 2
        here, then = rows[:-1], rows[1:]
        back = (
            (block.symbol_of(here) == block.symbol_of(then))
            & (then - here <= self.within)
            & (moves[here] * moves[then] < 0)
            & (np.abs(moves[here] + moves[then]) <= 2 * self.tolerance)
        )
        alone = rows[shared | self._contradicted(block, rows)]
        return np.unique(np.concatenate([alone, stretches(here[back], then[back])]))

    def goes_beyond(self, block: Block, rows: NDArray[np.int64]) -> bool:
        """Return whether a step is not taken back."""
        return is_lasting(block.returns, rows, 2 * self.tolerance)

    def _contradicted(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return where money traded, price times shares, steps by most of the factor too."""
        step, _ = level_change(block, block.log("volume") + block.log("close"), rows)
        size = np.abs(block.returns[rows])
        with_it = step * np.sign(block.returns[rows]) >= 0.7 * size
        number = block.symbol_of(rows)
        at_end = np.minimum(rows - block.bounds[number], block.bounds[number + 1] - rows) <= self.edge
        contradicted: NDArray[np.bool_] = with_it & (at_end | (size >= np.log(self.large)))
        return contradicted


class ExpectAdjustedCloseToFollowClose(BlockExpectation):
    """Expect `adj_close / close` to rise at dividends and splits only, and to fall at reverse splits only.

    Prices are adjusted backwards: each dividend and split lowers what came before it, so the factor rises
    with time. It falls only where shares were consolidated, and then the close jumps up by that ratio.
    """

    tolerance: PositiveFloat = 2e-4  # log step that counts as none
    noise: NonNegativeFloat = 10.0  # usual steps of the symbol that count as none
    dividend: PositiveFloat = 0.05  # log step a dividend may have without a fall of the close
    sigmas: PositiveFloat = 3.5  # usual daily moves a fall may differ from the step
    ratios: list[float] = SPLIT_RATIOS  # new shares for one old

    needs: ClassVar[tuple[str, ...]] = ("close", "adj_close")
    sentence: ClassVar[str] = (
        "adj_close divided by close never falls by more than {tolerance} in logs but at a reverse split, and "
        "rises by more than {dividend} only where the close falls with it."
    )

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the stretches away from the close, or the row of a step that is not taken back."""
        steps = block.factor_steps
        rows = np.flatnonzero(np.abs(steps) > self.tolerance)
        rows = rows[np.abs(steps[rows]) > self._noise(block, rows)]
        if not len(rows):
            return rows
        size, net = steps[rows], block.returns[rows] + steps[rows]
        usual = np.maximum(local_sigma(block, block.returns + steps, rows, (-1, 1)), 0.01)
        usual = np.where(np.isfinite(usual), usual, 0.02)
        whole = np.rint(np.exp(np.abs(size)))  # shares are consolidated 1 for 35 or for 200, too
        consolidated = (np.abs(np.abs(size) - np.log(whole)) <= _EXACT) & (whole > 1)
        reverse_split = (consolidated | (near_ratio(size, self.ratios) <= _EXACT)) & (
            np.abs(net) <= np.maximum(2 * self.sigmas * usual, 0.15)
        )
        fell = (size < 0) & ~reverse_split
        rose = (size > self.dividend) & (np.abs(net) > np.maximum(self.sigmas * usual, size / 2))
        bad, symbol = fell | rose, block.symbol_of(rows)
        # Between two steps that cancel, all rows are wrong instead.
        cancels = np.flatnonzero(
            (symbol[:-1] == symbol[1:])
            & (np.abs(size[:-1] + size[1:]) <= 0.15 * np.abs(size[:-1]) + 1e-9)
            & (bad[:-1] | bad[1:])
        )
        bad[cancels] = bad[cancels + 1] = False
        return np.unique(np.concatenate([rows[bad], stretches(rows[cancels], rows[cancels + 1])]))

    def goes_beyond(self, block: Block, rows: NDArray[np.int64]) -> bool:
        """Return whether a step is not taken back."""
        return is_lasting(block.factor_steps, rows, self.tolerance, 0.15)

    def _noise(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the step that rounding, or a factor that changes every day, makes."""
        noise, digits = np.zeros((2, len(block.symbols)))
        symbol = block.symbol_of(rows)
        for number in np.unique(symbol):
            span = slice(block.bounds[number], block.bounds[number + 1])
            noise[number] = self.noise * np.nan_to_num(
                median_of_lines(np.abs(block.factor_steps[None, span]))[0]
            )
            digits[number] = max(_tick(block.column(name)[span]) for name in ("close", "adj_close"))
        prices = np.minimum(block.column("close")[rows], block.column("adj_close")[rows])
        return np.maximum(noise[symbol], 2 * digits[symbol] / prices)


def _tick(values: NDArray[np.float64]) -> float:
    """Return the step prices are rounded to: a cent, a hundredth of one, or none."""
    finite = values[np.isfinite(values)]
    for tick in (0.01, 0.0001):
        if np.all(np.abs(finite / tick - np.rint(finite / tick)) < 1e-6 / tick):
            return tick
    return 0.0
