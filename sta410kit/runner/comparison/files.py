"""Compare two versions of a value or of an artifact, by content."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sta410kit._internal.parquet import read_table
from sta410kit.exceptions import DataLoadingError
from sta410kit.runner.registry import content_digest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

_FEW = 5  # rows shown of a column
_LONG = re.compile(r"-?\b\d+\.\d{7,}(e[-+]\d+)?\b")  # a float in full
_SCHEMA = "schema.json"  # of a file written by skops
_PLACE, _ARRAY = re.compile(rb'"__id__": \d+'), re.compile(rb"\d+\.npy")


@dataclass(frozen=True)
class Tolerance:
    """Floats are equal when ``|second - first| <= atol + rtol * |first|``; integers must be identical."""

    # relative and absolute tolerance; both zero by default, which is exact comparison
    rtol: float = 0.0
    atol: float = 0.0

    def allows(self, first: float, second: float) -> bool:
        """Tell whether two numbers count as equal; NaN equals NaN, infinity equals itself."""
        if first == second or (math.isnan(first) and math.isnan(second)):
            return True
        if isinstance(first, int) and isinstance(second, int):
            return False
        return abs(second - first) <= self.atol + self.rtol * abs(first) < math.inf


EXACT = Tolerance()


class Difference(NamedTuple):
    """One thing in which two runs differ, with the evidence."""

    # ``metrics``, ``code``, ``parameters``, ``data``, ``packages``, ``settings``, ``seed``, ``git``,
    # ``outcomes``, ``recorded`` or ``artifacts``
    kind: str
    where: str  # step, file, column, row, or the name of the value
    # what each run has there; both empty where only digests are known
    first: str = ""
    second: str = ""

    @property
    def shown(self) -> tuple[str, str]:
        """Both for people: in six digits where those tell them apart."""
        long = ["none" if one == "null" else one for one in (self.first, self.second)]
        first, second = (_LONG.sub(lambda found: f"{float(found[0]):.6g}", one) for one in long)
        return (first, second) if first != second else (long[0], long[1])

    def __str__(self) -> str:
        if not (self.first or self.second):
            return self.where
        first, second = self.shown
        return f"{self.where}: first {first or 'nothing'}, second {second or 'nothing'}"


def compare_files(first: Path, second: Path, tolerance: Tolerance = EXACT) -> list[Difference]:
    """Return where the contents of two files differ; empty when they are equal.

    Parquet and CSV are compared cell by cell (missing equals missing), JSON value by value, zip archives such
    as model files member by member without their timestamps. All other files must have the same bytes.
    """
    name = first.name
    if content_digest(first) == content_digest(second):
        return []
    try:
        found = _by_content(first, second, tolerance)
    except (DataLoadingError, OSError, ValueError, zipfile.BadZipFile) as error:
        return [Difference("artifacts", f"{name} cannot be compared: {error}")]
    return [one._replace(where=f"{name}: {one.where}" if one.where else name) for one in found]


def compare_values(first: Any, second: Any, tolerance: Tolerance, where: str = "") -> list[Difference]:  # noqa: ANN401
    """Return where two JSON values differ; the kind of the differences is ``recorded``."""
    if isinstance(first, dict) and isinstance(second, dict):
        return [
            one
            for key in dict.fromkeys([*first, *second])
            for one in (
                compare_values(first[key], second[key], tolerance, f"{where}.{key}".lstrip("."))
                if key in first and key in second
                else [Difference("recorded", f"{where}.{key}".lstrip("."), _at(first, key), _at(second, key))]
            )
        ]
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        pairs = zip(first, second, strict=True)
        return [
            one
            for place, (old, new) in enumerate(pairs)
            for one in compare_values(old, new, tolerance, f"{where}[{place}]")
        ]
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (first, second))
    same = tolerance.allows(first, second) if numbers else (first == second and type(first) is type(second))
    return [] if same else [Difference("recorded", where, json.dumps(first), json.dumps(second))]


def _at(values: dict[str, Any], key: str) -> str:
    return json.dumps(values[key]) if key in values else ""


def _by_content(first: Path, second: Path, tolerance: Tolerance) -> list[Difference]:
    import pandas as pd

    suffix = first.suffix.lower()
    if suffix in {".parquet", ".pq"}:
        return _compare_tables(read_table(first).to_pandas(), read_table(second).to_pandas(), tolerance)
    if suffix == ".csv":
        return _compare_tables(pd.read_csv(first), pd.read_csv(second), tolerance)
    if suffix == ".json":
        found = compare_values(json.loads(first.read_bytes()), json.loads(second.read_bytes()), tolerance)
        return [one._replace(kind="artifacts") for one in found]
    if zipfile.is_zipfile(first) and zipfile.is_zipfile(second):
        old, new = _members(first.read_bytes()), _members(second.read_bytes())
        names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
        return [
            Difference("artifacts", f"member {name}", _size(old.get(name)), _size(new.get(name)))
            for name in names
        ]
    return _compare_bytes(first.read_bytes(), second.read_bytes())


def _compare_tables(first: pd.DataFrame, second: pd.DataFrame, tolerance: Tolerance) -> list[Difference]:
    """Compare two tables: columns, types, number of rows, then cells."""
    import numpy as np

    if list(first.columns) != list(second.columns):
        old, new = (", ".join(map(str, frame.columns)) for frame in (first, second))
        return [Difference("artifacts", "columns", old, new)]
    types = zip(first.columns, first.dtypes, second.dtypes, strict=True)
    found = [
        Difference("artifacts", f"type of column {name}", str(old), str(new))
        for name, old, new in types
        if old != new
    ]
    if len(first) != len(second):
        found.append(Difference("artifacts", "number of rows", f"{len(first):,}", f"{len(second):,}"))
    rows = min(len(first), len(second))
    for place, name in enumerate(first.columns):
        ours, theirs = first.iloc[:rows, place], second.iloc[:rows, place]
        different = np.flatnonzero(~_equal(ours, theirs, tolerance))
        for row in different[:_FEW]:
            keys = [str(first[key].iloc[row])[:10] for key in ("symbol", "date") if key in first.columns]
            where = f"column {name}, row {row}" + (f" ({' '.join(keys)})" if keys else "")
            cells = (str(one.iloc[row]).removesuffix(" 00:00:00") for one in (ours, theirs))
            found.append(Difference("artifacts", where, *cells))
        if len(different) > _FEW:
            found.append(Difference("artifacts", f"column {name}: {len(different):,} rows in all"))
    return found


def _equal(old: pd.Series[Any], new: pd.Series[Any], tolerance: Tolerance) -> npt.NDArray[np.bool_]:
    import numpy as np
    import pandas as pd

    if all(pd.api.types.is_float_dtype(one.dtype) for one in (old, new)):
        values = [one.to_numpy(dtype=np.float64, na_value=np.nan) for one in (old, new)]
        return np.asarray(
            np.isclose(values[1], values[0], rtol=tolerance.rtol, atol=tolerance.atol, equal_nan=True)
        )
    missing = old.isna().to_numpy() & new.isna().to_numpy()
    same = np.asarray(old.to_numpy(dtype=object) == new.to_numpy(dtype=object), dtype=bool)
    return np.asarray(missing | same)


def _members(content: bytes) -> dict[str, bytes]:
    """Return the members of a zip archive, including those of nested archives.

    skops names arrays after their address in memory and notes the address of every object; arrays are renamed
    by their order, and the addresses dropped.
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


def _size(content: bytes | None) -> str:
    return "absent" if content is None else f"{len(content):,} bytes"


def _compare_bytes(first: bytes, second: bytes) -> list[Difference]:
    pairs = enumerate(zip(first, second, strict=False))
    place = next((place for place, (old, new) in pairs if old != new), min(len(first), len(second)))
    return [Difference("artifacts", f"from byte {place:,} on", _size(first), _size(second))]
