"""What goes wrong in any table: values missing or of another type, rows and columns lost or doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.guards.corruptions.corruption import Catalogue, Draw, Frame, with_symbols

if TYPE_CHECKING:
    from numpy.typing import NDArray

catalogue = Catalogue()


@catalogue
def missing_values(frame: Frame, rng: Draw) -> Frame:
    """Values are missing in a column."""
    return _filled(frame, rng, np.nan)


@catalogue
def infinite_values(frame: Frame, rng: Draw) -> Frame:
    """Values are infinite."""
    value = np.inf * rng.choice([-1, 1])
    return _filled(frame, rng, value)


@catalogue
def numbers_as_text(frame: Frame, rng: Draw) -> Frame:
    """A column of numbers comes as text."""
    name = _number(frame, rng)
    return frame.assign(**{name: frame[name].astype(str)})


@catalogue
def some_numbers_as_text(frame: Frame, rng: Draw) -> Frame:
    """Some numbers come as text with thousands separated."""
    name, rows = _number(frame, rng), _some(frame, rng)
    values = frame[name].astype(object).to_numpy().copy()
    values[rows] = [f"{values[row]:,}" for row in rows]
    return frame.assign(**{name: pd.Series(values, index=frame.index, dtype=object)})


@catalogue
def column_lost(frame: Frame, rng: Draw) -> Frame:
    """A column is gone."""
    return frame.drop(columns=str(rng.choice(list(map(str, frame.columns)))))


@catalogue
def rows_doubled(frame: Frame, rng: Draw) -> Frame:
    """Rows come twice."""
    order = np.sort(np.concatenate([np.arange(len(frame)), _some(frame, rng)]), kind="stable")
    return frame.iloc[order].reset_index(drop=True)


@catalogue
def no_rows(frame: Frame, rng: Draw) -> Frame:  # noqa: ARG001 - a corruption's signature
    """The table is empty."""
    return frame.iloc[:0]


@catalogue
def symbol_missing(frame: Frame, rng: Draw) -> Frame:
    """Rows do not name their symbol."""
    return with_symbols(frame, _some(frame, rng), lambda _: None)


@catalogue
def symbol_with_space(frame: Frame, rng: Draw) -> Frame:
    """Symbols have a stray space."""
    rows = _some(frame, rng)
    sign = str(rng.choice([" ", "\t", "\u00a0"]))
    half = 0.5
    return with_symbols(frame, rows, lambda name: f"{name}{sign}" if rng.random() < half else f"{sign}{name}")


@catalogue
def dates_as_text(frame: Frame, rng: Draw) -> Frame:  # noqa: ARG001 - a corruption's signature
    """Dates come as text."""
    return frame.assign(date=frame["date"].dt.strftime("%Y-%m-%d"))


@catalogue
def dates_with_zone(frame: Frame, rng: Draw) -> Frame:
    """Dates have a time zone."""
    return frame.assign(date=frame["date"].dt.tz_localize(str(rng.choice(["UTC", "America/New_York"]))))


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
