"""Two files that a step has written at two times: equal, or where they first differ."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit._internal.text import pluralize
from sta410kit.runner.registry import content_digest

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_FEW = 5  # rows shown
_SCHEMA = "schema.json"  # of a file written by skops
_PLACE, _ARRAY = re.compile(rb'"__id__": \d+'), re.compile(rb"\d+\.npy")


def differences_of_files(expected: Path, got: Path) -> list[str]:
    """Return in what the contents of two files differ, in words; nothing when they are the same.

    Tables are compared cell by cell and exactly, missing being equal to missing; zip archives, such as model
    files, member by member, because they hold the time they were written; JSON by its values. Anything else
    must have the same bytes.

    Parameters
    ----------
    expected, got : Path
        The recorded file, and the one that was made anew. Both must exist.
    """
    if content_digest(expected) == content_digest(got):
        return []
    try:
        return _by_content(expected, got)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        return [f"one of the two cannot be read: {error}"]


def _by_content(expected: Path, got: Path) -> list[str]:
    suffix = expected.suffix.lower()
    if suffix in {".parquet", ".pq"}:
        return _of_frames(pd.read_parquet(expected), pd.read_parquet(got))
    if suffix == ".csv":
        return _of_frames(pd.read_csv(expected), pd.read_csv(got)) or _bytes_apart(expected, got)
    if suffix == ".json":
        return _of_values(json.loads(expected.read_bytes()), json.loads(got.read_bytes()), "")
    if zipfile.is_zipfile(expected) and zipfile.is_zipfile(got):
        return _of_archives(expected, got)
    return _bytes_apart(expected, got)


def _of_frames(expected: pd.DataFrame, got: pd.DataFrame) -> list[str]:
    """Return in what two tables differ: columns, types, number of rows, then the first cells."""
    before, after = list(map(str, expected.columns)), list(map(str, got.columns))
    if before != after:
        gone, new = [n for n in before if n not in after], [n for n in after if n not in before]
        return [
            f"columns differ: missing {gone}, new {new}" if gone or new else "columns stand in another order"
        ]
    found = [
        f"column {name}: expected type {one}, got {other}"
        for name, one, other in zip(before, expected.dtypes, got.dtypes, strict=True)
        if one != other
    ]
    if len(expected) != len(got):
        found.append(f"expected {pluralize(len(expected), 'row')}, got {len(got):,}")
    rows = min(len(expected), len(got))
    for position, name in enumerate(before):
        one, other = expected.iloc[:rows, position], got.iloc[:rows, position]
        apart = np.flatnonzero(~_equal(one, other))
        if len(apart):
            found.append(_cells_apart(expected, name, apart, one, other))
    return found


def _equal(one: pd.Series[Any], other: pd.Series[Any]) -> Any:  # noqa: ANN401 - an array of bool
    both_missing = one.isna().to_numpy() & other.isna().to_numpy()
    same = np.asarray(one.to_numpy(dtype=object) == other.to_numpy(dtype=object), dtype=bool)
    return both_missing | same


def _cells_apart(
    frame: pd.DataFrame,
    name: str,
    apart: npt.NDArray[np.intp],
    one: pd.Series[Any],
    other: pd.Series[Any],
) -> str:
    """Name the first rows in which a column differs, by their symbol and date where they have one."""
    shown = []
    for row in apart[:_FEW]:
        keys = [_short(frame[key].iloc[row]) for key in ("symbol", "date") if key in frame.columns]
        place = f"row {row}" + (f" ({' '.join(keys)})" if keys else "")
        shown.append(f"{place}: expected {_short(one.iloc[row])}, got {_short(other.iloc[row])}")
    more = f"; {len(apart):,} rows in all" if len(apart) > _FEW else ""
    return f"column {name}: {'; '.join(shown)}{more}"


def _short(value: Any) -> str:  # noqa: ANN401 - a cell of any type
    return str(value).removesuffix(" 00:00:00")


def _of_values(before: Any, after: Any, place: str) -> list[str]:  # noqa: ANN401 - JSON
    if isinstance(before, dict) and isinstance(after, dict):
        found = [
            f"{place or 'top'}: key {key} is on one side only" for key in sorted(before.keys() ^ after.keys())
        ]
        for key in before:
            if key in after:
                found += _of_values(before[key], after[key], f"{place}.{key}".lstrip("."))
        return found
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            text
            for position, (one, other) in enumerate(zip(before, after, strict=True))
            for text in _of_values(one, other, f"{place}[{position}]")
        ]
    same = before == after or (before != before and after != after)  # noqa: PLR0124 - NaN
    return [] if same else [f"{place or 'top'}: expected {before!r}, got {after!r}"]


def _of_archives(expected: Path, got: Path) -> list[str]:
    before, after = _members(expected.read_bytes()), _members(got.read_bytes())
    if before.keys() != after.keys():
        return [f"members differ: {', '.join(sorted(before))} and {', '.join(sorted(after))}"]
    return [f"member {name} differs" for name in before if before[name] != after[name]]


def _members(content: bytes) -> dict[str, bytes]:
    """Return the members of an archive, those of archives in it too, without the times they were written.

    skops names arrays by where they lay in memory and notes the same of every object; arrays are named by
    their order instead, and the notes are dropped.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if _SCHEMA in members:
        schema = _PLACE.sub(b'"__id__": 0', members.pop(_SCHEMA))
        arrays = list(dict.fromkeys(_ARRAY.findall(schema)))
        names = {name.decode(): f"array {number}" for number, name in enumerate(arrays)}
        schema = _ARRAY.sub(lambda found: names[found[0].decode()].encode(), schema)
        members = {names.get(name, name): data for name, data in members.items()} | {_SCHEMA: schema}
    found: dict[str, bytes] = {}
    for name, data in members.items():
        if zipfile.is_zipfile(io.BytesIO(data)):
            found |= {f"{name}/{inner}": inside for inner, inside in _members(data).items()}
        else:
            found[name] = data
    return dict(sorted(found.items()))


def _bytes_apart(expected: Path, got: Path) -> list[str]:
    one, other = expected.read_bytes(), got.read_bytes()
    first = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return [f"expected {len(one):,} bytes, got {len(other):,}; they differ from byte {first:,} on"]
