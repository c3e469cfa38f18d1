"""The sector of each symbol, by one rule for sizing orders and for checking them."""

from collections.abc import Iterable, Mapping
from numbers import Integral
from pathlib import Path

from sta410kit.exceptions import ConfigurationError

UNKNOWN_SECTOR = "unknown"


def sectors_of(symbols: Iterable[str], sectors: Mapping[str, object] | None) -> list[str]:
    """Return the sector of each symbol, ignoring case and spaces; `unknown` where it has no name."""
    if sectors is not None and not isinstance(sectors, Mapping):
        kind = type(sectors).__name__  # type: ignore[unreachable]
        message = f"sectors is {kind}; give a mapping of symbol to sector, such as read_sectors(path)."
        raise ConfigurationError(message)
    spellings: dict[str, str] = {}
    found = []
    for symbol in symbols:
        name = _name((sectors or {}).get(symbol))
        found.append(spellings.setdefault(name.casefold(), name))
    return found


def _name(sector: object) -> str:
    text = str(sector).strip() if isinstance(sector, str | Integral) else ""
    return text or UNKNOWN_SECTOR


def read_sectors(path: str | Path | None) -> dict[str, str]:
    """Read the sector of each symbol from a CSV file with the columns ``symbol`` and ``sector``.

    Returns an empty dict without a path.

    Raises
    ------
    ConfigurationError
        The file cannot be read, lacks a column, or names a symbol twice or without a sector.
    """
    if path is None:
        return {}
    import csv

    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        message = f"sectors: {path} cannot be read ({error}); it is a CSV file with symbol and sector"
        raise ConfigurationError(message) from error
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        symbol, sector = (str(row.get(name) or "").strip() for name in ("symbol", "sector"))
        if not symbol or not sector or symbol in found:
            message = f"sectors: {path}, line {number}: each line is a symbol, once, and its sector"
            raise ConfigurationError(message)
        found[symbol] = sector
    if not found:
        message = f"sectors: {path} names no symbol; it is a CSV file with symbol and sector"
        raise ConfigurationError(message)
    return found
