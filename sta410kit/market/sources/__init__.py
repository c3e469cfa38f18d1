"""Price sources: two that read what is here, and remote ones that are asked for bars and corporate actions.

A local source is a module with ``read(path, symbols)``. A remote one is a class with the methods of
`PriceSource`, which a package of its own can ship: it names the class under the entry point group
``sta410kit.sources``. See ``docs/data.md``.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sta410kit._internal.project_modules import add_project_to_path, declared_sources
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd

SOURCES = {
    "sample": "sta410kit.market.sources.sample",
    "files": "sta410kit.market.sources.files",
}
"""The local sources, by the module that reads them."""

GROUP = "sta410kit.sources"
_BUILT_IN = {
    "alpaca": "sta410kit.market.sources.alpaca:AlpacaSource",
    "yahoo": "sta410kit.market.sources.yahoo:YahooSource",
}

_EXTRAS = {"alpaca": ("httpx", "pyrate_limiter", "redis", "stamina"), "yahoo": ("stamina", "yfinance")}

BAR_COLUMNS = ("symbol", "date", "open", "high", "low", "close", "volume")
ACTION_COLUMNS = ("symbol", "date", "kind", "value")


@runtime_checkable
class PriceSource(Protocol):
    """A remote source of daily prices; made without arguments, settings are read when it is first asked.

    Attributes
    ----------
    name : str
        As it is asked for: ``source="alpaca"``.
    exchange : str or None
        Calendar of symbols whose own form names none (``XNYS``); None if the source has no usual exchange.
    """

    name: str
    exchange: str | None

    def bars(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return the daily bars from `start` to `end`, both included, raw: adjusted for nothing.

        Returns
        -------
        DataFrame
            Columns ``symbol, date, open, high, low, close, volume``, one row per symbol and session, sorted;
            `date` is the session, without time zone. A symbol without bars is absent. The bar of a session
            that has not closed yet may be there: leave it out by the calendar.

        Raises
        ------
        APIError
            The source does not answer, or not with prices.
        """
        ...

    def actions(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return the splits and cash dividends from `start` to `end`, both included.

        Returns
        -------
        DataFrame
            Columns ``symbol, date, kind, value``: the ex-date, ``"split"`` with new shares per old share, or
            ``"dividend"`` with cash per share, unadjusted for later splits.

        Raises
        ------
        APIError
            As `bars`.
        """
        ...


def remote_sources() -> dict[str, str]:
    """Return the remote sources by name, with the place of each (``module:class``).

    They are built in, shipped by an installed package, or declared in the project's ``pipeline.toml``.
    """
    shipped = {point.name: point.value for point in entry_points(group=GROUP)}
    return {**shipped, **declared_sources(), **_BUILT_IN}


def open_source(name: str) -> PriceSource:
    """Return the remote source called `name`.

    Raises
    ------
    ConfigurationError
        There is no such source, a package that it needs is missing, or it is no `PriceSource`.
    """
    known = remote_sources()
    if name not in known:
        local = f" {name!r} is read from this machine." if name in SOURCES else did_you_mean(name, known)
        message = f"Unknown remote source {name!r}.{local} Known: {', '.join(sorted(known))}."
        raise ConfigurationError(message)
    module, _, attribute = known[name].partition(":")
    add_project_to_path()
    try:
        for package in _EXTRAS.get(name, ()):
            import_module(package)
        source = getattr(import_module(module), attribute)()
    except ImportError as error:
        install = f"pip install 'sta410kit[{name}]'" if name in _BUILT_IN else "install what it needs"
        message = f"The source {name!r} cannot be loaded ({error}); {install}."
        raise ConfigurationError(message) from error
    if not isinstance(source, PriceSource):
        message = f"The source {name!r} ({known[name]}) lacks one of name, exchange, bars, actions."
        raise ConfigurationError(message)
    if source.name != name:
        message = f"The source {name!r} ({known[name]}) calls itself {source.name!r}; give it one name."
        raise ConfigurationError(message)
    return source
