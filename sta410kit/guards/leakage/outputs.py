"""The output of a feature function in any layout, as columns of numbers keyed by symbol and date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.leakage.panel import DATE_NAMES, SYMBOL_NAMES, find_keys

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from numpy.typing import NDArray

    from sta410kit.guards.leakage.panel import Dates, Panel

MARKET = -1  # the code of a row that belongs to the market as a whole


class Codes:
    """Numbers for symbols and labels that stay the same in every run of a probe."""

    def __init__(self, symbols: list[Hashable]) -> None:
        self.symbols = {name: number for number, name in enumerate(symbols)}
        self.priced = frozenset(symbols)
        self.for_market: dict[str, bool] = {}
        self._labels: dict[Hashable, int] = {}

    def of_symbols(self, symbols: NDArray[Any] | pd.Series[Any] | pd.Index[Any]) -> NDArray[np.int64]:
        """Return the code of each symbol; a new symbol gets the next number."""
        return _encode(symbols, self.symbols)

    def of_labels(self, labels: pd.Series[Any]) -> NDArray[np.float64]:
        """Return the code of each label, NaN where it is missing."""
        return np.where(labels.isna(), np.nan, _encode(labels.astype(str), self._labels))


def _encode(values: Any, known: dict[Hashable, int]) -> NDArray[np.int64]:  # noqa: ANN401 - a column or index
    local, uniques = pd.factorize(values, use_na_sentinel=False)
    return np.array([known.setdefault(name, len(known)) for name in uniques], dtype=np.int64)[local]


@dataclass(frozen=True, eq=False)
class Rows:
    """Symbol code and date of each value; columns of one frame share one instance."""

    codes: NDArray[np.int64]
    dates: Dates

    @cached_property
    def keys(self) -> NDArray[np.int64]:
        """One number per row: symbol, second, and a counter where a key repeats."""
        seconds = self.dates.astype("datetime64[s]").astype(np.int64) + (1 << 34)
        keys = (((self.codes + 1) << 35) + seconds) << 12
        if pd.Index(keys).is_unique:
            return keys
        repeats = pd.Series(keys).groupby(keys, sort=False).cumcount().to_numpy()
        return keys + np.minimum(repeats, (1 << 12) - 1)


@dataclass(frozen=True, eq=False)
class Column:
    """The values of one column, as numbers."""

    rows: Rows
    data: NDArray[np.float64]

    @cached_property
    def scale(self) -> NDArray[np.float64]:
        """The mean absolute value of each row's symbol."""
        finite = np.isfinite(self.data)
        codes = self.rows.codes + 1  # the market has the code -1
        size = int(codes.max(initial=0)) + 1
        totals = np.bincount(codes[finite], np.abs(self.data[finite]), minlength=size)
        counts = np.bincount(codes[finite], minlength=size)
        scale: NDArray[np.float64] = (totals / np.maximum(counts, 1))[codes]
        return scale


def columns_of(output: object, panel: Panel, codes: Codes, prefix: str = "") -> dict[str, Column]:
    """Read the output of a function, in any layout, as columns keyed by symbol and date."""
    if isinstance(output, Mapping):
        return _several(output.items(), panel, codes, prefix)
    if isinstance(output, tuple) or (isinstance(output, list) and output and not np.isscalar(output[0])):
        return _several(enumerate(output), panel, codes, prefix)
    frame = _wide_to_long(_named_levels_to_columns(_as_frame(output, panel)), codes)
    keys = find_keys(frame)
    if keys.dates is None:
        rows = _rows_of_prices(frame, panel, codes)
    elif keys.symbols is not None:
        rows = Rows(codes.of_symbols(keys.symbols), keys.dates)
    else:
        rows = _rows_without_symbols(keys.dates, panel, codes, prefix)
    dtypes = list(frame.dtypes)
    plain = {place: n for n, place in enumerate(p for p in keys.columns if dtypes[p] == np.float64)}
    numbers = np.asfortranarray(frame.iloc[:, list(plain)].to_numpy())  # forty columns cost like one
    found: dict[str, Column] = {}
    for place in keys.columns:
        label: Any = frame.columns[place]
        name = prefix + " ".join(map(str, label if isinstance(label, tuple) else (label,)))
        while name in found:
            name += "'"  # two columns of one name are judged separately
        values = numbers[:, plain[place]] if place in plain else _numbers(frame.iloc[:, place], codes)
        found[name] = Column(rows, values)
    return found


def _several(
    parts: Iterable[tuple[Any, object]], panel: Panel, codes: Codes, prefix: str
) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for name, part in parts:
        found |= columns_of(part, panel, codes, f"{prefix}{name}.")
    return found


