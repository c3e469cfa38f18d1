"""Rows out of order, symbols spelled in two ways, dates that are no session, sessions that are missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, field_validator

from sta410kit._internal.calendars import CALENDARS, calendar_of, known_from, sessions
from sta410kit._internal.text import pluralize
from sta410kit.guards.evidence import NO_ROW, Evidence, at_panel_rows, at_positions, concatenate
from sta410kit.guards.expectations.base import BlockExpectation, Expectation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sta410kit.guards.block import Block
    from sta410kit.guards.panel import Panel


_APART = 4  # days that the newest sessions of two exchanges differ by: holidays, and time zones
_CHOOSE = (
    "judged by {calendars} (choose another with `--exchange XASX`, the parameter `exchange`, or "
    '"overrides": {{"ACME": {{"calendar": "XASX"}}}} in the suite)'
)


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
        return at_panel_rows(panel, np.flatnonzero(panel.dates(slice(None)) > today + self.days_ahead))


class OnExchange(Expectation):
    """An expectation about the sessions of each symbol's exchange."""

    calendar: str = "XNYS"  # as exchange-calendars names it, of symbols that `calendars` does not know
    calendars: dict[str, str] = (
        CALENDARS  # calendars by patterns of symbols, such as "*.L ^FTSE"; the first counts
    )

    # first and last day of the periods in which a symbol is in the universe; outside no session is demanded
    members: dict[str, list[tuple[str, str]]] = {}

    def demanded(self, symbol: str, days: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the days on which a symbol has to have a row, as far as its membership goes."""
        if symbol not in self.members:
            return days
        asked = np.zeros(len(days), bool)
        for first, last in self.members[symbol]:
            asked |= (days >= _day(first)) & (days <= _day(last))
        return days[asked]

    def calendars_of(self, symbols: Sequence[str]) -> list[str]:
        """Return the calendar of each symbol."""
        return [calendar_of(symbol, self.calendars, self.calendar) for symbol in symbols]


class ExpectLastSessionToBeRecent(OnExchange):
    """Expect the last row of each symbol to be recent enough to act on."""

    max_age: NonNegativeInt | None = None  # whole sessions that may have passed; not checked when null
    as_of: str | None = None  # the day that counts as today; the real one when null

    sentence: ClassVar[str] = (
        "No more whole sessions of its exchange ({calendar}, unless its name says another) have passed "
        "since the last row of each symbol than max_age: {max_age}."
    )

    def judge(self, panel: Panel) -> Evidence:
        """Return the last row of each symbol that is too old."""
        if self.max_age is None:
            return Evidence()
        today = _day(self.as_of or datetime.now(UTC).date().isoformat())
        ends = panel.bounds[1:] - 1
        names = self.calendars_of(panel.symbols)
        ages = [
            len(self.demanded(symbol, sessions(name, int(day) + 1, today - 1)))
            for symbol, name, day in zip(panel.symbols, names, panel.days[ends], strict=True)
        ]
        old = np.array(ages) > self.max_age
        notes = _choose(name for name, late in zip(names, old, strict=True) if late)
        return at_panel_rows(panel, ends[old], notes)


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


class ExpectSessionsToMatchCalendar(OnExchange, BlockExpectation):
    """Expect each symbol to have every session of its exchange, and no other day."""

    starts: dict[str, str] = {}  # first session of a symbol; elsewhere its first row is taken for it
    ends: dict[
        str, str
    ] = {}  # last session of a symbol; elsewhere the last that the frame has of its exchange
    max_missing: NonNegativeInt = 0  # sessions a symbol may lack between its rows
    max_missing_at_end: NonNegativeInt = 0  # sessions a symbol may lack after its last row
    ended: PositiveInt = 63  # sessions missing at the end from which on they are one finding: a delisting

    finds_rows_to_drop: ClassVar[bool] = True
    sentence: ClassVar[str] = (
        "Every symbol has a row for each session of its exchange ({calendar}, unless its name says another) "
        "from its first to the frame's last session, and for no other day; at most {max_missing} are missing "
        "within and {max_missing_at_end} at the end."
    )

    @field_validator("starts", "ends")
    @classmethod
    def _days(cls, value: dict[str, str]) -> dict[str, str]:
        for day in value.values():
            _day(day)
        return value

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Return the symbols, by number, with a day that is no session or does not follow the one before."""
        first, last = block.panel.span
        names = self.calendars_of(block.symbols)
        step = np.ones(block.rows, np.int32)
        for name in set(names):
            places = _session_numbers(name, first, last)[block.days - first]
            moved = np.ones(block.rows, np.int32)
            moved[1:] = np.diff(places)
            moved[block.first] = 1
            moved[places < 0] = 0
            own = np.array([one == name for one in names])
            step = moved if own.all() else np.where(np.repeat(own, np.diff(block.bounds)), moved, step)
        return np.unique(block.symbol_of(np.flatnonzero(step != 1))) + block.first_symbol

    def conclude(self, panel: Panel, parts: list[Any]) -> Evidence:
        """Return missing sessions, which have no row, and rows that are no session."""
        names = self.calendars_of(panel.symbols)
        begins, ends = self._spans(panel, names)
        newest = panel.days[panel.bounds[1:] - 1]
        every = {name: sessions(name, *panel.span) for name in set(names)}
        suspects = {int(number) for part in parts for number in part}
        missing, found, wrong = {}, [], []
        for number, (symbol, name) in enumerate(zip(panel.symbols, names, strict=True)):
            due = every[name][: np.searchsorted(every[name], ends[number], side="right")]
            on_time = len(due) and newest[number] == due[-1]
            if on_time and number not in suspects and symbol not in self.starts:
                continue
            days = panel.days[panel.bounds[number] : panel.bounds[number + 1]]
            owed = self.demanded(symbol, _demanded(due[due >= begins[number]], name))
            missing[number] = np.setdiff1d(owed, days)
            extra = np.flatnonzero(~np.isin(days, every[name]) & (days >= known_from(name)))
            if len(extra):
                where = panel.position(panel.bounds[number] + extra)
                words = f"{pluralize(len(extra), 'date')} without a session of {name}"
                found.append(_finding(symbol, days[extra], words, where))
                wrong.append(name)
        shared = _shared(missing, names, begins, ends)
        for name, days in shared.items():
            if len(days) > self.max_missing:
                words = f"{name}: all its symbols lack {pluralize(len(days), 'session')}, {_date(days[0])}"
                words += f" to {_date(days[-1])}" if len(days) > 1 else ""
                found.append(Evidence(notes=(words,)))
                lacking = [number for number in missing if names[number] == name]
                found += [
                    _finding(panel.symbols[number], days[np.isin(days, missing[number])])
                    for number in lacking
                ]
                wrong.append(name)
        for number, days in missing.items():
            symbol, name = panel.symbols[number], names[number]
            own = days[~np.isin(days, shared.get(name, ()))]
            inside, late = own[own <= newest[number]], own[own > newest[number]]
            if len(inside) > self.max_missing:
                words = f"{pluralize(len(inside), 'session')} of {name} missing"
                found.append(_finding(symbol, inside, words))
                wrong.append(name)
            if len(late) > self.max_missing_at_end:
                ended = len(late) > self.ended
                words = f"{pluralize(len(late), 'session')} of {name} missing at the end"
                words += ", so it was delisted or cut short" if ended else ""
                one = _finding(symbol, late[:1] if ended else late, words)
                found.append(replace(one, whole=(symbol,) if ended else ()))
                wrong.append(name)
        return concatenate([Evidence(notes=_choose(wrong)), *found])

    def _spans(self, panel: Panel, names: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the first and the last day on which each symbol is expected to trade."""
        begins, newest = panel.days[panel.bounds[:-1]].astype(np.int64), panel.days[panel.bounds[1:] - 1]
        ends = np.full(len(names), panel.span[1], np.int64)
        for name in set(names) if len(set(names)) > 1 else ():
            own = np.array([one == name for one in names])
            latest = newest[own].max()
            ends[own] = latest if panel.span[1] - latest <= _APART else panel.span[1]
        for number, symbol in enumerate(panel.symbols if self.starts or self.ends else ()):
            if symbol in self.starts:
                begins[number] = max(_day(self.starts[symbol]), panel.span[0])
            if symbol in self.ends:
                ends[number] = min(_day(self.ends[symbol]), ends[number])
        return begins, ends


def _demanded(days: NDArray[np.int32], name: str) -> NDArray[np.int32]:
    """Return the days that have to be there: foreign exchange is not traded everywhere on two of them."""
    if name != "24/5":
        return days
    month_day = [str(day)[5:] for day in days.astype("datetime64[D]")]
    return days[[one not in {"01-01", "12-25"} for one in month_day]]


def _shared(
    missing: dict[int, NDArray[np.int32]],
    names: list[str],
    begins: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> dict[str, NDArray[np.int32]]:
    """Return the sessions that all symbols of an exchange lack, where they are several."""
    found = {}
    for name in {names[number] for number in missing}:
        days, times = np.unique(
            np.concatenate([gone for number, gone in missing.items() if names[number] == name]),
            return_counts=True,
        )
        own = np.array([one == name for one in names])
        listed = np.searchsorted(np.sort(begins[own]), days, side="right")
        listed -= np.searchsorted(np.sort(ends[own]), days, side="left")
        found[name] = days[(times == listed) & (times > 1)]
    return {name: days for name, days in found.items() if len(days)}


def _finding(
    symbol: str, days: NDArray[np.int32], words: str = "", positions: NDArray[np.int64] | None = None
) -> Evidence:
    """Return days of a symbol as evidence; without positions they have no row."""
    notes = (f"{symbol}: {words}, the first {_date(days[0])}",) if words else ()
    where = np.full(len(days), NO_ROW) if positions is None else positions
    return Evidence(where, np.full(len(days), symbol, object), days, notes)


def _choose(names: Iterable[str]) -> tuple[str, ...]:
    """Return which calendars judged, and how to choose another, as a note."""
    judged = ", ".join(sorted(set(names)))
    return (_CHOOSE.format(calendars=judged),) if judged else ()


@lru_cache(maxsize=64)
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
