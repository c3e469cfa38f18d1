"""Sessions without volume, and volumes that are no whole number of shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import FrameExpectation
from sta410kit.guards.robust import run_lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block


class ExpectNoRunsOfZeroVolume(FrameExpectation):
    """Expect trading in nearly every session, and none of the rest to have moved the price."""

    max_run: int = pydantic.Field(3, ge=0, description="Sessions in a row that may pass without volume.")
    max_moved: int = pydantic.Field(
        1, ge=0, description="Sessions in a row without volume whose price may move."
    )
    quiet_share: float = pydantic.Field(
        0.2,
        ge=0,
        le=1,
        description="Share of sessions without volume from which on moved prices are no news.",
    )
    min_history: int = pydantic.Field(15, ge=1, description="Rows from which on single sessions are judged.")

    needs: ClassVar[tuple[str, ...]] = ("high", "low", "volume")
    sentence: ClassVar[str] = (
        "No more than {max_run} sessions in a row pass without volume, and no more than {max_moved} in which "
        "the price moved."
    )

    def scan(self, block: Block) -> NDArray[np.int64]:
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


class ExpectWholeShares(FrameExpectation):
    """Expect volume in whole shares."""

    needs: ClassVar[tuple[str, ...]] = ("volume",)
    sentence: ClassVar[str] = "Volume is a whole number of shares."

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Return the rows with a part of a share."""
        raw = block.panel.raw("volume")
        if raw is not None and raw.dtype.kind in "iu":
            return np.empty(0, np.int64)
        volume = block.column("volume")
        # NaN differs from itself; it is another expectation's.
        return np.flatnonzero((volume != np.rint(volume)) & ~np.isnan(volume))
