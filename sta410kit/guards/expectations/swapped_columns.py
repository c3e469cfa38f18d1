"""Open and close in each other's place, which no bar alone can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import FrameExpectation
from sta410kit.guards.robust import stretches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block


class ExpectOpenToFollowClose(FrameExpectation):
    """Expect opens near the close before them, and not closes near the open before."""

    window: int = pydantic.Field(63, ge=10, description="Rows that are judged together.")
    ratio: float = pydantic.Field(1.8, gt=1, description="How much nearer the wrong neighbour has to be.")
    min_history: int = pydantic.Field(20, ge=3, description="Rows a stretch needs to be judged.")

    needs: ClassVar[tuple[str, ...]] = ("open", "close")
    sentence: ClassVar[str] = (
        "Over {window} rows, opens are not {ratio} times further from the close before them than closes are "
        "from the open before."
    )

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Return the stretches in which open and close are swapped."""
        follow = np.abs(block.gaps)
        cross = np.abs(
            block.change(block.log("close")) + (block.log("close") - block.log("open"))[self._back(block)]
        )
        wild = ~(np.maximum(follow, cross) < 0.2)  # noqa: PLR2004 - a split, or nothing to compare
        follow, cross = np.where(wild, 0, follow), np.where(wild, 0, cross)
        sizes = np.diff(block.bounds)
        begins = stretches(np.zeros_like(sizes), -(-sizes // self.window)) * self.window
        begins += np.repeat(block.first, -(-sizes // self.window))
        ends = np.append(begins[1:], block.rows)
        near, far = np.add.reduceat(cross, begins), np.add.reduceat(follow, begins)
        bad = (far > self.ratio * near) & (ends - begins >= self.min_history) & (near > 0)
        return stretches(begins[bad], ends[bad])

    @staticmethod
    def _back(block: Block) -> NDArray[np.int64]:
        """Return the row before each row; the first one stands for itself."""
        return np.maximum(np.arange(block.rows) - 1, 0)
