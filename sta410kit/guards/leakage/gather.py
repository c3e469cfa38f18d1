"""Differences of many runs, as one finding a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.guards.leakage.panel import days
from sta410kit.guards.leakage.report import NOT_DETERMINISTIC, LeakFinding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sta410kit.guards.leakage.compare import Different
    from sta410kit.guards.leakage.outputs import Codes, Column
    from sta410kit.guards.leakage.panel import Panel

_FAR = 10  # a look ahead of as many sessions that begins with the first values is one over the whole sample
_FIRST = 0.1  # share of the past, from the first value on, that counts as the first values
_NEARLY_ALL = 0.8


@dataclass(frozen=True)
class Sighting:
    """The first bad row of one column and symbol in one run."""

    code: int
    date: np.datetime64
    ahead: int
    whole: bool
    cutoff: np.datetime64
    mode: str


class Sightings:
    """All that was seen, by column."""

    def __init__(self, panel: Panel, codes: Codes, columns: dict[str, Column], *, bar_known: bool) -> None:
        self._panel = panel
        self._codes = codes
        self._columns = columns
        self._firsts: dict[str, dict[int, np.datetime64]] = {}
        self._bar_known = bar_known
        self._seen: dict[str, list[Sighting]] = {}

    def __bool__(self) -> bool:
        return bool(self._seen)

    def add(self, name: str, found: Different, cutoff: np.datetime64, mode: str) -> None:
        """Note what differed in a column when the future after `cutoff` was changed."""
        if name not in self._firsts:
            self._firsts[name] = _first_values(self._columns[name])
        earliest = pd.Series(found.dates).groupby(found.codes).min()
        for code, date in zip(earliest.index, days(earliest), strict=True):
            first = self._firsts[name].get(code)
            whole = first is not None and date <= first + _FIRST * (cutoff - first)
            sighting = Sighting(int(code), date, self._ahead(int(code), date, cutoff), whole, cutoff, mode)
            self._seen.setdefault(name, []).append(sighting)

    def findings(self, random: dict[str, Different], horizons: dict[str, int]) -> tuple[LeakFinding, ...]:
        """Return one finding a column, in the order of the columns; `random` ones are no leaks."""
        return tuple(
            self._random(name, random[name]) if name in random else self._finding(name, horizons[name])
            for name in self._columns
            if name in random or name in self._seen
        )

    def _ahead(self, code: int, date: np.datetime64, cutoff: np.datetime64) -> int:
        """Return how many sessions lie from a bad row to the first that was changed."""
        calendar = self._panel.sessions
        if 0 <= code < len(self._panel.names) and self._panel.calendars[code][-1] > cutoff:
            calendar = self._panel.calendars[code]
        here, there = np.searchsorted(calendar, np.array([date, cutoff]), side="right") - 1
        return int(there - here) + self._bar_known

    def _finding(self, name: str, horizon: int) -> LeakFinding:
        seen = self._seen[name]
        first = min(seen, key=lambda one: one.date)
        ahead = max(one.ahead for one in seen)
        offset = _offset(ahead, whole=_mostly(one.whole for one in seen) and ahead >= _FAR)
        symbols = tuple(dict.fromkeys(self._symbol(one.code) for one in sorted(seen, key=lambda s: s.code)))
        symbol, date, cutoff = self._symbol(first.code), f"{first.date}"[:10], f"{first.cutoff}"[:10]
        declared = f", more than the declared horizon of {horizon}" if horizon else ""
        since = "after" if self._bar_known else "from the bar of"
        message = (
            f"{name}: the value{_of(symbol)} on {date} changes when the future {since} {cutoff} is "
            f"{first.mode} ({offset}{declared})"
        )
        return LeakFinding(name, symbol, date, cutoff, offset, ahead, first.mode, symbols, message)

    def _random(self, name: str, found: Different) -> LeakFinding:
        place = int(np.argmin(found.dates))
        symbol, date = self._symbol(int(found.codes[place])), f"{found.dates[place]}"[:10]
        symbols = tuple(dict.fromkeys(self._symbol(int(code)) for code in np.unique(found.codes)))
        message = (
            f"{name}: not deterministic: two calls on the same prices differ, first{_of(symbol)} on {date}; "
            "seed it and keep no state between calls, then probe again"
        )
        return LeakFinding(name, symbol, date, "", "", 0, NOT_DETERMINISTIC, symbols, message)

    def _symbol(self, code: int) -> str:
        return "" if code < 0 else str(self._codes.names[code])


def _mostly(told: Iterable[bool]) -> bool:
    """Whether nearly all say so: a run may by luck leave the first values as they were."""
    votes = list(told)
    return sum(votes) >= _NEARLY_ALL * len(votes)


def _of(symbol: str) -> str:
    return f" of {symbol}" if symbol else ""


def _offset(ahead: int, *, whole: bool) -> str:
    if whole:
        return "uses the whole sample"
    return f"uses t+{ahead}" if ahead else "uses the bar of t itself"


def _first_values(column: Column) -> dict[int, np.datetime64]:
    """Return the date of the first value of each symbol."""
    filled = pd.notna(column.data)
    firsts = pd.Series(column.rows.dates[filled]).groupby(column.rows.codes[filled]).min()
    return dict(zip((int(code) for code in firsts.index), days(firsts), strict=True))
