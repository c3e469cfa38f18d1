"""The tear sheet of a run as text: what a reader of the report or the terminal needs to judge a result."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sta410kit._internal.text import percent, pluralize

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONE = "not defined"
_text = partial(percent, none=_NONE)


class Sheet(NamedTuple):
    """Rows of text: figures with remarks; and tables whose first row names the columns."""

    figures: list[tuple[str, str, str]]
    tables: dict[str, list[tuple[str, ...]]]


def sheet_of(verdict: Mapping[str, Any]) -> Sheet | None:
    """Return the tear sheet in a ``verdict.json``, see `tear_sheet.key_figures`; nothing without one."""
    found = verdict.get("sheet")
    if not found:
        return None
    rank, fall = found["rank_ic"], found["worst_drawdown"]
    luck = verdict.get("deflated_sharpe", {}).get("probability")
    sharpe, held_sharpe = (_text(found[name], "+z.2f") for name in ("sharpe", "benchmark_sharpe"))
    yearly, held_yearly = (_text(found[name], "+z,.1%") for name in ("annualised_return", "benchmark_return"))
    figures = [
        (
            f"rank IC, {pluralize(rank['horizon'], 'session')} ahead",
            _text(rank["rank_ic"], "+z.3f"),
            f"95 % interval {_interval(rank)}, allowing for overlap"
            if rank["dates"]
            else "no date has three symbols with different predictions",
        ),
        ("Sharpe ratio after costs", sharpe, f"buy and hold {held_sharpe}"),
        (
            "deflated Sharpe ratio",
            _text(luck, ".1%"),
            "probability of more than luck, over buy and hold; 95 % needed",
        ),
        ("return a year after costs", yearly, f"buy and hold {held_yearly}"),
        ("worst drawdown", _text(fall["depth"], "z,.1%"), _when(fall)),
        (
            "turnover a session",
            _text(found["turnover"], ".1%"),
            f"costs took {_text(found['costs'], ',.1%')} of the capital at the start",
        ),
    ]
    both = ("strategy", "benchmark")
    tables: dict[str, list[tuple[str, ...]]] = {
        "rank IC by horizon": [
            ("sessions ahead", "rank IC", "95 % interval"),
            *(
                (str(row["horizon"]), _text(row["rank_ic"], "+z.3f"), _interval(row))
                for row in found["decay"]
                if row["rank_ic"] is not None
            ),
        ],
        "return by year": [
            ("year", "strategy", "buy and hold", "excess"),
            *_rows(found["yearly"], "year", *both, "excess"),
        ],
        "gain by symbol, of the capital at the start": [
            ("symbol", "strategy", "buy and hold"),
            *_rows(found["contribution"], "symbol", *both),
        ],
    }
    return Sheet(figures, {name: rows for name, rows in tables.items() if len(rows) > 1})


def _rows(records: list[dict[str, Any]], key: str, *names: str) -> list[tuple[str, ...]]:
    return [(str(row[key]), *(_text(row[name], "+z,.1%") for name in names)) for row in records]


def _interval(row: Mapping[str, Any]) -> str:
    low, high = (_text(row[f"rank_ic_{end}"], "+z.3f") for end in ("low", "high"))
    return _NONE if low == _NONE else f"{low} to {high}"


def _when(fall: Mapping[str, Any]) -> str:
    if not fall["start"]:
        return "never below its start"
    back = f"back on {fall['end']}" if fall["end"] else "not back yet"
    return f"from {fall['start']}, lowest on {fall['trough']}, {back}"
