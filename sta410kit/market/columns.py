"""The columns of prices, and the names that files give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import DataLoadingError, DataValidationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

COLUMNS = ("symbol", "date", "open", "high", "low", "close", "adj_close", "volume")

# Compared without case, spaces and punctuation: "Adj. Close" and "adj_close" are both "adjclose". German,
# French and Polish names are those of data sites there.
_SPELLINGS = {
    "symbol": ("symbol", "ticker", "tic", "instrument"),
    "date": ("date", "timestamp", "datetime", "session", "tradedate", "tradingday", "datum"),
    "open": ("open", "openprice", "pxopen", "eröffnung", "eröffn", "erster", "ouverture", "ouv", "otwarcie"),
    "high": ("high", "highprice", "pxhigh", "hoch", "haut", "plushaut", "najwyzszy"),
    "low": ("low", "lowprice", "pxlow", "tief", "bas", "plusbas", "najnizszy"),
    "close": (
        "close",
        "closeprice",
        "closelast",
        "pxlast",
        "lastprice",
        "schluss",
        "schlusskurs",
        "zuletzt",
        "clôture",
        "dernier",
        "zamkniecie",
    ),
    "adj_close": ("adjclose", "adjustedclose", "closeadj", "closeadjusted", "adjcloseprice"),
    "volume": ("volume", "vol", "tradedvolume", "sharevolume", "pxvolume", "stücke", "stuecke", "wolumen"),
}
# Names that often mean something else (a company's name beside its symbol), used when no better one is there.
# Single letters, as Polygon and Alpaca write them, count in this case only: T is a ticker, t a time.
_WEAK = {
    "symbol": ("name", "code", "T", "S"),
    "date": ("time", "day", "t", "data"),
    **{name: (name[0],) for name in ("open", "high", "low")},
    "close": ("c", "price"),
    "volume": ("v", "volumen"),  # beside "Stücke" it is money
}
_OPTIONAL = {"symbol", "adj_close"}
_KNOWN = {name for names in (*_SPELLINGS.values(), *_WEAK.values()) for name in names}


class NoPriceColumnsError(DataLoadingError):
    """A file lacks columns that prices have, so it may be a table of something else."""


def recognised(names: Sequence[str]) -> int:
    """Return how many of the names are ones that price files use."""
    return sum(_plain(name) in _KNOWN for name in names)


def find(names: Sequence[str], file: Path) -> dict[str, int]:
    """Return the position of each of the kit's columns among the names of a file.

    `symbol` and `adj_close` may be absent from the result. A first column without a name is the date when no
    other is, as in a frame written with its index. A column called `date` is the date, even if a `timestamp`
    or `session` is beside it.

    Raises
    ------
    DataLoadingError
        Two columns mean the same.
    NoPriceColumnsError
        A column is missing.
    """
    found: dict[str, int] = {}
    for column in COLUMNS:
        hits = [at for at, name in enumerate(names) if _plain(name) in _SPELLINGS[column]]
        if column == "date" and len(hits) > 1:
            exact = [at for at in hits if _plain(names[at]) == column]
            hits = exact if len(exact) == 1 else hits
        hits = hits or [at for at, name in enumerate(names) if _plain(name) in _WEAK.get(column, ())]
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
        message = (
            f"{file}: no column for {', '.join(missing)}; found {', '.join(names) or 'none'}. "
            "The line above the prices must name them: date,open,high,low,close,volume."
        )
        raise NoPriceColumnsError(message)
    return found


def require(prices: pd.DataFrame, *names: str) -> None:
    """Raise `DataValidationError` if a frame of prices lacks one of the columns."""
    missing = [name for name in names if name not in prices]
    if missing:
        found = ", ".join(map(str, prices.columns))
        message = f"the prices lack the column(s) {', '.join(missing)}; found {found}"
        raise DataValidationError(message)


def _plain(name: object) -> str:
    """Return a column name without case, spaces and punctuation; a single letter as it is."""
    if len(text := str(name).strip()) == 1:
        return text
    return "".join(letter for letter in str(name).casefold() if letter.isalnum())
