"""Files of a run without secrets: text, tables, archives and other bytes, and the names of all of them."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from sta410kit._internal.atomic_files import replacing, write_text
from sta410kit._internal.redaction import MASK, holds_secret, redact, registered
from sta410kit._internal.scrub import scrub, scrub_bytes
from sta410kit.runner.scrubbing import scrubbed_from, scrubbed_notebook

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 256 * 1024**2  # bytes of a text file that is still looked at, and of what an archive holds
_LARGEST_BINARY = 64 * 1024**2
_HEAD = 8192
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # how a file of text with zero bytes begins
_GZIP, _ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"


def scrub_notebook_file(path: Path) -> list[str]:
    """Scrub an executed notebook where it lies; return what was scrubbed from it, now or while it ran."""
    import nbformat

    if not path.is_file():
        return []
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    clean = scrubbed_notebook(notebook)
    if clean is not notebook:
        write_text(path, nbformat.writes(clean))  # type: ignore[no-untyped-call]
    return scrubbed_from(clean)


def scrub_folder(folder: Path) -> list[str]:
    """Scrub every file in a run folder where nothing runs any more, and its name; return a sentence a file.

    Executed notebooks were scrubbed cell by cell; a step may have left others.
    """
    if not registered():
        return []
    told = []
    for path in sorted(folder.rglob("*")):
        shown = redact(path.relative_to(folder).as_posix())
        if scrub_file(path):
            told.append(f"a secret was scrubbed from {shown}")
        elif _too_large(path):
            told.append(f"{shown} is too large to be looked through for secrets")
    # What is in a folder before the folder.
    named = [path for path in sorted(folder.rglob("*"), reverse=True) if holds_secret(path.name)]
    return told + [f"a secret was scrubbed from the name of {_renamed(path).name}" for path in named]


def scrub_file(path: Path) -> bool:
    """Take registered secrets out of a file; tell whether there were any.

    Text is redacted; tables in Parquet and archives (gzip, zip) are written again; in any other bytes stars
    take the place of the secret, so that nothing moves. What is too large, or encrypted, is left alone.
    """
    if scrub_text_file(path):
        return True
    try:
        if path.is_symlink() or not path.is_file() or not 0 < path.stat().st_size <= _LARGEST_BINARY:
            return False
        raw = path.read_bytes()
    except OSError:
        return False
    clean = _clean(raw, depth=2)
    if clean == raw:
        return False
    _replace(path, clean)
    return True


def scrub_text_file(path: Path) -> bool:
    """Take registered secrets out of a file of text; tell whether there were any.

    A file of anything else is left alone, and so is one beyond 256 MiB.
    """
    try:
        if path.is_symlink() or not path.is_file() or not 0 < path.stat().st_size <= _LARGEST:
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if _binary(head):
            return False
        how = ("utf-16", "strict") if head.startswith(_UTF_16) else ("utf-8", "surrogateescape")
        text = path.read_bytes().decode(*how)
    except (OSError, UnicodeDecodeError):
        return False
    if not holds_secret(text):
        return False
    _replace(path, _clean_text(text, json_text=path.suffix in {".json", ".ipynb"}).encode(*how))
    return True


def _too_large(path: Path) -> bool:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size <= _LARGEST_BINARY:
            return False
        with path.open("rb") as file:
            return path.stat().st_size > _LARGEST or _binary(file.read(_HEAD))
    except OSError:
        return False


def _binary(head: bytes) -> bool:
    known = head.startswith((_GZIP, _ZIP, _PARQUET))
    return known or (b"\0" in head and not head.startswith(_UTF_16))


def _replace(path: Path, content: bytes) -> None:
    with replacing(path) as part:
        part.write_bytes(content)


def _renamed(path: Path) -> Path:
    """Give a file or folder a name without the secret in it, and one that nobody has."""
    name, number = redact(path.name).replace(MASK, "secret"), 1
    target = path.with_name(name)
    while target.exists():
        number += 1
        target = path.with_name(f"{number}-{name}")
    return path.rename(target)


def _clean_text(text: str, *, json_text: bool) -> str:
    """Return a text redacted; JSON stays JSON, where the text alone might lose half of an escape."""
    if json_text:
        try:
            return redact(json.dumps(scrub(json.loads(text)), indent=1, ensure_ascii=False)) + "\n"
        except ValueError:
            pass
    return redact(text)


def _clean(raw: bytes, depth: int) -> bytes:
    """Return the bytes of a file, or of a member of an archive, without secrets."""
    try:
        if raw.startswith(_GZIP) and depth:
            return _clean_gzip(raw, depth)
        if raw.startswith(_ZIP) and depth:
            return _clean_zip(raw, depth)
        if raw.startswith(_PARQUET):
            return _clean_parquet(raw)
    except (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile):
        return raw  # broken, encrypted or too large
    return scrub_bytes(raw)


def _clean_gzip(raw: bytes, depth: int) -> bytes:
    with gzip.open(io.BytesIO(raw)) as file:
        content = file.read(_LARGEST)
        if file.read(1):
            return raw
    clean = _clean(content, depth - 1)
    return raw if clean == content else gzip.compress(clean, mtime=0)


def _clean_zip(raw: bytes, depth: int) -> bytes:
    target = io.BytesIO()
    same = True
    with zipfile.ZipFile(io.BytesIO(raw)) as archive, zipfile.ZipFile(target, "w") as copy:
        if sum(member.file_size for member in archive.infolist()) > _LARGEST:
            return raw
        for member in archive.infolist():
            content, name = archive.read(member), redact(member.filename)
            clean = _clean(content, depth - 1)
            same &= clean == content and name == member.filename
            member.filename = name
            copy.writestr(member, clean)
    return raw if same else target.getvalue()


def _clean_parquet(raw: bytes) -> bytes:
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(raw))
    columns = [_clean_column(column) for column in table.columns]
    same = all(a is b for a, b in zip(columns, table.columns, strict=True))
    names = [redact(name) for name in table.column_names]
    metadata = table.schema.metadata or {}
    notes = {key: redact(value.decode("utf-8", "surrogateescape")) for key, value in metadata.items()}
    noted = {key: value.encode("utf-8", "surrogateescape") for key, value in notes.items()}
    if same and names == table.column_names and noted == metadata:
        return raw
    import pyarrow as pa

    target = io.BytesIO()
    pq.write_table(pa.table(columns, names=names).replace_schema_metadata(noted or None), target)
    return target.getvalue()


def _clean_column(column: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return a column without secrets: itself if it holds none."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_primitive(kind) or pa.types.is_null(kind):
        return column  # numbers and dates
    if pa.types.is_nested(kind):
        values = column.to_pylist()
        clean = [_clean_value(value) for value in values]
    else:  # a few texts, many times
        scrubbed = {value: _clean_value(value) for value in column.unique().to_pylist()}
        if all(value == text for value, text in scrubbed.items()):
            return column
        values = column.to_pylist()
        clean = [scrubbed[value] for value in values]
    return column if clean == values else pa.chunked_array([pa.array(clean, type=kind)])


def _clean_value(value: Any) -> Any:  # noqa: ANN401 - what a cell of a table can hold
    return scrub_bytes(value) if isinstance(value, bytes) else scrub(value)
