"""The sessions of an exchange, from exchange-calendars; a calendar takes a while to build and is kept."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EARLIEST, _LATEST = 1900, 2100  # what lies beyond is no session of any exchange
_USUAL = 1995  # built from here on at least, so that one calendar serves frames of different spans
_EPOCH = 1970
_WORDS = 300  # of what the library says: it may list every session it stumbled over


def sessions(market: str, first: int, last: int) -> NDArray[np.int32]:
    """Return the sessions of `market` from day `first` to day `last`, both included.

    Parameters
    ----------
    market : str
        Code of an exchange as exchange-calendars knows it, e.g. ``XNYS``, ``XLON``, ``XTKS``.
    first, last : int
        Days since 1970-01-01.

    Returns
    -------
    ndarray of int32
        Days since 1970-01-01, ascending.

    Raises
    ------
    ConfigurationError
        There is no such exchange, or its calendar does not reach that far.
    """
    years = [
        int(np.datetime64(day, "D").astype("datetime64[Y]").astype(int)) + _EPOCH for day in (first, last)
    ]
    begin, end = (min(max(year, _EARLIEST), _LATEST) for year in years)
    try:
        days = _calendar(market, min(begin, _USUAL), max(end, datetime.now(UTC).year))
    except ConfigurationError:  # some calendars begin later; an exchange that does not exist fails again
        days = _calendar(market, begin, end)
    return days[np.searchsorted(days, first) : np.searchsorted(days, last, side="right")]


@lru_cache(maxsize=64)
def _calendar(market: str, first_year: int, last_year: int) -> NDArray[np.int32]:
    import exchange_calendars  # type: ignore[import-untyped]
    from exchange_calendars.errors import InvalidCalendarName  # type: ignore[import-untyped]

    try:
        with warnings.catch_warnings():  # exchange_calendars uses deprecated parts of pandas
            warnings.simplefilter("ignore")
            calendar = exchange_calendars.get_calendar(
                market, start=f"{first_year}-01-01", end=f"{last_year}-12-31"
            )
    except InvalidCalendarName:
        known = exchange_calendars.get_calendar_names(include_aliases=False)
        message = f"no exchange calendar called {market!r}.{did_you_mean(market, known)}"
        raise ConfigurationError(message) from None
    except ValueError as error:  # it begins later or ends earlier, or the library cannot build it
        reason = str(error)
        short = reason if len(reason) <= _WORDS else f"{reason[:_WORDS]}..."
        message = f"the calendar of {market} does not reach from {first_year} to {last_year}: {short}"
        raise ConfigurationError(message) from error
    days: NDArray[np.int32] = calendar.sessions.to_numpy().astype("datetime64[D]").astype(np.int32)
    days.flags.writeable = False  # shared by everyone who asks
    return days
