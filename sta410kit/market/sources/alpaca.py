"""Daily bars and corporate actions of US stocks from Alpaca's market data API.

Raw prices of all US exchanges (the SIP feed); a free subscription may not see its last 15 minutes, so they
are not asked for. A thin client of its own, because Alpaca's SDK has no timeout, ignores ``Retry-After``,
follows a repeated page token for ever and merges pages unchecked.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from sta410kit._internal.argument_checks import shown
from sta410kit.config import get_config
from sta410kit.exceptions import APIError
from sta410kit.market.alpaca_client import CALLS, SECONDS, open_client
from sta410kit.market.sources import ACTION_COLUMNS, BAR_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from typing import TypeAlias

    import pandas as pd

    from sta410kit.market.resilience import HttpClient, Timeouts

    Rows: TypeAlias = dict[
        Hashable, tuple[Any, ...]
    ]  # by what makes a row the same row; symbol and day come first

Page = TypeVar("Page", bound=BaseModel)
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

    def __init__(
        self, calls: int = CALLS, seconds: float = SECONDS, timeouts: Timeouts | None = None
    ) -> None:
        self._calls, self._seconds, self._timeouts = calls, seconds, timeouts

    def bars(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return raw daily bars; see `PriceSource.bars`."""
        # The bar of a session is stamped with midnight in New York, which is 04:00 or 05:00 UTC.
        last = min(datetime.combine(end, time(5), UTC), datetime.now(UTC) - _EMBARGO)
        params = {
            "timeframe": "1Day", "adjustment": "raw", "feed": "sip", "sort": "asc", "limit": "10000",
            "start": f"{start}T00:00:00Z", "end": f"{last:%Y-%m-%dT%H:%M:%SZ}",
        }  # fmt: skip
        rows = self._collect("/v2/stocks/bars", params, symbols, _Bars) if last.date() >= start else []
        return _frame(rows, BAR_COLUMNS, start, end)

    def actions(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return splits and cash dividends; see `PriceSource.actions`."""
        params = {
            "types": "forward_split,reverse_split,stock_dividend,cash_dividend", "sort": "asc",
            "limit": "1000", "start": f"{start}", "end": f"{end + _PROCESSED_WITHIN}",
        }  # fmt: skip
        rows = self._collect("/v1/corporate-actions", params, symbols, _ActionsPage)
        return _frame(rows, ACTION_COLUMNS, start, end)

    def latest(self, symbols: Sequence[str]) -> dict[str, tuple[datetime, float]]:
        """Return time and close of the newest minute bar of each symbol that has one, 15 minutes late.

        A free subscription sees the newest trades of all exchanges (the SIP feed) no earlier.

        Raises
        ------
        APIError
            Alpaca does not answer, or not with bars.
        """
        asked = {symbol.upper(): symbol for symbol in symbols}
        names, found = list(asked), {}
        with closing(self._client()) as client:
            for at in range(0, len(names), _SYMBOLS):
                params = {"symbols": ",".join(names[at : at + _SYMBOLS]), "feed": "delayed_sip"}
                page = _read(_Latest, client.get("/v2/stocks/bars/latest", params))
                bars = (page.bars or {}).items()
                found.update({asked[name]: (bar.t, bar.c) for name, bar in bars if bar and name in asked})
        return found

    def _collect(
        self, path: str, params: Mapping[str, str], symbols: Sequence[str], form: type[_Bars | _ActionsPage]
    ) -> list[tuple[Any, ...]]:
        """Return the rows of all pages for all symbols, each row once, under the symbols as asked for."""
        asked = {symbol.upper(): symbol for symbol in symbols}
        names, rows = list(asked), []
        with closing(self._client()) as client:
            for at in range(0, len(names), _SYMBOLS):
                batch = {**params, "symbols": ",".join(names[at : at + _SYMBOLS])}
                found = _all_pages(client, path, batch, form).values()
                rows += [(asked[symbol], *rest) for symbol, *rest in found if symbol in asked]
        return rows

    def _client(self) -> HttpClient:
        return open_client(get_config().api.alpaca_data_url, self._calls, self._seconds, self._timeouts)


def _session(stamp: object) -> date:
    """Return the session of a daily bar, which is stamped with its midnight in New York."""
    moment = datetime.fromisoformat(str(stamp))
    local = moment.astimezone(_NEW_YORK)
    if moment.tzinfo is None or local.time() != time():
        message = "not midnight in New York, such as 2024-01-03T05:00:00Z, so its session is unknown"
        raise ValueError(message)
    return local.date()


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Rate = Annotated[Number, Field(gt=0)]


class _Bar(BaseModel):
    t: Annotated[date, BeforeValidator(_session)]
    o: Number
    h: Number
    l: Number  # noqa: E741 - as Alpaca names it
    c: Number
    v: Number


class _NewestBar(BaseModel):
    t: datetime
    c: Rate


class _Latest(BaseModel):
    bars: dict[str, _NewestBar | None] | None


class _Action(BaseModel):
    id: str | None = None
    symbol: str
    ex_date: Annotated[date, BeforeValidator(lambda day: date.fromisoformat(str(day)))]


class _Split(_Action):
    new_rate: Rate
    old_rate: Rate


class _Dividend(_Action):
    rate: Rate


class _Actions(BaseModel):
    forward_splits: list[_Split] | None = None
    reverse_splits: list[_Split] | None = None
    stock_dividends: list[_Dividend] | None = None
    cash_dividends: list[_Dividend] | None = None


class _Bars(BaseModel):
    """A page of bars; null holds none."""

    bars: dict[str, list[_Bar] | None] | None
    next_page_token: str | None = None

    def rows(self) -> Rows:
        return {
            (symbol, bar.t): (symbol, bar.t, bar.o, bar.h, bar.l, bar.c, bar.v)
            for symbol, bars in (self.bars or {}).items()
            for bar in bars or ()
        }


class _ActionsPage(BaseModel):
    """A page of corporate actions."""

    corporate_actions: _Actions | None
    next_page_token: str | None = None

    def rows(self) -> Rows:
        found = self.corporate_actions or _Actions()
        splits = [*(found.forward_splits or ()), *(found.reverse_splits or ())]
        valued = [
            *((one, "split", one.new_rate / one.old_rate) for one in splits),
            *((one, "split", 1 + one.rate) for one in found.stock_dividends or ()),
            *((one, "dividend", one.rate) for one in found.cash_dividends or ()),
        ]
        rows = [(one.id, (one.symbol, one.ex_date, kind, value)) for one, kind, value in valued]
        return {name or row: row for name, row in rows}


def _read(form: type[Page], answer: object) -> Page:
    """Return an answer in its declared form, or raise an error that names value and place."""
    try:
        return form.model_validate(answer)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        why = wrong["msg"].removeprefix("Value error, ")
        message = f"Alpaca answered {shown(wrong['input'])} at {place}: {why}."
        raise APIError(message) from error


def _all_pages(
    client: HttpClient, path: str, params: dict[str, str], form: type[_Bars | _ActionsPage]
) -> Rows:
    rows: Rows = {}
    tokens: set[str] = set()
    idle = 0
    while True:
        page = _read(form, client.get(path, params))
        before = len(rows)
        rows.update(page.rows())  # of two answers for one session the later one counts
        token = page.next_page_token
        if not token:
            return rows
        idle = 0 if len(rows) > before else idle + 1
        if token in tokens or idle >= _IDLE:
            message = (
                f"Alpaca's pages have no end: after {len(tokens) + 1} of them and {len(rows)} rows the page "
                f"token {shown(token)} leads to nothing new. Nothing of it was kept; try again later."
            )
            raise APIError(message)
        tokens.add(token)
        params = {**params, "page_token": token}


def _frame(rows: list[tuple[Any, ...]], columns: tuple[str, ...], start: date, end: date) -> pd.DataFrame:
    import pandas as pd

    inside = sorted(row for row in rows if start <= row[1] <= end)
    frame = pd.DataFrame(inside, columns=list(columns))
    types = {name: "str" if name in {"symbol", "kind"} else "float64" for name in columns}
    return frame.astype({**types, "date": "datetime64[us]"})
