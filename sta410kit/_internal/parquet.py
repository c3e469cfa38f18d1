"""Reading Parquet files of unknown origin: what a file declares is checked before any column is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sta410kit.exceptions import DataLoadingError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

SMALL = 256 * 2**20  # bytes in memory that any file may take
MOST_TIMES = 100  # its size on disk that a larger one may take; prices and features take up to 30 times
_CELL = 8  # bytes of a value in a frame


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Return the table in a Parquet file; refuse one that declares far more data than its size holds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _require_at_most(_declared_bytes(file), path)
            texts, schema = _repeatable_texts(file), file.schema_arrow
            if not texts:
                return file.read(columns=columns)
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            table = file.read(columns=columns)
        _require_at_most(_text_bytes(table, texts), path)
        return table.cast(pa.schema([schema.field(name) for name in table.column_names], schema.metadata))
    except (OSError, ValueError, pa.ArrowException) as error:
        message = f"{path} cannot be read as Parquet: {error}"
        raise DataLoadingError(message) from error


def _require_at_most(declared: int, path: Path) -> None:
    size = path.stat().st_size
    if declared > max(SMALL, MOST_TIMES * size):
        message = (
            f"{path} is {size:,} bytes and declares {declared:,} bytes of data, more than {MOST_TIMES} times "
            "its size; it was not read. Write it again without such repetition"
        )
        raise DataLoadingError(message)


def _declared_bytes(file: pq.ParquetFile) -> int:
    """Return the least memory its columns take: repeated values are free in the file, not in a frame."""
    metadata = file.metadata
    uncompressed = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
    return int(max(uncompressed, _CELL * metadata.num_rows * metadata.num_columns))


def _repeatable_texts(file: pq.ParquetFile) -> list[str]:
    """Return the columns of texts that may exceed `SMALL` when each value is written out."""
    import pyarrow as pa

    metadata, found = file.metadata, []
    groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
    for n in range(metadata.num_columns):
        name = file.schema.column(n).path
        if file.schema.column(n).physical_type != "BYTE_ARRAY" or name not in file.schema_arrow.names:
            continue
        chunks = [group.column(n) for group in groups]
        most = sum(chunk.num_values * chunk.total_uncompressed_size for chunk in chunks)
        if most > SMALL and not pa.types.is_dictionary(file.schema_arrow.field(name).type):
            found.append(name)
    return found


def _text_bytes(table: pa.Table, columns: list[str]) -> int:
    """Return the bytes that dictionary-encoded columns take when each value is written out."""
    import pyarrow.compute as pc

    chunks = [chunk for name in columns if name in table.column_names for chunk in table[name].chunks]
    lengths = (pc.sum(pc.take(pc.binary_length(chunk.dictionary), chunk.indices)) for chunk in chunks)
    return sum(length.as_py() or 0 for length in lengths)
