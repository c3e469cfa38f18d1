"""Rows that do not stand together by symbol, in order of date."""

from __future__ import annotations

from typing import ClassVar

from sta410kit.guards.expectations.frame_expectation import (
    Findings,
    FrameExpectation,
    PanelWalker,
    Walker,
    of_frame,
)


class OrderWalker(PanelWalker):
    """The panel has seen the order already."""

    def findings(self) -> Findings:
        """Return the rows that stand behind a later one of their symbol, or apart from it."""
        return of_frame(self.panel, self.panel.unsorted)


class ExpectRowsInOrder(FrameExpectation):
    """Expect the rows of a symbol to stand together, by date."""

    sentence: ClassVar[str] = "The rows of each symbol stand together, in order of date."
    walker: ClassVar[type[Walker]] = OrderWalker
