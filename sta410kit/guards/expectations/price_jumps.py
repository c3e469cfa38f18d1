"""A price that jumps by the ratio of a split, or by a lot, with nothing to explain it.

A split that the source forgot to adjust for comes overnight, between two sessions of ordinary range and
ordinary turnover, and stays. A crash (AAPL, 2000-09-29) comes with many times the usual volume or range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import FrameExpectation
from sta410kit.guards.robust import local_sigma, median_of_lines, near_ratio, quantile_of_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block

SPLIT_RATIOS = [1.25, 4 / 3, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 100, 1000]


class ExpectJumpsToBeExplained(FrameExpectation):
    """Expect no overnight jump of the adjusted price, like a split or far out, on a quiet day."""

    ratios: list[float] = pydantic.Field(
        SPLIT_RATIOS, description="Ratios of splits, new shares for one old."
    )
    tolerance: float = pydantic.Field(0.04, gt=0, description="Log distance from a ratio that counts as it.")
    min_jump: float = pydantic.Field(0.2, gt=0, description="Smallest log jump that is looked at.")
    split_sigmas: float = pydantic.Field(
        6.0, gt=0, description="Usual daily moves a split-like jump exceeds."
    )
    far_jump: float = pydantic.Field(0.38, gt=0, description="Log jump that is far out, whatever its ratio.")
    far_sigmas: float = pydantic.Field(12.0, gt=0, description="Usual daily moves a far jump exceeds.")
    alone: float = pydantic.Field(2.5, ge=1, description="Times the largest gaps near, but for the top 2 %.")
    quiet_span: float = pydantic.Field(3.0, gt=0, description="Usual ranges a quiet day stays within.")
    quiet_volume: float = pydantic.Field(4.0, gt=0, description="Usual volumes a quiet day stays within.")
    news_volume: float = pydantic.Field(
        2.0, gt=0, description="Usual volumes that explain a jump below `far_jump` on the busiest day."
    )
    busiest: float = pydantic.Field(
        1.25, ge=1, description="Times the next largest volume near that the busiest day has."
    )
    min_history: int = pydantic.Field(15, ge=3, description="Rows a symbol needs to be judged.")

    needs: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close", "adj_close", "volume")
    shows: ClassVar[tuple[str, ...]] = ("close", "adj_close", "volume")
    sentence: ClassVar[str] = (
        "No price jumps overnight by the ratio of a split (a log jump of {min_jump} and more) without "
        "adj_close telling of it, and none by {far_jump} whatever the ratio, on a day whose range stays "
        "within {quiet_span} and whose volume stays within {quiet_volume} times the usual. A crash is no "
        "such day."
    )

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Return the rows after an unexplained jump."""
        jumps = block.gaps + block.factor_steps
        net = block.returns + block.factor_steps
        rows = np.flatnonzero((np.abs(jumps) >= self.min_jump) & (np.abs(net) >= self.min_jump / 2))
        rows = rows[block.length_at(rows) >= self.min_history]
        if not len(rows):
            return rows
        size = np.abs(jumps[rows])
        usual = local_sigma(block, net, rows, (-1, 1))
        off = near_ratio(size, self.ratios)
        split_like = (off <= np.maximum(self.tolerance, 3 * local_sigma(block, jumps, rows, (-1, 1)))) & (
            size >= self.split_sigmas * usual
        )
        # Where opens do not stand by the close before, every move comes overnight: a jump tells less.
        loose = local_sigma(block, jumps, rows, (-1, 1), reach=30) >= 0.8 * local_sigma(
            block, net, rows, (-1, 1), reach=30
        )
        split_like &= ~loose | (size >= np.maximum(self.far_jump, self.far_sigmas * usual))
        far = ~loose & (size >= np.maximum(self.far_jump, self.far_sigmas * usual))
        chosen = (split_like | far) & self._quiet(block, rows, size)
        return rows[chosen & self._alone(block, jumps, rows, size)]

    def _alone(
        self, block: Block, jumps: NDArray[np.float64], rows: NDArray[np.int64], size: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Tell which jumps stand out among all others near; where large ones are common, one is no news.

        The largest few of them are left aside: they may be jumps of the same kind.
        """
        near = np.abs(block.around(jumps, rows, (-120, 120), (-1, 1)))
        return size >= self.alone * quantile_of_lines(near, 0.98)

    def _quiet(self, block: Block, rows: NDArray[np.int64], size: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell where range and volume are ordinary; a split multiplies the shares traded by its ratio.

        A crash has a range of some size beside its fall: a busy day at another level is still a busy day.
        """
        span = median_of_lines(block.around(block.spans, rows, (-12, 12), (0, 0)))
        volume = median_of_lines(block.around(block.log("volume"), rows, (-12, 12), (0, 0)))
        loud = block.spans[rows] > np.maximum(self.quiet_span * np.maximum(span, 0.005), size / 3)
        traded = block.log("volume")[rows]
        loud |= traded - volume > size + np.log(self.quiet_volume)
        # Moves of a quarter come from news more often than from splits: such a day is the busiest near.
        near = block.around(block.log("volume"), rows, (-12, 12), (0, 0))
        busiest = traded >= quantile_of_lines(near, 1.0) + np.log(self.busiest)
        loud |= (size < self.far_jump) & busiest & (traded - volume > size + np.log(self.news_volume))
        return ~loud
