"""What a gate accepted bears its stamp, so that nothing after a gate reads what the gate has not seen.

The stamp is a Parquet metadata entry with a digest of the suite and one of the frame. A file without it, or
whose stamp does not match, is not trusted: it goes through the gate when it is read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sta410kit._internal.atomic_files import replacing
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.guards.digest import frame_digest
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
        `result` holds a critical failure, or judged another frame than this one; nothing is written then.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    result.require()
    if not result.frame or frame_digest(frame) != result.frame:
        message = f"this is not the frame that the gate '{result.suite}' judged; validate it, then accept it"
        raise DataValidationError(message)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _KEY: _stamp(result.suite, result.rules, result.frame)}
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
        The file is not Parquet, is cut short, or expands to far more than its size.
    DataValidationError
        The file bears no valid stamp and the gate refuses what is in it.
    """
    from sta410kit._internal.parquet import read_table

    if not path.is_file():
        message = f"no file {path}; `sta410 run` writes it in the run's folder"
        raise ConfigurationError(message)
    table = read_table(path)
    frame: pd.DataFrame = table.to_pandas()
    contract, digest = read_suite(suite), frame_digest(frame)
    stamp = _stamp(contract.name, contract.digest, digest)
    if not digest or (table.schema.metadata or {}).get(_KEY) != stamp:
        validate(frame, suite).require()
    return frame


def _stamp(suite: str, rules: str, frame: str) -> bytes:
    return json.dumps({"suite": suite, "rules": rules, "frame": frame}, sort_keys=True).encode()
