"""A row that breaks an expectation, in words, in HTML and in plain values."""

from __future__ import annotations

from html import escape
from typing import Any


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
