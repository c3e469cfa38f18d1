"""What goes wrong with volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sta410kit.guards.corruptions.corruption import Corruption, rows_of, stretch

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def _with(
    frame: pd.DataFrame, rows: NDArray[np.int64] | None, factor: float, *, whole: bool = True
) -> pd.DataFrame | None:
    if rows is None:
        return None
    volume = frame["volume"].to_numpy(float).copy()
    volume[rows] = np.floor(volume[rows] * factor) if whole else volume[rows] * factor
    return frame.assign(volume=volume)


def _none(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _with(frame, stretch(frame, rng, 4, 60, margin=0), 0.0)


def _all_none(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _with(frame, rows_of(frame, rng, 15), 0.0)


def _units(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _with(frame, stretch(frame, rng, 5, 120, margin=8), float(rng.choice([100, 1000, 0.01, 0.001])))


def _from_then_on(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = rows_of(frame, rng, 30)
    if rows is None:
        return None
    return _with(
        frame, rows[int(rng.integers(10, len(rows) - 10)) :], float(rng.choice([100, 1000, 0.01, 0.001]))
    )


def _symbol_units(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    if frame["symbol"].nunique() < 2:  # noqa: PLR2004 - alone, nothing tells what its unit should be
        return None
    return _with(frame, rows_of(frame, rng, 30), float(rng.choice([100, 1000])))


def _one_bar(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _with(frame, stretch(frame, rng, 1, 1, margin=10), float(rng.choice([100, 1000])))


def _parts(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 1, len(frame), margin=0)
    new = _with(frame, rows, 1 / float(rng.choice([3, 7, 1000 / 0.37])), whole=False)
    return new if new is not None and (new["volume"] % 1 != 0).any() else None


def _negative(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _with(frame, stretch(frame, rng, 1, 5, margin=0), -1.0)


VOLUMES = [
    Corruption("zero_volume_run", "Sessions in a row have no volume.", _none),
    Corruption("symbol_without_volume", "A symbol has no volume at all.", _all_none),
    Corruption("volume_in_lots", "Volume of a stretch is in other units.", _units),
    Corruption("volume_unit_changes", "Volume is in other units from some session on.", _from_then_on),
    Corruption("symbol_in_other_units", "All volume of a symbol is in other units.", _symbol_units),
    Corruption("one_volume_too_large", "One volume is 100 or 1000 times too large.", _one_bar),
    Corruption("parts_of_shares", "Volume is no whole number.", _parts),
    Corruption("negative_volume", "Volume is negative.", _negative),
]
