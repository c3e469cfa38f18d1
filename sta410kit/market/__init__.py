"""Where prices come from: one call for every source, one module per source.

============================================  ==================================================
`load_prices`                                 prices of any source as one tidy frame
`sources`                                     one module per source, here or at a vendor
`resilience`                                  retries, rate limit and breaker of live sources
`store`                                       what live sources said, and when
`tables`, `columns`, `dates`, `numbers`       reading files of other people
`selection`                                   symbols and period
`tidying`                                     rows as written made tidy
`adjustment`, `coverage`                      splits; sessions that each symbol has and lacks
`sealing`                                     sessions of the sealed holdout, held back
============================================  ==================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator

from sta410kit.exceptions import ConfigurationError
from sta410kit.market.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    import pandas as pd

    from sta410kit.market.selection import Day
    from sta410kit.market.store.reading import Moment


def known_source(name: object) -> str:
    """Return the name of a source, or raise `ConfigurationError` with those that there are."""
    from sta410kit.market.selection import unknown
    from sta410kit.market.sources import remote_sources

    known = (*SOURCES, *sorted(remote_sources()))
    if not isinstance(name, str) or name not in known:
        raise ConfigurationError(unknown("source", name, known))
    return name


SourceName = Annotated[
    Literal["sample", "files", "alpaca", "yahoo"] | str,  # noqa: PYI051 - packages add sources
    AfterValidator(known_source),
]
"""What `source` takes; notebooks annotate their parameter with it."""


def load_prices(  # noqa: PLR0913 - one call for every source
    source: str = "sample",
    symbols: str | Sequence[str] | None = None,
    start: Day | None = None,
    end: Day | None = None,
    path: str | Path | None = None,
    *,
    exchange: str | None = None,
    as_of: Moment | None = None,
    tidy: bool = True,
) -> pd.DataFrame:
    """Return the daily prices of a source as one tidy frame, with the values that the source has.

    No value is repaired, dropped or filled: a missing close, a duplicated session or a high below its low
    is left for the gate to name. Only sessions of the sealed holdout are held back, see `sta410kit.holdout`.

    Parameters
    ----------
    source : str
        ``"sample"`` (shipped with the kit), ``"files"`` (your own CSV or Parquet), or a live source such as
        ``"alpaca"``: what the store has of it, updated first if sessions have closed since.
    symbols : str or sequence of str, optional
        Symbols to keep, ``"AAPL,MSFT"`` or ``["AAPL", "MSFT"]``; all when omitted. Of a live source all that
        are stored.
    start, end : str, date or Timestamp, optional
        First and last session to keep, both included.
    path : str or Path, optional
        The file or folder that the source ``"files"`` reads; relative to the current folder.
    exchange : str, optional
        Calendar of all symbols of a live source, e.g. ``XLON``; by suffix or the source's own when omitted.
    as_of : str, date or datetime, optional
        Give what the store knew at that moment, and ask no source; a day means its end, in UTC.
    tidy : bool
        If False, the rows come as written, for the gate: with times of day, spaces around symbols, text that
        a Parquet file holds for numbers, and columns the kit does not know. `tidying.tidy` makes it the frame
        below.

    Returns
    -------
    DataFrame
        Columns ``symbol, date, open, high, low, close, adj_close, volume``, sorted by symbol and date; `date`
        is the session, without time zone; prices in quote currency, unadjusted but for `adj_close`; volume in
        shares. Prices of a live source have an entry ``"sta410.origin"`` in `attrs`: source, moment, last
        session, and how many sessions have closed since.

    Raises
    ------
    ConfigurationError
        An unknown source, a path that is missing or not used by the source, an impossible period, or one
        that lies in the sealed holdout.
    APIError
        A live source does not answer, and what is stored is too old.
    DataLoadingError
        Data that cannot be read, a symbol the source does not have, or a selection without rows.
    """
    from sta410kit.market import sealing, selection, tidying

    wanted = selection.parse_symbols(symbols)
    first, last = selection.parse_period(start, end)
    seal = sealing.require_unsealed(first)
    if isinstance(source, str) and source in SOURCES:
        if as_of is not None:
            message = f"as_of is for prices that are stored; the source {source!r} reads what is there now"
            raise ConfigurationError(message)
        found = import_module(SOURCES[source]).read(path, wanted)
    else:
        found = _read_stored(
            source, path, wanted, (first and first.date(), last and last.date()), exchange, as_of
        )
    origin = found.attrs
    selected = selection.select(sealing.hold_back(found, seal), wanted, first, last)
    result = tidying.tidy(selected) if tidy else selected
    result.attrs = origin
    return result


def _read_stored(  # noqa: PLR0913, PLR0917 - as `load_prices`
    source: object,
    path: str | Path | None,
    wanted: tuple[str, ...] | None,
    period: tuple[date | None, date | None],
    exchange: str | None,
    as_of: Moment | None,
) -> pd.DataFrame:
    """Return the prices of a live source."""
    from sta410kit.market.store import reading

    name = known_source(source)
    if path is not None:
        message = (
            f"The source {source!r} reads no path, but got {str(path)!r}; use source='files' to read it."
        )
        raise ConfigurationError(message)
    return reading.read(name, wanted, period, exchange, reading.parse_moment(as_of))
