"""What a corruption is, and where in a frame it strikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

BAR = ["open", "high", "low", "close"]
PRICES = [*BAR, "adj_close"]


@dataclass(frozen=True)
class Corruption:
    """One way in which a source gets data wrong.

    Attributes
    ----------
    name : str
        A short name, e.g. ``bars_repeated``.
    about : str
        What goes wrong, in words.
    apply : callable
        ``(frame, rng) -> frame``: another frame with the corruption in it, of a size and at a place
        drawn from `rng`; ``None`` where the frame has no place for it, such as a second symbol. The frame
        given is left as it was.
    since_snapshot : bool
        Whether it shows only beside the frame as it was last accepted.
    """

    name: str
    about: str
    apply: Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame | None]
    since_snapshot: bool = False


def rows_of(frame: pd.DataFrame, rng: np.random.Generator, least: int = 1) -> NDArray[np.int64] | None:
    """Return the rows of one symbol, drawn from those that have at least `least`."""
    groups = [rows for rows in frame.groupby("symbol", sort=False).indices.values() if len(rows) >= least]
    return np.sort(groups[rng.integers(len(groups))]) if groups else None


def stretch(
    frame: pd.DataFrame, rng: np.random.Generator, shortest: int, longest: int, *, margin: int = 1
) -> NDArray[np.int64] | None:
    """Return some rows of one symbol that follow each other, `margin` rows away from its ends."""
    rows = rows_of(frame, rng, shortest + 2 * margin)
    if rows is None:
        return None
    length = int(rng.integers(shortest, min(longest, len(rows) - 2 * margin) + 1))
    start = int(rng.integers(margin, len(rows) - margin - length + 1))
    return rows[start : start + length]


def changed(frame: pd.DataFrame, rows: NDArray[np.int64], columns: list[str], factor: float) -> pd.DataFrame:
    """Return the frame with some values multiplied."""
    new = frame.copy()
    for name in columns:
        values = new[name].to_numpy(float).copy()
        values[rows] *= factor
        new[name] = values
    return new
