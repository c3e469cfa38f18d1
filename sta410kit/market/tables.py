"""CSV and Parquet files as tables, with the line of each row."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from sta410kit._internal.text import pluralize
from sta410kit.exceptions import DataLoadingError
from sta410kit.market.columns import recognised

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

_PARQUET = (".parquet", ".pq")
_TEXT = (".csv", ".tsv", ".txt")
SUFFIXES = (*_TEXT, *(f"{suffix}.gz" for suffix in _TEXT), *_PARQUET)
_SEPARATOR_LINE = re.compile(r"sep=[,;\t|]")  # a first line by which Excel chooses the separator
_PREAMBLE = 40  # lines in which the header is looked for
_FEWEST = 4  # names of prices that make a line a header
_UNREADABLE = (OSError, EOFError, zlib.error)  # gone, not allowed, no gzip, cut short


@dataclass(frozen=True)
class Table:
    """A file's rows and the names of its columns as written."""

    file: Path
    names: list[str]
    frame: pd.DataFrame  # columns by position, because names may be there twice
    separator: str  # empty for Parquet
    lines: tuple[int, ...] = ()  # record of each row, where it is not the row's number
    header: int = 0  # the header's record

    @property
    def typed(self) -> bool:
        """Whether the file has column types."""
        return not self.separator

    def where(self, row: int) -> str:
        """Return the place of a row for a message: file and line, or file and row of Parquet."""
        if self.typed:
            return f"{self.file}, row {row + 1}"
        with suppress(csv.Error):  # a field too long for the csv module, which Arrow has taken
            record = self.lines[row] if self.lines else row + 1 + self.header
            for number, (line, _) in enumerate(_records(self.file, self.separator)):
                if number == record:
                    return f"{self.file}, line {line}"
        return f"{self.file}, record {row + 1}"


def is_supported(file: Path) -> bool:
    """Return whether the file's name ends like a table that can be read."""
    return file.name.casefold().endswith(SUFFIXES)


def stem(file: Path) -> str:
    """Return the file's name without what makes it a table: ``BRK.B`` of ``BRK.B.csv.gz``."""
    name = file.name
    suffix = max((s for s in SUFFIXES if name.casefold().endswith(s)), key=len, default="")
    return name[: len(name) - len(suffix)]


def read(file: Path) -> Table:
    """Return the table in a file; raise `DataLoadingError` if it cannot be read as one."""
    return _read_parquet(file) if file.name.casefold().endswith(_PARQUET) else _read_text(file)


def _read_parquet(file: Path) -> Table:
    import pandas as pd

    from sta410kit._internal.parquet import read_table

    frame = read_table(file).to_pandas()
    if frame.columns.nlevels == 2:  # noqa: PLR2004 - prices and tickers, as of `yfinance.download`
        prices = max((0, 1), key=lambda level: recognised(frame.columns.get_level_values(level)))
        frame = frame.stack(1 - prices, future_stack=True).dropna(how="all")  # noqa: PD013 - levels, not names
        frame = frame.sort_index(level=[1, 0]).rename_axis(index=["date", "symbol"])
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index(names=[name or "" for name in frame.index.names])
    names = [str(name) for name in frame.columns]
    return Table(file, names, frame.set_axis(range(len(names)), axis=1), separator="")


def _read_text(file: Path) -> Table:
    import pyarrow as pa
    from pyarrow import csv as arrow

    skip, before, names, separator = _header(file)
    keys = [str(number) for number in range(len(names))]
    try:
        # Arrow reads in blocks on all cores, and refuses a row with a field too many or too few.
        with _opened(file) as stream:
            table = arrow.read_csv(
                stream,
                read_options=arrow.ReadOptions(column_names=keys, skip_rows=skip, encoding=_encoding(file)),
                parse_options=arrow.ParseOptions(delimiter=separator, newlines_in_values=True),
                convert_options=arrow.ConvertOptions(
                    column_types=dict.fromkeys(keys, pa.string()), strings_can_be_null=False
                ),
            )
    except pa.ArrowInvalid as error:
        _explain(file, separator, len(names), before, error)
    except _UNREADABLE as error:
        message = f"{file} cannot be read ({_short(error)}); it may be cut short, write it again."
        raise DataLoadingError(message) from error
    frame = table.to_pandas()
    table = Table(file, names, frame.set_axis(range(len(names)), axis=1), separator, header=before)
    return _of_tickers(table)


