"""HTML outputs: tables are read to cells and compared one by one, all else by its words."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from sta410kit.runner.comparison.text import differences_of_text, is_whole, number

if TYPE_CHECKING:
    from sta410kit.runner.comparison.tolerance import Tolerance

_SILENT = {"style", "script", "template"}


@dataclass
class Page:
    """What a reader sees of an HTML output: tables, each rows of cells, and the words around them."""

    tables: list[list[list[str]]] = field(default_factory=list)
    words: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._silent = 0
        self._depth = 0
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "table":
            self._depth += 1
            self.page.tables.append([])
        elif tag == "tr" and self._depth:
            self._close_cell()
            self.page.tables[-1].append([])
        elif tag in {"td", "th"} and self._depth:
            self._close_cell()
            if not self.page.tables[-1]:
                self.page.tables[-1].append([])
            self._cell = []
        elif tag in {"br", "p", "div", "li"}:
            self.handle_data("\n")
        del attrs

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in {"td", "th", "tr", "table"}:
            self._close_cell()
        if tag == "table":
            self._depth = max(0, self._depth - 1)

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if self._cell is not None:
            self._cell.append(data)
        else:
            self.page.words += data

    def _close_cell(self) -> None:
        if self._cell is not None:
            self.page.tables[-1][-1].append(" ".join("".join(self._cell).split()))
        self._cell = None


def read_page(html: str) -> Page:
    """Return the tables and words of an HTML output; attributes, styles and scripts are left out."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


def differences_of_html(expected: str, got: str, tolerance: Tolerance) -> list[str]:
    """Return what differs between two HTML outputs as their readers see them; nothing when they agree."""
    before, after = read_page(expected), read_page(got)
    found = differences_of_text(before.words, after.words, tolerance)
    if len(before.tables) != len(after.tables):
        return [*found, f"expected {len(before.tables)} tables, got {len(after.tables)}"]
    for position, (one, other) in enumerate(zip(before.tables, after.tables, strict=True), 1):
        name = f"table {position}, " if len(before.tables) > 1 else ""
        found += [f"{name}{text}" for text in _of_tables(one, other, tolerance)]
    return found


def _of_tables(one: list[list[str]], other: list[list[str]], tolerance: Tolerance) -> list[str]:
    if [len(row) for row in one] != [len(row) for row in other]:
        return [f"expected a table of {_size(one)}, got one of {_size(other)}"]
    heads = one[0] if one else []
    found = []
    for row, (ours, theirs) in enumerate(zip(one, other, strict=True)):
        for column, (expected, got) in enumerate(zip(ours, theirs, strict=True)):
            if _same_cell(expected, got, tolerance):
                continue
            head = heads[column] if row and column < len(heads) and heads[column] else str(column + 1)
            place = f"row {ours[0] or row} of column {head}" if row else f"the head of column {column + 1}"
            found.append(f"{place}: expected {expected or 'nothing'}, got {got or 'nothing'}")
    return found


def _same_cell(expected: str, got: str, tolerance: Tolerance) -> bool:
    if expected == got:
        return True
    ours, theirs = number(expected), number(got)
    if ours is not None and theirs is not None and expected.endswith("%") == got.endswith("%"):
        return tolerance.allows(ours, theirs, whole=is_whole(expected) and is_whole(got))
    return not differences_of_text(expected, got, tolerance)


def _size(table: list[list[str]]) -> str:
    return f"{len(table)} rows by {max(map(len, table), default=0)} columns"
