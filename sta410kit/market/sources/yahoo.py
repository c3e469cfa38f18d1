"""Daily bars and corporate actions from Yahoo, by yfinance: best effort.

Yahoo documents no interface, changes it without notice and refuses frequent requests. Its prices are adjusted
for splits; the raw ones are computed back from its own list of splits.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sta410kit.config import get_config
from sta410kit.exceptions import DataQualityWarning
from sta410kit.market.resilience import CircuitBreaker, Service, TemporaryError
from sta410kit.market.sources import ACTION_COLUMNS, BAR_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    import pandas as pd

_PRICES = list(BAR_COLUMNS[2:6])
_DECIMALS = 4  # of a raw price: those that Yahoo has divided by the ratio of a split are rounded
_UNKNOWN = "possibly delisted"  # yfinance's words for a symbol that Yahoo does not have

BEST_EFFORT = (
    "Yahoo's prices are best effort: sessions may be missing or wrong, and past prices may change. Let the "
    "gate judge them, and use another source where it matters."
)


class YahooSource:
    """Yahoo, as a `sta410kit.market.sources.PriceSource`; symbols as there (``BRK-B``, ``VOD.L``).

    Warns
    -----
    DataQualityWarning
        At each download: what comes is best effort.
    """

    name = "yahoo"
    exchange: str | None = "XNYS"

    def __init__(self) -> None:
        self._downloaded: tuple[tuple[tuple[str, ...], date], pd.DataFrame] | None = None

    def bars(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return daily bars, splits undone; see `PriceSource.bars`."""
        rows = self._download(symbols, start)
        bars = rows.dropna(subset=[*_PRICES, "volume"], how="all").copy()
        split = bars["factor"] != 1
        bars.loc[split, _PRICES] = bars.loc[split, _PRICES].mul(bars["factor"], axis=0).round(_DECIMALS)
        bars["volume"] = (bars["volume"] / bars["factor"]).round()
        return _between(bars[list(BAR_COLUMNS)], start, end)

    def actions(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return splits and cash dividends; see `PriceSource.actions`."""
        import pandas as pd

        rows = self._download(symbols, start)
        splits = rows[rows["split"].fillna(0) > 0].assign(kind="split", value=rows["split"])
        paid = rows[rows["dividend"].fillna(0) > 0]
        dividends = paid.assign(kind="dividend", value=(paid["dividend"] * paid["factor"]).round(6))
        found = pd.concat([splits, dividends])[list(ACTION_COLUMNS)].astype({"kind": "str"})
        return _between(found, start, end)

    def _download(self, symbols: Sequence[str], start: date) -> pd.DataFrame:
        """Return all rows from `start` until today; later splits are needed to undo them in earlier rows."""
        asked = (tuple(symbols), start)
        last = self._downloaded
        if last is None or last[0][0] != asked[0] or last[0][1] > start:
            warnings.warn(BEST_EFFORT, DataQualityWarning, stacklevel=4)
            api = get_config().api
            service = Service("Yahoo", api.request_retries, api.request_retry_delay, CircuitBreaker("Yahoo"))
            last = self._downloaded = asked, service.call(lambda: _ask(*asked))
        return last[1]


def _ask(symbols: tuple[str, ...], start: date) -> pd.DataFrame:
    import yfinance

    with _complaints() as said:
        table = yfinance.download(
            list(symbols), start=start, auto_adjust=False, actions=True, repair=False, progress=False
        )
    failed = [line for line in said if _UNKNOWN not in line]
    if failed or table is None or (table.empty and not said):
        raise TemporaryError("; ".join(failed) or f"no rows for {', '.join(symbols)}")
    return _long(table, {symbol.upper(): symbol for symbol in symbols})


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what yfinance only logs: ``['KO']: `` and why a symbol has no rows."""
    said: list[str] = []

    def note(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if text.startswith("["):
            said.append(text)
        return True

    log = logging.getLogger("yfinance")
    log.addFilter(note)
    try:
        yield said
    finally:
        log.removeFilter(note)


def _long(table: pd.DataFrame, asked: dict[str, str]) -> pd.DataFrame:
    """Return yfinance's table with two header rows, field and ticker, as rows by symbol and date."""
    rows: pd.DataFrame = table.stack(level="Ticker", future_stack=True).reset_index()  # noqa: PD013 - melt has no such level
    rows.columns = [str(name).lower() for name in rows.columns]
    rows = rows.rename(columns={"ticker": "symbol", "stock splits": "split", "dividends": "dividend"})
    rows = rows.reindex(columns=[*BAR_COLUMNS, "split", "dividend"])  # no actions, no columns of them
    rows["symbol"] = rows["symbol"].map(asked).astype("str")
    rows["date"] = rows["date"].astype("datetime64[us]")
    rows = rows.sort_values(["symbol", "date"], ignore_index=True)
    ratio = rows["split"].where(rows["split"] > 0, 1.0).fillna(1.0)
    # The product of the splits after a row, last one first; a split's own session has the new price already.
    products = ratio[::-1].groupby(rows["symbol"][::-1]).cumprod()[::-1]
    return rows.assign(factor=products / ratio)


def _between(rows: pd.DataFrame, start: date, end: date) -> pd.DataFrame:
    days: pd.Series = rows["date"].dt.date
    return rows[days.between(start, end)].sort_values(["symbol", "date"], ignore_index=True)
