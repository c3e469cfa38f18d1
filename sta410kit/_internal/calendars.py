"""Which exchange a symbol trades on, and its sessions, from exchange-calendars."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, date, datetime, timedelta
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_EARLIEST, _LATEST = 1900, 2100  # what lies beyond is no session of any exchange
_USUAL = 1995  # built from here on at least, so that one calendar serves frames of different spans
_EPOCH = 1970
_FIRST_DAY = -(2**30)
_LONGEST_BREAK = timedelta(days=30)  # in which every exchange has a session
_WORDS = 300  # of what the library says: it may list every session it stumbled over

# The library has these and cannot build them: a symbol of theirs is refused, not judged by New York.
UNBUILT = {"*.TA": "XTAE", "*.AT": "ASEX", "*.RO": "XBSE"}
# Yahoo's suffixes and index symbols. BSE's calendar serves NSE and Shanghai's Shenzhen: they share holidays.
CALENDARS = {
    "*-USD *-USDT *-USDC *-EUR *-GBP *-BTC *-ETH */USD */USDT */USDC */BTC": "24/7",
    "*=X": "24/5",
    "*=F": "CMES",
    "*.L *.IL ^FTSE ^FTMC": "XLON",
    "*.DE ^GDAXI ^STOXX50E": "XETR",
    "*.F *.BE *.MU": "XFRA",
    "*.SG": "XSTU",
    "*.DU": "XDUS",
    "*.HM": "XHAM",
    "*.PA ^FCHI": "XPAR",
    "*.AS ^AEX": "XAMS",
    "*.BR ^BFX": "XBRU",
    "*.LS": "XLIS",
    "*.IR": "XDUB",
    "*.MI": "XMIL",
    "*.MC ^IBEX": "XMAD",
    "*.SW ^SSMI": "XSWX",
    "*.VI ^ATX": "XWBO",
    "*.ST ^OMX": "XSTO",
    "*.CO": "XCSE",
    "*.HE": "XHEL",
    "*.OL": "XOSL",
    "*.IC": "XICE",
    "*.TL": "XTAL",
    "*.RG": "XRIS",
    "*.VS": "XLIT",
    "*.WA": "XWAR",
    "*.PR": "XPRA",
    "*.BD": "XBUD",
    "*.IS": "XIST",
    "*.ME": "XMOS",
    "*.JO": "XJSE",
    "*.TO *.NE *.CN ^GSPTSE": "XTSE",
    "*.V": "XTSX",
    "*.MX ^MXX": "XMEX",
    "*.SA ^BVSP": "BVMF",
    "*.BA ^MERV": "XBUE",
    "*.SN": "XSGO",
    "*.CL": "XBOG",
    "*.LM": "XLIM",
    "*.AX ^AXJO ^AORD": "XASX",
    "*.NZ ^NZ50": "XNZE",
    "*.T ^N225": "XTKS",
    "*.HK ^HSI": "XHKG",
    "*.SS *.SZ": "XSHG",
    "*.TW *.TWO ^TWII": "XTAI",
    "*.KS *.KQ ^KS11": "XKRX",
    "*.SI ^STI": "XSES",
    "*.KL ^KLSE": "XKLS",
    "*.BK": "XBKK",
    "*.JK ^JKSE": "XIDX",
    "*.PS": "XPHS",
    "*.NS *.BO ^NSEI ^BSESN": "XBOM",
    "*.SR": "XSAU",
    **UNBUILT,
}


def matches(patterns: str, symbol: str) -> bool:
    """Return whether a symbol is, or fits, one of the patterns, which spaces part: ``"^* *=X VFINX"``."""
    return symbol == patterns or _compiled(patterns).fullmatch(symbol) is not None


@lru_cache(maxsize=512)
def _compiled(patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"{re.escape(one)}|{translate(one)}" for one in patterns.split()))


def calendar_of(symbol: str, calendars: Mapping[str, str], default: str) -> str:
    """Return the calendar of the first entry whose patterns a symbol fits."""
    return next((name for patterns, name in calendars.items() if matches(patterns, symbol)), default)


def sessions(market: str, first: int, last: int) -> NDArray[np.int32]:
    """Return the sessions of `market` from day `first` to day `last`, both included; see `known_from`.

    Parameters
    ----------
    market : str
        A calendar of exchange-calendars: ``XNYS``, ``XLON``, ``XTKS``; ``24/7``; ``24/5`` for weekdays.
    first, last : int
        Days since 1970-01-01.

    Returns
    -------
    ndarray of int32
        Days since 1970-01-01, ascending.

    Raises
    ------
    ConfigurationError
        There is no such exchange, or the library cannot build its calendar.
    """
    years = [
        int(np.datetime64(day, "D").astype("datetime64[Y]").astype(int)) + _EPOCH for day in (first, last)
    ]
    begin, end = (min(max(year, _EARLIEST), _LATEST) for year in years)
    days = _calendar(market, min(begin, _USUAL), max(end, datetime.now(UTC).year))
    return days[np.searchsorted(days, first) : np.searchsorted(days, last, side="right")]


def closed_sessions(market: str, first: int, moment: datetime) -> NDArray[np.int32]:
    """Return the sessions of `market` from day `first` that have closed by `moment`, as `sessions` does."""
    today = int(np.datetime64(moment.astimezone(UTC).date(), "D").astype(int))
    days = sessions(market, first, today + 1)  # east of Greenwich tomorrow's session may have closed
    closes = _built(market, f"{moment.year - 1}-01-01", f"{moment.year}-12-31").closes
    newest = closes.index[closes <= moment][-1].to_datetime64().astype("datetime64[D]").astype(np.int32)
    closed: NDArray[np.int32] = days[days <= newest]
    return closed


def newest_closed(market: str, moment: datetime) -> date:
    """Return the newest session of `market` that has closed by `moment`."""
    month_before = int(np.datetime64(moment.astimezone(UTC).date() - _LONGEST_BREAK, "D").astype(int))
    newest: date = closed_sessions(market, month_before, moment)[-1].astype("datetime64[D]").item()
    return newest


def close_of(market: str, session: str) -> datetime:
    """Return when a session (``YYYY-MM-DD``) of `market` closes, in UTC."""
    year = int(session[:4])
    closes = _built(market, f"{year - 1}-01-01", f"{year + 1}-12-31").closes
    moment: datetime = closes.loc[session].to_pydatetime()
    return moment.astimezone(UTC)


def known_from(market: str) -> int:
    """Return the first day that a calendar knows: Tokyo begins in 1997, and what is older is not judged."""
    begin = _built(market, "2025-01-01", "2025-12-31").bound_min()
    return _FIRST_DAY if begin is None else int(begin.to_datetime64().astype("datetime64[D]").astype(int))


@lru_cache(maxsize=64)
def _calendar(market: str, first_year: int, last_year: int) -> NDArray[np.int32]:
    start, end = f"{first_year}-01-01", f"{last_year}-12-31"
    try:
        calendar = _built(market, start, end)
    except ConfigurationError:  # some begin later or end earlier; what cannot be built fails again
        known = _built(market, "2025-01-01", "2025-12-31")
        least, most = (bound and str(bound)[:10] for bound in (known.bound_min(), known.bound_max()))
        calendar = _built(market, max(start, least or start), min(end, most or end))
    days: NDArray[np.int32] = calendar.sessions.to_numpy().astype("datetime64[D]").astype(np.int32)
    days.flags.writeable = False  # shared by everyone who asks
    return days


@lru_cache(maxsize=64)
def _built(market: str, start: str, end: str) -> Any:  # noqa: ANN401 - the library has no types
    import exchange_calendars  # type: ignore[import-untyped]
    from exchange_calendars.errors import InvalidCalendarName  # type: ignore[import-untyped]

    try:
        with warnings.catch_warnings():  # exchange_calendars uses deprecated parts of pandas
            warnings.simplefilter("ignore")
            return exchange_calendars.get_calendar(market, start=start, end=end)
    except InvalidCalendarName:
        known = exchange_calendars.get_calendar_names(include_aliases=False)
        message = f"no exchange calendar called {market!r}.{did_you_mean(market, known)}"
        raise ConfigurationError(message) from None
    except (ValueError, NotImplementedError) as error:  # it begins later or ends earlier, or cannot be built
        reason = str(error)
        short = reason if len(reason) <= _WORDS else f"{reason[:_WORDS]}..."
        message = (
            f"the calendar of {market} does not reach from {start} to {end}: {short}; choose another with "
            '`exchange` or "calendars", or switch the expectation off with "overrides" in the suite'
        )
        raise ConfigurationError(message) from error
