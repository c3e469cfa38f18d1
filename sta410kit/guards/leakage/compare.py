"""Which past values differ between two runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.leakage.outputs import Column, Rows
    from sta410kit.guards.leakage.panel import Dates

FLOOR = 1e-15
"""Differences below this are rounding, whatever the scale of a column."""


@dataclass(frozen=True, eq=False)
class Different:
    """The rows of one column that differ: code of the symbol and date of each."""

    codes: NDArray[np.int64]
    dates: Dates


@dataclass(frozen=True)
class Past:
    """What must stay as it is.

    Attributes
    ----------
    until : array of dates
        By code of the symbol, the last entry for the market as a whole: values up to here must not change.
    rows : array of dates
        The same for the rows as such, which a function may leave out while a target is not known.
    listed : array of dates
        By code: the symbol's first session. What is said of a symbol before it existed tells nothing.
    """

    until: Dates
    rows: Dates
    listed: Dates


class Alignment:
    """The past rows of two runs, side by side; columns that share their rows share one.

    Attributes
    ----------
    mine, theirs : array of int
        Rows of the first and of the second run that stand for the same symbol and date.
    gone, extra : array of int
        Past rows that only the first, or only the second, has and that should be in both.
    """

    def __init__(self, base: Rows, other: Rows, past: Past) -> None:
        self.base, self.other = base, other
        mine = np.flatnonzero(base.dates <= _by_code(past.until, base.codes))
        theirs = np.flatnonzero(other.dates <= _by_code(past.until, other.codes))
        self.mine, self.theirs = mine, theirs
        self.gone = self.extra = np.empty(0, dtype=np.int64)
        keys, their_keys = base.keys[mine], other.keys[theirs]
        if np.array_equal(keys, their_keys):
            return
        where = pd.Index(their_keys).get_indexer(pd.Index(keys))
        self.mine, self.theirs = mine[where >= 0], theirs[where[where >= 0]]
        gone, extra = mine[where < 0], theirs[~np.isin(their_keys, keys)]
        self.gone = gone[_due(base, gone, past)]
        self.extra = extra[_due(other, extra, past) & ~_before_first(base, other, extra)]

    def differing(self, base: Column, other: Column, tolerance: float) -> Different | None:
        """Return the rows whose values differ, or that one run has and the other has not.

        A row that is missing counts as empty. NaN equals NaN and nothing else.
        """
        left, right = base.data[self.mine], other.data[self.theirs]
        bad = self.mine
        if _identical(left, right):
            bad = bad[:0]
        else:
            bad = bad[unequal(left, right, scale_of(base)[self.mine], tolerance)]
        if not len(bad) + len(self.gone) + len(self.extra):
            return None
        gone = self.gone[_filled(base.data[self.gone])]
        extra = self.extra[_filled(other.data[self.extra])]
        if not len(bad) + len(gone) + len(extra):
            return None
        return Different(
            np.concatenate([self.base.codes[bad], self.base.codes[gone], self.other.codes[extra]]),
            np.concatenate([self.base.dates[bad], self.base.dates[gone], self.other.dates[extra]]),
        )


class Comparison:
    """All columns of one run against the same columns of another."""

    def __init__(self, base: dict[str, Column], other: dict[str, Column], tolerance: float) -> None:
        self._base, self._other = base, other
        self._tolerance = tolerance
        self._aligned: dict[tuple[int, int, int], Alignment] = {}

    def differing(self, name: str, past: Past) -> Different | None:
        """Return what differs in one column; the other run may lack it altogether."""
        base, other = self._base[name], self._other.get(name)
        if other is None:
            return _column_gone(base, past)
        key = (id(base.rows), id(other.rows), id(past))
        if key not in self._aligned:
            self._aligned[key] = Alignment(base.rows, other.rows, past)
        return self._aligned[key].differing(base, other, self._tolerance)


def scale_of(column: Column) -> NDArray[np.float64]:
    """Return the mean size of the values of each row's symbol; 0 for labels."""
    if column.data.dtype == object:
        return np.zeros(len(column.data))
    sizes = np.abs(column.data.astype(np.float64))
    finite = np.isfinite(sizes)
    codes = column.rows.codes + 1  # the market as a whole has the code -1
    if not finite.any():
        return np.zeros(len(sizes))
    totals = np.bincount(codes[finite], sizes[finite], minlength=codes.max() + 1)
    counts = np.bincount(codes[finite], minlength=codes.max() + 1)
    return (totals / np.maximum(counts, 1))[codes]


def unequal(
    left: NDArray[Any], right: NDArray[Any], scale: NDArray[np.float64], tolerance: float
) -> NDArray[np.bool_]:
    """Mark where the values differ by more than rounding."""
    if "O" in {left.dtype.kind, right.dtype.kind}:
        return _other_label(left, right)
    if left.dtype.kind == right.dtype.kind == "i":
        unlike: NDArray[np.bool_] = np.not_equal(left, right)
        return unlike
    a, b = left.astype(np.float64), right.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(a - b) <= tolerance * (scale + np.abs(a)) + FLOOR
    near[~np.isfinite(a) | ~np.isfinite(b)] = False
    differs: NDArray[np.bool_] = ~(near | (a == b) | (np.isnan(a) & np.isnan(b)))
    return differs


def _identical(left: NDArray[Any], right: NDArray[Any]) -> bool:
    """Whether both hold the same bits; honest columns nearly always do."""
    if left.dtype != right.dtype or left.dtype == object:
        return False
    return np.array_equal(left.view(np.int64), right.view(np.int64))


def _other_label(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    """Compare texts; a column of numbers beside one of labels is empty, or else different."""
    none = [pd.isna(side) for side in (left, right)]
    same = [None if empty else value for value, empty in zip(left, none[0], strict=True)]
    other = [None if empty else value for value, empty in zip(right, none[1], strict=True)]
    return np.array([x != y for x, y in zip(same, other, strict=True)], dtype=bool)


def _by_code(dates: Dates, codes: NDArray[np.int64]) -> Dates:
    """Look dates up by code; an unknown symbol counts like the market as a whole, which stands last."""
    last = len(dates) - 1
    return dates[np.where((codes < 0) | (codes >= last), last, codes)]


def _filled(values: NDArray[Any]) -> NDArray[np.bool_]:
    return pd.notna(values)


def _due(rows: Rows, chosen: NDArray[np.int64], past: Past) -> NDArray[np.bool_]:
    """Mark the rows of symbols that existed, early enough to have to be there."""
    codes, dates = rows.codes[chosen], rows.dates[chosen]
    due: NDArray[np.bool_] = (dates <= _by_code(past.rows, codes)) & (dates >= _by_code(past.listed, codes))
    return due


def _before_first(base: Rows, other: Rows, chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark rows from before the first that `base` has of a symbol: a function may return the latest only."""
    firsts = pd.Series(base.dates).groupby(base.codes).min()
    before: NDArray[np.bool_] = other.dates[chosen] < firsts.reindex(other.codes[chosen]).to_numpy()
    return before


def _column_gone(base: Column, past: Past) -> Different | None:
    """Judge a column that the other run lacks: it matters if it told one past day from another."""
    early = base.rows.dates <= _by_code(past.rows, base.rows.codes)
    said = np.flatnonzero(early & _filled(base.data))
    if len(pd.unique(pd.Series(base.data[said]))) <= 1:
        return None
    return Different(base.rows.codes[said], base.rows.dates[said])
