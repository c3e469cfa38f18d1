"""The job of a warm process that writes a sweep's table as Parquet."""

from __future__ import annotations

import json
from pathlib import Path

from sta410kit._internal.atomic_files import replacing


def write(arguments: list[str]) -> None:
    """Write columns, read as JSON lists by name, as Parquet; a column without any value is one of text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    source, target = map(Path, arguments)
    columns = json.loads(source.read_text(encoding="utf-8"))
    arrays = {
        name: pa.array(values, type=pa.string() if all(value is None for value in values) else None)
        for name, values in columns.items()
    }
    with replacing(target) as aside:
        pq.write_table(pa.table(arrays), aside)
