"""Find registered secrets in the files of a run folder; a file that a step made is never rewritten."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.redaction import holds_secret, redact, registered

_CHUNK = 4 * 1024**2
_OVERLAP = 16 * 1024  # longer than any encoding of one value, so that no value hides between two chunks
_ROWS = 20_000
_PARQUET = b"PAR1"


def files_with_secrets(folder: Path, *, since: float = 0.0, ignore: Collection[str] = ()) -> list[str]:
    """Return the files below `folder`, relative and redacted, that hold a secret in bytes, texts or name."""
    if not registered():
        return []
    found = []
    for path in sorted(folder.rglob("*")):
        with suppress(OSError):  # removed meanwhile, or not ours to read
            if path.is_symlink() or not path.is_file() or path.name in ignore:
                continue
            name = path.relative_to(folder).as_posix()
            if path.stat().st_mtime >= since and (holds_secret(name) or file_holds_secret(path)):
                found.append(redact(name))
    return found


def found_message(names: Collection[str]) -> str:
    """Return the message of a step that wrote a secret into the files `names`."""
    holds = "holds" if len(names) == 1 else "hold"
    return (
        f"{', '.join(names)} {holds} a registered secret, so the result is not used again. Write the "
        "file without it, delete this run folder, and replace the credential if the folder was shared; "
        "see docs/secrets.md"
    )


def redact_log(path: Path) -> None:
    """Redact a log in place that a kernel's process wrote itself."""
    with suppress(OSError):
        text = path.read_text(encoding="utf-8", errors="replace")
        if holds_secret(text):
            write_text(path, text)


def file_holds_secret(path: Path) -> bool:
    """Tell whether a registered secret is in the bytes of a file, or in the texts of a Parquet file."""
    with path.open("rb") as file:
        parquet = file.read(len(_PARQUET)) == _PARQUET
    return any(map(holds_secret, _parquet_texts(path) if parquet else ())) or any(
        map(holds_secret, _chunks(path))
    )


def _chunks(path: Path) -> Iterator[str]:
    """Yield the bytes of a file as overlapping texts; without zeros as well, as ASCII in UTF-16 reads."""
    with path.open("rb") as file:
        tail = b""
        while block := file.read(_CHUNK):
            chunk = tail + block
            yield chunk.decode("utf-8", "surrogateescape")
            if b"\0" in chunk:
                yield chunk.replace(b"\0", b"").decode("utf-8", "surrogateescape")
            tail = chunk[-_OVERLAP:]


def _parquet_texts(path: Path) -> Iterator[str]:
    """Yield column names, metadata, and the distinct texts of each batch of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with suppress(pa.ArrowException, OSError), pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        yield "\n".join(schema.names)
        yield "\n".join(
            value.decode("utf-8", "surrogateescape") for value in (schema.metadata or {}).values()
        )
        named = [one.name for one in schema if not pa.types.is_primitive(one.type)]
        for batch in file.iter_batches(_ROWS, columns=named) if named else ():
            for column in batch.columns:
                yield from _texts(column)


def _texts(column: Any) -> Iterator[str]:  # noqa: ANN401 - pyarrow has no types
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        yield from _texts(column.dictionary)
    elif pa.types.is_nested(kind):
        parts = [column.keys, column.items] if pa.types.is_map(kind) else column.flatten()
        for part in parts if isinstance(parts, list) else [parts]:
            yield from _texts(part)
    elif not pa.types.is_primitive(kind):
        values = column.unique().to_pylist()
        texts = (
            value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
            for value in values
        )
        yield "\n".join(texts)
