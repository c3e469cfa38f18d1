"""Some whole symbols of a panel, with logarithms, returns and gaps computed once for all expectations."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sta410kit.guards.suites import PRICES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sta410kit.guards.panel import Panel


class Block:
    """Some whole symbols of a panel; every array has one entry a row, NaN where there is no value.

    Prices that are not finite and above zero, and volumes that are not finite, count as missing: other
    expectations report them.
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
