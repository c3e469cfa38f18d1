"""The last accepted prices, kept so that the next download can be compared with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from sta410kit._internal.atomic_files import replacing
from sta410kit.exceptions import DataLoadingError, DataValidationError
from sta410kit.guards.digest import frame_digest

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.guards.result import GuardResult

_SCHEMA = b"sta410.schema"
_KINDS = {"i": "whole numbers", "u": "whole numbers", "f": "numbers", "M": "dates", "b": "truth values"}


def keep_snapshot(frame: pd.DataFrame, result: GuardResult, path: str | Path) -> Path:
    """Make `frame` the snapshot at `path`, with the older sessions it does not speak of kept.

    Parameters
    ----------
    frame : pandas.DataFrame
        Prices that `result` accepted.
    result : GuardResult
        What the gate found in this very frame.
    path : str or Path
        A Parquet file; replaced whole or not at all, and never by two processes at once.

    Raises
    ------
    DataValidationError
        The gate refused the frame, or judged another one; the old snapshot stays.
    DataLoadingError
        There is something else at `path`.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    result.require()
    if not result.frame or frame_digest(frame) != result.frame:
        message = f"this is not the frame that the gate '{result.suite}' judged; validate it, then keep it"
        raise DataValidationError(message)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        whole = frame
        if path.is_file():
            keys = ["symbol", "date"]
            before = read_snapshot(path)
            known = pd.MultiIndex.from_frame(frame[keys].astype({"symbol": object}))
            older = before[~pd.MultiIndex.from_frame(before[keys].astype({"symbol": object})).isin(known)]
            if len(older):
                whole = pd.concat([older, frame], ignore_index=True).sort_values(keys, kind="stable")
        table = pa.Table.from_pandas(whole, preserve_index=False)
        metadata = {**(table.schema.metadata or {}), _SCHEMA: json.dumps(schema_of(frame)).encode()}
        with replacing(path) as aside:
            pq.write_table(table.replace_schema_metadata(metadata), aside, compression="zstd")
    return path


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
    """Return columns and kinds of the frame that was kept last, as `schema_of` tells them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        stored = (pq.read_schema(path).metadata or {}).get(_SCHEMA)
    except (OSError, pa.ArrowException) as error:
        message = f"snapshot {path} cannot be read: {error}; delete it to begin a new one"
        raise DataLoadingError(message) from error
    return dict(json.loads(stored)) if stored else schema_of(read_snapshot(path))


def schema_of(frame: pd.DataFrame) -> dict[str, str]:
    """Return the kind of values of each column; widths and layouts of the same values do not count."""
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
    return schema
