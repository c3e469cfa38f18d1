"""Paths on the command line: one that the system refuses to look up is a usage error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import os

_SHOWN = 100  # characters of a path in a message


class TypedPath(click.Path):
    """A path that need not exist but can be looked up: not too long, not in a closed folder."""

    def __init__(self, *, dir_okay: bool = True) -> None:
        super().__init__(path_type=Path, dir_okay=dir_okay)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Return the path, or fail if it cannot be looked up."""
        super().convert(value, param, ctx)  # refuses a folder where a file is wanted
        path = Path(value)
        try:
            path.exists()
        except OSError as error:
            self.fail(f"{str(value)[:_SHOWN]!r} cannot be looked up ({error.strerror})", param, ctx)
        return path
