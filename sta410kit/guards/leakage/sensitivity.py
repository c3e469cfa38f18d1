"""What a value depends on that is no leak: where the history starts, and later revisions of `adj_close`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sta410kit.guards.leakage.outputs import Column, Rows
from sta410kit.guards.leakage.panel import Panel
from sta410kit.guards.leakage.runs import FOREVER, Comparison, Past

if TYPE_CHECKING:
    from sta410kit.guards.leakage.runs import Difference, Runs

_VISIBLE = 1e-6  # share of a value below which a dependence no longer matters
_STARTS = (0.25, 0.5)
_END = 0.9  # a difference in the last tenth of what is left means that the value never settles
_ADJUSTED = ("adj_close", "adj close", "adjclose")


def warmup(runs: Runs) -> dict[str, int | None]:
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


def revisions(runs: Runs, rng: np.random.Generator) -> tuple[str, ...]:
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
