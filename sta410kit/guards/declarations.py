"""Entries of the files beside a suite in which people declare things: accepted findings, events, repairs."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_PERIOD = ("symbol", "date", "first", "last")
_EVERYTHING = ("", "*")


@dataclass(frozen=True)
class Period:
    """Some sessions of a symbol, or of all.

    Attributes
    ----------
    symbol : str
        The symbol; empty for all.
    first, last : date or None
        First and last session, both included; every session when None.
    """

    symbol: str
    first: date | None
    last: date | None

    def covers(self, symbols: NDArray[np.object_], days: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return which of the symbols and days since 1970-01-01 are in it."""
        import numpy as np

        hit = np.asarray(symbols == self.symbol, bool) if self.symbol else np.ones(len(symbols), bool)
        if self.first is not None and self.last is not None:
            first, last = (int(np.datetime64(day, "D").astype(int)) for day in (self.first, self.last))
            hit = hit & (days >= first) & (days <= last)
        return hit

    def __str__(self) -> str:
        when = f" {self.first}" if self.first else ""
        return (
            (self.symbol or "every symbol") + when + (f" to {self.last}" if self.last != self.first else "")
        )


def read_entries(
    path: Path, key: str, required: Sequence[str], optional: Sequence[str] = (), advice: str = ""
) -> list[tuple[Period, dict[str, Any], str]]:
    """Return the period, the other keys and the place of each entry of a TOML file; none without a file.

    Parameters
    ----------
    path : Path
        The file.
    key : str
        The name of its tables: ``[[finding]]``.
    required, optional : sequence of str
        Keys an entry must and may have beside ``symbol``, ``date`` and ``first``, ``last``.
    advice : str
        What an entry that lacks a key has to say.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or an entry lacks a key or has one that does not exist.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:  # opened without asking first: the runner observes what a step tries to read
        return []
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read as TOML: {error}"
        raise ConfigurationError(message) from error
    entries = content.pop(key, [])
    if content or not isinstance(entries, list):
        message = f"{path} holds {', '.join(content) or key}; it takes entries [[{key}]] only"
        raise ConfigurationError(message)
    known = [*required, *optional, *_PERIOD]
    found = []
    for number, entry in enumerate(entries, 1):
        where = f"{path}, {key} {number}"
        if problem := _problem(entry, required, known, advice):
            raise ConfigurationError(where + problem)
        first, last = (entry.get(name) or entry.get("date") for name in ("first", "last"))
        symbol = str(entry.get("symbol", ""))
        period = Period("" if symbol in _EVERYTHING else symbol, first or last, last or first)
        found.append((period, {name: value for name, value in entry.items() if name not in _PERIOD}, where))
    return found


def _problem(  # noqa: PLR0911 - one for each kind of slip
    entry: dict[str, Any], required: Sequence[str], known: list[str], advice: str
) -> str:
    dates = {name: entry[name] for name in ("date", "first", "last", "expires") if name in entry}
    if unknown := [name for name in entry if name not in known]:
        return f": no key called {unknown[0]!r}.{did_you_mean(unknown[0], known)}"
    if missing := [name for name in required if entry.get(name) in {None, ""}]:
        return f" has no {', '.join(missing)}{advice}"
    if wrong := [name for name, value in dates.items() if type(value) is not date]:
        return f": {wrong[0]} must be a date such as 2027-03-01, without quotes, got {dates[wrong[0]]!r}"
    if not isinstance(entry.get("symbol", ""), str):
        return f': symbol must be one symbol as text, or "*" for all, got {entry["symbol"]!r}'
    if "date" in dates and len({"first", "last"} & dates.keys()):
        return ": give date, or first and last"
    if "first" in dates and "last" in dates and dates["last"] < dates["first"]:
        return f": last ({dates['last']}) lies before first ({dates['first']})"
    return ""


def write_entry(table: str, /, **keys: object) -> str:
    """Return an entry as such a file has it; JSON's texts, numbers and lists are TOML's."""
    dates = ("date", "first", "last", "expires")
    lines = [
        f"{name} = {value if name in dates else json.dumps(value, ensure_ascii=False)}"
        for name, value in keys.items()
    ]
    return "\n".join([f"[[{table}]]", *lines, ""])
