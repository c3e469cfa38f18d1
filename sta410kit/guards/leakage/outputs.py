"""Whatever a function returns, as columns whose values stand at a symbol and a date."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.leakage.panel import DATE_NAMES, SYMBOL_NAMES, find_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.leakage.panel import Dates, Keys, Panel

MARKET = -1  # the code of a row that stands for all symbols
_TWO_DIMENSIONS = 2


class Codes:
    """Numbers for symbols, the same in every run of a probe: those of the prices first.

    Also what the first run settled: on a history in which one symbol is alone, a row for the market cannot be
    told from one of that symbol.
    """

    def __init__(self, names: list[Hashable]) -> None:
        self.names = list(names)
        self.priced = frozenset(names)
        self.for_market: dict[str, bool] = {}
        self._known = {name: number for number, name in enumerate(names)}

    def of(self, symbols: NDArray[Any] | pd.Series[Any] | pd.Index[Any]) -> NDArray[np.int64]:
        """Return the number of each symbol; one never seen gets the next."""
        local, uniques = pd.factorize(symbols, use_na_sentinel=False)
        for name in uniques:
            if name not in self._known:
                self._known[name] = len(self.names)
                self.names.append(name)
        return np.array([self._known[name] for name in uniques], dtype=np.int64)[local]


@dataclass(frozen=True, eq=False)
class Rows:
    """The symbol's code and the date of each value; several columns may share one."""

    codes: NDArray[np.int64]
    dates: Dates

    @cached_property
    def keys(self) -> NDArray[np.int64]:
        """One number a row: symbol, second, and which of several rows of the same key."""
        seconds = self.dates.astype("datetime64[s]").astype(np.int64) + (1 << 34)
        keys = (((self.codes + 1) << 35) + seconds) << 12
        if pd.Index(keys).is_unique:
            return keys
        again = pd.Series(keys).groupby(keys, sort=False).cumcount().to_numpy()
        return keys + np.minimum(again, (1 << 12) - 1)


@dataclass(frozen=True, eq=False)
class Column:
    """Values at their rows: float64 or int64, or ``object`` of texts and None for labels."""

    rows: Rows
    data: NDArray[Any]


def columns_of(output: object, panel: Panel, codes: Codes, prefix: str = "") -> dict[str, Column]:
    """Read what a function made of the prices of `panel`.

    Parameters
    ----------
    output : DataFrame, Series, array, or a mapping, list or tuple of these
        By ``symbol, date`` columns or index levels; by the index of the prices; by date (a column a symbol,
        or for the market as a whole); or an array of one entry a row of the prices.

    Raises
    ------
    ConfigurationError
        It is nothing of these: there is no saying which session a value belongs to.
    """
    if isinstance(output, Mapping):
        return _several(output.items(), panel, codes, prefix)
    if isinstance(output, tuple) or (isinstance(output, list) and output and not np.isscalar(output[0])):
        return _several(enumerate(output), panel, codes, prefix)
    if isinstance(output, pd.Series):
        output = output.to_frame("value" if output.name is None else output.name)
    if not isinstance(output, pd.DataFrame):
        output = _framed(output, panel)
    output = _with_named_levels(output)
    keys = find_keys(output)
    found = _by_symbol_columns(output, keys, codes) or _by_rows(output, keys, panel, codes, prefix)
    return {prefix + name: column for name, column in found.items()}


