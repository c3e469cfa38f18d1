"""Prices of a live source: updated when sessions have closed, and the stored ones when the source is down."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, TypeAlias

from loguru import logger

from sta410kit._internal.text import pluralize
from sta410kit.config import get_config
from sta410kit.exceptions import APIError, ConfigurationError, DataLoadingError
from sta410kit.market import numbers
from sta410kit.market.adjustment import adjusted_close
from sta410kit.market.columns import COLUMNS
from sta410kit.market.store import files
from sta410kit.market.store.files import KEYS, VALUES, PriceStore, missing
from sta410kit.market.store.updating import DEFAULT_EXCHANGE, Market, update, wanted_span

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from sta410kit.market.store.updating import Period

Moment: TypeAlias = str | date
_ENDED = 31  # days
ORIGIN = "sta410.origin"
"""Entry of a frame's `attrs`: where its prices are from, as of when, and how old they are."""


def parse_moment(value: Moment | None) -> datetime | None:
    """Return a moment in UTC; a day means its end, a time without an offset is in UTC.

    Raises
    ------
    ConfigurationError
        It is neither.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        found = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError as error:
        message = f"as_of is {value!r}, which is no moment; write it as 2026-01-05 or 2026-01-05T22:30:00Z"
        raise ConfigurationError(message) from error
    if not isinstance(found, datetime) or (
        isinstance(value, str) and len(value.strip()) == len("2026-01-05")
    ):
        found = datetime.combine(found, time.max)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def read(
    source: str,
    symbols: tuple[str, ...] | None,
    period: Period,
    exchange: str | None = None,
    as_of: datetime | None = None,
) -> pd.DataFrame:
    """Return the prices of a live source, in the kit's columns; their origin is in ``attrs[ORIGIN]``.

    Without `as_of` the store is updated first. If the source does not answer, the stored prices serve as
    long as no more than ``ceil(CACHE_TTL_HOURS / 24)`` sessions have closed since the last stored bar.

    Raises
    ------
    APIError
        The source does not answer, and what is stored is too old or incomplete.
    ConfigurationError
        No symbols are named, and none are stored.
    DataLoadingError
        A symbol has no prices.
    """
    from sta410kit.market.sources import open_source

    store, remote = PriceStore.of_project(), open_source(source)
    wanted = symbols or store.symbols(source)
    if not wanted:
        message = (
            f"No symbols of {source!r} are stored yet; name them: -p symbols=AAPL,KO, "
            f"or fill the store: sta410 fetch AAPL KO --source {source}"
        )
        raise ConfigurationError(message)
    now, earlier, failure = files.now(), as_of, None
    if as_of is not None and as_of > now:
        if as_of.date() > now.date():
            message = f"as_of is {as_of:%Y-%m-%d %H:%M} in UTC, which is still to come; leave it out for now"
            raise ConfigurationError(message)
        as_of = store.moment(source)  # the day is not over yet
    market = Market(remote.exchange or DEFAULT_EXCHANGE, exchange, as_of or now)
    if as_of is None:
        try:
            update(store, remote, wanted, period, market)
        except APIError as error:
            failure = error
        as_of = store.moment(source)
    frame = stored_prices(store, source, wanted, as_of)
    behind = sessions_behind(frame, market, period[1])
    if failure is not None:
        _require_usable(store, source, wanted, period, market, frame, behind, failure)
    if frame.empty:
        names = ", ".join(wanted)
        message = (
            f"as of {earlier:%Y-%m-%d %H:%M} in UTC nothing of {names} was stored; later fetches do not count"
            if earlier
            else f"{source} has no prices of {names}; check the symbols"
        )
        raise DataLoadingError(message)
    frame.attrs[ORIGIN] = {
        "source": source,
        "as_of": as_of.isoformat(),
        "last_session": f"{frame['date'].max():%Y-%m-%d}",
        "sessions_behind": behind,
        **({} if failure is None else {"source_failure": str(failure)}),
    }
    return frame


def stored_prices(
    store: PriceStore,
    source: str,
    symbols: Sequence[str],
    as_of: datetime | None = None,
    revised: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what is stored of the symbols as prices, adjusted by the corporate actions known at that moment.

    Parameters
    ----------
    store, source, symbols : PriceStore, str, sequence of str
        What is wanted of which store.
    as_of : datetime, optional
        What was stored later does not count.
    revised : DataFrame, optional
        Rows of the store that take the place of those with the same key, to see what they would change.
    """
    import pandas as pd

    parts = []
    for symbol in symbols:
        rows = store.current(source, symbol, as_of)
        if revised is not None:
            rows = pd.concat([rows, revised[revised["symbol"] == symbol]])
            rows = rows.drop_duplicates(KEYS, keep="last").sort_values(KEYS)
        rows = rows[rows[VALUES].notna().any(axis=1)]  # the others are withdrawn
        bars = rows[rows["kind"] == "bar"].reset_index(drop=True)
        parts.append(bars.assign(adj_close=adjusted_close(bars, rows[rows["kind"] != "bar"])))
    frame = pd.concat(parts, ignore_index=True)[list(COLUMNS)]
    frame["volume"] = numbers.whole(frame["volume"])
    return frame


def sessions_behind(prices: pd.DataFrame, market: Market, end: date | None = None) -> int:
    """Return how many sessions have closed since the last bar of the symbol that is furthest behind.

    A symbol without bars for a month before the newest bar has ended, and does not count.
    """
    import pandas as pd

    last = prices.groupby("symbol")["date"].max()
    trading = last[last > last.max() - pd.Timedelta(days=_ENDED)]
    missed = [market.closed(str(symbol), day.date()) for symbol, day in trading.items()]
    return max((sum(end is None or day <= end for day in days) for days in missed), default=0)


def _require_usable(  # noqa: PLR0913, PLR0917 - what is stored, and what is wanted of it
    store: PriceStore,
    source: str,
    symbols: Sequence[str],
    period: Period,
    market: Market,
    frame: pd.DataFrame,
    behind: int,
    failure: APIError,
) -> None:
    """Raise `failure` with the reason why the stored prices do not serve, or warn that they are used."""
    hours, said = get_config().data.cache_ttl_hours, f"{failure}".rstrip(".")
    allowed = math.ceil(hours / 24)
    there, lacking = set(frame["symbol"]), []
    for symbol in symbols:
        wanted, covered = wanted_span(store, market, source, symbol, period), store.covered(source, symbol)
        holes = (
            [hole for hole in missing(wanted, covered) if hole[0] <= covered[-1][1]]
            if covered and wanted
            else []
        )
        if symbol not in there or holes:
            lacking.append(symbol)
    if lacking:
        why = f"the stored prices of {', '.join(lacking)} do not cover the period"
    elif behind > allowed:
        why = (
            f"the last stored bar is {pluralize(behind, 'session')} old ({frame['date'].max():%Y-%m-%d}), "
            f"and CACHE_TTL_HOURS={hours:g} allows {allowed}"
        )
    else:
        age = f"{pluralize(behind, 'session')} ago" if behind else "up to date"
        logger.warning(
            "{}; the stored prices are used, the last of {:%Y-%m-%d} ({})", said, frame["date"].max(), age
        )
        return
    message = f"{said}. No stored prices can stand in: {why}. Try again later: sta410 run --resume"
    raise APIError(message) from failure
