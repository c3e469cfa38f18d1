"""What goes wrong in any table: values missing or of another type, rows and columns lost or doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.guards.corruptions.corruption import Draw, Frame, catalogue, with_symbols

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _number(frame: Frame, rng: Draw) -> str:
    keys = {"symbol", "date"}
    names = [name for name in frame.columns if name not in keys and frame[name].dtype.kind in "fiu"]
    return str(names[rng.integers(len(names))])


def _some(frame: Frame, rng: Draw) -> NDArray[np.int64]:
    """Return one row, a few, or a share of all."""
    count = int(max(1, min(len(frame), rng.choice([1, 3, len(frame) // 100, len(frame) // 3]))))
    return np.sort(rng.choice(len(frame), count, replace=False))


def _filled(frame: Frame, rng: Draw, value: float) -> Frame:
    name, rows = _number(frame, rng), _some(frame, rng)
    values = frame[name].to_numpy(float).copy()
    values[rows] = value
    return frame.assign(**{name: values})


def _as_text(frame: Frame, rng: Draw) -> Frame:
    name = _number(frame, rng)
    return frame.assign(**{name: frame[name].astype(str)})


def _some_as_text(frame: Frame, rng: Draw) -> Frame:
    name, rows = _number(frame, rng), _some(frame, rng)
    values = frame[name].astype(object).to_numpy().copy()
    values[rows] = [f"{values[row]:,}" for row in rows]
    return frame.assign(**{name: pd.Series(values, index=frame.index, dtype=object)})


def _doubled(frame: Frame, rng: Draw) -> Frame:
    order = np.sort(np.concatenate([np.arange(len(frame)), _some(frame, rng)]), kind="stable")
    return frame.iloc[order].reset_index(drop=True)


def _with_space(frame: Frame, rng: Draw) -> Frame:
    rows = _some(frame, rng)
    sign = str(rng.choice([" ", "\t", "\u00a0"]))
    half = 0.5
    return with_symbols(frame, rows, lambda name: f"{name}{sign}" if rng.random() < half else f"{sign}{name}")


def _with_zone(frame: Frame, rng: Draw) -> Frame:
    return frame.assign(date=frame["date"].dt.tz_localize(str(rng.choice(["UTC", "America/New_York"]))))


CORRUPTIONS = catalogue(
    missing_values=("Values are missing in a column.", lambda frame, rng: _filled(frame, rng, np.nan)),
    infinite_values=(
        "Values are infinite.",
        lambda frame, rng: _filled(frame, rng, np.inf * rng.choice([-1, 1])),
    ),
    numbers_as_text=("A column of numbers comes as text.", _as_text),
    some_numbers_as_text=("Some numbers come as text with thousands separated.", _some_as_text),
    column_lost=(
        "A column is gone.",
        lambda frame, rng: frame.drop(columns=str(rng.choice(list(map(str, frame.columns))))),
    ),
    rows_doubled=("Rows come twice.", _doubled),
    no_rows=("The table is empty.", lambda frame, _: frame.iloc[:0]),
    symbol_missing=(
        "Rows do not name their symbol.",
        lambda frame, rng: with_symbols(frame, _some(frame, rng), lambda _: None),
    ),
    symbol_with_space=("Symbols have a stray space.", _with_space),
    dates_as_text=(
        "Dates come as text.",
        lambda frame, _: frame.assign(date=frame["date"].dt.strftime("%Y-%m-%d")),
    ),
    dates_with_zone=("Dates have a time zone.", _with_zone),
)