def _with_named_levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with what its index names beside symbol and date as columns, e.g. a regime.

    A level without a name is a row number that pandas left behind, and says nothing.
    """
    index = frame.index
    names = [str(name).casefold() for name in index.names]
    if index.nlevels == 1 or frame.columns.nlevels > 1 or not set(SYMBOL_NAMES) & set(names):
        return frame
    further = {
        name: index.get_level_values(number)
        for number, name in enumerate(index.names)
        if isinstance(name, str)
        and names[number] not in {*DATE_NAMES, *SYMBOL_NAMES}
        and name not in frame.columns
    }
    return frame.assign(**further)


def _several(items: Any, panel: Panel, codes: Codes, prefix: str) -> dict[str, Column]:  # noqa: ANN401 - pairs
    found: dict[str, Column] = {}
    for name, part in items:
        found |= columns_of(part, panel, codes, f"{prefix}{name}.")
    return found


def _framed(output: object, panel: Panel) -> pd.DataFrame:
    """Return an array as a frame, by the rows of the prices or by the sessions."""
    try:
        array = np.asarray(output)
    except ValueError:  # of parts unlike each other, as the groups of a frame
        array = np.empty(())
    if array.dtype.names:
        return pd.DataFrame(array)
    if array.ndim in {1, _TWO_DIMENSIONS} and len(array) == len(panel.frame):
        index = panel.frame.index
    elif array.ndim in {1, _TWO_DIMENSIONS} and len(array) == len(panel.sessions):
        index = pd.DatetimeIndex(panel.sessions)
    else:
        shape = f" of shape {array.shape}" if array.ndim else ""
        message = (
            f"the function returned {type(output).__name__}{shape}; the leak probe needs a frame with symbol "
            "and date, or one value a row of the prices"
        )
        raise ConfigurationError(message)
    names = ["value"] if array.ndim == 1 else [f"column {n}" for n in range(array.shape[1])]
    return pd.DataFrame(array.reshape(len(array), -1), index=index, columns=names)


def _by_symbol_columns(frame: pd.DataFrame, keys: Keys, codes: Codes) -> dict[str, Column]:
    """Read a wide frame: a row a date, a column a symbol (or a pair of name and symbol)."""
    if keys.dates is None or keys.symbols is not None or frame.empty:
        return {}
    known = codes.priced - {""}
    labels = [frame.columns[place] for place in keys.columns]
    split = [_parts(label) for label in labels]
    level = next(
        (n for n in range(frame.columns.nlevels) if split and all(part[n] in known for part in split)), None
    )
    if level is None:
        return {}
    pieces: dict[str, list[tuple[Hashable, pd.Series[Any]]]] = {}
    for place, parts in zip(keys.columns, split, strict=True):
        rest = " ".join(str(part) for number, part in enumerate(parts) if number != level)
        pieces.setdefault(rest or "value", []).append((parts[level], frame.iloc[:, place]))
    found = {}
    for name, piece in pieces.items():
        symbols = pd.Series([symbol for symbol, _ in piece], dtype=object).repeat(len(frame))
        rows = Rows(codes.of(symbols), np.tile(keys.dates, len(piece)))
        found[name] = Column(rows, _values(pd.concat([values for _, values in piece], ignore_index=True)))
    return found


def _parts(label: Hashable) -> tuple[Hashable, ...]:
    """Return the label of a column by its levels."""
    return label if isinstance(label, tuple) else (label,)


def _by_rows(frame: pd.DataFrame, keys: Keys, panel: Panel, codes: Codes, prefix: str) -> dict[str, Column]:
    if keys.dates is None:
        rows = _rows_of_prices(frame, panel, codes)
    elif keys.symbols is not None:
        rows = Rows(codes.of(keys.symbols), keys.dates)
    else:
        rows = _rows_by_date(keys.dates, panel, codes, prefix)
    dtypes = list(frame.dtypes)
    plain = [place for place in keys.columns if dtypes[place] == np.float64]
    numbers = np.asfortranarray(frame.iloc[:, plain].to_numpy())  # all at once: forty columns cost like one
    found: dict[str, Column] = {}
    for place in keys.columns:
        name = " ".join(map(str, _parts(frame.columns[place])))
        while name in found:
            name += "'"  # two columns of the same name are judged one by one
        values = numbers[:, plain.index(place)] if place in plain else _values(frame.iloc[:, place])
        found[name] = Column(rows, values)
    return found


def _rows_by_date(dates: Dates, panel: Panel, codes: Codes, prefix: str) -> Rows:
    """Tell dates of the rows of the prices from dates of the market as a whole."""
    row_by_row = len(codes.priced) == 1 or np.array_equal(dates, panel.dates)
    if codes.for_market.setdefault(prefix, not row_by_row):
        return Rows(np.full(len(dates), MARKET, dtype=np.int64), dates)
    if np.array_equal(dates, panel.dates):
        return Rows(codes.of(panel.symbols), dates)
    return Rows(np.zeros(len(dates), dtype=np.int64), dates)


def _rows_of_prices(frame: pd.DataFrame, panel: Panel, codes: Codes) -> Rows:
    """Find the rows by their index, which must be that of the prices."""
    index = panel.frame.index
    priced = codes.of(panel.symbols)
    if frame.index.equals(index):
        return Rows(priced, panel.dates)
    # Of several symbols rows were dropped and the rest numbered anew: which ones, nobody knows.
    renumbered = len(panel.names) > 1 and frame.index.equals(pd.RangeIndex(len(frame)))
    where = index.get_indexer(frame.index) if index.is_unique and not renumbered else np.array([-1])
    if (where < 0).any():
        message = (
            "the function returned rows without dates, and their index is not that of the prices; "
            "keep the columns symbol and date"
        )
        raise ConfigurationError(message)
    return Rows(priced[where], panel.dates[where])


def _values(column: pd.Series[Any]) -> NDArray[Any]:
    """Return numbers as int64 or float64, dates as seconds, and everything else as texts."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        if dtype.kind in "iub":
            return column.to_numpy().astype(np.int64)
        if dtype.kind == "f":
            return column.to_numpy(dtype=np.float64)
    if pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        counts = column.astype("int64").to_numpy(dtype=np.float64)
        return np.where(column.isna().to_numpy(), np.nan, counts)
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if pd.api.types.is_object_dtype(dtype):
        numbers = pd.to_numeric(column, errors="coerce")
        if numbers.notna().equals(column.notna()):
            return numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = np.array([str(value) for value in column], dtype=object)
    texts[column.isna().to_numpy()] = None
    return texts
