"""Your own prices: CSV and Parquet, one file or a folder of them.

Symbols are text (``000001``, ``NAN``), nothing is guessed where two readings are possible, and what cannot be
read is named by file and line.
"""

from __future__ import annotations

import re
import warnings
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError, DataLoadingError
from sta410kit.market import columns, dates, numbers, tables, tidying
from sta410kit.market.columns import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 5
_LIKE_A_SYMBOL = re.compile(r"\^?[A-Z]{1,5}([.-][A-Z]{1,2})?|\d{6}")


class UnadjustedPricesWarning(UserWarning):
    """The prices have no adjusted close, so splits and dividends look like gains and losses."""


def read(path: str | Path | None, symbols: tuple[str, ...] | None) -> pd.DataFrame:
    """Return every row of a file, or of all supported files of a folder, as one frame.

    Rows newest first or by date are sorted; rows in no order are left for the gate. A file without a symbol
    column holds one symbol: the one asked for if the path is a single file and a single symbol is asked for,
    else its name. A name written like a symbol (``AAPL.csv``) always counts, so that no prices pass for those
    of another symbol. A symbol in two files keeps the rows of both. Columns the kit does not know come last,
    under their own names.

    Parameters
    ----------
    path : str or Path
        A file (``.csv``, ``.txt``, ``.tsv``, each also with ``.gz``, ``.parquet``, ``.pq``) or a folder of
        such; hidden files, other files, a ``README.txt`` and subfolders are ignored.
    symbols : tuple of str, optional
        The symbols asked for.

    Raises
    ------
    ConfigurationError
        There is no path, or no price file at it.
    DataLoadingError
        A file cannot be read as prices.

    Warns
    -----
    UnadjustedPricesWarning
        A file has no adjusted close; its close is used.
    """
    import pandas as pd

    place = _place(path)
    files = _files(place)
    single = symbols[0] if symbols and len(symbols) == 1 and place.is_file() else None
    if single and _LIKE_A_SYMBOL.fullmatch(tables.stem(place)):
        single = None
    parts, unadjusted = [], []
    for file in files:
        part, adjusted = _read_file(file, single or tables.stem(file))
        parts.append(part)
        if not adjusted:
            unadjusted.append(file.name)
    if unadjusted:
        more = f" and {len(unadjusted) - _SHOWN} more" if len(unadjusted) > _SHOWN else ""
        warnings.warn(
            f"No adjusted close in {', '.join(unadjusted[:_SHOWN])}{more}: "
            "the close is used, so splits and dividends are not adjusted for. Add a column adj_close.",
            UnadjustedPricesWarning,
            stacklevel=3,
        )
    rows = pd.concat(parts, ignore_index=True)
    rows["volume"] = numbers.whole(rows["volume"])
    for name in rows.columns[len(COLUMNS) :]:
        rows[name] = numbers.guess(rows[name])
    return tidying.in_order(rows)


def _place(path: str | Path | None) -> Path:
    if path is None or not str(path).strip():
        message = "The source 'files' needs a path: give path= a CSV or Parquet file, or a folder of them."
        raise ConfigurationError(message)
    if not isinstance(path, str | PathLike):
        message = f"path is {path!r}, which is no path; give one file or folder as text."  # type: ignore[unreachable]
        raise ConfigurationError(message)
    place = Path(path).expanduser()
    try:
        there = place.exists()
    except (OSError, ValueError) as error:  # a name too long, a null byte
        message = f"path is {str(path)[:200]!r}, which cannot be looked up ({error})."
        raise ConfigurationError(message) from error
    if not there:
        message = f"There is no file or folder {path} (looked in {Path.cwd()}); check the path."
        raise ConfigurationError(message)
    return place


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        inside = sorted(file for file in place.iterdir() if tables.is_supported(file) and file.is_file())
        files = [file for file in inside if not (file.name.startswith(".") or tables.is_prose(file))]
        if not files:
            message = f"The folder {place} holds no price file; supported are {', '.join(tables.SUFFIXES)}."
            raise ConfigurationError(message)
        return files
    if not tables.is_supported(place) or not place.is_file():
        message = f"{place} is no price file; supported are {', '.join(tables.SUFFIXES)}."
        raise ConfigurationError(message)
    return [place]


def _read_file(file: Path, symbol: str) -> tuple[pd.DataFrame, bool]:
    """Return the rows of one file, the kit's columns first, and whether it has an adjusted close."""
    import pandas as pd

    table = tables.read(file)
    found = columns.find(table.names, file)
    raw = {name: table.frame.iloc[:, position] for name, position in found.items()}
    if table.frame.empty:
        message = f"{file} has a header and no rows."
        raise DataLoadingError(message)
    result = pd.DataFrame(index=table.frame.index)
    result["symbol"] = _symbols(raw["symbol"], table) if "symbol" in raw else symbol
    result["symbol"] = result["symbol"].astype("str")
    result["date"] = dates.stamps(raw["date"], result["symbol"], table)
    written = [name for name in COLUMNS[2:] if name in raw]
    mark = "" if table.typed else numbers.decimal_mark(raw[name] for name in written)
    for name in COLUMNS[2:]:
        if name in raw:
            parsed = numbers.parse(raw[name], table.names[found[name]], table, mark)
            # In a CSV everything is text; where a Parquet file holds text, the gate should see it.
            result[name] = raw[name] if table.typed and numbers.is_text(raw[name]) else parsed
    adjusted = "adj_close" in raw
    if not adjusted:
        result["adj_close"] = result["close"]
    result = result[list(COLUMNS)]
    for at, name in enumerate(table.names):
        if at not in found.values() and name.strip() and name not in result:
            result[name] = table.frame.iloc[:, at]
    return result, adjusted


def _symbols(values: pd.Series[str], table: tables.Table) -> pd.Series[str]:
    missing = values.isna().to_numpy()
    text = values.astype("str")
    empty = missing | (text.str.strip() == "").to_numpy()
    if empty.any():
        message = f"{table.where(int(empty.argmax()))}: the symbol is empty; fill it in or remove the line."
        raise DataLoadingError(message)
    return text
