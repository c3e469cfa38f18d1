"""Prices by symbol and session, in any layout of the frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    Dates = NDArray[np.datetime64]

DATE_NAMES = ("date", "datetime", "timestamp")
SYMBOL_NAMES = ("symbol", "ticker")


@dataclass(frozen=True)
class Keys:
    """Date and symbol of each row of a frame, where it has them, and the positions of the other columns."""

    dates: Dates | None
    symbols: pd.Series[Any] | pd.Index[Any] | None
    columns: tuple[int, ...]


def find_keys(frame: pd.DataFrame) -> Keys:
    """Find dates and symbols in the columns or the index of a frame, by name and then by type."""
    names = [str(name).casefold() if isinstance(name, str) else "" for name in frame.columns]
    date_at = next((names.index(name) for name in DATE_NAMES if name in names), None)
    symbol_at = next((names.index(name) for name in SYMBOL_NAMES if name in names), None)
    dates = None if date_at is None else days(frame.iloc[:, date_at])
    symbols: Any = None if symbol_at is None else frame.iloc[:, symbol_at]
    numbers = () if isinstance(frame.index, pd.RangeIndex) else range(frame.index.nlevels)
    levels = {number: frame.index.get_level_values(number) for number in numbers}
    for number, level in list(levels.items()):
        if isinstance(level, pd.DatetimeIndex):
            dates = days(level) if dates is None else dates
            del levels[number]
    for level in sorted(levels.values(), key=lambda one: str(one.name).casefold() not in SYMBOL_NAMES):
        name = str(level.name).casefold()
        if dates is None and name in DATE_NAMES:
            dates = days(level)
        elif symbols is None and (name in SYMBOL_NAMES or (frame.index.nlevels > 1 and dates is not None)):
            symbols = level
    others = tuple(number for number in range(len(names)) if number not in {date_at, symbol_at})
    return Keys(dates, symbols, others)


def days(values: Any) -> Dates:  # noqa: ANN401 - a column or an index of dates or texts
    """Return dates, text in ISO 8601 among them, as `datetime64[us]` without time zone."""
    if isinstance(values, pd.Series) and isinstance(values.dtype, np.dtype) and values.dtype.kind == "M":
        return values.to_numpy().astype("datetime64[us]")  # the usual case, a hundred times per probe
    try:
        index = pd.Index(values)
        if len(index) and pd.api.types.is_any_real_numeric_dtype(index):
            message = f"they are numbers, as {index[0]}"  # pandas would count nanoseconds from 1970
            raise TypeError(message)  # noqa: TRY301 - reported like all else that is not a date
        text = index.inferred_type == "string"
        found = pd.DatetimeIndex(pd.to_datetime(index, format="ISO8601") if text else index)
    except (TypeError, ValueError, OverflowError) as error:
        message = f"the dates cannot be read: {str(error).partition('. ')[0]}; write them as YYYY-MM-DD"
        raise ConfigurationError(message) from error
    return found.tz_localize(None).to_numpy().astype("datetime64[us]")


@dataclass(frozen=True)
class Panel:
    """A prices frame with the symbol ("" where it has none) and the session of each row."""

    frame: pd.DataFrame
    dates: Dates
    symbols: NDArray[Any]
    columns: tuple[int, ...]  # positions of the columns that are neither

    @classmethod
    def of(cls, prices: object) -> Panel:
        """Read the keys of a prices frame; raise `ConfigurationError` if it has no rows or no dates."""
        if not isinstance(prices, pd.DataFrame) or prices.empty:
            what = "an empty one" if isinstance(prices, pd.DataFrame) else type(prices).__name__
            message = f"the leak probe needs a frame of prices, not {what}; load_prices() gives one"
            raise ConfigurationError(message)
        keys = find_keys(prices)
        if keys.dates is None or np.isnat(keys.dates).any():
            message = "the prices have no complete dates; the leak probe needs a column or an index `date`"
            raise ConfigurationError(message)
        none = np.full(len(prices), "", dtype=object)
        symbols = none if keys.symbols is None else keys.symbols.to_numpy(dtype=object)
        return cls(prices, keys.dates, symbols, keys.columns)

    def only(self, rows: NDArray[np.bool_]) -> Panel:
        """Return a copy with these rows, renumbered where the frame was numbered from 0."""
        part = self.frame.take(np.flatnonzero(rows))
        frame = part.reset_index(drop=True) if isinstance(self.frame.index, pd.RangeIndex) else part
        return Panel(frame, self.dates[rows], self.symbols[rows], self.columns)

    @cached_property
    def names(self) -> list[Hashable]:
        """The symbols, in order of their codes."""
        return list(self._factorized[1])

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """The number of each row's symbol."""
        return self._factorized[0].astype(np.int64)

    @cached_property
    def _factorized(self) -> tuple[NDArray[np.intp], NDArray[Any]]:
        return pd.factorize(self.symbols, use_na_sentinel=False)

    @cached_property
    def in_time(self) -> NDArray[np.int64]:
        """The rows in order of their dates."""
        return np.argsort(self.dates, kind="stable")

    @cached_property
    def by_symbol(self) -> NDArray[np.int64]:
        """The rows in order of their symbols, and of their dates within a symbol."""
        return self.in_time[np.argsort(self.codes[self.in_time], kind="stable")]

    @cached_property
    def cells(self) -> dict[int, NDArray[Any]]:
        """The values of each column that is no key, by its position."""
        return {place: self.frame.iloc[:, place].to_numpy() for place in self.columns}

    @cached_property
    def sessions(self) -> Dates:
        """All dates, sorted, each once."""
        return np.unique(self.dates)

    @cached_property
    def calendars(self) -> list[Dates]:
        """The sessions of each symbol, by code."""
        starts = np.searchsorted(self.codes[self.by_symbol], np.arange(1, len(self.names)))
        return [np.unique(dates) for dates in np.split(self.dates[self.by_symbol], starts)]

    def sessions_after(self, cutoff: np.datetime64) -> NDArray[np.int64]:
        """Return, for each row, how many sessions of its symbol it lies after `cutoff`; 0 or less before."""
        last = np.array([np.searchsorted(calendar, cutoff, side="right") for calendar in self.calendars])
        after: NDArray[np.int64] = self._places - last[self.codes]
        return after

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """The place of each row among the sessions of its symbol, from 1."""
        return pd.Series(self.dates).groupby(self.codes).rank("dense").to_numpy(dtype=np.int64)

    def limits(self, cutoff: np.datetime64, horizon: int, *, bar_known: bool = False) -> Dates:
        """Return by code, last the market, the last date whose next `horizon` sessions lie up to `cutoff`."""
        if horizon == 0:
            if bar_known:  # the evening or the weekend after that bar knows nothing more
                following = self.sessions[np.searchsorted(self.sessions, cutoff, side="right") :]
                cutoff = following[0] - np.timedelta64(1, "us") if len(following) else cutoff
            return np.full(len(self.names) + 1, cutoff, dtype="datetime64[us]")
        found = []
        for calendar in (*self.calendars, self.sessions):
            place = np.searchsorted(calendar, cutoff, side="right") - 1 - horizon
            found.append(calendar[place] if place >= 0 else np.datetime64(-(2**62), "us"))
        return np.array(found, dtype="datetime64[us]")
