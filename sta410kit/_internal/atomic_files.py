"""Files appear whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sta410kit._internal.redaction import redact


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`, which takes the target's place when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.stem}-{secrets.token_hex(8)}{target.suffix}")
    # The kernel applies the umask, as for any new file; to ask for the umask is to change it for a moment.
    os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield aside
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write `text` to `target` in UTF-8, whole or not at all, registered secrets redacted."""
    with replacing(target) as aside:
        aside.write_text(redact(text), encoding="utf-8")
