"""After which sessions the future is changed.

One changed future can only show what the values just before its cutoff know of it. So the cutoffs are spread
over the whole history, fall on month ends and on every weekday, inside the life of every symbol, on days of
great moves, and on days on which a column that is mostly silent speaks. What is filled from behind begins too
early, and shows nowhere but at its beginning.
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

LEAST = 10  # sessions without which there is no past and no future
_FOR_THE_BRIEF = 0.3  # share of the cutoffs that is spread by the lives of the symbols
_ENOUGH = 10  # cutoffs of which some can be spared for great moves
_MOVES = 0.01  # share of the rows, by column, that counts as great moves
_FRIDAY, _THIRD = 4, 2  # counted from 0
_SILENT = 0.6  # a column with this share of one value, or of none, speaks on the other days


def read(panel: Panel, cutoffs: object) -> int | Dates:
    """Return how many cutoffs are asked for, or which, sorted.

    Parameters
    ----------
    cutoffs : int or sequence of dates
        How many, at most one a session; or which. A date between two sessions means the one before.

    Raises
    ------
    DataValidationError
        There are fewer than ten sessions.
    ConfigurationError
        There is no cutoff at all, or one that leaves no past or no future.
    """
    sessions = panel.sessions
    if len(sessions) < LEAST:
        message = f"the leak probe needs at least {LEAST} sessions, got {len(sessions)}; load a longer period"
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


def spread(panel: Panel, number: int, columns: dict[str, Column], rng: np.random.Generator) -> Dates:
    """Return the best session of each of `number` stretches of the history."""
    sessions = panel.sessions
    first = max(1, min(len(sessions) // 20, 60))  # the very first days say little: every window is empty
    places = np.arange(first, len(sessions) - 1)
    alive = np.stack([(sessions >= c[0]) & (sessions < c[-1]) for c in panel.calendars])
    wanted = np.vstack([alive, _speaking(columns, sessions), _year_end(sessions)])
    if number >= _ENOUGH:
        wanted = np.vstack([wanted, _moving(panel)])
    due = np.full(len(wanted), 3.0)
    turns = _calendar(sessions)
    chosen = []
    # From the end: the latest sessions have the most symbols, and so settle most of what is due.
    for turn, stretch in enumerate(reversed(_stretches(places, alive[:, places], number))):
        score = turns[turn % len(turns)][stretch] + rng.random(len(stretch)) * 0.5
        score += np.minimum(due @ wanted[:, stretch], 12.0)
        best = stretch[int(score.argmax())]
        due[wanted[:, best]] /= 2
        chosen.append(sessions[best])
    return np.sort(np.array(chosen))


def choose(
    panel: Panel, number: int, columns: dict[str, Column], rng: np.random.Generator
) -> tuple[Dates, Dates]:
    """Return the sessions spread over the history, and those at which columns begin.

    They are `number` together, but for a single one: that stands inside.
    """
    begun = beginnings(panel, number, columns)[: number - 1]
    return spread(panel, number - len(begun), columns, rng), begun


def beginnings(panel: Panel, number: int, columns: dict[str, Column]) -> Dates:
    """Return the sessions on which columns have their first values: the earliest, then the most common.

    There are one or, with many cutoffs, a few. A history that ends there is short, and so costs little.
    """
    sessions = panel.sessions[:-1]
    firsts = [column.rows.dates[pd.notna(column.data)] for column in columns.values()]
    places = [np.searchsorted(sessions, dates.min(), side="right") - 1 for dates in firsts if len(dates)]
    found, counts = np.unique([place for place in places if place >= 0], return_counts=True)
    best = np.append(found[:1], found[1:][np.argsort(-counts[1:], kind="stable")])
    return sessions[best[: max(1, number // 20)].astype(np.int64)]


def _stretches(places: NDArray[np.int64], alive: NDArray[np.bool_], number: int) -> list[NDArray[np.int64]]:
    """Cut the places into stretches: alike in length, but shorter where a symbol lives briefly."""
    if number >= len(places):
        return [places[n : n + 1] for n in range(len(places))]
    lives = np.maximum(alive.sum(axis=1), 1)
    weight = (1 - _FOR_THE_BRIEF) / len(places) + _FOR_THE_BRIEF * (alive / lives[:, None]).mean(axis=0)
    edges = np.searchsorted(np.cumsum(weight), weight.sum() * np.arange(1, number) / number)
    return [part for part in np.split(places, np.unique(edges)) if len(part)]


def _year_end(sessions: Dates) -> NDArray[np.bool_]:
    years = sessions.astype("datetime64[Y]")
    return np.append(years[1:] != years[:-1], [False])


def _moving(panel: Panel) -> NDArray[np.bool_]:
    """Mark, by column of the prices, the sessions of the greatest moves: rare branches are taken there.

    Prices move together; a column that moves on the days of one before it gets no entry. Dividends and splits
    count as moves of a column of their own.
    """
    order = panel.by_symbol
    same = panel.codes[order][1:] == panel.codes[order][:-1]
    found = [np.zeros(len(panel.sessions), dtype=bool)]
    for values in (*panel.cells.values(), _adjustment(panel)):
        if values.dtype.kind not in "iuf":
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = np.where(same, np.abs(np.diff(np.log(values[order].astype(np.float64)))), 0.0)
        steps[~np.isfinite(steps)] = 0.0
        top = np.argpartition(steps, -math.ceil(_MOVES * len(steps)))[-math.ceil(_MOVES * len(steps)) :]
        moved = np.zeros(len(panel.sessions), dtype=bool)
        moved[np.searchsorted(panel.sessions, panel.dates[order][1:][top[steps[top] > 0]])] = True
        if not any(2 * (moved & other).sum() > moved.sum() for other in found):
            found.append(moved)
    return np.stack(found)


def _adjustment(panel: Panel) -> NDArray[np.float64]:
    """Return what dividends and splits have made of the close, to four digits; 1 where that is not told."""
    names = {str(panel.frame.columns[place]).casefold(): place for place in panel.columns}
    if not {"close", "adj_close"} <= names.keys():
        return np.ones(len(panel.frame))
    close, adjusted = (
        pd.to_numeric(panel.frame.iloc[:, names[name]], errors="coerce").to_numpy(dtype=np.float64)
        for name in ("close", "adj_close")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share: NDArray[np.float64] = np.round(adjusted / close, 4)
    return share


def _calendar(sessions: Dates) -> list[NDArray[np.float64]]:
    """Return the scores of the sessions by turns: a month's end, and a weekday, each in its turn.

    Of the Fridays those on which options expire come first.
    """
    months = sessions.astype("datetime64[M]")
    month_end = np.append(months[1:] != months[:-1], [False])
    dates = sessions.astype("datetime64[D]")
    weekday = (dates.astype(np.int64) + 3) % 7  # 1970 began on a Thursday
    week = (dates - months.astype("datetime64[D]")).astype(np.int64) // 7
    expiry = (weekday == _FRIDAY) & (week == _THIRD)
    turns = [turn for day in range(5) for turn in ((weekday == day) & ~month_end, month_end)]
    return [turn + np.where(turn & expiry, 1.0, 0.0) for turn in turns]


def _speaking(columns: dict[str, Column], sessions: Dates) -> NDArray[np.bool_]:
    """Mark, by mostly silent column and session, where it says something else than usual."""
    found = [np.zeros(len(sessions), dtype=bool)]
    for column in columns.values():
        loud = _loud(column.data)
        if loud is not None:
            places = np.searchsorted(sessions, column.rows.dates[loud])
            said = np.zeros(len(sessions), dtype=bool)
            said[places[places < len(sessions)]] = True
            found.append(said)
    return np.stack(found)


def _loud(values: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Mark the values that are not the usual one; None where there is no usual one, or no other."""
    if not len(values):
        return None
    if values.dtype == object:
        usual = pd.Series(values).mode(dropna=False).iloc[0]
    else:
        # Whatever most values are is also their median, and a thousand of them tell.
        some = np.sort(values[:: max(1, len(values) // 1000)].astype(np.float64))
        usual = some[len(some) // 2]
    silent: NDArray[np.bool_] = np.equal(values, usual)
    if silent.all() or silent.mean() < _SILENT:
        # NaN equals nothing and is sorted to the end: empty days are counted on their own.
        silent = pd.isna(values)
    return ~silent if _SILENT <= silent.mean() < 1 else None
