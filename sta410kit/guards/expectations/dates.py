"""Dates that have not come yet, and dates with a time of day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.calendars import sessions
from sta410kit.guards.expectations.frame_expectation import (
    Findings,
    FrameExpectation,
    PanelWalker,
    Walker,
    of_frame,
    of_rows,
)


class FutureWalker(PanelWalker):
    """Compares days with today."""

    expectation: ExpectDatesNotInFuture

    def findings(self) -> Findings:
        """Return the rows dated after today."""
        today = int(np.datetime64(datetime.now(UTC).date(), "D").astype(int))
        return of_rows(self.panel, np.flatnonzero(self.panel.days > today + self.expectation.days_ahead))


class ExpectDatesNotInFuture(FrameExpectation):
    """Expect no session that has not come yet."""

    days_ahead: int = pydantic.Field(0, ge=0, description="Days after today (UTC) that are let through.")

    sentence: ClassVar[str] = "No row is dated later than {days_ahead} days after today (UTC)."
    walker: ClassVar[type[Walker]] = FutureWalker


class TimeOfDayWalker(PanelWalker):
    """The panel has seen the stamps already."""

    def findings(self) -> Findings:
        """Return the rows whose date has a time of day."""
        return of_frame(self.panel, self.panel.timed)


class ExpectDatesWithoutTime(FrameExpectation):
    """Expect dates to be sessions, without a time of day."""

    sentence: ClassVar[str] = "Every date is a session: it has no time of day."
    walker: ClassVar[type[Walker]] = TimeOfDayWalker


class RecencyWalker(PanelWalker):
    """Compares the frame's last session with the exchange's."""

    expectation: ExpectLastSessionToBeRecent

    def findings(self) -> Findings:
        """Return the last row of each symbol when the frame is too old."""
        asked = self.expectation
        if asked.max_age is None:
            return Findings()
        today = np.datetime64(asked.as_of or datetime.now(UTC).date(), "D").astype(int)
        ends = self.panel.bounds[1:] - 1
        late = [
            end
            for end in ends
            if len(sessions(asked.calendar, int(self.panel.days[end]) + 1, int(today) - 1)) > asked.max_age
        ]
        return of_rows(self.panel, np.array(late, np.int64))


class ExpectLastSessionToBeRecent(FrameExpectation):
    """Expect the last row of each symbol to be recent enough to act on."""

    calendar: str = pydantic.Field("XNYS", description="Exchange, as exchange-calendars names it.")
    max_age: int | None = pydantic.Field(
        None, ge=0, description="Whole sessions that may have passed since; not asked when null."
    )
    as_of: str | None = pydantic.Field(
        None, description="The day that counts as today; the real one when null."
    )

    sentence: ClassVar[str] = (
        "No more whole sessions of {calendar} have passed since the last row of each symbol than max_age: "
        "{max_age}."
    )
    walker: ClassVar[type[Walker]] = RecencyWalker
