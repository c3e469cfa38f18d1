"""A frame of symbols and sessions, laid out once so that every expectation can read it cheaply.

`Panel` puts the rows of each symbol together, by date (unless they are in that order already), and yields
them in blocks of whole symbols. `Block` computes logarithms, returns and gaps of its rows on first use,
and keeps them while the expectations look at it: one pass over the data serves all of them, and the arrays
stay small enough for the processor's cache.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

from sta410kit.guards.block import Block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

T = TypeVar("T")

BLOCK_ROWS = 1 << 16


class Extremes(NamedTuple):
    """The smallest and the largest number of a column, and how many of its rows hold none."""

    low: float
    high: float
    missing: int


class Panel:
    """The rows of a frame, by symbol and session.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame with unique textual column names; it is neither changed nor copied. Rows without a symbol
        or a date, and repeated sessions of a symbol but their first, are left out: other expectations report
        them.
    intraday : bool
        Whether rows are bars within the day: they are numbered by the rank of their time among all times of
        the frame, so that the next bar is one "day" on for every expectation.

    Attributes
    ----------
    ready : bool
        Whether there are symbols and dates; nothing else may be used when false.
    complete : bool
        Whether every row has a symbol and a date.
    symbols : list of str
        The symbols, as they first appear.
    days : ndarray of int32
        Days since 1970-01-01 of each row, in panel order; ranks of their times where they are intraday.
    bounds : ndarray of int64
        Where the rows of each symbol begin, and the number of rows at the end.
    order : ndarray of int64 or None
        Position in the frame of each row of the panel; ``None`` when it is the same.
    unsorted, repeated, timed : ndarray of int64
        Rows of the frame that are out of order, repeat a session, or have a time of day.
    """

    def __init__(self, frame: pd.DataFrame, *, intraday: bool = False) -> None:
        self.frame = frame
        self.intraday = intraday
        self.symbols: list[str] = []
        self.order: NDArray[np.int64] | None = None
        self.unsorted: NDArray[np.int64] = np.empty(0, np.int64)
        self.repeated: NDArray[np.int64] = np.empty(0, np.int64)
        self.timed: NDArray[np.int64] = np.empty(0, np.int64)
        self.days: NDArray[np.int32] = np.empty(0, np.int32)
        self.bounds: NDArray[np.int64] = np.zeros(1, np.int64)
        self._raw: dict[str, NDArray[Any] | None] = {}
        self._cache: dict[Callable[[Panel], Any], Any] = {}
        self._extremes: dict[str, Extremes | None] = {}
        keys = _keys(frame, intraday=intraday)
        self.ready = keys is not None
        self.intraday &= self.ready
        self.complete = False
        if keys is not None:
            self._lay_out(*keys)
        self.ready = len(self.days) > 0

    def _lay_out(
        self, codes: NDArray[np.int32], days: NDArray[np.int32], timed: NDArray[np.int64], symbols: list[str]
    ) -> None:
        self.symbols, self.timed = symbols, timed
        keep = (codes >= 0) & (days != _NO_DAY)
        self.complete = bool(keep.all())
        if not self.complete:
            self.order = np.flatnonzero(keep)
            codes, days = codes[self.order], days[self.order]
        step = np.diff(codes)
        behind = (step < 0) | ((step == 0) & (days[1:] < days[:-1]))
        if behind.any():
            self.unsorted = self.position(np.flatnonzero(behind) + 1)
            order = np.lexsort((days, codes))
            codes, days = codes[order], days[order]
            self.order = order if self.order is None else self.order[order]
        same = np.zeros(len(codes), bool)
        same[1:] = (codes[1:] == codes[:-1]) & (days[1:] == days[:-1])
        if same.any():
            self.repeated = self.position(np.flatnonzero(same))
            self.order = self.position(np.flatnonzero(~same))
            codes, days = codes[~same], days[~same]
        self.days = days
        self.bounds = np.searchsorted(codes, np.arange(len(symbols) + 1))
        self._drop_empty_symbols()

    def _drop_empty_symbols(self) -> None:
        """Leave out symbols all of whose rows lack a date: they have no block."""
        filled = np.diff(self.bounds) > 0
        self.symbols = [name for name, there in zip(self.symbols, filled, strict=True) if there]
        self.bounds = np.append(self.bounds[:-1][filled], self.bounds[-1])

    @property
    def rows(self) -> int:
        """Rows of the panel."""
        return len(self.days)

    def position(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the position in the frame of rows of the panel."""
        return rows if self.order is None else self.order[rows]

    def dates(self, rows: NDArray[np.int64] | slice) -> NDArray[np.int32] | NDArray[np.int64]:
        """Return the calendar day of rows of the panel, in days since 1970-01-01."""
        if not self.intraday:
            return self.days[rows]
        return (
            self.times(rows if self.order is None else self.order[rows])
            .astype("datetime64[D]")
            .astype(np.int64)
        )

    def times(self, positions: NDArray[np.int64] | slice) -> NDArray[np.datetime64]:
        """Return the time at positions of the frame."""
        return _stamps(self.frame["date"].iloc[positions])

    def symbol_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the symbol of each row of the panel."""
        number: NDArray[np.int64] = np.searchsorted(self.bounds, rows, side="right") - 1
        return number

    def raw(self, name: str) -> NDArray[Any] | None:
        """Return a column as numbers in the frame's order, or ``None`` when it holds no numbers."""
        if name not in self._raw:
            self._raw[name] = _numbers(self.frame, name)
        return self._raw[name]

    def floats(self, name: str) -> NDArray[np.float64]:
        """Return a column that holds numbers as floats, in the frame's order."""
        return np.asarray(self.raw(name), float)

    def values(self, name: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return a column that holds numbers at rows of the panel, as floats."""
        return np.asarray(self.raw(name))[self.position(rows)].astype(float)

    def blocks(self) -> Iterator[Block]:
        """Yield blocks of whole symbols, each of about 65,536 rows or one long symbol."""
        first = 0
        while first < len(self.symbols):
            stop = int(np.searchsorted(self.bounds, self.bounds[first] + BLOCK_ROWS, side="right")) - 1
            stop = min(max(stop, first + 1), len(self.symbols))
            yield Block(self, first, stop)
            first = stop

    def block_of(self, number: int) -> Block:
        """Return the block of one symbol, by its number."""
        return Block(self, number, number + 1)

    @cached_property
    def span(self) -> tuple[int, int]:
        """The first and the last day."""
        return int(self.days.min()), int(self.days.max())

    def cached(self, measure: Callable[[Panel], T]) -> T:
        """Return what `measure` says of this panel, computed once."""
        if measure not in self._cache:
            self._cache[measure] = measure(self)
        return self._cache[measure]  # type: ignore[no-any-return]

    def extremes(self, name: str) -> Extremes | None:
        """Return the extremes of a column of numbers; None for any other, and when no row holds one."""
        if name not in self._extremes:
            values = self.raw(name)
            self._extremes[name] = None if values is None or not len(values) else _extremes(values)
        return self._extremes[name]


_NO_DAY = np.iinfo(np.int32).min
_FAR = 2**30
_PIECE = 1 << 18


def _keys(
    frame: pd.DataFrame, *, intraday: bool
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64], list[str]] | None:
    """Return codes and days of the rows, which of them have a time of day, and the symbols."""
    if not {"symbol", "date"}.issubset(frame.columns) or not len(frame):
        return None
    dates = frame["date"]
    if dates.dtype.kind != "M" or isinstance(dates.dtype, pd.DatetimeTZDtype):
        return None
    try:
        codes, uniques = pd.factorize(frame["symbol"])
    except TypeError:  # lists or dictionaries in cells
        return None
    if not all(isinstance(name, str) for name in uniques):
        return None
    days = (_ranks(dates), np.empty(0, np.int64)) if intraday else _days(dates)
    return codes.astype(np.int32), *days, [str(name) for name in uniques]


def _stamps(dates: pd.Series[pd.Timestamp]) -> NDArray[np.datetime64]:
    stamps = dates.to_numpy()
    return stamps if stamps.dtype.kind == "M" else stamps.astype("datetime64[us]")  # Arrow's are objects


def _ranks(dates: pd.Series[pd.Timestamp]) -> NDArray[np.int32]:
    """Return the rank of every stamp among the different ones; hashing them keeps it linear in rows."""
    ranks, _ = pd.factorize(_stamps(dates), sort=True)
    return np.where(ranks < 0, _NO_DAY, ranks).astype(np.int32)


def _days(dates: pd.Series[pd.Timestamp]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the day of every stamp, and the rows whose stamp has a time of day.

    A piece at a time: dates of ten million rows are not copied whole three times over.
    """
    stamps = _stamps(dates)
    days, timed = np.empty(len(stamps), np.int32), []
    for start in range(0, len(stamps), _PIECE):
        piece = stamps[start : start + _PIECE]
        whole = piece.astype("datetime64[D]")
        timed.append(np.flatnonzero((whole != piece) & ~np.isnat(piece)) + start)
        numbers = np.clip(whole.astype(np.int64), -_FAR, _FAR)
        days[start : start + _PIECE] = np.where(np.isnat(piece), _NO_DAY, numbers)
    return days, np.concatenate([*timed, np.empty(0, np.int64)])


def _numbers(frame: pd.DataFrame, name: str) -> NDArray[Any] | None:
    if name not in frame.columns:
        return None
    column = frame[name]
    if not is_numeric_dtype(column.dtype) or is_bool_dtype(column.dtype) or is_complex_dtype(column.dtype):
        return None
    if isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _extremes(values: NDArray[Any]) -> Extremes | None:
    low, high = values.min(), values.max()  # a NaN anywhere is the smallest and the largest
    if values.dtype.kind != "f":
        return Extremes(low, high, 0)
    if not np.isnan(low):
        return Extremes(float(low), float(high), 0)
    there = values[~np.isnan(values)]
    return Extremes(float(there.min()), float(there.max()), len(values) - len(there)) if len(there) else None
