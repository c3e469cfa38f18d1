"""Price sources, one module each.

To add one: write a module here with ``read(path, symbols)``, which returns rows as the source has them in the
columns of `sta410kit.market.columns.COLUMNS`, name it in `SOURCES` and in `sta410kit.market.SourceName`.
"""

from __future__ import annotations

SOURCES = {
    "sample": "sta410kit.market.sources.sample",
    "files": "sta410kit.market.sources.files",
}
