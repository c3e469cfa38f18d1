"""Rows out of order, symbols spelled in two ways, dates that are no session, sessions that are missing."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import NonNegativeInt, PositiveFloat, field_validator

from sta410kit._internal.text import pluralize
from sta410kit.guards.calendars import sessions
from sta410kit.guards.evidence import NO_ROW, Evidence, at_panel_rows, at_positions, concatenate
from sta410kit.guards.expectations.base import BlockExpectation, Expectation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.block import Block
    from sta410kit.guards.panel import Panel


class ExpectRowsInOrder(Expectation):
    """Expect the rows of a symbol to be consecutive and in order of date."""

    sentence: ClassVar[str] = "The rows of each symbol are consecutive and in order of date."

    def judge(self, panel: Panel) -> Evidence:
        """Return the rows after a later one of their symbol, and those apart from it."""
        return at_positions(panel.frame, panel.unsorted)


class ExpectDatesWithoutTime(Expectation):
    """Expect dates to be sessions, without a time of day."""

    sentence: ClassVar[str] = "Every date is a session: it has no time of day."

    def judge(self, panel: Panel) -> Evidence:
        """Return the rows whose date has a time of day."""
        return at_positions(panel.frame, panel.timed)


class ExpectDatesNotInFuture(Expectation):
    """Expect no session in the future."""

    days_ahead: NonNegativeInt = 0  # days after today (UTC) that are accepted

    sentence: ClassVar[str] = "No row is dated later than {days_ahead} days after today (UTC)."

    def judge(self, panel: Panel) -> Evidence:
        """Return the rows dated after today."""
        today = _day(datetime.now(UTC).date().isoformat())
        return at_panel_rows(panel, np.flatnonzero(panel.days > today + self.days_ahead))


class ExpectLastSessionToBeRecent(Expectation):
    """Expect the last row of each symbol to be recent enough to act on."""

    calendar: str = "XNYS"  # exchange, as exchange-calendars names it
    max_age: NonNegativeInt | None = None  # whole sessions that may have passed; not checked when null
    as_of: str | None = None  # the day that counts as today; the real one when null

    sentence: ClassVar[str] = (
        "No more whole sessions of {calendar} have passed since the last row of each symbol than max_age: "
        "{max_age}."
    )

    def judge(self, panel: Panel) -> Evidence:
        """Return the last row of each symbol that is too old."""
        if self.max_age is None:
            return Evidence()
        today = _day(self.as_of or datetime.now(UTC).date().isoformat())
        ends = panel.bounds[1:] - 1
        ages = [len(sessions(self.calendar, int(day) + 1, today - 1)) for day in panel.days[ends]]
        return at_panel_rows(panel, ends[np.array(ages) > self.max_age])


class ExpectSymbolsSpelledAlike(Expectation):
    """Expect one spelling for each symbol: no space, no invisible character, no other case."""

    capitals: PositiveFloat = 0.6  # share of symbols in capitals that makes it the rule

    sentence: ClassVar[str] = (
        "Each symbol has one spelling: no space, only plain characters, and capitals where {capitals} "
        "of them have."
    )

    def judge(self, panel: Panel) -> Evidence:
        """Return the first row of every symbol whose spelling is off."""
        names = panel.symbols
        plain = [_plain(name) for name in names]
        times = Counter(plain)
        capitals = np.mean([name == name.upper() for name in names]) >= self.capitals
        wrong: dict[int, str] = {}
        for number, name in enumerate(names):
            if " " in name or not name.isprintable() or not name.isascii():
                wrong[number] = f"{name!r} contains a space or a character that does not belong in a symbol"
            elif times[plain[number]] > 1:
                wrong[number] = f"{name!r} is also spelled in another way"
            elif capitals and name != name.upper():
                wrong[number] = f"{name!r} is not in capitals as the others are"
        return at_panel_rows(panel, panel.bounds[np.array(list(wrong), np.int64)], wrong.values())


class ExpectSessionsToMatchCalendar(BlockExpectation):
    """Expect each symbol to have every session of its exchange, and no other day."""

    calendar: str = "XNYS"  # exchange, as exchange-calendars names it
    starts: dict[str, str] = {}  # first session of a symbol; elsewhere its first row is taken for it
    ends: dict[str, str] = {}  # last session of a symbol; elsewhere the frame's last session
    max_missing: NonNegativeInt = 0  # sessions a symbol may lack between its rows
    max_missing_at_end: NonNegativeInt = 0  # sessions a symbol may lack after its last row

    finds_rows_to_drop: ClassVar[bool] = True
    sentence: ClassVar[str] = (
        "Every symbol has a row for each session of {calendar} from its first to the frame's last "
        "session, and for no other day; at most {max_missing} are missing within and "
        "{max_missing_at_end} at the end."
    )

    @field_validator("starts", "ends")
    @classmethod
    def _days(cls, value: dict[str, str]) -> dict[str, str]:
        for day in value.values():
            _day(day)
        return value

    def scan(self, block: Block) -> list[Evidence]:
        """Recognise complete symbols together, and look at the others one by one."""
        first, last = block.panel.span
        numbers = _session_numbers(self.calendar, first, last)
        places = numbers[block.days - first]
        step = np.ones(block.rows, np.int32)
        step[1:] = np.diff(places)
        step[block.first] = 1
        complete = np.ones(len(block.symbols), bool)
        complete[block.symbol_of(np.flatnonzero((places < 0) | (step != 1)))] = False
        complete &= places[block.bounds[1:] - 1] == numbers.max(initial=-1)
        special = {*self.overrides, *self.starts, *self.ends}
        return [
            one
            for number, rows in block.spans_of_symbols()
            if not complete[number] or block.symbols[number] in special
            for one in self._of_symbol(block, block.symbols[number], rows)
        ]

    def conclude(self, panel: Panel, parts: list[Any]) -> Evidence:  # noqa: ARG002 - the base's signature
        """Return missing sessions, which have no row, and rows that are no session."""
        return concatenate([one for part in parts for one in part])

    def _of_symbol(self, block: Block, name: str, rows: slice) -> list[Evidence]:
        asked = self.model_copy(update=self.overrides.get(name, {}))
        first, last = block.panel.span
        days = block.days[rows]
        every = sessions(asked.calendar, first, last)
        begin = max(_day(asked.starts[name]), first) if name in asked.starts else int(days[0])
        end = min(_day(asked.ends[name]), last) if name in asked.ends else last
        missing = np.setdiff1d(every[(every >= begin) & (every <= end)], days)
        late = missing[missing > days[-1]]
        inside = missing[missing <= days[-1]]
        extra = np.flatnonzero(~np.isin(days, every))
        positions = block.panel.position(block.offset + rows.start + extra)
        market, setting = asked.calendar, f'"overrides": {{"{name}": {{"calendar": "XASX"}}}}'
        unknown = f"without a session of {market} (for another exchange set {setting}, or calendar for all)"
        return [
            Evidence(
                where,
                np.full(len(gone), name, object),
                gone,
                (f"{name}: {pluralize(len(gone), noun)} {what}, the first {_date(gone[0])}",),
            )
            for gone, where, most, noun, what in (
                (inside, np.full(len(inside), NO_ROW), asked.max_missing, "session", f"of {market} missing"),
                (
                    late,
                    np.full(len(late), NO_ROW),
                    asked.max_missing_at_end,
                    "session",
                    f"of {market} missing at the end",
                ),
                (days[extra], positions, 0, "date", unknown),
            )
            if len(gone) > most
        ]


@lru_cache(maxsize=8)
def _session_numbers(market: str, first: int, last: int) -> NDArray[np.int32]:
    """Return the number of the session on each day from `first` to `last`, -1 on other days."""
    table = np.full(last - first + 1, -1, np.int32)
    days = sessions(market, first, last)
    table[days - first] = np.arange(len(days))
    table.flags.writeable = False  # shared
    return table


def _day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(int))


def _date(day: int) -> str:
    return str(np.datetime64(int(day), "D"))


def _plain(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum() or sign in ".-^=/_")
