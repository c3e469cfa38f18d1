"""What a gate accepted bears its stamp, so that nothing after a gate reads what the gate has not seen.

The stamp is a Parquet metadata entry with a digest of the suite and one of the frame. A file without it, or
whose stamp does not match, is not trusted: it goes through the gate when it is read.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sta410kit.atomic import replacing
from sta410kit.exceptions import ConfigurationError, DataLoadingError
from sta410kit.guards.gate import validate
from sta410kit.guards.suites import read_suite

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from sta410kit.guards.result import GuardResult

_KEY = b"sta410.accepted"


def accept(frame: pd.DataFrame, result: GuardResult, path: Path) -> pd.DataFrame:
    """Write `frame` to `path` as Parquet with the stamp of `result`, and return it.

    Raises
    ------
    DataValidationError
        `result` holds a critical failure; nothing is written then.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    result.require()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _KEY: _stamp(frame, result.suite)}
    with replacing(path) as aside:
        pq.write_table(table.replace_schema_metadata(metadata), aside, compression="zstd")
    return frame


def read_accepted(path: Path, suite: str) -> pd.DataFrame:
    """Read a Parquet file that the gate `suite` has accepted, or put it through that gate now.

    Raises
    ------
    ConfigurationError
        There is no such file.
    DataLoadingError
        The file is not Parquet, or cut short.
    DataValidationError
        The file bears no valid stamp and the gate refuses what is in it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        message = f"no file {path}; `sta410 run` writes it in the run's folder"
        raise ConfigurationError(message)
    try:
        table = pq.read_table(path)
        frame: pd.DataFrame = table.to_pandas()
    except (OSError, pa.ArrowException) as error:
        message = f"{path} cannot be read as Parquet: {error}"
        raise DataLoadingError(message) from error
    if (table.schema.metadata or {}).get(_KEY) != _stamp(frame, suite):
        validate(frame, suite).require()
    return frame


def _stamp(frame: pd.DataFrame, suite: str) -> bytes:
    contract = read_suite(suite)
    rules = json.dumps(contract.expectations, sort_keys=True).encode()
    content: dict[str, Any] = {
        "suite": contract.name,
        "rules": hashlib.sha256(rules).hexdigest(),
        "frame": _digest(frame),
    }
    return json.dumps(content, sort_keys=True).encode()


def _digest(frame: pd.DataFrame) -> str:
    """Digest of names and values; pandas' row hash, so that dtype back-ends and file layout do not matter."""
    import pandas as pd

    digest = hashlib.sha256("\0".join(map(str, frame.columns)).encode())
    digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()
