"""Where prices come from: one call for every source, one module per source.

============================================  ==================================================
`load_prices`                                 prices of any source as one tidy frame
`sources`                                     one module per source: `sample` and `files`
`tables`, `columns`, `dates`, `numbers`       reading files of other people
`selection`                                   symbols and period
`tidying`                                     rows as written made tidy
`adjustment`, `coverage`                      splits; sessions that each symbol has and lacks
`sealing`                                     sessions of the sealed holdout, held back
============================================  ==================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal

from sta410kit.exceptions import ConfigurationError
from sta410kit.market.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from sta410kit.market.selection import Day

SourceName = Literal["sample", "files"]
"""What `source` takes; notebooks annotate their parameter with it."""


def load_prices(  # noqa: PLR0913 - one call for every source
    source: str = "sample",
    symbols: str | Sequence[str] | None = None,
    start: Day | None = None,
    end: Day | None = None,
    path: str | Path | None = None,
    *,
    tidy: bool = True,
) -> pd.DataFrame:
    """Return the daily prices of a source as one tidy frame, with the values that the source has.

    No value is repaired, dropped or filled: a missing close, a duplicated session or a high below its low
    is left for the gate to name. Only sessions of the sealed holdout are held back, see `sta410kit.holdout`.

    Parameters
    ----------
    source : str
        ``"sample"`` (shipped with the kit) or ``"files"`` (your own CSV or Parquet).
    symbols : str or sequence of str, optional
        Symbols to keep, ``"AAPL,MSFT"`` or ``["AAPL", "MSFT"]``; all when omitted.
    start, end : str, date or Timestamp, optional
        First and last session to keep, both included.
    path : str or Path, optional
        The file or folder that the source ``"files"`` reads; relative to the current folder.
    tidy : bool
        If False, the rows come as written, for the gate: with times of day, spaces around symbols, text that
        a Parquet file holds for numbers, and columns the kit does not know. `tidying.tidy` makes it the frame
        below.

    Returns
    -------
    DataFrame
        Columns ``symbol, date, open, high, low, close, adj_close, volume``, sorted by symbol and date; `date`
        is the session, without time zone; prices in quote currency, unadjusted but for `adj_close`; volume in
        shares.

    Raises
    ------
    ConfigurationError
        An unknown source, a path that is missing or not used by the source, an impossible period, or one
        that lies in the sealed holdout.
    DataLoadingError
        Data that cannot be read, a symbol the source does not have, or a selection without rows.
    """
    from sta410kit.market import sealing, selection, tidying

    if not isinstance(source, str) or source not in SOURCES:
        raise ConfigurationError(selection.unknown("source", source, tuple(SOURCES)))
    wanted = selection.parse_symbols(symbols)
    first, last = selection.parse_period(start, end)
    seal = sealing.require_unsealed(first)
    frame = sealing.hold_back(import_module(SOURCES[source]).read(path, wanted), seal)
    selected = selection.select(frame, wanted, first, last)
    return tidying.tidy(selected) if tidy else selected
