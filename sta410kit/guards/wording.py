"""Rows that break an expectation, and how much of a frame a gate leaves out, in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sta410kit.guards.result import Check

_NAMED = 5
_NO_TIME = re.compile(r"[T ]00:00:00(\.0+)?Z?$")


@dataclass(frozen=True)
class Coverage:
    """How much of a frame is left out.

    Attributes
    ----------
    symbols, symbols_left_out : int
        Symbols of the frame, and those that are quarantined.
    bars, bars_left_out : int
        Bars of the other symbols, missing sessions included, and those that are quarantined.
    """

    symbols: int = 0
    symbols_left_out: int = 0
    bars: int = 0
    bars_left_out: int = 0

    def __str__(self) -> str:
        parts = []
        if self.symbols_left_out:
            parts.append(f"{self.symbols_left_out} of {pluralize(self.symbols, 'symbol')}")
        if self.bars_left_out:
            parts.append(f"{self.bars_left_out:,} of {pluralize(self.bars, 'bar')}")
        return " and ".join(parts)


def name_left_out(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for the first few symbols and the newest bars left out, and how many more there are.

    Parameters
    ----------
    rows : iterable of mappings
        ``symbol, date, expectation, reason``; the date as text, and None for a whole symbol.
    """
    lines: dict[str, list[str]] = {"symbol": [], "bar": []}
    for row in sorted(rows, key=lambda row: row["date"] or "", reverse=True):
        what = " ".join(filter(None, (row["symbol"], _NO_TIME.sub("", row["date"] or ""))))
        why = row["reason"].removeprefix(f"{row['symbol']}: ")
        lines["bar" if row["date"] else "symbol"].append(f"quarantined {what}: {why} ({row['expectation']})")
    return [line for noun, found in lines.items() for line in _first(found, noun)]


def _first(lines: list[str], noun: str) -> list[str]:
    more = len(lines) - _NAMED
    return lines[:_NAMED] + ([f"and {pluralize(more, f'more {noun}')}"] if more > 0 else [])


def row_words(row: dict[str, Any]) -> str:
    """Put symbol and date first, then the judged values: ``AAPL 2000-03-08 (high=1.0, low=118.56)``.

    Text is quoted, so that one that looks like a number is not taken for one.
    """
    return " ".join(filter(None, _row_parts(row)))


def row_html(row: dict[str, Any]) -> str:
    """Return the words of a row; a line does not break within a date."""
    key, values = map(escape, _row_parts(row))
    return " ".join(filter(None, (key and f'<span style="white-space:nowrap">{key}</span>', values)))


def _row_parts(row: dict[str, Any]) -> tuple[str, str]:
    key = " ".join(str(plain(row[name])) for name in ("symbol", "date") if name in row)
    values = ", ".join(
        f"{name}={value!r}" if isinstance(value, str) else f"{name}={plain(value)}"
        for name, value in row.items()
        if name not in {"symbol", "date"}
    )
    return key, f"({values})" if key and values else values


def plain(value: Any) -> Any:  # noqa: ANN401 - any cell of a frame
    """Return what JSON and people can read: dates without an empty time, numpy scalars as Python's."""
    if hasattr(value, "isoformat"):
        return value.isoformat().removesuffix("T00:00:00") if value == value else None  # noqa: PLR0124 - NaT
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):  # noqa: PLR0124
        return str(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def failures_table(failures: tuple[Check, ...]) -> str:
    """Return the failures as an HTML table; every value from the data is escaped."""
    left = 'style="text-align:left;vertical-align:top"'  # JupyterLab aligns cells to the right
    body = "".join(
        f"<tr><td {left}>{escape(f.severity)}{', quarantined' * f.quarantined}</td>"
        f"<td {left}>{escape(f.message)}<br><code>{escape(f.expectation)}</code> {escape(f.column)}</td>"
        f"<td {left}>{f.count or ''}</td><td {left}>{'<br>'.join(map(row_html, f.rows[:5]))}</td></tr>"
        for f in failures
    )
    heads = "".join(f"<th {left}>{name}</th>" for name in ("severity", "what", "rows", "first of them"))
    return (
        '<table class="table" style="border-collapse:collapse;text-align:left;margin-top:6px">'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )
