"""The sector of each symbol, by one rule for sizing orders and for checking them."""

from collections.abc import Iterable, Mapping
from numbers import Integral

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
