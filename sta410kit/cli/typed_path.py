"""Paths as they are typed: one that cannot even be looked up is wrong use, and no defect of the kit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import os

_SHOWN = 100  # characters of a path in a message


class TypedPath(click.Path):
    """A path that may be there or not, but can be asked for: not too long, in no folder that is closed."""

    def __init__(self, *, dir_okay: bool = True) -> None:
        super().__init__(path_type=Path, dir_okay=dir_okay)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Return the path; one that the system refuses to look up is a usage error."""
        super().convert(value, param, ctx)  # refuses a folder where a file is wanted
        path = Path(value)
        try:
            path.exists()
        except OSError as error:
            self.fail(f"{str(value)[:_SHOWN]!r} cannot be looked up ({error.strerror})", param, ctx)
        return path
