"""What goes wrong in any table: values missing or of another type, rows and columns lost or doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.guards.corruptions.corruption import Corruption

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEYS = {"symbol", "date"}


def _number(frame: pd.DataFrame, rng: np.random.Generator) -> str:
    names = [name for name in frame.columns if name not in _KEYS and frame[name].dtype.kind in "fiu"]
    return str(names[rng.integers(len(names))])


def _some(frame: pd.DataFrame, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return one row, a few, or a share of all."""
    count = int(max(1, min(len(frame), rng.choice([1, 3, len(frame) // 100, len(frame) // 3]))))
    return np.sort(rng.choice(len(frame), count, replace=False))


def _filled(frame: pd.DataFrame, rng: np.random.Generator, value: float) -> pd.DataFrame:
    name, rows = _number(frame, rng), _some(frame, rng)
    values = frame[name].to_numpy(float).copy()
    values[rows] = value
    return frame.assign(**{name: values})


def _missing(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return _filled(frame, rng, np.nan)


def _infinite(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return _filled(frame, rng, np.inf * rng.choice([-1, 1]))


def _text_column(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    name = _number(frame, rng)
    return frame.assign(**{name: frame[name].astype(str)})


def _text_values(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    name, rows = _number(frame, rng), _some(frame, rng)
    values = frame[name].astype(object).to_numpy().copy()
    values[rows] = [f"{values[row]:,}" for row in rows]
    return frame.assign(**{name: pd.Series(values, index=frame.index, dtype=object)})


def _column_lost(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return frame.drop(columns=str(rng.choice(list(map(str, frame.columns)))))


def _rows_doubled(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = _some(frame, rng)
    order = np.sort(np.concatenate([np.arange(len(frame)), rows]), kind="stable")
    return frame.iloc[order].reset_index(drop=True)


def _nothing(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:  # noqa: ARG001 - a corruption's shape
    return frame.iloc[:0]


def _symbol_missing(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    symbols = frame["symbol"].astype(object).to_numpy().copy()
    symbols[_some(frame, rng)] = None
    return frame.assign(symbol=symbols)


def _symbol_spaced(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    symbols = frame["symbol"].astype(object).to_numpy().copy()
    rows = _some(frame, rng)
    sign = str(rng.choice([" ", "\t", "\u00a0"]))
    symbols[rows] = [f"{name}{sign}" if rng.random() < 0.5 else f"{sign}{name}" for name in symbols[rows]]  # noqa: PLR2004
    return frame.assign(symbol=symbols)


def _dates_as_text(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:  # noqa: ARG001
    return frame.assign(date=frame["date"].dt.strftime("%Y-%m-%d"))


def _dates_zoned(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return frame.assign(date=frame["date"].dt.tz_localize(str(rng.choice(["UTC", "America/New_York"]))))


TABLES = [
    Corruption("missing_values", "Values are missing in a column.", _missing),
    Corruption("infinite_values", "Values are infinite.", _infinite),
    Corruption("numbers_as_text", "A column of numbers comes as text.", _text_column),
    Corruption("some_numbers_as_text", "Some numbers come as text with thousands separated.", _text_values),
    Corruption("column_lost", "A column is gone.", _column_lost),
    Corruption("rows_doubled", "Rows come twice.", _rows_doubled),
    Corruption("no_rows", "The table is empty.", _nothing),
    Corruption("symbol_missing", "Rows do not name their symbol.", _symbol_missing),
    Corruption("symbol_with_space", "Symbols have a stray space.", _symbol_spaced),
    Corruption("dates_as_text", "Dates come as text.", _dates_as_text),
    Corruption("dates_with_zone", "Dates have a time zone.", _dates_zoned),
]
