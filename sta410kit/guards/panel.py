"""A frame of symbols and sessions, laid out once so that every expectation can walk over it cheaply.

`Panel` puts the rows of each symbol together, by date (only when they do not stand so already), and hands
them out in blocks of whole symbols. `Block` computes logarithms, returns and gaps of its rows on first use,
and keeps them while the expectations look at it: one pass over the data serves all of them, and the arrays
stay small enough for the processor's cache.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

T = TypeVar("T")

BLOCK_ROWS = 1 << 16
PRICES = ("open", "high", "low", "close", "adj_close")


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
        or a date, and repeated sessions of a symbol but their first, are left out: other expectations name
        them.

    Attributes
    ----------
    ready : bool
        Whether there are symbols and dates to lay out; nothing else may be used when false.
    complete : bool
        Whether every row has a symbol and a date.
    symbols : list of str
        The symbols, as they first appear.
    days : ndarray of int32
        Days since 1970-01-01 of each row, in panel order.
    bounds : ndarray of int64
        Where the rows of each symbol begin, and the number of rows at the end.
    order : ndarray of int64 or None
        Position in the frame of each row of the panel; ``None`` when it is the same.
    unsorted, repeated, timed : ndarray of int64
        Rows of the frame that stand behind a later one, repeat a session, or have a time of day.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
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
        keys = _keys(frame)
        self.ready = keys is not None
        self.complete = False
        if keys is not None:
            self._lay_out(*keys)
        self.ready = len(self.days) > 0

    def _lay_out(
        self,
        codes: NDArray[np.int32],
        days: NDArray[np.int32],
        timed: NDArray[np.int64],
        symbols: list[str],
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
        """Leave out symbols all of whose rows lack a date: they have no block of their own."""
        filled = np.diff(self.bounds) > 0
        self.symbols = [name for name, there in zip(self.symbols, filled, strict=True) if there]
        self.bounds = np.append(self.bounds[:-1][filled], self.bounds[-1])

    @property
    def rows(self) -> int:
        """Rows of the panel."""
        return len(self.days)

    def position(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where rows of the panel stand in the frame."""
        return rows if self.order is None else self.order[rows]

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


