"""What a value depends on that is no leak: where the history starts, and later revisions of `adj_close`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sta410kit.guards.leakage.compare import Comparison, Past
from sta410kit.guards.leakage.outputs import Column, Rows
from sta410kit.guards.leakage.panel import Panel
from sta410kit.guards.leakage.report import Sensitivity
from sta410kit.guards.leakage.runs import FOREVER

if TYPE_CHECKING:
    from sta410kit.guards.leakage.compare import Different
    from sta410kit.guards.leakage.panel import Dates
    from sta410kit.guards.leakage.runs import Runs

VISIBLE = 1e-6
"""Share of a value below which the start of the history no longer shows."""
_STARTS = (0.25, 0.5)
_END = 0.9  # a difference in the last tenth of what is left means that it never settles
_ADJUSTED = ("adj_close", "adj close", "adjclose")


def warmup(runs: Runs) -> tuple[Sensitivity, ...]:
    """Return the columns whose values depend on where the history starts, and for how long.

    The first quarter, and then the first half, of the sessions is left out. A window of 20 settles after 19
    sessions, an exponential average later, an expanding mean never.
    """
    settled: dict[str, int | None] = {}
    panel = runs.panel
    ends = np.full(len(panel.names) + 1, FOREVER)
    for share in _STARTS:
        start = panel.sessions[int(len(panel.sessions) * share)]
        late = runs.again(panel.only(panel.dates >= start), f"the history from {str(start)[:10]} on")
        if late is None:
            continue
        comparison = Comparison(_from(runs.base, start), late, VISIBLE)
        past = Past(ends, ends, np.full(len(ends), start))
        for name in runs.base:
            sessions = _settles(comparison.differing(name, past), panel, start)
            before = settled.get(name, 0)
            settled[name] = None if sessions is None or before is None else max(sessions, before)
    return tuple(_words(name, sessions) for name, sessions in settled.items() if sessions != 0)


def revisions(runs: Runs, rng: np.random.Generator) -> tuple[Sensitivity, ...]:
    """Return the columns that change when `adj_close` is rescaled, as later splits and dividends do.

    Their values are not the ones that would have been computed at the time.
    """
    panel = runs.panel
    names = [str(name).casefold() for name in panel.frame.columns]
    place = next((names.index(name) for name in _ADJUSTED if name in names), None)
    if place is None:
        return ()
    frame = panel.frame.copy()
    factors = rng.uniform(0.3, 0.7, len(panel.names))
    frame.isetitem(place, frame.iloc[:, place].to_numpy(dtype=float) * factors[panel.codes])
    rescaled = Panel(frame, panel.dates, panel.symbols, panel.columns)
    other = runs.again(rescaled, "adj_close rescaled")
    if other is None:
        return ()
    comparison, forever = runs.against(other, VISIBLE), runs.past(FOREVER)
    return tuple(
        Sensitivity(
            name,
            None,
            f"{name}: moves with the level of {panel.frame.columns[place]}, which every later split or "
            "dividend rescales; returns and ratios do not",
        )
        for name in runs.base
        if comparison.differing(name, forever) is not None
    )


def _from(columns: dict[str, Column], start: np.datetime64) -> dict[str, Column]:
    found, rows = {}, {id(column.rows): column.rows for column in columns.values()}
    late = {key: one.dates >= start for key, one in rows.items()}
    rows = {key: Rows(one.codes[late[key]], one.dates[late[key]]) for key, one in rows.items()}
    for name, column in columns.items():
        key = id(column.rows)
        found[name] = Column(rows[key], column.data[late[key]])
    return found


def _settles(found: Different | None, panel: Panel, start: np.datetime64) -> int | None:
    """Return how many sessions after the start the last difference stands, plus one; None if at the end."""
    if found is None:
        return 0
    furthest = 0
    for code in np.unique(found.codes):
        calendar = _after(panel, int(code), start)
        place = int(np.searchsorted(calendar, found.dates[found.codes == code].max(), side="right"))
        if place > _END * len(calendar):
            return None
        furthest = max(furthest, place)
    return furthest


def _after(panel: Panel, code: int, start: np.datetime64) -> Dates:
    calendar = panel.calendars[code] if 0 <= code < len(panel.names) else panel.sessions
    return calendar[calendar >= start]


def _words(name: str, sessions: int | None) -> Sensitivity:
    first = "session" if sessions == 1 else f"{sessions} sessions"
    told = "always" if sessions is None else f"for the first {first}"
    return Sensitivity(name, sessions, f"{name}: depends {told} on where the history starts")
