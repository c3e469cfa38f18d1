"""Files appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`; when the block ends well it takes the target's place.

    A reader sees the old file or the new one, never half of either; when the block raises, the old file
    stays and the temporary one is removed. The folder of `target` is made if needed.

    Yields
    ------
    Path
        Where to write; same folder and suffix as `target`, so that writers which look at the suffix work.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        umask = os.umask(0)
        os.umask(umask)
        aside.chmod(0o666 & ~umask)  # mkstemp makes private files; a reviewer's page should be readable
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write `text` to `target` in UTF-8, whole or not at all."""
    with replacing(target) as aside:
        aside.write_text(text, encoding="utf-8")
