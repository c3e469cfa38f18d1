"""Print lines and tables of data to the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit._internal.text import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from rich.text import Text


def say(text: str, style: str = "", *, err: bool = False) -> None:
    """Print `text`, which may hold data, without control characters; `err` selects standard error."""
    from rich.console import Console

    console = Console(stderr=err, highlight=False, soft_wrap=True)
    console.print(printable(text), style=style or None, markup=False)


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, title: str, right: Collection[str] = ()
) -> None:
    """Print a table; the columns named in `right` are aligned to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left")
    for row in rows:
        table.add_row(*(one if isinstance(one, Text) else Text(printable(one)) for one in row))
    Console(highlight=False, soft_wrap=True).print(table)