def _of_tickers(table: Table) -> Table:
    """Return a table with the header of `yfinance.download`, prices and tickers in two lines, a row a ticker.

    Rows in which a ticker has no value are those of other tickers' sessions.
    """
    import pandas as pd

    top = table.frame.iloc[:2].to_numpy().tolist()
    if len(top) < 2 or top[1][0] != "Date" or any(top[1][1:]):  # noqa: PLR2004 - tickers, and the name Date
        return table
    prices, tickers = sorted((table.names[1:], top[0][1:]), key=recognised, reverse=True)
    body, parts = table.frame.iloc[2:], []
    for ticker in dict.fromkeys(tickers):
        at = [number for number, name in enumerate(tickers, 1) if name == ticker]
        part = body[[0, *at]].set_axis(["date", *(prices[number - 1] for number in at)], axis=1)
        part.insert(0, "symbol", ticker)
        parts.append(part[(body[at] != "").any(axis=1)])
    frame = pd.concat(parts)
    lines = tuple(int(number) + 1 for number in frame.index)
    names = [str(name) for name in frame.columns]
    return Table(
        table.file,
        names,
        frame.set_axis(range(len(names)), axis=1).reset_index(drop=True),
        table.separator,
        lines,
    )


def is_prose(file: Path) -> bool:
    """Tell whether a text file says something else than a table of prices does, such as a README."""
    if not file.name.casefold().endswith((".txt", ".txt.gz")):
        return False
    try:
        return recognised(_header(file)[2]) == 0
    except DataLoadingError:
        return False


def _header(file: Path) -> tuple[int, int, list[str], str]:
    """Return the line number of the header, how many lines with text precede it, its names and separator.

    It is the first line, or after a preamble such as Bloomberg's the first of the next lines with most of the
    names that price files use.
    """
    try:
        with _opened(file) as stream:
            if b"\x00" in stream.read(4) and _encoding(file) != "utf-16":
                raise _not_text(file)
        lines = ((n, line) for n, line in enumerate(_lines(file), start=1) if line.strip())
        top = list(islice((one for one in lines if not _SEPARATOR_LINE.fullmatch(one[1].strip())), _PREAMBLE))
        place = next((at for at, (_, line) in enumerate(top) if _ends_preamble(line, top[0][1])), 0)
        number, line = top[place] if top else (0, "")
    except UnicodeError as error:
        raise _not_text(file) from error
    except _UNREADABLE as error:
        message = f"{file} cannot be read ({_short(error)}); it may be cut short, write it again."
        raise DataLoadingError(message) from error
    if not line:
        message = f"{file} is empty; it needs a header and rows."
        raise DataLoadingError(message)
    # The separator under which most names make sense, in a tie that of most names.
    try:
        readings = {separator: next(csv.reader([line], delimiter=separator)) for separator in ",;\t|"}
    except csv.Error as error:
        message = f"{file}, line {number}: the header cannot be read ({error})."
        raise DataLoadingError(message) from error
    separator = max(readings, key=lambda each: (recognised(readings[each]), len(readings[each])))
    return number, place, [name.strip() for name in readings[separator]], separator


def _ends_preamble(line: str, first: str) -> bool:
    """Tell whether a line has the names of prices, and more fields that are filled than the first line."""
    separator = max(",;\t|", key=lambda each: recognised(line.strip().split(each)))
    fields = line.strip().split(separator)
    filled = [sum(bool(part.strip()) for part in text) for text in (fields, first.split(separator))]
    return recognised(fields) >= _FEWEST and filled[0] > filled[1]


def _opened(file: Path) -> io.BufferedIOBase:
    return gzip.open(file, "rb") if file.name.casefold().endswith(".gz") else file.open("rb")


def _lines(file: Path) -> Iterator[str]:
    with io.TextIOWrapper(_opened(file), encoding=_encoding(file), newline="") as stream:  # type: ignore[type-var]
        yield from stream


def _encoding(file: Path) -> str:
    """Return the encoding that the first bytes declare; without any it is UTF-8."""
    with _opened(file) as stream:
        return "utf-16" if stream.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _records(file: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank with the number of its last line."""
    reader = csv.reader(_lines(file), delimiter=separator)
    for record in reader:
        if record and not (reader.line_num == 1 and _SEPARATOR_LINE.fullmatch(separator.join(record))):
            yield reader.line_num, record


def _explain(file: Path, separator: str, width: int, before: int, error: Exception) -> None:
    """Raise an error that names the line; Arrow's names bytes and blocks."""
    try:
        for number, (line, record) in enumerate(_records(file, separator)):
            if number >= before and len(record) != width:
                found = pluralize(len(record), "field")
                message = f"{file}, line {line}: {found} where the header has {width}; correct or remove it."
                raise DataLoadingError(message) from error
    except UnicodeDecodeError as cause:
        raise _not_text(file) from cause
    except csv.Error as cause:
        message = f"{file} cannot be read as a table ({cause})."
        raise DataLoadingError(message) from cause
    message = f"{file} cannot be read as a table ({_short(error)})."
    raise DataLoadingError(message) from error


def _not_text(file: Path) -> DataLoadingError:
    message = (
        f"{file} is not UTF-8 text; save it as UTF-8 (in a spreadsheet: CSV UTF-8). Western European text of "
        f"Windows: iconv -f WINDOWS-1252 -t UTF-8 {file} > utf8.csv"
    )
    return DataLoadingError(message)


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
