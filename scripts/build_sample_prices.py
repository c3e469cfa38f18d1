"""Rebuild the prices shipped with the kit from the package ``bokeh_sampledata``.

Run ``python scripts/build_sample_prices.py`` to write them, with ``--check`` to compare them with the file in
the repository instead (exit code 1 if they differ). Provenance: ``sta410kit/market/data/README.md``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from sta410kit._internal.atomic_files import replacing

TARGET = Path(__file__).parents[1] / "sta410kit" / "market" / "data" / "prices.parquet"
SCHEMA = pa.schema(
    [
        ("symbol", pa.string()),
        ("date", pa.timestamp("us")),
        ("open", pa.float64()),
        ("high", pa.float64()),
        ("low", pa.float64()),
        ("close", pa.float64()),
        ("adj_close", pa.float64()),
        ("volume", pa.int64()),
    ]
)


def build() -> pa.Table:
    """Return the five series as one table, sorted by symbol and date, values as supplied."""
    from bokeh_sampledata.stocks import data  # only needed to rebuild, so not a dependency of the kit

    frame = data.rename(columns={"ticker": "symbol"})[SCHEMA.names]
    frame = frame.sort_values(["symbol", "date"], kind="stable", ignore_index=True)
    return pa.Table.from_pandas(frame, schema=SCHEMA, preserve_index=False).replace_schema_metadata(None)


def write(table: pa.Table, target: Path) -> None:
    """Write the table small and the same way each time: one row group, zstd, no pandas metadata."""
    pq.write_table(
        table,
        target,
        compression="zstd",
        compression_level=19,
        row_group_size=len(table),
        use_dictionary=["symbol"],
        column_encoding={
            name: "BYTE_STREAM_SPLIT" for name in SCHEMA.names if name not in {"symbol", "date", "volume"}
        }
        | {"date": "DELTA_BINARY_PACKED", "volume": "DELTA_BINARY_PACKED"},
    )


def same_as(table: pa.Table, target: Path) -> bool:
    """Return whether `target` holds the same values; the bytes may differ between versions of pyarrow."""
    return target.is_file() and pq.read_table(target).equals(table)


def main() -> int:
    """Write or check the file and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    arguments = parser.parse_args()
    table = build()
    if arguments.check:
        same = same_as(table, TARGET)
        print(f"{TARGET.name}: {'as built' if same else 'differs; run this script without --check'}")
        return 0 if same else 1
    with replacing(TARGET) as aside:
        write(table, aside)
    first, last = (pd.Timestamp(stamp.as_py()) for stamp in pa.compute.min_max(table["date"]).values())
    period = f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    print(f"{TARGET.name}: {len(table):,} rows, {period}, {TARGET.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
