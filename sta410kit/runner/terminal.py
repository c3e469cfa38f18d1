"""Print lines and tables of data to the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import printable

if TYPE_CHECKING:
    from rich.text import Text

_WIDE, _WIDEST = 170, 10_000


def say(text: str, style: str = "", *, err: bool = False) -> None:
    """Print `text`, which may hold data, without control characters; `err` selects standard error."""
    from rich.console import Console

    console = Console(stderr=err, highlight=False, soft_wrap=True)
    console.print(printable(text), style=style or None, markup=False)


def show_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    title: str = "",
    right: Collection[str] = (),
    lines: bool = True,
) -> None:
    """Print a table; numbers, in the columns named in `right`, are never cut."""
    from rich.box import HEAVY_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    look: dict[str, Any] = {"box": HEAVY_HEAD} if lines else {"box": None, "padding": (0, 2, 0, 0)}
    table = Table(title=title or None, title_justify="left", pad_edge=lines, **look)
    for name in columns:
        number = name in right
        table.add_column(Text(name), justify="right" if number else "left", no_wrap=number, overflow="fold")
    for row in rows:
        table.add_row(*(one if isinstance(one, Text) else Text(printable(one)) for one in row))
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _WIDE  # do not wrap in a file or a pipe
    smallest = console.measure(table, options=console.options.update(width=_WIDEST)).minimum
    console.width = max(console.width, smallest)
    console.print(table)
