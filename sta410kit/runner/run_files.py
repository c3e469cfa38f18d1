"""The files of one run, for a reader who may see nothing else: found by name, previewed, their end read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sta410kit._internal.parquet import read_table
from sta410kit._internal.redaction import redact
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.runs import run_folders

if TYPE_CHECKING:
    from pathlib import Path

    from sta410kit.runner.manifest import Manifest

_ID = re.compile(r"\d+-\d+-\w+")
_HEAD, _TAIL = 20, 10  # rows of a preview
_MOST = 2**19  # bytes of a log that are shown


def known_run(runs: Path, run: str) -> Path:
    """Return the folder of the run with this id; unlike `find_run` it takes no path and no prefix.

    Raises
    ------
    ConfigurationError
        There is no such run; the message has a suggestion.
    """
    folder = runs / run
    if _ID.fullmatch(run) and folder.is_dir() and not folder.is_symlink():
        return folder
    names = [other.name for other in run_folders(runs)]
    message = f"there is no run '{run[:80]}'.{did_you_mean(run, names)}"
    raise ConfigurationError(message)


def known_file(folder: Path, name: str) -> Path:
    """Return a file of a run by its path in the run's folder.

    Raises
    ------
    ConfigurationError
        There is no such file, it lies outside the folder, or is hidden.
    """
    path = folder / name
    try:
        inside = path.resolve().is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError):  # a null byte, a name that is too long, a loop of links
        inside = False
    if inside and not any(part.startswith(".") for part in path.relative_to(folder).parts):
        return path
    message = f"run {folder.name} has no file '{name[:200]}'"
    raise ConfigurationError(message)


def artifacts_of(folder: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """Return step, path and size in bytes of each file that the steps of a run left and that is there."""
    found = []
    for step in manifest.steps:
        for name in step.artifacts:
            path = (folder / step.notebook).parent / name
            if path.is_file():
                place = path.relative_to(folder).as_posix()
                found.append({"step": step.name, "path": place, "bytes": path.stat().st_size})
    return found


def preview(path: Path) -> dict[str, Any]:
    """Return columns with types, the first and last rows as text, and the number of rows of a Parquet file.

    Raises
    ------
    DataLoadingError
        It is not Parquet.
    """
    import pyarrow as pa

    table = read_table(path)
    names = [(field.name, str(field.type)) for field in table.schema]
    whole = table.num_rows <= _HEAD + _TAIL
    parts = [table] if whole else [table.slice(0, _HEAD), table.slice(table.num_rows - _TAIL)]
    rows = [[_text(row[name]) for name, _ in names] for part in parts for row in _rows(part, pa)]
    return {"columns": names, "rows": rows, "count": table.num_rows, "gap": None if whole else _HEAD}


def _rows(table: Any, pa: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - pyarrow and one of its tables
    """Return rows as dictionaries; times to the microsecond, for which pyarrow does not import pandas."""
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            kind = pa.timestamp("us", field.type.tz)
            table = table.set_column(place, field.name, table[field.name].cast(kind, safe=False))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _text(value: Any) -> str:  # noqa: ANN401 - any value of a table
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value).removesuffix(" 00:00:00")[:200]


def tail_of(path: Path) -> tuple[str, bool]:
    """Return the end of a text file, secrets redacted, and whether that is all of it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _MOST))
        content = file.read(_MOST).decode("utf-8", errors="replace")
    whole = size <= _MOST
    return redact(content if whole else content.partition("\n")[2]), whole
