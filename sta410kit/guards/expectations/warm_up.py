"""Values that are missing after a feature has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import FrameExpectation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block


class ExpectMissingOnlyInWarmUp(FrameExpectation):
    """Expect a feature that has begun to have a value in every later session of its symbol."""

    ignore: list[str] = pydantic.Field(["target"], description="Columns that may end before the others.")

    sentence: ClassVar[str] = (
        "A feature is missing only in the first sessions of a symbol (not asked of {ignore})."
    )

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Return the rows with a value missing after its first one."""
        bad = np.zeros(block.rows, bool)
        for name in map(str, block.panel.frame.columns):
            if name in self.ignore or not block.has(name):
                continue
            missing = np.isnan(block.column(name))
            if missing.any():
                begun = np.cumsum(~missing)
                before = np.repeat(begun[block.first] - ~missing[block.first], np.diff(block.bounds))
                bad |= missing & (begun > before)
        return np.flatnonzero(bad)
