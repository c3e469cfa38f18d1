"""The files of the store: append-only Parquet by source and symbol, each row with the moment it was seen.

A file holds what one answer of a source added. Its name tells which days were asked for, when the rows were
stored, and the SHA-256 of its content, so that a damaged file is noticed when it is read::

    data_cache/prices/alpaca/AAPL/2015-01-02_2026-11-27_20261127T210403123456Z_3f7a9c0d51e2b864.parquet

Nothing is overwritten. Revisions that wait for the gate lie in ``held``, damaged files in ``corrupt``.
"""

from __future__ import annotations

import hashlib
import io
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from filelock import FileLock
from loguru import logger

from sta410kit._internal.atomic_files import replacing
from sta410kit._internal.project import project_folder
from sta410kit.config import get_config
from sta410kit.exceptions import CacheError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pandas as pd

PRICES, HELD, CORRUPT = "prices", "held", "corrupt"
KEYS = ["date", "kind"]  # kind: "bar", "split" or "dividend"
VALUES = ["open", "high", "low", "close", "volume", "value"]
COLUMNS = ["symbol", *KEYS, *VALUES, "seen_at"]
_MOST_FILES = 30  # of a symbol, before they become one
_ATTEMPTS = 5
_DIGEST = 16
_DAY = "[0-9]" * 4 + "-[0-9][0-9]" * 2
_MOMENT = "%Y%m%dT%H%M%S%fZ"
Span = tuple[date, date]


