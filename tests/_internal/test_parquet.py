"""A Parquet file is read only if what it declares fits its size."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sta410kit._internal.parquet import read_table
from sta410kit.exceptions import DataLoadingError

pytestmark = pytest.mark.unit


def test_a_small_file_that_expands_a_thousandfold_is_refused_before_it_is_read(tmp_path):
    """One value repeated 40 million times takes 200 KB on disk."""
    path = tmp_path / "bomb.parquet"
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_000_000, np.int8)), pa.array([1.0]))
    table = pa.table({"close": column})
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(40):
            writer.write_table(table)
    assert path.stat().st_size < 300_000
    with pytest.raises(DataLoadingError, match=r"declares 320,000,000 bytes"):
        read_table(path)


def test_long_texts_that_repeat_are_refused_before_they_are_written_out(tmp_path):
    """A dictionary of one text of 20 KB and 20,000 references to it take 8 KB on disk."""
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"symbol": ["A" * 20_000] * 20_000}), path)
    assert path.stat().st_size < 10_000
    with pytest.raises(DataLoadingError, match=r"declares 400,000,000 bytes"):
        read_table(path)


def test_texts_that_repeat_keep_their_type(tmp_path):
    """A column whose size cannot be ruled out beforehand is read as it was written."""
    path = tmp_path / "prices.parquet"
    table = pa.table({"symbol": [f"S{n % 500}" for n in range(300_000)], "close": np.ones(300_000)})
    pq.write_table(table, path)
    assert read_table(path).equals(table)
    assert read_table(path, ["close"]).column_names == ["close"]


def test_repetitive_data_of_ordinary_size_are_read(tmp_path):
    """A constant column of a million rows is 8 MB."""
    path = tmp_path / "flat.parquet"
    pd.DataFrame({"volume": np.zeros(1_000_000)}).to_parquet(path)
    assert read_table(path).num_rows == 1_000_000


@pytest.mark.parametrize("content", [b"", b"PAR1", b"symbol,date\n", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_a_file_that_is_not_parquet_is_named(tmp_path, content):
    """Empty, truncated and foreign files are a loading error."""
    path = tmp_path / "prices.parquet"
    path.write_bytes(content)
    with pytest.raises(DataLoadingError, match=r"prices\.parquet cannot be read as Parquet"):
        read_table(path)
