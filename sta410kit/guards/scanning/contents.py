"""The texts in one file, each with the place it stands in, read in pieces that fit into memory."""

from __future__ import annotations

import base64
import binascii
import bz2
import codecs
import gzip
import json
import lzma
import re
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BLOCK = 1 << 20
# What is carried over from one block to the next, so that nothing is cut in two unseen.
_OVERLAP = 8192
_LARGEST_NOTEBOOK = 64 * 1024**2
_COMPRESSED: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.GzipFile,
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}
_LARGEST_UNPACKED = 1 << 30  # of one file in an archive
_ZIPS = {".zip", ".whl", ".jar", ".npz"}
_PRINTABLE = re.compile(rb"[\t -~]{16,}")
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Piece(NamedTuple):
    """Some text of a file.

    Attributes
    ----------
    place : str
        Where it stands; its lines are counted on from `line`.
    text : str
        The text; nothing of it stands in another piece but the first `seen` characters.
    line : int
        Number of its first line; 0 where lines mean nothing.
    readable : bool
        Whether a person wrote or reads it; only known values are looked for in anything else.
    seen : int
        How many characters at its beginning were in the piece before.
    """

    place: str
    text: str
    line: int = 1
    readable: bool = True
    seen: int = 0


def pieces(path: Path) -> Iterator[Piece]:
    """Yield the texts in a file: of a notebook by cell, of Parquet by column, of anything else by block.

    Of what is compressed (gzip, bzip2, xz, zip) what is in it.

    Raises
    ------
    OSError
        It cannot be read.
    """
    if path.suffix == ".ipynb" and path.stat().st_size <= _LARGEST_NOTEBOOK:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            yield from _of_notebook(content)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            pass  # not a notebook: read as any text
        else:
            return
    if path.suffix in {".parquet", ".pq"}:
        try:
            yield from _of_parquet(path)
        except ValueError:  # pyarrow's ArrowInvalid: not Parquet after all
            pass
        else:
            return
    opened = _COMPRESSED.get(path.suffix)
    if opened is not None or path.suffix in _ZIPS:
        try:
            yield from _of_zip(path) if opened is None else _of_bytes(opened(path), "unpacked")
        except (EOFError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            raise OSError(None, f"broken or encrypted: {error}") from error
        return
    yield from _of_bytes(path.open("rb"), "")


def _of_zip(path: Path) -> Iterator[Piece]:
    with zipfile.ZipFile(path) as archive:
        yield Piece("names in it", "\n".join(archive.namelist()), 0)
        for member in archive.infolist():
            if not member.is_dir():
                yield from _of_bytes(archive.open(member), f"in {member.filename}")


def _of_bytes(source: IO[bytes], place: str) -> Iterator[Piece]:
    """Yield what is in an opened file, and close it."""
    with source as file:
        head = file.read(BLOCK // 128)
        file.seek(0)
        encoding = next((name for mark, name in _BOMS.items() if head.startswith(mark)), "utf-8")
        text = b"\0" not in head or encoding == "utf-16"
        for piece in _of_text(file, encoding if text else "latin-1", readable=text):
            yield piece._replace(place=place)
            if place and file.tell() > _LARGEST_UNPACKED:
                raise OSError(None, "unpacked it is larger than 1 GiB")


def _of_text(file: IO[bytes], encoding: str, *, readable: bool) -> Iterator[Piece]:
    decode = codecs.getincrementaldecoder(encoding)(errors="replace").decode
    before, line = "", 1
    while block := file.read(BLOCK):
        text = before + decode(block)
        yield Piece("", text, line if readable else 0, readable, len(before))
        before = text[-_OVERLAP:]
        line += text[: len(text) - len(before)].count("\n")


def _of_notebook(content: dict[str, Any]) -> Iterator[Piece]:
    for number, cell in enumerate(content["cells"], 1):
        where = f"In [{cell['execution_count']}]" if cell.get("execution_count") else str(number)
        yield Piece(f"cell {where}, source", _joined(cell["source"]))
        for output in cell.get("outputs", []):
            yield from _of_output(output, f"cell {where}, output")
        others = {name: value for name, value in cell.items() if name not in {"source", "outputs"}}
        yield Piece(f"cell {where}, metadata", json.dumps(others, indent=1), 0)
    rest = {name: value for name, value in content.items() if name != "cells"}
    yield Piece("notebook metadata", json.dumps(rest, indent=1), 0)


def _of_output(output: dict[str, Any], place: str) -> Iterator[Piece]:
    for name, value in output.items():
        if name == "data":
            for kind, payload in value.items():
                yield from _of_payload(kind, payload, place)
        elif isinstance(value, str | list) and name != "output_type":
            lines = "\n" if name == "traceback" else ""
            yield Piece(place, lines.join(value) if isinstance(value, list) else value)
        elif isinstance(value, dict):
            yield Piece(place, json.dumps(value, indent=1), 0)


def _of_payload(kind: str, payload: Any, place: str) -> Iterator[Piece]:  # noqa: ANN401 - JSON values
    if not isinstance(payload, str | list):
        yield Piece(f"{place} {kind}", json.dumps(payload, indent=1), 0)
        return
    text = _joined(payload)
    if not kind.startswith(("image/", "application/pdf", "audio/", "video/")) or kind == "image/svg+xml":
        yield Piece(place, text)
        return
    yield Piece(f"{place} {kind}", text, 0, readable=False)
    try:
        raw = base64.b64decode(text)
    except (binascii.Error, ValueError):
        return
    # What stands in clear in a picture's own metadata.
    yield Piece(f"{place} {kind}", "\n".join(found.decode() for found in _PRINTABLE.findall(raw)), 0)


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _of_parquet(path: Path) -> Iterator[Piece]:
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path)
    for field in table.schema_arrow:
        if not _may_hold_text(field.type):
            continue
        row = 0
        for batch in table.iter_batches(columns=[field.name]):
            texts = dict.fromkeys(_text_of(value) for value in _distinct(batch.column(0)) if value)
            joined = "\n".join(text.replace("\n", " ") for text in texts)
            yield Piece(f"column {field.name}, rows {row + 1} to {row + len(batch)}", joined, 0)
            row += len(batch)
    yield Piece("column names", "\n".join(table.schema_arrow.names), 0)
    yield Piece("file metadata", str(table.schema_arrow.metadata or ""), 0)


def _may_hold_text(kind: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
    import pyarrow.types as is_a

    kind = kind.value_type if is_a.is_dictionary(kind) else kind
    plain = (
        is_a.is_boolean,
        is_a.is_integer,
        is_a.is_floating,
        is_a.is_decimal,
        is_a.is_temporal,
        is_a.is_null,
    )
    return not any(test(kind) for test in plain)


def _distinct(column: Any) -> list[Any]:  # noqa: ANN401
    """Return the values of a column, each once where it is of a simple type."""
    import pyarrow.types as is_a

    values: list[Any] = (column if is_a.is_nested(column.type) else column.unique()).to_pylist()
    return values


def _text_of(value: Any) -> str:  # noqa: ANN401 - a text, bytes, a list or a dictionary
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if isinstance(value, str) else json.dumps(value, default=_text_of, ensure_ascii=False)
