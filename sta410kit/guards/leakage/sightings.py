"""Differences seen in many runs, condensed to one finding per column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.guards.leakage.panel import days
from sta410kit.guards.leakage.report import NOT_DETERMINISTIC, LeakFinding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sta410kit.guards.leakage.outputs import Codes, Column
    from sta410kit.guards.leakage.panel import Panel
    from sta410kit.guards.leakage.runs import Difference

_FAR = 10  # a look ahead of as many sessions that starts with the first values is one over the whole sample
_FIRST = 0.1  # share of the past, from the first value on, that counts as the first values
_NEARLY_ALL = 0.8  # a run may leave the first values as they were by chance


@dataclass(frozen=True)
class _Sighting:
    """The first bad row of one column and symbol in one run."""

    code: int
    date: np.datetime64
    ahead: int
    from_first: bool
    cutoff: np.datetime64
    mode: str


class Sightings:
    """Everything that was seen, by column."""

    def __init__(self, panel: Panel, codes: Codes, columns: dict[str, Column], *, bar_known: bool) -> None:
        self._panel, self._codes, self._columns = panel, codes, columns
        self._bar_known = bar_known
        self._firsts: dict[str, dict[int, np.datetime64]] = {}
        self._seen: dict[str, list[_Sighting]] = {}

    def __bool__(self) -> bool:
        return bool(self._seen)

    def add(self, name: str, found: Difference, cutoff: np.datetime64, mode: str) -> None:
        """Note what differed in a column when the future after `cutoff` was changed."""
        if name not in self._firsts:
            rows, filled = self._columns[name].rows, ~np.isnan(self._columns[name].data)
            self._firsts[name] = dict(_earliest(rows.codes[filled], rows.dates[filled]))
        for code, date in _earliest(found.codes, found.dates):
            first = self._firsts[name].get(code)
            from_first = first is not None and bool(date <= first + _FIRST * (cutoff - first))
            sighting = _Sighting(code, date, self._ahead(code, date, cutoff), from_first, cutoff, mode)
            self._seen.setdefault(name, []).append(sighting)

    def findings(self, random: dict[str, Difference], horizons: dict[str, int]) -> tuple[LeakFinding, ...]:
        """Return one finding per column, in order of the columns; the columns in `random` are no leaks."""
        return tuple(
            self._random(name, random[name]) if name in random else self._leak(name, horizons[name])
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

    def _leak(self, name: str, horizon: int) -> LeakFinding:
        seen = self._seen[name]
        first = min(seen, key=lambda one: one.date)
        ahead = max(one.ahead for one in seen)
        if ahead >= _FAR and sum(one.from_first for one in seen) >= _NEARLY_ALL * len(seen):
            offset = "uses the whole sample"
        else:
            offset = f"uses t+{ahead}" if ahead else "uses the bar of t itself"
        date, cutoff = f"{first.date}"[:10], f"{first.cutoff}"[:10]
        declared = f", more than the declared horizon of {horizon}" if horizon else ""
        since = "after" if self._bar_known else "from the bar of"
        symbol, place, symbols = self._symbols(first.code, (one.code for one in seen))
        message = (
            f"{name}: the value{place} on {date} changes when the future {since} {cutoff} is "
            f"{first.mode} ({offset}{declared})"
        )
        return LeakFinding(name, symbol, date, cutoff, offset, ahead, first.mode, symbols, message)

    def _random(self, name: str, found: Difference) -> LeakFinding:
        first = int(np.argmin(found.dates))
        date = f"{found.dates[first]}"[:10]
        symbol, place, symbols = self._symbols(int(found.codes[first]), np.unique(found.codes).tolist())
        message = (
            f"{name}: not deterministic: two calls on the same prices differ, first{place} on {date}; "
            "seed it and keep no state between calls, then probe again"
        )
        return LeakFinding(name, symbol, date, "", "", 0, NOT_DETERMINISTIC, symbols, message)

    def _symbols(self, first: int, codes: Iterable[int]) -> tuple[str, str, tuple[str, ...]]:
        """Return the first symbol, the same for a sentence, and all symbols; "" is the whole market."""
        known = [*map(str, self._codes.symbols), ""]  # the market has the code -1
        names, symbol = [known[code] for code in sorted({*codes})], known[first]
        return symbol, f" of {symbol}" if symbol else "", tuple(names)


def _earliest(codes: np.ndarray, dates: np.ndarray) -> list[tuple[int, np.datetime64]]:
    """Return the first date of each code."""
    firsts = pd.Series(dates).groupby(codes).min()
    return list(zip(firsts.index.tolist(), days(firsts), strict=True))
