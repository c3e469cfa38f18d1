"""Daily bars and corporate actions of US stocks from Alpaca's market data API.

Raw prices of all US exchanges (the SIP feed); a free subscription may not see its last 15 minutes, so they
are not asked for. A thin client of its own, because Alpaca's SDK has no timeout, ignores ``Retry-After``,
follows a repeated page token for ever and merges pages unchecked.
"""

from __future__ import annotations

import math
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sta410kit._internal.argument_checks import shown
from sta410kit.config import get_config
from sta410kit.exceptions import APIError
from sta410kit.market.resilience import CircuitBreaker, HttpClient, RateLimit, Service, Timeouts
from sta410kit.market.sources import ACTION_COLUMNS, BAR_COLUMNS
from sta410kit.secrets import get_alpaca_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    import pandas as pd

    Rows: TypeAlias = dict[
        Hashable, tuple[Any, ...]
    ]  # by what makes a row the same row; symbol and day come first
    Reader: TypeAlias = Callable[[dict[str, Any]], Rows]

_NEW_YORK = ZoneInfo("America/New_York")
_EMBARGO = timedelta(minutes=16)
_SYMBOLS = 100  # per request, for the length of the URL
_IDLE = 20  # pages in a row without a new row: the server repeats itself under new tokens
# Actions are listed by the day they are processed; a dividend is when it is paid, weeks after its ex-date.
_PROCESSED_WITHIN = timedelta(days=180)


class AlpacaSource:
    """Alpaca, as a `sta410kit.market.sources.PriceSource`.

    Settings are read at each call: the keys, ``ALPACA_DATA_URL``, ``REQUEST_RETRIES``,
    ``REQUEST_RETRY_DELAY`` and ``REDIS_URL``. Stock dividends come as splits; spin-offs, mergers and
    renamings are left out.

    Parameters
    ----------
    calls, seconds : int, float
        The rate limit: Alpaca's free plan allows 200 requests a minute, see `RateLimit`.
    timeouts : Timeouts
        Time limits of one request.
    """

    name = "alpaca"
    exchange: str | None = "XNYS"

    def __init__(self, calls: int = 190, seconds: float = 60.0, timeouts: Timeouts | None = None) -> None:
        self._calls, self._seconds, self._timeouts = calls, seconds, timeouts or Timeouts()

    def bars(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return raw daily bars; see `PriceSource.bars`."""
        # The bar of a session is stamped with midnight in New York, which is 04:00 or 05:00 UTC.
        last = min(datetime.combine(end, time(5), UTC), datetime.now(UTC) - _EMBARGO)
        params = {
            "timeframe": "1Day", "adjustment": "raw", "feed": "sip", "sort": "asc", "limit": "10000",
            "start": f"{start}T00:00:00Z", "end": f"{last:%Y-%m-%dT%H:%M:%SZ}",
        }  # fmt: skip
        rows = self._collect("/v2/stocks/bars", params, symbols, _bars) if last.date() >= start else []
        return _frame(rows, BAR_COLUMNS, start, end)

    def actions(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return splits and cash dividends; see `PriceSource.actions`."""
        params = {
            "types": "forward_split,reverse_split,stock_dividend,cash_dividend", "sort": "asc",
            "limit": "1000", "start": f"{start}", "end": f"{end + _PROCESSED_WITHIN}",
        }  # fmt: skip
        rows = self._collect("/v1/corporate-actions", params, symbols, _actions)
        return _frame(rows, ACTION_COLUMNS, start, end)

    def _collect(
        self, path: str, params: Mapping[str, str], symbols: Sequence[str], read: Reader
    ) -> list[tuple[Any, ...]]:
        """Return the rows of all pages for all symbols, each row once, under the symbols as asked for."""
        asked = {symbol.upper(): symbol for symbol in symbols}
        names, rows = list(asked), []
        with closing(self._client()) as client:
            for at in range(0, len(names), _SYMBOLS):
                batch = {**params, "symbols": ",".join(names[at : at + _SYMBOLS])}
                found = _all_pages(client, path, batch, read).values()
                rows += [(asked[symbol], *rest) for symbol, *rest in found if symbol in asked]
        return rows

    def _client(self) -> HttpClient:
        api = get_config().api
        key, secret = get_alpaca_credentials()
        url, redis_url = api.alpaca_data_url, api.redis_url.get_secret_value()
        limit = RateLimit(f"{url} {key}", self._calls, self._seconds, redis_url=redis_url)
        breaker = CircuitBreaker(f"Alpaca ({urlsplit(url).netloc})")
        service = Service("Alpaca", api.request_retries, api.request_retry_delay, breaker, limit)
        headers = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}
        return HttpClient(url, headers, service, "ALPACA_API_KEY and ALPACA_SECRET_KEY", self._timeouts)


