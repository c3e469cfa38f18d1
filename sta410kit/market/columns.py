"""Which column of a file is which, whatever it calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import DataLoadingError
from sta410kit.market.selection import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Compared without case, spaces and punctuation: "Adj. Close" and "adj_close" are both "adjclose".
_SPELLINGS = {
    "symbol": ("symbol", "ticker", "tic", "instrument"),
    "date": ("date", "timestamp", "datetime", "session", "tradedate", "tradingday", "day"),
    "open": ("open", "openprice"),
    "high": ("high", "highprice"),
    "low": ("low", "lowprice"),
    "close": ("close", "closeprice", "closelast"),
    "adj_close": ("adjclose", "adjustedclose", "closeadj", "closeadjusted", "adjcloseprice"),
    "volume": ("volume", "vol", "tradedvolume", "sharevolume"),
}
# Names that often mean something else (a company's name beside its symbol); used when nothing better is
# there.
_WEAK = {"symbol": ("name", "code"), "date": ("time",)}
_OPTIONAL = {"symbol", "adj_close"}


def plain(name: object) -> str:
    """Return a column name without case, spaces and punctuation."""
    return "".join(letter for letter in str(name).casefold() if letter.isalnum())


def recognised(names: Sequence[str]) -> int:
    """Return how many of the names are ones that price files use."""
    known = {
        spelling for group in (_SPELLINGS, _WEAK) for spellings in group.values() for spelling in spellings
    }
    return sum(plain(name) in known for name in names)


def find(names: Sequence[str], file: Path) -> dict[str, int]:
    """Return the position of each of the kit's columns among the names of a file.

    `symbol` and `adj_close` may be absent from the result; a first column without a name counts as the date
    when no other does, as in a frame written with its index.

    Raises
    ------
    DataLoadingError
        If two columns mean the same, or one is missing; the message names what was found.
    """
    found: dict[str, int] = {}
    for column in COLUMNS:
        hits = [at for at, name in enumerate(names) if plain(name) in _SPELLINGS[column]]
        hits = hits or [at for at, name in enumerate(names) if plain(name) in _WEAK.get(column, ())]
        if len(hits) > 1:
            both = " and ".join(repr(names[at]) for at in hits[:2])
            message = f"{file}: the columns {both} both mean {column}; remove or rename one."
            raise DataLoadingError(message)
        if hits:
            found[column] = hits[0]
    if "date" not in found and names and not names[0].strip():
        found["date"] = 0
    missing = [column for column in COLUMNS if column not in found and column not in _OPTIONAL]
    if missing:
        hint = ""
        if (
            names and plain(names[0]) == "price"
        ):  # what yfinance writes: field, ticker and date in three lines
            hint = " It looks like a header of several lines; download with multi_level_index=False."
        shown = ", ".join(names) or "none"
        message = f"{file}: no column for {', '.join(missing)}; found {shown}.{hint}"
        raise DataLoadingError(message)
    return found
