"""Calls of the probed function, each as if it were the first, and which past values differ between them.

What a value depends on that is no leak is measured here as well: where the history starts, and later
revisions of `adj_close`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.leakage.outputs import Codes, Column, Rows, columns_of
from sta410kit.guards.leakage.panel import Panel
from sta410kit.guards.leakage.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sta410kit.guards.leakage.panel import Dates

    Positions = NDArray[np.int64]

FOREVER = np.datetime64(2**62, "us")
_FLOOR = 1e-15  # smaller differences are rounding, at any scale
_VISIBLE = 1e-6  # share of a value below which a dependence no longer matters
_STARTS = (0.25, 0.5)
_END = 0.9  # a difference in the last tenth of what is left means that the value never settles
_ADJUSTED = ("adj_close", "adj close", "adjclose")


@dataclass(frozen=True)
class Past:
    """What must not change, as dates by symbol code; the last entry is the whole market."""

    until: Dates  # values up to this date must not change
    rows: Dates  # rows up to this date must be present; a later target is not known yet
    listed: Dates  # rows before the symbol's first session carry no information


@dataclass(frozen=True, eq=False)
class Difference:
    """The rows of one column that differ: symbol code and date of each."""

    codes: Positions
    dates: Dates


@dataclass(frozen=True, eq=False)
class _Alignment:
    """The past rows of two runs side by side; -1 marks a row that one run lacks."""

    left: Positions
    right: Positions
    codes: Positions
    dates: Dates
    complete: bool  # whether no row is lacking


class Comparison:
    """All columns of one run against the same columns of another."""

    def __init__(self, base: dict[str, Column], other: dict[str, Column], tolerance: float) -> None:
        self._base, self._other, self._tolerance = base, other, tolerance
        self._alignments: dict[tuple[int, int, int], _Alignment] = {}

    def difference(self, name: str, past: Past) -> Difference | None:
        """Return the past rows of a column that differ; a missing row equals NaN, and NaN equals NaN."""
        base, other = self._base[name], self._other.get(name)
        if other is None:
            return _missing_column(base, past)
        key = (id(base.rows), id(other.rows), id(past))  # columns that share their rows are aligned once
        if key not in self._alignments:
            self._alignments[key] = _align(base.rows, other.rows, past)
        at = self._alignments[key]
        left, right = (
            (base.data[at.left], other.data[at.right])
            if at.complete
            else (_take(base.data, at.left), _take(other.data, at.right))
        )
        if np.array_equal(left.view(np.int64), right.view(np.int64)):  # bit for bit, as nearly always
            return None
        with np.errstate(invalid="ignore", over="ignore"):
            allowed = self._tolerance * (_take(base.scale, at.left) + np.abs(left)) + _FLOOR
            close = (np.abs(left - right) <= allowed) & np.isfinite(left) & np.isfinite(right)
        differs = ~(close | (left == right) | (np.isnan(left) & np.isnan(right)))
        return Difference(at.codes[differs], at.dates[differs]) if differs.any() else None


def _align(base: Rows, other: Rows, past: Past) -> _Alignment:
    left = np.flatnonzero(base.dates <= _by_code(past.until, base.codes))
    right = np.flatnonzero(other.dates <= _by_code(past.until, other.codes))
    keys, other_keys = base.keys[left], other.keys[right]
    if np.array_equal(keys, other_keys):
        return _Alignment(left, right, base.codes[left], base.dates[left], complete=True)
    there = pd.Index(other_keys).get_indexer(pd.Index(keys))
    lost = there < 0
    extra = right[~np.isin(other_keys, keys)]
    lost_due = _due(base.codes[left], base.dates[left], past)
    # A function may return its latest rows only, so rows before its first one are no surprise.
    firsts = pd.Series(base.dates).groupby(base.codes).min().reindex(other.codes[extra]).to_numpy()
    extra = extra[_due(other.codes[extra], other.dates[extra], past) & ~(other.dates[extra] < firsts)]
    kept = ~lost | lost_due
    return _Alignment(
        np.concatenate([left[kept], np.full(len(extra), -1)]),
        np.concatenate([np.where(lost, -1, right[there])[kept] if len(right) else there[kept], extra]),
        np.concatenate([base.codes[left[kept]], other.codes[extra]]),
        np.concatenate([base.dates[left[kept]], other.dates[extra]]),
        complete=False,
    )


def _take(values: NDArray[np.float64], positions: Positions) -> NDArray[np.float64]:
    """Return the values at these positions, NaN at -1."""
    if not len(values):
        return np.full(len(positions), np.nan)
    taken: NDArray[np.float64] = values[positions]
    taken[positions < 0] = np.nan
    return taken


def _by_code(dates: Dates, codes: Positions) -> Dates:
    """Look dates up by code; -1 and symbols that the prices lack use the last entry, the whole market."""
    return dates[np.minimum(codes, len(dates) - 1)]


def _due(codes: Positions, dates: Dates, past: Past) -> NDArray[np.bool_]:
    """Mark the rows that both runs should have."""
    due: NDArray[np.bool_] = (dates <= _by_code(past.rows, codes)) & (dates >= _by_code(past.listed, codes))
    return due


def _missing_column(base: Column, past: Past) -> Difference | None:
    """Judge a column that the other run lacks: it matters only if it told one past day from another."""
    early = base.rows.dates <= _by_code(past.rows, base.rows.codes)
    filled = np.flatnonzero(early & ~np.isnan(base.data))
    if len(np.unique(base.data[filled])) <= 1:
        return None
    return Difference(base.rows.codes[filled], base.rows.dates[filled])


class Runs:
    """Every call of one function, and what was noticed on the way."""

    def __init__(self, build: Callable[[pd.DataFrame], Any], panel: Panel, tolerance: float) -> None:
        self._build = build
        self._state = State(build)
        self._errors: list[str] = []
        self._listed = np.array([calendar[0] for calendar in (*panel.calendars, panel.sessions)])
        self.panel = panel
        self.codes = Codes(panel.names)
        self.tolerance = tolerance
        self.count = 1
        self.state_changed = False
        frame = panel.frame.copy()
        try:
            output = build(frame)
        except (Exception, SystemExit) as error:
            message = f"the function raised {_describe(error)} on the unchanged prices"
            raise ConfigurationError(message) from error
        self.input_changed = not frame.equals(panel.frame)
        self.base = columns_of(output, panel, self.codes)

    def again(self, panel: Panel, change: str, *, fresh: bool = True) -> dict[str, Column] | None:
        """Run on other prices, from the first state if `fresh`; None when the function raised."""
        if fresh:
            self.state_changed |= self._state.restore()
        self.count += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # warnings about invented prices do not concern the user
                return columns_of(self._build(panel.frame.copy()), panel, self.codes)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's function may raise anything
            self._errors.append(f"{change}: {_describe(error)}")
            return None

    def compare(self, other: dict[str, Column]) -> Comparison:
        """Return the comparison of another run with the first."""
        return Comparison(self.base, other, self.tolerance)

    def past(
        self, cutoff: np.datetime64, horizon: int = 0, horizon_of_rows: int = 0, *, bar_known: bool = False
    ) -> Past:
        """Return what must not change when the prices after `cutoff` do."""
        until = self.panel.limits(cutoff, horizon, bar_known=bar_known)
        return Past(until, self.panel.limits(cutoff, horizon_of_rows), self._listed)

    def not_deterministic(self) -> dict[str, Difference]:
        """Return the columns that differ in two more runs on the same prices."""
        # The second starts from the state of the first: this finds a function that counts its calls.
        found: dict[str, Difference] = {}
        past = self.past(FOREVER)
        for fresh in (True, False):
            other = self.again(self.panel, "the unchanged prices", fresh=fresh)
            if other is not None:
                comparison = self.compare(other)
                for name in self.base.keys() - found.keys():
                    if (difference := comparison.difference(name, past)) is not None:
                        found[name] = difference
        return found

    def end(self) -> None:
        """Leave the function in the state in which it was given."""
        self.state_changed |= self._state.restore()

    def notes(self) -> tuple[str, ...]:
        """Return what was noticed, in sentences."""
        found = []
        if self.input_changed:
            found.append("the function changes the prices it is given; each run got a copy")
        if self.state_changed:
            found.append("the function keeps state between calls; each run started from its first state")
        if self._errors:
            found.append(
                f"the function raised in {len(self._errors)} of {self.count} runs, "
                f"first with {self._errors[0]}"
            )
        return tuple(found)


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def sessions_to_warm_up(runs: Runs) -> dict[str, int | None]:
    """Return for how many sessions each column depends on where the history starts; None for always."""
    settled: dict[str, int | None] = {}
    panel = runs.panel
    ends = np.full(len(panel.names) + 1, FOREVER)
    for share in _STARTS:
        start = panel.sessions[int(len(panel.sessions) * share)]
        late = runs.again(panel.only(panel.dates >= start), f"the history from {str(start)[:10]} on")
        if late is not None:
            comparison = Comparison(_from(runs.base, start), late, _VISIBLE)
            past = Past(ends, ends, np.full(len(ends), start))
            for name in runs.base:
                sessions = _sessions_to_settle(comparison.difference(name, past), panel, start)
                before = settled.get(name, 0)
                settled[name] = None if sessions is None or before is None else max(sessions, before)
    return {name: sessions for name, sessions in settled.items() if sessions != 0}


def moved_by_revisions(runs: Runs, rng: np.random.Generator) -> tuple[str, ...]:
    """Return the columns that move with the level of `adj_close`, which later splits rescale."""
    panel = runs.panel
    names = [str(name).casefold() for name in panel.frame.columns]
    place = next((names.index(name) for name in _ADJUSTED if name in names), None)
    if place is None:
        return ()
    frame = panel.frame.copy()
    factors = rng.uniform(0.3, 0.7, len(panel.names))
    frame.isetitem(place, frame.iloc[:, place].to_numpy(dtype=float) * factors[panel.codes])
    other = runs.again(Panel(frame, panel.dates, panel.symbols, panel.columns), "adj_close rescaled")
    if other is None:
        return ()
    comparison, past = Comparison(runs.base, other, _VISIBLE), runs.past(FOREVER)
    return tuple(name for name in runs.base if comparison.difference(name, past) is not None)


def _from(columns: dict[str, Column], start: np.datetime64) -> dict[str, Column]:
    late = {id(column.rows): column.rows.dates >= start for column in columns.values()}
    rows = {
        id(c.rows): Rows(c.rows.codes[late[id(c.rows)]], c.rows.dates[late[id(c.rows)]])
        for c in columns.values()
    }
    return {n: Column(rows[id(c.rows)], c.data[late[id(c.rows)]]) for n, c in columns.items()}


def _sessions_to_settle(found: Difference | None, panel: Panel, start: np.datetime64) -> int | None:
    """Return the number of sessions up to the last difference, or None if it lies at the end."""
    furthest = 0
    if found is None:
        return furthest
    for code in np.unique(found.codes):
        calendar = panel.calendars[code] if 0 <= code < len(panel.names) else panel.sessions
        calendar = calendar[calendar >= start]
        place = int(np.searchsorted(calendar, found.dates[found.codes == code].max(), side="right"))
        if place > _END * len(calendar):
            return None
        furthest = max(furthest, place)
    return furthest