def _all_pages(client: HttpClient, path: str, params: dict[str, str], read: Reader) -> Rows:
    rows: Rows = {}
    tokens: set[str] = set()
    idle = 0
    while True:
        answer = client.get(path, params)
        before = len(rows)
        rows.update(read(answer))  # of two answers for one session the later one counts
        token = answer.get("next_page_token")
        if not token:
            return rows
        idle = 0 if len(rows) > before else idle + 1
        if not isinstance(token, str) or token in tokens or idle >= _IDLE:
            message = (
                f"Alpaca's pages have no end: after {len(tokens) + 1} of them and {len(rows)} rows the page "
                f"token {shown(token)} leads to nothing new. Nothing of it was kept; try again later."
            )
            raise APIError(message)
        tokens.add(token)
        params = {**params, "page_token": token}


def _bars(answer: dict[str, Any]) -> Rows:
    rows: Rows = {}
    for symbol, bars in _lists(answer, "bars"):
        for bar in bars:
            where = f"a bar of {symbol}"
            stamp = _text(bar, "t", where)
            session = _session(stamp, where)
            where = f"the bar of {symbol} at {stamp}"
            rows[symbol, session] = (symbol, session, *(_number(bar, letter, where) for letter in "ohlcv"))
    return rows


def _actions(answer: dict[str, Any]) -> Rows:
    rows: Rows = {}
    for name, actions in _lists(answer, "corporate_actions"):
        for one in actions if name in _ACTIONS else ():
            where = f"{name} of {_text(one, 'symbol', name)}"
            day = _text(one, "ex_date", where)
            try:
                row = (one["symbol"], date.fromisoformat(day), *_ACTIONS[name](one, where))
            except ValueError as error:
                raise _wrong(day, "ex_date", where, "a day") from error
            rows[one.get("id") or row] = row
    return rows


def _split(one: dict[str, Any], where: str) -> tuple[str, float]:
    return "split", _rate(one, "new_rate", where) / _rate(one, "old_rate", where)


_ACTIONS: dict[str, Callable[[dict[str, Any], str], tuple[str, float]]] = {
    "forward_splits": _split,
    "reverse_splits": _split,
    "stock_dividends": lambda one, where: ("split", 1 + _rate(one, "rate", where)),
    "cash_dividends": lambda one, where: ("dividend", _rate(one, "rate", where)),
}


def _lists(answer: dict[str, Any], name: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each key of an object in the answer and its list of objects; null holds nothing."""
    if name not in answer:
        message = f"Alpaca's answer lacks {name!r}; it has {shown(', '.join(answer))}."
        raise APIError(message)
    found = {} if answer[name] is None else answer[name]
    if not isinstance(found, dict):
        raise _wrong(found, name, "its answer", "an object")
    for key, values in found.items():
        if not isinstance(values or [], list) or not all(isinstance(one, dict) for one in values or ()):
            raise _wrong(values, key, name, "a list of objects")
        yield key, values or []


def _text(one: dict[str, Any], name: str, where: str) -> str:
    value = one.get(name)
    if not isinstance(value, str):
        raise _wrong(value, name, where, "text")
    return value


def _number(one: dict[str, Any], name: str, where: str) -> float:
    value = one.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(value, name, where, "a number")
    return value


def _rate(one: dict[str, Any], name: str, where: str) -> float:
    value = _number(one, name, where)
    if value <= 0:
        raise _wrong(value, name, where, "a number above 0")
    return value


def _session(stamp: str, where: str) -> date:
    """Return the session of a daily bar, which is stamped with its midnight in New York."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError as error:
        raise _wrong(stamp, "t", where, "a time") from error
    local = moment.astimezone(_NEW_YORK)
    if moment.tzinfo is None or local.time() != time():
        raise _wrong(stamp, "t", where, "midnight in New York, such as 2024-01-03T05:00:00Z")
    return local.date()


def _wrong(value: object, name: str, where: str, expected: str) -> APIError:
    return APIError(f"Alpaca answered {shown(value)} as {name!r} in {where}; expected {expected}.")


def _frame(rows: list[tuple[Any, ...]], columns: tuple[str, ...], start: date, end: date) -> pd.DataFrame:
    import pandas as pd

    inside = sorted(row for row in rows if start <= row[1] <= end)
    frame = pd.DataFrame(inside, columns=list(columns))
    types = {name: "str" if name in {"symbol", "kind"} else "float64" for name in columns}
    return frame.astype({**types, "date": "datetime64[us]"})
