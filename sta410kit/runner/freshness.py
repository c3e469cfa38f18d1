"""How fresh the stored prices are: the last session of each symbol, those closed since, what is held back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sta410kit.config import get_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.market.store import files
from sta410kit.market.store.files import HELD, PRICES, PriceStore
from sta410kit.market.store.updating import DEFAULT_EXCHANGE, Market, revisions

if TYPE_CHECKING:
    from pathlib import Path

    from sta410kit.runner.registry import Registry


@dataclass(frozen=True)
class StoredSymbol:
    """What is stored of one symbol of one source."""

    source: str
    symbol: str
    first: str  # sessions; empty where every bar is withdrawn
    last: str
    bars: int
    behind: int  # sessions that have closed since the last one
    held: int  # revised rows that the gate has not accepted


def stored_symbols(project: Path, index: Registry) -> list[StoredSymbol]:
    """Return what the price store of a project holds, the furthest behind first.

    Files are read once: the `index` keeps what was found in the folder of a symbol until that changes.
    """
    store = PriceStore(project / get_config().data.cache_dir)
    found = []
    for source in _sources(store):
        market = Market(_exchange(source), None, files.now())
        for folder in sorted((store.root / PRICES / source).glob("[!.]*/")):
            symbol, stored = unquote(folder.name), index.remembered(folder, _bars)
            behind = len(market.closed(symbol, date.fromisoformat(stored["last"]))) if stored["last"] else 0
            held = store.root / HELD / source / folder.name
            waiting = len(revisions(store, source, [symbol])) if held.is_dir() else 0
            found.append(StoredSymbol(source, symbol, **stored, behind=behind, held=waiting))
    return sorted(found, key=lambda one: (-one.behind, one.source, one.symbol))


def _sources(store: PriceStore) -> list[str]:
    return sorted(folder.name for folder in (store.root / PRICES).glob("[!.]*/"))


def _exchange(source: str) -> str:
    from sta410kit.market.sources import open_source

    with suppress(ConfigurationError):  # of a package that is not installed here
        return open_source(source).exchange or DEFAULT_EXCHANGE
    return DEFAULT_EXCHANGE


def _bars(folder: Path) -> dict[str, Any]:
    """Return first and last session and number of bars in the folder of a symbol."""
    store = PriceStore(folder.parents[2])
    rows = store.current(unquote(folder.parent.name), unquote(folder.name))
    days = rows.loc[(rows["kind"] == "bar") & rows["close"].notna(), "date"]
    ends = (f"{days.min():%Y-%m-%d}", f"{days.max():%Y-%m-%d}") if len(days) else ("", "")
    return {"first": ends[0], "last": ends[1], "bars": len(days)}
