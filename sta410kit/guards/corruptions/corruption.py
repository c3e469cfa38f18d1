"""What a corruption is, and where in a frame it strikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit.guards import suites

if TYPE_CHECKING:
    from numpy.typing import NDArray

BAR, PRICES = list(suites.BAR), list(suites.PRICES)  # lists choose columns

Frame = pd.DataFrame
Draw = np.random.Generator
Change = Callable[[Frame, Draw], Frame]


class NoPlace(Exception):  # noqa: N818 - an outcome and no error
    """The frame has no place for a corruption, such as a second symbol."""


@dataclass(frozen=True)
class Corruption:
    """One way in which a source gets data wrong.

    Attributes
    ----------
    name, about : str
        A short name, e.g. ``bars_repeated``, and what goes wrong.
    change : callable
        ``(frame, rng) -> frame``: another frame with the corruption in it, of a size and at a place drawn
        from `rng`. It raises `NoPlace`, and leaves the frame it is given as it was.
    since_snapshot : bool
        Whether it shows only beside the frame as it was last accepted.
    """

    name: str
    about: str
    change: Change
    since_snapshot: bool = False

    def apply(self, frame: Frame, rng: Draw) -> Frame | None:
        """Return the corrupted frame, or None where there is no place for it."""
        try:
            return self.change(frame, rng)
        except NoPlace:
            return None


def catalogue(**changes: tuple[str, Change]) -> list[Corruption]:
    """Return corruptions by name, in this order, which their random draws depend on."""
    return [Corruption(name, about, change) for name, (about, change) in changes.items()]


def require(there: object) -> None:
    """Raise `NoPlace` unless there is a place."""
    if not there:
        raise NoPlace


def coin(rng: Draw) -> bool:
    """Return true every other time."""
    return bool(rng.integers(2))


def rows_of(frame: Frame, rng: Draw, least: int = 1) -> NDArray[np.int64]:
    """Return the rows of one symbol, drawn from those that have at least `least`."""
    groups = [rows for rows in frame.groupby("symbol", sort=False).indices.values() if len(rows) >= least]
    require(groups)
    return np.sort(groups[rng.integers(len(groups))])


def stretch(frame: Frame, rng: Draw, shortest: int, longest: int, *, margin: int = 1) -> NDArray[np.int64]:
    """Return some consecutive rows of one symbol, `margin` rows away from its ends."""
    rows = rows_of(frame, rng, shortest + 2 * margin)
    length = int(rng.integers(shortest, min(longest, len(rows) - 2 * margin) + 1))
    start = int(rng.integers(margin, len(rows) - margin - length + 1))
    return rows[start : start + length]


def changed(frame: Frame, rows: NDArray[np.int64], columns: list[str], factor: float) -> Frame:
    """Return the frame with some values multiplied."""
    new = frame.copy()
    for name in columns:
        values = new[name].to_numpy(float).copy()
        values[rows] *= factor
        new[name] = values
    return new


def symbol_count(frame: Frame) -> int:
    """Return how many symbols there are."""
    return len(frame["symbol"].unique())


def copied(frame: Frame, rows: NDArray[np.int64], columns: list[str], values: Any) -> Frame:  # noqa: ANN401
    """Return the frame with other values in some rows."""
    new = frame.copy()
    new.loc[frame.index[rows], columns] = values
    return new


def with_symbols(frame: Frame, rows: NDArray[np.int64], rename: Callable[[str], str | None]) -> Frame:
    """Return the frame with other symbols in some rows."""
    symbols = frame["symbol"].astype(object).to_numpy().copy()
    symbols[rows] = [rename(name) for name in symbols[rows]]
    return frame.assign(symbol=symbols)
