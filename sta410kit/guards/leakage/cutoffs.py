"""After which sessions the future is changed.

A changed future shows only what the values just before its cutoff know of it. So the cutoffs are spread over
the whole history and prefer sessions that represent something few others do: a month end, a weekday, the life
of a symbol, a great move, a day on which a mostly constant column takes another value. A value that is filled
from behind shows nowhere but where a column begins, so one cutoff or more lies there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.guards.leakage.panel import days

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.leakage.outputs import Column
    from sta410kit.guards.leakage.panel import Dates, Panel

    Marks = NDArray[np.bool_]

_LEAST = 10  # sessions; with fewer there is no past and no future
_BY_LIFE = 0.3  # share of the cutoffs that is spread by the lives of the symbols
_GREAT = 0.01  # share of the rows that counts as great moves
_CONSTANT = 0.6  # share of one value, or of NaN, from which on a column is mostly constant
_FRIDAY, _THIRD_WEEK = 4, 2  # counted from 0


def read_cutoffs(panel: Panel, cutoffs: object) -> int | Dates:
    """Return how many cutoffs are asked for, or which; a date between two sessions means the first."""
    sessions = panel.sessions
    if len(sessions) < _LEAST:
        message = f"the leak probe needs at least {_LEAST} sessions, got {len(sessions)}; load more"
        raise DataValidationError(message)
    if isinstance(cutoffs, int | np.integer) and not isinstance(cutoffs, bool):
        _require_some(int(cutoffs))
        return int(cutoffs)
    if isinstance(cutoffs, str) or not isinstance(cutoffs, Sequence | np.ndarray | pd.Index | pd.Series):
        message = f"cutoffs is {cutoffs!r}; give a number of cutoffs, or a list of dates"
        raise ConfigurationError(message)
    found = np.unique(days(cutoffs))
    _require_some(len(found))
    wrong = found[~((found >= sessions[0]) & (found < sessions[-1]))]
    if len(wrong):
        message = (
            f"cutoff {str(wrong[0])[:10]} leaves no past or no future; "
            f"the prices go from {str(sessions[0])[:10]} to {str(sessions[-1])[:10]}"
        )
        raise ConfigurationError(message)
    return np.unique(sessions[np.searchsorted(sessions, found, side="right") - 1])


def _require_some(number: int) -> None:
    if number < 1:
        message = f"the leak probe needs at least one cutoff, got {number}"
        raise ConfigurationError(message)


def choose_cutoffs(
    panel: Panel, number: int, columns: dict[str, Column], rng: np.random.Generator
) -> tuple[Dates, Dates]:
    """Return `number` sessions in all: some spread over the history, some at which columns begin."""
    begun = _beginnings(panel, number, columns)[: number - 1]
    return _spread(panel, number - len(begun), columns, rng), begun


def _spread(panel: Panel, number: int, columns: dict[str, Column], rng: np.random.Generator) -> Dates:
    """Return the most telling session of each of `number` stretches of the history."""
    sessions = panel.sessions
    first = max(1, min(len(sessions) // 20, 60))  # in the very first days every window is still empty
    places = np.arange(first, len(sessions) - 1)
    alive = np.stack([(sessions >= c[0]) & (sessions < c[-1]) for c in panel.calendars])
    marks = np.vstack([alive, _unusual(columns, sessions), _calendar_marks(sessions), _great_moves(panel)])
    hits = np.ones(len(marks))
    chosen = []
    # From the end: the latest sessions have the most symbols, and so represent the most.
    for stretch in reversed(_stretches(places, alive[:, places], number)):
        score = (1 / hits) @ marks[:, stretch] + rng.random(len(stretch)) * 0.5
        best = stretch[int(score.argmax())]
        hits[marks[:, best]] += 1
        chosen.append(sessions[best])
    return np.sort(np.array(chosen))


def _beginnings(panel: Panel, number: int, columns: dict[str, Column]) -> Dates:
    """Return the sessions on which columns have their first values: the earliest, then the most common."""
    sessions = panel.sessions[:-1]
    firsts = [column.rows.dates[~np.isnan(column.data)] for column in columns.values()]
    places = [np.searchsorted(sessions, dates.min(), side="right") - 1 for dates in firsts if len(dates)]
    found, counts = np.unique([place for place in places if place >= 0], return_counts=True)
    best = np.append(found[:1], found[1:][np.argsort(-counts[1:], kind="stable")])
    return sessions[best[: max(1, number // 20)].astype(np.int64)]


def _stretches(places: NDArray[np.int64], alive: Marks, number: int) -> list[NDArray[np.int64]]:
    """Cut the places into stretches of equal length, but shorter where a symbol lives briefly."""
    if number >= len(places):
        return [places[n : n + 1] for n in range(len(places))]
    lives = np.maximum(alive.sum(axis=1), 1)
    weight = (1 - _BY_LIFE) / len(places) + _BY_LIFE * (alive / lives[:, None]).mean(axis=0)
    edges = np.searchsorted(np.cumsum(weight), weight.sum() * np.arange(1, number) / number)
    return [part for part in np.split(places, np.unique(edges)) if len(part)]


def _calendar_marks(sessions: Dates) -> Marks:
    """Mark month ends, year ends, each weekday, and the Fridays on which options expire."""
    dates, months, years = (sessions.astype(f"datetime64[{unit}]") for unit in "DMY")
    weekday = (dates.astype(np.int64) + 3) % 7  # 1 January 1970 was a Thursday
    week = (dates - months.astype("datetime64[D]")).astype(np.int64) // 7
    ends = [np.append(unit[1:] != unit[:-1], [False]) for unit in (months, years)]
    expiry = (weekday == _FRIDAY) & (week == _THIRD_WEEK)
    return np.stack([*ends, *(weekday == day for day in range(5)), expiry])


def _great_moves(panel: Panel) -> Marks:
    """Mark the sessions of the greatest moves of close and volume, and of dividends and splits."""
    names = {str(panel.frame.columns[place]).casefold(): place for place in panel.columns}
    series = {
        name: pd.to_numeric(panel.frame.iloc[:, names[name]], errors="coerce").to_numpy(dtype=np.float64)
        for name in ("close", "adj_close", "volume")
        if name in names
    }
    order = panel.by_symbol
    same = panel.codes[order][1:] == panel.codes[order][:-1]
    found = [np.zeros(len(panel.sessions), dtype=bool)]
    with np.errstate(divide="ignore", invalid="ignore"):
        if {"close", "adj_close"} <= series.keys():
            series["adj_close"] = np.round(series["adj_close"] / series["close"], 4)
        for values in series.values():
            steps = np.where(same, np.abs(np.diff(np.log(values[order]))), 0.0)
            steps[~np.isfinite(steps)] = 0.0
            top = np.argsort(-steps, kind="stable")[: math.ceil(_GREAT * len(steps))]
            moved = np.zeros(len(panel.sessions), dtype=bool)
            moved[np.searchsorted(panel.sessions, panel.dates[order][1:][top[steps[top] > 0]])] = True
            found.append(moved)
    return np.stack(found)


def _unusual(columns: dict[str, Column], sessions: Dates) -> Marks:
    """Mark, for each mostly constant column, the sessions on which it takes another value."""
    found = [np.zeros(len(sessions), dtype=bool)]
    for column in columns.values():
        unusual = _other_values(column.data)
        if unusual is not None:
            places = np.searchsorted(sessions, column.rows.dates[unusual])
            marked = np.zeros(len(sessions), dtype=bool)
            marked[places[places < len(sessions)]] = True
            found.append(marked)
    return np.stack(found)


def _other_values(values: NDArray[np.float64]) -> NDArray[Any] | None:
    """Mark the values that are not the usual one; None where no value is usual, or all are."""
    if not len(values):
        return None
    sample = np.sort(values[:: max(1, len(values) // 1000)])  # the value of most rows is also the median
    usual = values == sample[len(sample) // 2]
    if usual.all() or usual.mean() < _CONSTANT:
        usual = np.isnan(values)
    return ~usual if _CONSTANT <= usual.mean() < 1 else None
