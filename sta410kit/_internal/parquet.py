"""Reading Parquet files of unknown origin: what a file declares is checked before any column is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import DataLoadingError

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    import pyarrow.parquet as pq

SMALL = 256 * 2**20  # bytes in memory that any file may take
MOST_TIMES = 100  # its size on disk that a larger one may take; prices and features take up to 30 times
_CELL = 8  # bytes of a value in a frame


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Return the table in a Parquet file, or those of `columns` that it has.

    Raises
    ------
    DataLoadingError
        The file is not Parquet or is cut short, or it declares far more data than a file of its size holds:
        218 KB can expand to 1 GB.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            declared = _declared_bytes(file)
            if declared > max(SMALL, MOST_TIMES * path.stat().st_size):
                message = (
                    f"{path} is {path.stat().st_size:,} bytes and declares {declared:,} bytes of data, "
                    f"more than {MOST_TIMES} times its size; it was not read. Write it again without such "
                    "repetition"
                )
                raise DataLoadingError(message)
            return file.read(columns=columns)
    except (OSError, ValueError, pa.ArrowException) as error:
        message = f"{path} cannot be read as Parquet: {error}"
        raise DataLoadingError(message) from error


def _declared_bytes(file: pq.ParquetFile) -> int:
    """Return the least memory its columns take: repeated values are free in the file, not in a frame."""
    metadata = file.metadata
    uncompressed = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
    return int(max(uncompressed, _CELL * metadata.num_rows * metadata.num_columns))