@dataclass(frozen=True)
class PriceStore:
    """The prices downloaded so far."""

    root: Path  # `DATA_CACHE_DIR` of the project

    @classmethod
    def of_project(cls) -> PriceStore:
        """Return the store of the current project."""
        return cls(project_folder() / get_config().data.cache_dir)

    @contextmanager
    def lock(self, source: str, what: str) -> Iterator[None]:
        """Hold the lock by which processes take turns in fetching from, or writing for, a source.

        Raises
        ------
        CacheError
            The folder cannot be written.
        """
        lock = FileLock(self.root / f".{_folder_name(source)}-{what}.lock")
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield
        finally:
            lock.release()

    def moment(self, source: str) -> datetime:
        """Return the present moment, at which no row of `source` is being written."""
        with self.lock(source, "write"):
            return now()

    def symbols(self, source: str) -> tuple[str, ...]:
        """Return the symbols of which something is stored, or was."""
        folders = {
            entry.name for area in (PRICES, CORRUPT) for entry in self._folder(area, source).glob("[!.]*/")
        }
        return tuple(sorted(unquote(name) for name in folders))

    def covered(self, source: str, symbol: str, *, lost: bool = False) -> list[Span]:
        """Return the periods that were asked for and answered, in order; with `lost`, damaged files count."""
        areas = (PRICES, CORRUPT) if lost else (PRICES,)
        files = [file for area in areas for file in self._files(area, source, symbol)]
        return merged(_span(file) for file in files)

    def rows(self, source: str, symbol: str, area: str = PRICES) -> pd.DataFrame:
        """Return all rows ever stored of a symbol, in the order they were seen; damaged files are set aside.

        Returns
        -------
        DataFrame
            Columns ``symbol, date, kind, open, high, low, close, volume, value, seen_at``; `value` is new
            shares per old share of a split, or cash per share of a dividend. A row without any value says
            that the source has withdrawn the bar or the action.
        """
        import pandas as pd

        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):  # its files became one at this moment
                parts = [self._read(file) for file in self._files(area, source, symbol)]
                parts = [part for part in parts if len(part)]
                if not parts:
                    return _empty()
                if len(parts) == 1:
                    return parts[0]
                found = pd.concat(parts, ignore_index=True).drop_duplicates()
                return found.sort_values("seen_at", kind="stable", ignore_index=True)
        message = f"{self._folder(area, source, symbol)} changes while it is read; try again"
        raise CacheError(message)

    def set_damaged_aside(self, source: str, symbol: str) -> None:
        """Move the damaged files of a symbol out of the way, so that their days count as not covered."""
        for file in self._files(PRICES, source, symbol):
            with suppress(FileNotFoundError):  # it has become one with others at this moment
                if not is_intact(file, file.read_bytes()):
                    self._set_aside(file)

    def current(
        self, source: str, symbol: str, as_of: datetime | None = None, area: str = PRICES
    ) -> pd.DataFrame:
        """Return the newest row of each bar and action, as of a moment; withdrawn ones are kept as gaps."""
        found = self.rows(source, symbol, area)
        if as_of is not None:
            found = found[found["seen_at"] <= as_of]
        newest = found.drop_duplicates(KEYS, keep="last")
        return newest.sort_values("date", kind="stable", ignore_index=True)

    def append(self, source: str, rows: pd.DataFrame, spans: dict[str, Span], area: str = PRICES) -> None:
        """Store rows of the symbols in `spans`, all seen at this moment; a period without rows is stored too.

        Raises
        ------
        CacheError
            The folder cannot be written.
        """
        try:
            with self.lock(source, "write"):
                stamped = rows.assign(seen_at=now())
                by_symbol = dict(list(stamped.groupby("symbol")))
                for symbol, span in spans.items():
                    self._write(source, symbol, by_symbol.get(symbol, stamped[:0]), span, area)
                    self._compact(source, symbol, area)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> CacheError:
        return CacheError(f"{self.root} cannot be written ({error.strerror}); check DATA_CACHE_DIR")

    def _compact(self, source: str, symbol: str, area: str) -> None:
        """Make one file of many; every row stays, with the moment it was seen."""
        if len(self._files(area, source, symbol)) <= _MOST_FILES:
            return
        rows = self.rows(source, symbol, area)
        files = self._files(area, source, symbol)  # those that are intact
        spans = merged(map(_span, files))
        if len(spans) == 1 and len(rows):
            self._write(source, symbol, rows, spans[0], area)
            for file in files:
                file.unlink(missing_ok=True)

    def _write(self, source: str, symbol: str, rows: pd.DataFrame, span: Span, area: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        buffer = io.BytesIO()
        table = pa.Table.from_pandas(_typed(rows), preserve_index=False).replace_schema_metadata(None)
        pq.write_table(table, buffer, compression="zstd")
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:_DIGEST]
        name = f"{span[0]}_{span[1]}_{now().strftime(_MOMENT)}_{digest}.parquet"
        with replacing(self._folder(area, source, symbol) / name) as aside:
            aside.write_bytes(buffer.getvalue())

    def _read(self, file: Path) -> pd.DataFrame:
        import pyarrow as pa
        import pyarrow.parquet as pq

        content = file.read_bytes()
        with suppress(pa.ArrowException, ValueError, KeyError):
            if is_intact(file, content):
                rows: pd.DataFrame = pq.read_table(io.BytesIO(content)).to_pandas()
                return rows
        self._set_aside(file)
        return _empty()

    def _set_aside(self, file: Path) -> None:
        target = self.root / CORRUPT / file.relative_to(self.root / file.relative_to(self.root).parts[0])
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another process has just done so
            file.rename(target)
        logger.warning("{} is damaged: set aside as {}, its days will be fetched again", file, target)

    def _files(self, area: str, source: str, symbol: str) -> list[Path]:
        # Files that are being written have names with a leading dot.
        return sorted(self._folder(area, source, symbol).glob(f"{_DAY}_{_DAY}_*Z_*.parquet"))

    def _folder(self, area: str, source: str, symbol: str = "") -> Path:
        folder = self.root / area / _folder_name(source)
        return folder / _folder_name(symbol) if symbol else folder


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def is_intact(file: Path, content: bytes) -> bool:
    """Tell whether a file of the store has the content that its name vouches for."""
    return file.stem.rpartition("_")[2] == hashlib.sha256(content).hexdigest()[:_DIGEST]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return periods in order, those that touch or overlap as one."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + timedelta(days=1):
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def missing(wanted: Span, covered: Iterable[Span]) -> list[Span]:
    """Return the parts of a period that are not covered."""
    at, found = wanted[0], []
    for first, last in merged(covered):
        if first > wanted[1]:
            break
        if first > at:
            found.append((at, first - timedelta(days=1)))
        at = max(at, last + timedelta(days=1))
    return [*found, (at, wanted[1])] if at <= wanted[1] else found


def _folder_name(name: str) -> str:
    if not name.strip("."):
        message = f"{name!r} is no symbol"
        raise ConfigurationError(message)
    return quote(name, safe="^=")


def _span(file: Path) -> Span:
    first, last, *_ = file.name.split("_")
    return date.fromisoformat(first), date.fromisoformat(last)


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    types = dict.fromkeys(["symbol", "kind"], "str") | dict.fromkeys(VALUES, "float64")
    types |= {"date": "datetime64[us]", "seen_at": "datetime64[us, UTC]"}
    return rows.reindex(columns=COLUMNS).astype(types)


def _empty() -> pd.DataFrame:
    import pandas as pd

    return _typed(pd.DataFrame(columns=COLUMNS))
