"""Reading the snapshot of the last accepted prices, which the next download is compared with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sta410kit.exceptions import DataLoadingError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

SCHEMA = b"sta410.schema"
_KINDS = {"i": "whole numbers", "u": "whole numbers", "f": "numbers", "M": "dates", "b": "truth values"}


def read_snapshot(path: Path) -> pd.DataFrame:
    """Return the snapshot at `path`.

    Raises
    ------
    DataLoadingError
        It cannot be read, or holds no symbols and dates.
    """
    from sta410kit._internal.parquet import read_table

    try:
        frame: pd.DataFrame = read_table(path).to_pandas()
    except DataLoadingError as error:
        message = f"snapshot: {error}; delete it to begin a new one"
        raise DataLoadingError(message) from error
    if not {"symbol", "date"}.issubset(frame.columns):
        message = f"{path} is no snapshot of prices: it has no symbol and date; name another file"
        raise DataLoadingError(message)
    return frame


def stored_schema(path: Path) -> dict[str, str]:
    """Return columns and kinds of the frame that was kept last, in the form of `schema_of`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        stored = (pq.read_schema(path).metadata or {}).get(SCHEMA)
    except (OSError, pa.ArrowException) as error:
        message = f"snapshot {path} cannot be read: {error}; delete it to begin a new one"
        raise DataLoadingError(message) from error
    return dict(json.loads(stored)) if stored else schema_of(read_snapshot(path))


def schema_of(frame: pd.DataFrame, before: dict[str, str] | None = None) -> dict[str, str]:
    """Return the kind of values of each column; widths and layouts of the same values do not count.

    Whole numbers with gaps come as floats: such a column is of the kind that it has in `before`.
    """
    from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype

    schema = {}
    for name, dtype in frame.dtypes.items():
        if is_bool_dtype(dtype):
            kind = "b"
        elif is_integer_dtype(dtype):
            kind = "i"
        else:
            kind = "f" if is_float_dtype(dtype) else dtype.kind
        schema[str(name)] = _KINDS.get(kind, "text or objects")
        if kind == "f" and (before or {}).get(str(name)) == _KINDS["i"] and frame[name].hasnans:
            known = frame[name].dropna()
            schema[str(name)] = _KINDS["i" if (known % 1 == 0).all() else "f"]
    return schema