def _as_frame(output: object, panel: Panel) -> pd.DataFrame:
    """Return a series or an array as a frame; an array has one entry per price row or per session."""
    if isinstance(output, pd.DataFrame):
        return output
    if isinstance(output, pd.Series):
        return output.to_frame("value" if output.name is None else output.name)
    try:
        array = np.asarray(output)
    except ValueError:  # parts of different shapes
        array = np.empty(())
    index: pd.Index[Any]
    if array.ndim in {1, 2} and len(array) == len(panel.frame):
        index = panel.frame.index
    elif array.ndim in {1, 2} and len(array) == len(panel.sessions):
        index = pd.DatetimeIndex(panel.sessions)
    else:
        shape = f" of shape {array.shape}" if array.ndim else ""
        message = (
            f"the function returned {type(output).__name__}{shape}; the leak probe needs a frame with symbol "
            "and date, or one value per row of the prices"
        )
        raise ConfigurationError(message)
    names = ["value"] if array.ndim == 1 else [f"column {n}" for n in range(array.shape[1])]
    return pd.DataFrame(array.reshape(len(array), -1), index=index, columns=names)


def _named_levels_to_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn named index levels beside symbol and date into columns, e.g. a regime."""
    names = [str(name).casefold() for name in frame.index.names]
    if frame.index.nlevels == 1 or frame.columns.nlevels > 1 or not set(SYMBOL_NAMES) & set(names):
        return frame
    # A level without a name is a row number that pandas left behind.
    extra = [
        level
        for level, name in zip(frame.index.names, names, strict=True)
        if level is not None and name not in {*SYMBOL_NAMES, *DATE_NAMES}
    ]
    return frame.reset_index(extra) if extra else frame


def _wide_to_long(frame: pd.DataFrame, codes: Codes) -> pd.DataFrame:
    """Stack a frame by date with one column per symbol, or per pair of name and symbol."""
    columns = frame.columns
    levels = (n for n in range(columns.nlevels) if codes.priced.issuperset(columns.get_level_values(n)))
    level = next(levels, None)
    if level is None or frame.empty or find_keys(frame).symbols is not None:
        return frame
    names = [*columns.names[:level], "symbol", *columns.names[level + 1 :]]
    dated = frame.set_axis(columns.set_names(names), axis=1).rename_axis(index="date")
    stacked = dated.stack(level=level, future_stack=True)  # noqa: PD013 - melt knows no second level
    return stacked.to_frame("value") if isinstance(stacked, pd.Series) else stacked


def _rows_without_symbols(dates: Dates, panel: Panel, codes: Codes, prefix: str) -> Rows:
    """Tell values for each row of the prices from values for the market as a whole."""
    row_by_row = np.array_equal(dates, panel.dates)
    if codes.for_market.setdefault(prefix, len(codes.priced) > 1 and not row_by_row):
        return Rows(np.full(len(dates), MARKET, dtype=np.int64), dates)
    if row_by_row:
        return Rows(codes.of_symbols(panel.symbols), dates)
    return Rows(np.zeros(len(dates), dtype=np.int64), dates)


def _rows_of_prices(frame: pd.DataFrame, panel: Panel, codes: Codes) -> Rows:
    """Key rows by their index, which must be that of the prices."""
    index = panel.frame.index
    priced = codes.of_symbols(panel.symbols)
    if frame.index.equals(index):
        return Rows(priced, panel.dates)
    # With several symbols, rows that were dropped and renumbered cannot be told apart.
    renumbered = len(panel.names) > 1 and frame.index.equals(pd.RangeIndex(len(frame)))
    where = index.get_indexer(frame.index) if index.is_unique and not renumbered else np.array([-1])
    if (where < 0).any():
        message = (
            "the function returned rows without dates, and their index is not that of the prices; "
            "keep the columns symbol and date"
        )
        raise ConfigurationError(message)
    return Rows(priced[where], panel.dates[where])


def _numbers(column: pd.Series[Any], codes: Codes) -> NDArray[np.float64]:
    """Return numbers, flags and dates as float64, and anything else as codes of labels."""
    types = pd.api.types
    if types.is_datetime64_any_dtype(column.dtype) or types.is_timedelta64_dtype(column.dtype):
        counts = column.astype("int64").to_numpy(dtype=np.float64)
        return np.where(column.isna().to_numpy(), np.nan, counts)
    if types.is_object_dtype(column.dtype):
        numbers = pd.to_numeric(column, errors="coerce")
        if not numbers.notna().equals(column.notna()):
            return codes.of_labels(column)
        column = numbers
    if types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype):
        if isinstance(column.dtype, np.dtype):
            return column.to_numpy().astype(np.float64)
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return codes.of_labels(column)
