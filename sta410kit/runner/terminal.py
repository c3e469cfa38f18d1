"""Print lines and tables of data to the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from textwrap import TextWrapper
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import printable

if TYPE_CHECKING:
    from rich.text import Text

_WIDE = 170
_WORD = 24  # characters of the longest word that is kept whole, such as the id of a run


def say(text: str, style: str = "", *, err: bool = False) -> None:
    """Print `text`, which may hold data, without control characters; `err` selects standard error.

    In a terminal, lines end between words; what is longer than a line, such as a path, stays whole.
    """
    from rich.console import Console

    console = Console(stderr=err, highlight=False, soft_wrap=True)
    text = printable(text)
    if console.is_terminal:
        broken = TextWrapper(console.width, "", "  ", break_long_words=False, break_on_hyphens=False)
        text = "\n".join(map(broken.fill, text.split("\n")))
    console.print(text, style=style or None, markup=False)


def show_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    title: str = "",
    right: Collection[str] = (),
    lines: bool = True,
) -> None:
    """Print a table; numbers, in the columns named in `right`, and columns of single words are never cut."""
    from rich.box import HEAVY_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    look: dict[str, Any] = {"box": HEAVY_HEAD} if lines else {"box": None, "padding": (0, 2, 0, 0)}
    table = Table(title=title or None, title_justify="left", pad_edge=lines, **look)
    cells = [[one if isinstance(one, Text) else Text(printable(one)) for one in row] for row in rows]
    smallest = 1
    for place, name in enumerate(columns):
        texts = [name, *(row[place].plain for row in cells)]
        number, longest = name in right, max(map(len, texts))
        whole = number or (longest <= _WORD and not any(" " in text for text in texts[1:]))
        table.add_column(Text(name), justify="right" if number else "left", no_wrap=whole, overflow="fold")
        smallest += 2 + lines + (longest if whole else min(longest, _WORD // 3))
    for row in cells:
        table.add_row(*row)
    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width if console.is_terminal else _WIDE, smallest)  # a pipe wraps nothing
    console.print(table)
