"""Sessions missing or extra by the exchange's calendar, and series that begin or end at the wrong place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit._internal.text import pluralize
from sta410kit.guards.calendars import sessions
from sta410kit.guards.expectations.frame_expectation import Findings, FrameExpectation, Walker

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block, Panel


class SessionWalker(Walker):
    """Compares the days of each symbol with the sessions of its exchange."""

    expectation: ExpectSessionsToMatchCalendar

    def __init__(self, expectation: ExpectSessionsToMatchCalendar, panel: Panel) -> None:
        super().__init__(expectation, panel)
        self.first, self.last = int(panel.days.min()), int(panel.days.max())
        self.found: list[tuple[str, NDArray[np.int32], NDArray[np.int64]]] = []
        self.notes: list[str] = []
        self._own: dict[str, ExpectSessionsToMatchCalendar] = {
            name: expectation.copy(update=thresholds) for name, thresholds in expectation.overrides.items()
        }
        self._ordinals: dict[str, NDArray[np.int32]] = {}

    def ordinals(self, market: str) -> NDArray[np.int32]:
        """Return the number of the session on each day of the frame's span, -1 on other days."""
        if market not in self._ordinals:
            table = np.full(self.last - self.first + 1, -1, np.int32)
            days = sessions(market, self.first, self.last)
            table[days - self.first] = np.arange(len(days))
            self._ordinals[market] = table
        return self._ordinals[market]

    def visit(self, block: Block) -> None:
        """Most symbols have every session: they are recognised together, the others looked at one by one."""
        table = self.ordinals(self.expectation.calendar)
        places = table[block.days - self.first]
        step = np.ones(block.rows, np.int32)
        step[1:] = np.diff(places)
        step[block.first] = 1
        odd = (places < 0) | (step != 1)
        complete = np.ones(len(block.bounds) - 1, bool)
        complete[block.symbol_of(np.flatnonzero(odd))] = False
        ends = places[block.bounds[1:] - 1]
        complete &= ends == table.max(initial=-1)
        named = {*self._own, *self.expectation.starts, *self.expectation.ends}
        for number, whole in enumerate(complete):
            name = self.panel.symbols[block.first_symbol + number]
            if not whole or name in named:
                span = slice(block.bounds[number], block.bounds[number + 1])
                self._look(name, block.days[span], block.offset + int(block.bounds[number]))

    def _look(self, name: str, days: NDArray[np.int32], offset: int) -> None:
        asked = self._own.get(name, self.expectation)
        all_days = sessions(asked.calendar, self.first, self.last)
        extra = np.flatnonzero(~np.isin(days, all_days))
        begin = max(_day(asked.starts[name]), self.first) if name in asked.starts else int(days[0])
        end = min(_day(asked.ends[name]), self.last) if name in asked.ends else self.last
        due = all_days[(all_days >= begin) & (all_days <= end)]
        missing = np.setdiff1d(due, days)
        late = missing[missing > days[-1]]
        inside = missing[missing <= days[-1]]
        if len(late) <= asked.max_missing_at_end:
            late = late[:0]
        if len(inside) <= asked.max_missing:
            inside = inside[:0]
        for gone, what in ((inside, "missing"), (late, "missing at the end")):
            if len(gone):
                self.found.append((name, gone, np.full(len(gone), -1)))
                first = np.datetime64(int(gone[0]), "D")
                self.notes.append(f"{name}: {pluralize(len(gone), 'session')} {what}, the first {first}")
        if len(extra):
            self.found.append((name, days[extra], self.panel.position(offset + extra)))
            self.notes.append(
                f"{name}: {len(extra)} dates without a session, "
                f"the first {np.datetime64(int(days[extra[0]]), 'D')}"
            )

    def findings(self) -> Findings:
        """Return missing sessions, which have no row, and rows that are no session."""
        if not self.found:
            return Findings()
        return Findings(
            np.concatenate([np.full(len(days), name, object) for name, days, _ in self.found]),
            np.concatenate([days for _, days, _ in self.found]).astype(np.int32),
            np.concatenate([rows for _, _, rows in self.found]),
            tuple(self.notes),
        )


class ExpectSessionsToMatchCalendar(FrameExpectation):
    """Expect each symbol to have every session of its exchange, and no other day."""

    calendar: str = pydantic.Field("XNYS", description="Exchange, as exchange-calendars names it.")
    starts: dict[str, str] = pydantic.Field(
        default_factory=dict,
        description="First session of a symbol; elsewhere its first row is taken for it.",
    )
    ends: dict[str, str] = pydantic.Field(
        default_factory=dict, description="Last session of a symbol; elsewhere the frame's last session."
    )
    max_missing: int = pydantic.Field(0, ge=0, description="Sessions a symbol may lack between its rows.")
    max_missing_at_end: int = pydantic.Field(
        0, ge=0, description="Sessions a symbol may lack after its last row."
    )

    sentence: ClassVar[str] = (
        "Every symbol has a row for each session of {calendar} from its first to the frame's last "
        "session, and for no other day; at most {max_missing} are missing within and "
        "{max_missing_at_end} at the end."
    )
    walker: ClassVar[type[Walker]] = SessionWalker

    @pydantic.validator("starts", "ends")
    def _days(cls, value: dict[str, Any]) -> dict[str, Any]:  # noqa: N805 - pydantic
        for day in value.values():
            _day(day)
        return value


def _day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(int))