class Block:
    """Some whole symbols of a panel; every array has one entry a row, NaN where there is no value.

    Prices that are not finite and above zero, and volumes that are not finite, count as missing: other
    expectations name them.
    """

    def __init__(self, panel: Panel, first_symbol: int, stop_symbol: int) -> None:
        self.panel = panel
        self.first_symbol = first_symbol
        self.bounds = panel.bounds[first_symbol : stop_symbol + 1] - panel.bounds[first_symbol]
        self.offset = int(panel.bounds[first_symbol])
        self.rows = int(self.bounds[-1])
        self._columns: dict[str, NDArray[np.float64]] = {}
        self._logs: dict[str, NDArray[np.float64]] = {}

    @property
    def symbols(self) -> list[str]:
        """The symbols of the block."""
        return self.panel.symbols[self.first_symbol : self.first_symbol + len(self.bounds) - 1]

    def only(self, number: int) -> Block:
        """Return one symbol of the block as a block."""
        return self.panel.block_of(self.first_symbol + number)

    def spans_of_symbols(self) -> Iterator[tuple[int, slice]]:
        """Yield the number of each symbol of the block and its rows."""
        for number in range(len(self.bounds) - 1):
            yield number, slice(self.bounds[number], self.bounds[number + 1])

    @cached_property
    def days(self) -> NDArray[np.int32]:
        """Days since 1970-01-01."""
        return self.panel.days[self.offset : self.offset + self.rows]

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """Where symbols begin."""
        begins: NDArray[np.int64] = self.bounds[:-1]
        return begins

    def symbol_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which symbol of the block each row belongs to."""
        number: NDArray[np.int64] = np.searchsorted(self.bounds, rows, side="right") - 1
        return number

    def length_at(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many rows the symbol of each row has."""
        number = self.symbol_of(rows)
        lengths: NDArray[np.int64] = self.bounds[number + 1] - self.bounds[number]
        return lengths

    def with_history(self, rows: NDArray[np.int64], least: int) -> NDArray[np.int64]:
        """Return those of `rows` whose symbol has at least `least` rows."""
        return rows[self.length_at(rows) >= least]

    def repeats(self, name: str) -> NDArray[np.bool_]:
        """Return where a column has the value of the row before."""
        values = self.column(name)
        same = np.zeros(self.rows, bool)
        np.equal(values[1:], values[:-1], out=same[1:])
        same[self.first] = False
        return same

    def column(self, name: str) -> NDArray[np.float64]:
        """Return a column as floats, NaN where it is not finite, or not above zero in a price."""
        if name not in self._columns:
            raw = self.panel.raw(name)
            place = slice(self.offset, self.offset + self.rows)
            values = raw[place if self.panel.order is None else self.panel.order[place]]  # type: ignore[index]
            values = values.astype(float)
            bad = ~np.isfinite(values)
            if name in PRICES:
                bad |= ~(values > 0)
            if bad.any():
                values[bad] = np.nan
            self._columns[name] = values
        return self._columns[name]

    def log(self, name: str) -> NDArray[np.float64]:
        """Return the logarithm of a price, or of one share more than the volume."""
        if name not in self._logs:
            values = self.column(name)
            self._logs[name] = np.log1p(np.maximum(values, 0)) if name == "volume" else np.log(values)
        return self._logs[name]

    def change(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the change since the row before, NaN in the first row of a symbol."""
        change = np.empty(self.rows)
        np.subtract(values[1:], values[:-1], out=change[1:])
        change[self.first] = np.nan
        return change

    @cached_property
    def returns(self) -> NDArray[np.float64]:
        """Log returns of the close."""
        return self.change(self.log("close"))

    @cached_property
    def factor_steps(self) -> NDArray[np.float64]:
        """Changes of ``log(adj_close / close)``: zero but for splits and dividends."""
        return self.change(self.log("adj_close") - self.log("close"))

    @cached_property
    def gaps(self) -> NDArray[np.float64]:
        """Log return from yesterday's close to today's open."""
        gaps = np.empty(self.rows)
        np.subtract(self.log("open")[1:], self.log("close")[:-1], out=gaps[1:])
        gaps[self.first] = np.nan
        return gaps

    @cached_property
    def spans(self) -> NDArray[np.float64]:
        """``log(high / low)`` of each bar."""
        return self.log("high") - self.log("low")

    @cached_property
    def volume_steps(self) -> NDArray[np.float64]:
        """Changes of the logarithm of the volume."""
        return self.change(self.log("volume"))

    def around(
        self,
        values: NDArray[np.float64],
        rows: NDArray[np.int64],
        reach: tuple[int, int],
        skip: tuple[int, int],
    ) -> NDArray[np.float64]:
        """Return the values near each of `rows`, one line a row, NaN beyond the symbol and in `skip`.

        Parameters
        ----------
        values : ndarray
            One entry a row of the block.
        rows : ndarray of int
            The rows to look around.
        reach, skip : (int, int)
            First and last offset to return, and to leave out, relative to the row.
        """
        offsets = np.array([k for k in range(reach[0], reach[1] + 1) if not skip[0] <= k <= skip[1]])
        places = rows[:, None] + offsets
        number = self.symbol_of(rows)
        outside = (places < self.bounds[number][:, None]) | (places >= self.bounds[number + 1][:, None])
        near: NDArray[np.float64] = values[np.clip(places, 0, self.rows - 1)]
        near[outside] = np.nan
        return near


_NO_DAY = np.iinfo(np.int32).min
_FAR = 2**30
_PIECE = 1 << 18


def _keys(
    frame: pd.DataFrame,
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
    return codes.astype(np.int32), *_days(dates), [str(name) for name in uniques]


def _days(dates: pd.Series[pd.Timestamp]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the day of every stamp, and the rows whose stamp has a time of day.

    A piece at a time: dates of ten million rows are not copied whole three times over.
    """
    stamps = dates.to_numpy()
    if stamps.dtype.kind != "M":  # Arrow's dates come as objects
        stamps = stamps.astype("datetime64[us]")
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
