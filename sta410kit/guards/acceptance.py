"""What a gate accepted is stamped, so that nothing after a gate reads data that the gate has not judged.

The stamp is a Parquet metadata entry with a digest of the suite and one of the frame. A file without it, or
whose stamp does not match, is not trusted: it goes through the gate when it is read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from loguru import logger

from sta410kit._internal.atomic_files import replacing
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.guards.digest import frame_digest
from sta410kit.guards.gate import validate
from sta410kit.guards.result import QUARANTINED
from sta410kit.guards.snapshots import SCHEMA, read_snapshot, schema_of, stored_schema
from sta410kit.guards.suites import read_suite

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit._internal.universe import Universe
    from sta410kit.guards.result import GuardResult

_KEY, _LEFT_OUT = b"sta410.accepted", b"sta410.quarantined"


def accept(
    frame: pd.DataFrame, result: GuardResult, path: Path, *, universe: Universe | None = None
) -> pd.DataFrame:
    """Write what is usable of `frame` to `path` as Parquet with the stamp of `result`, and return it.

    What is quarantined travels with the file: `read_quarantined` returns it. Prices accepted with a
    `universe` have a column ``member``, which features, targets, forecasts and backtests follow.

    Raises
    ------
    DataValidationError
        `result` refused the frame, or judged another one than this; nothing is written then.
    """
    _require_judged(frame, result)
    usable = result.usable if universe is None else universe.mark(result.usable)
    digest = result.frame if usable is frame else frame_digest(usable)
    metadata = {_KEY: _stamp(result.suite, result.rules, digest)}
    if str(result.coverage):
        metadata[_LEFT_OUT] = result.quarantined.to_json(orient="records", date_format="iso").encode()
    _write_with(usable, path, metadata)
    return usable


def read_accepted(path: Path, suite: str) -> pd.DataFrame:
    """Read a Parquet file that the gate `suite` has accepted, or put it through that gate now.

    Returns
    -------
    pandas.DataFrame
        The frame; without what the gate quarantines where it is judged now.

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
        result = validate(frame, suite).require()
        if str(result.coverage):
            logger.warning("{}: {}", path.name, result.summary())
        return result.usable
    return frame


def stored_digest(path: Path) -> str:
    """Return the digest of the frame in a Parquet file, by its stamp where it has one."""
    import pyarrow.parquet as pq

    from sta410kit._internal.parquet import read_table

    stamp = (pq.read_schema(path).metadata or {}).get(_KEY)
    return str(json.loads(stamp)["frame"]) if stamp else frame_digest(read_table(path).to_pandas())


def read_quarantined(path: str | Path) -> pd.DataFrame:
    """Return what the gate left out of an accepted file: ``symbol, date, expectation, reason``."""
    import pandas as pd

    table = pd.DataFrame(quarantined_rows(path), columns=list(QUARANTINED))
    return table.assign(date=pd.to_datetime(table["date"]).dt.tz_localize(None).astype("datetime64[us]"))


def quarantined_rows(path: str | Path) -> list[dict[str, Any]]:
    """Return the same as dictionaries, dates as text, without loading pandas."""
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = json.loads((pq.read_schema(path).metadata or {}).get(_LEFT_OUT, b"[]"))
    return rows


def keep_snapshot(frame: pd.DataFrame, result: GuardResult, path: str | Path) -> Path:
    """Make `frame` the snapshot at `path`, keeping what the older one says of all that it lacks.

    What is quarantined, by the gate or a repair, is not kept: for these bars the older snapshot still holds.

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
        The gate refused the frame, or judged another one; the old snapshot remains.
    DataLoadingError
        There is something else at `path`.
    """
    import pandas as pd

    _require_judged(frame, result)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        usable = result.usable
        schema = schema_of(frame, stored_schema(path) if path.is_file() else None)
        whole = usable.dropna(subset=usable.columns.intersection(["close"]))
        if path.is_file():
            keys = ["symbol", "date"]
            whole = pd.concat([read_snapshot(path), whole], ignore_index=True)
            whole = whole.drop_duplicates(keys, keep="last").sort_values(keys, kind="stable")
        _write_with(whole, path, {SCHEMA: json.dumps(schema).encode()})
    return path


def _require_judged(frame: pd.DataFrame, result: GuardResult) -> None:
    """Raise `DataValidationError` unless `result` accepted this very frame."""
    result.require()
    if not result.frame or frame_digest(frame) != result.frame:
        message = f"this is not the frame that the gate '{result.suite}' judged; validate it, then accept it"
        raise DataValidationError(message)


def _write_with(frame: pd.DataFrame, path: Path, entries: dict[bytes, bytes]) -> None:
    """Write `frame` as Parquet with more metadata entries, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), **entries}
    with replacing(path) as aside:
        pq.write_table(table.replace_schema_metadata(metadata), aside, compression="zstd")


def _stamp(suite: str, rules: str, frame: str) -> bytes:
    return json.dumps({"suite": suite, "rules": rules, "frame": frame}, sort_keys=True).encode()
