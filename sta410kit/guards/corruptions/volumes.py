"""What goes wrong with volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sta410kit.guards.corruptions.corruption import (
    Draw,
    Frame,
    catalogue,
    require,
    rows_of,
    stretch,
    symbol_count,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNITS = [100, 1000, 0.01, 0.001]


def _times(frame: Frame, rows: NDArray[np.int64], factor: float, *, whole: bool = True) -> Frame:
    volume = frame["volume"].to_numpy(float).copy()
    volume[rows] = np.floor(volume[rows] * factor) if whole else volume[rows] * factor
    return frame.assign(volume=volume)


def _unit_changes(frame: Frame, rng: Draw) -> Frame:
    rows = rows_of(frame, rng, 30)
    return _times(frame, rows[int(rng.integers(10, len(rows) - 10)) :], float(rng.choice(_UNITS)))


def _symbol_in_other_units(frame: Frame, rng: Draw) -> Frame:
    require(symbol_count(frame) > 1)  # alone, nothing shows what its unit should be
    return _times(frame, rows_of(frame, rng, 30), float(rng.choice([100, 1000])))


def _parts_of_shares(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 1, len(frame), margin=0)
    new = _times(frame, rows, 1 / float(rng.choice([3, 7, 1000 / 0.37])), whole=False)
    require((new["volume"] % 1 != 0).any())
    return new


CORRUPTIONS = catalogue(
    zero_volume_run=(
        "Sessions in a row have no volume.",
        lambda frame, rng: _times(frame, stretch(frame, rng, 4, 60, margin=0), 0.0),
    ),
    symbol_without_volume=(
        "A symbol has no volume at all.",
        lambda frame, rng: _times(frame, rows_of(frame, rng, 15), 0.0),
    ),
    volume_in_lots=(
        "Volume of a stretch is in other units.",
        lambda frame, rng: _times(frame, stretch(frame, rng, 5, 120, margin=8), float(rng.choice(_UNITS))),
    ),
    volume_unit_changes=("Volume is in other units from some session on.", _unit_changes),
    symbol_in_other_units=("All volume of a symbol is in other units.", _symbol_in_other_units),
    one_volume_too_large=(
        "One volume is 100 or 1000 times too large.",
        lambda frame, rng: _times(
            frame, stretch(frame, rng, 1, 1, margin=10), float(rng.choice([100, 1000]))
        ),
    ),
    parts_of_shares=("Volume is no whole number.", _parts_of_shares),
    negative_volume=(
        "Volume is negative.",
        lambda frame, rng: _times(frame, stretch(frame, rng, 1, 5, margin=0), -1.0),
    ),
)
