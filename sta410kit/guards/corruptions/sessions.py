"""What goes wrong with symbols, dates and the order of rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.guards.corruptions.corruption import (
    BAR,
    PRICES,
    Draw,
    Frame,
    catalogue,
    copied,
    require,
    rows_of,
    stretch,
    symbol_count,
    with_symbols,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HALF = 0.5
_FRIDAY = 4


def _without(frame: Frame, rows: NDArray[np.int64]) -> Frame:
    return frame.drop(index=frame.index[rows]).reset_index(drop=True)


def _dated(frame: Frame, rows: NDArray[np.int64], by: pd.Timedelta) -> Frame:
    dates = frame["date"].astype("datetime64[us]").copy()
    dates.iloc[rows] = dates.iloc[rows] + by
    return frame.assign(date=dates)


def _a_day_off(frame: Frame, rng: Draw, rows: NDArray[np.int64]) -> Frame:
    return _dated(frame, rows, pd.Timedelta(days=int(rng.choice([-1, 1]))))


def _end_lost(frame: Frame, rng: Draw) -> Frame:
    rows = rows_of(frame, rng, 3)
    require(symbol_count(frame) > 1)  # alone, nothing shows that it was longer
    return _without(frame, rows[-int(rng.integers(1, max(2, len(rows) // 2))) :])


def _cut_short(frame: Frame, rng: Draw) -> Frame:
    """Not within the first symbol, so that others show how far it should go."""
    symbols = frame["symbol"]
    inside = np.flatnonzero((symbols == symbols.shift(-1)) & (symbols != symbols.iloc[0]))
    require(len(inside))
    return frame.iloc[: int(rng.choice(inside)) + 1]


def _weekend_row(frame: Frame, rng: Draw) -> Frame:
    fridays = np.flatnonzero(frame["date"].dt.day_of_week == _FRIDAY)
    require(len(fridays))
    row = int(rng.choice(fridays))
    day = frame["date"].iloc[row] + pd.Timedelta(days=int(rng.integers(1, 3)))
    extra = frame.iloc[[row]].assign(date=day)
    extra[PRICES] *= 1 + 0.001 * rng.random()
    return pd.concat([frame.iloc[: row + 1], extra, frame.iloc[row + 1 :]], ignore_index=True)


def _a_session_off(frame: Frame, rng: Draw) -> Frame:
    rows = rows_of(frame, rng, 400)
    require(symbol_count(frame) > 2)  # noqa: PLR2004 - two do not tell which one is off
    values = [name for name in frame.columns if name not in {"symbol", "date"}]
    by = int(rng.choice([-1, 1]))
    new = copied(frame, rows, values, np.roll(frame[values].to_numpy()[rows], by, axis=0))
    return _without(new, rows[[0 if by > 0 else -1]])


def _in_future(frame: Frame, rng: Draw) -> Frame:
    rows = rows_of(frame, rng)
    return _dated(frame, rows[-int(rng.integers(1, 4)) :], pd.Timedelta(days=36525))


def _time_of_day(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 1, len(frame), margin=0)
    return _dated(frame, rows, pd.Timedelta(hours=float(rng.choice([16, 5, 0.5]))))


def _shuffled(frame: Frame, rng: Draw) -> Frame:
    require(len(frame) > 3)  # noqa: PLR2004 - fewer may come in order by chance
    return frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)


def _reversed(frame: Frame, _rng: Draw) -> Frame:
    require(len(frame) > 1)
    return frame.iloc[::-1].reset_index(drop=True)


def _two_swapped(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 2, 30, margin=0)
    order = np.arange(len(frame))
    order[[rows[0], rows[-1]]] = order[[rows[-1], rows[0]]]
    return frame.iloc[order].reset_index(drop=True)


def _in_other_case(frame: Frame, rng: Draw) -> Frame:
    rows = rows_of(frame, rng)
    require(symbol_count(frame) > 1)  # alone, nothing shows how it is spelled
    some = rows if rng.random() < _HALF else rows[: max(1, len(rows) // 3)]
    name = frame["symbol"].iloc[some[0]]
    require(name != name.lower())
    return with_symbols(frame, some, str.lower)


def _same_series(frame: Frame, rng: Draw) -> Frame:
    names = frame["symbol"].unique()
    require(len(names) > 1)
    one, other = (str(name) for name in rng.choice(names, 2, replace=False))
    source = frame[frame["symbol"] == one].set_index("date")
    there = np.flatnonzero((frame["symbol"] == other) & frame["date"].isin(source.index))
    require(len(there) >= 15)  # noqa: PLR2004 - fewer may agree by chance
    columns = [*PRICES, "volume"] if rng.random() < _HALF else PRICES
    return copied(frame, there, columns, source.loc[frame["date"].iloc[there], columns].to_numpy())


def _revised(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 1, 60, margin=0)
    new = frame.copy()
    for name in BAR if rng.random() < _HALF else ["volume"]:
        values = new[name].to_numpy(float).copy()
        values[rows] = np.round(values[rows] * (1 + rng.choice([-1, 1]) * rng.uniform(0.001, 0.02)), 2)
        new[name] = np.round(values) if name == "volume" else values
    require(not new.equals(frame))
    return new


def _lost_in_every_symbol(frame: Frame, rng: Draw) -> Frame:
    days = np.sort(frame["date"].unique())
    require(len(days) >= 10)  # noqa: PLR2004 - not the first or the last ones
    day = days[rng.integers(2, len(days) - 2)]
    return _without(frame, np.flatnonzero(frame["date"].to_numpy() == day))


def _drifted(frame: Frame, rng: Draw) -> Frame:
    if rng.random() < _HALF:
        return frame.assign(vwap=frame["close"])
    return frame.assign(volume=frame["volume"].astype(float))


_ALONE = catalogue(
    session_lost=("A symbol lacks a session.", lambda frame, rng: _without(frame, stretch(frame, rng, 1, 1))),
    weeks_lost=(
        "A symbol lacks some weeks.",
        lambda frame, rng: _without(frame, stretch(frame, rng, 5, 120)),
    ),
    end_lost=("A symbol ends before the others.", _end_lost),
    file_cut_short=("The download broke off within a symbol.", _cut_short),
    weekend_row=("There is a row on a day without a session.", _weekend_row),
    dates_a_day_off=(
        "Dates of a stretch are a day off.",
        lambda frame, rng: _a_day_off(frame, rng, stretch(frame, rng, 6, 250, margin=0)),
    ),
    symbol_a_day_off=(
        "All dates of a symbol are a day off.",
        lambda frame, rng: _a_day_off(frame, rng, rows_of(frame, rng, 10)),
    ),
    symbol_a_session_off=(
        "A symbol's values are a session off, which shows beside others that move with it.",
        _a_session_off,
    ),
    dates_in_future=("The last dates lie in the future.", _in_future),
    time_of_day=("Dates have a time of day.", _time_of_day),
    rows_shuffled=("Rows come in no order.", _shuffled),
    rows_reversed=("The newest row comes first.", _reversed),
    two_rows_swapped=("Two rows are in each other's place.", _two_swapped),
    symbol_in_other_case=("A symbol is spelled in small letters.", _in_other_case),
    invisible_sign=(
        "A symbol ends in an invisible character.",
        lambda frame, rng: with_symbols(frame, rows_of(frame, rng), lambda name: f"{name}\u200b"),
    ),
    same_series=("Two symbols have one series, in the sessions they have in common.", _same_series),
)
_BESIDE_A_SNAPSHOT = catalogue(
    history_revised=("Past values were changed.", _revised),
    history_lost=(
        "A past session is gone, in every symbol, so that only the snapshot shows it.",
        _lost_in_every_symbol,
    ),
    schema_drift=("A column is new, or holds another kind of values.", _drifted),
)
CORRUPTIONS = [*_ALONE, *(replace(one, since_snapshot=True) for one in _BESIDE_A_SNAPSHOT)]
