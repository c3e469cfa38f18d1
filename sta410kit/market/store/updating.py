"""Ask a source for what the store lacks: what is new is added, what is revised is held back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from loguru import logger

from sta410kit._internal.calendars import CALENDARS, calendar_of, closed_sessions
from sta410kit._internal.text import pluralize
from sta410kit.exceptions import APIError, ConfigurationError
from sta410kit.market.store.files import HELD, KEYS, PRICES, VALUES, missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from sta410kit.market.sources import PriceSource
    from sta410kit.market.store.files import PriceStore, Span

DEFAULT_YEARS = 10
DEFAULT_EXCHANGE = "XNYS"
_OVERLAP = timedelta(days=10)  # asked for again with every new session, to see revisions
_LATE = timedelta(days=120)  # actions are asked for again: some sources list a dividend once it is paid
_AT_ONCE = 100  # symbols of one request: what has been answered is stored before the next
_BAR = VALUES[:5]
_ROW = ["symbol", *KEYS]  # what makes a row the same row
_SAME = 1e-9  # relative difference that is none
_FIRST_YEAR = 1970
Period = tuple[date | None, date | None]  # first and last day, as far as they are named
DIFFERENCES = ["symbol", "date", "kind", "field", "stored", "revised"]


@dataclass(frozen=True)
class Update:
    """What an update has added."""

    added: int = 0  # bars and corporate actions that were new
    symbols: tuple[str, ...] = ()  # those that were asked for; others were up to date


@dataclass(frozen=True)
class Market:
    """The sessions by which symbols of a source are judged."""

    default: str  # calendar of symbols whose own form names none
    exchange: str | None  # calendar of all symbols, if the user names one
    moment: datetime  # the present, in UTC

    def closed(self, symbol: str, after: date | None = None) -> list[date]:
        """Return the sessions after a day that have closed; the newest of the last month without a day."""
        name = self.exchange or calendar_of(symbol, CALENDARS, self.default)
        start = after or self.moment.date() - timedelta(days=31)
        days = closed_sessions(name, (start - date(_FIRST_YEAR, 1, 1)).days + 1, self.moment)
        found: list[date] = days.astype("datetime64[D]").tolist()
        return found


def wanted_span(store: PriceStore, market: Market, source: str, symbol: str, period: Period) -> Span | None:
    """Return the period that the store should have of a symbol, up to the last session that has closed.

    Without a start it is that of what is stored, or the first of January ten years ago.
    """
    closed = market.closed(symbol)
    held = store.covered(source, symbol, lost=True)
    usual = date(market.moment.year - DEFAULT_YEARS, 1, 1)
    start = period[0] or (held[0][0] if held else usual)
    last = closed[-1] if closed else market.moment.date()
    end = min(period[1] or last, last)
    return (start, end) if start <= end else None


def update(  # noqa: PLR0913 - what is asked of whom, and how
    store: PriceStore,
    source: PriceSource,
    symbols: Sequence[str],
    period: Period,
    market: Market,
    *,
    again: bool = False,
) -> Update:
    """Ask `source` for what the store lacks of the period, and store the answer.

    With new sessions the last days are asked for again, and with `again` the whole period. Where the answer
    differs from what is stored, the stored values stay, and the revision is held for the gate.

    Raises
    ------
    APIError
        The source does not answer, or not with prices; what it answered before is stored.
    ConfigurationError
        A symbol differs from another, or a stored one, in small and capital letters only.
    """
    added, asked = 0, set()
    stored = {symbol.casefold(): symbol for symbol in store.symbols(source.name)}
    for symbol in symbols:
        if symbol != (twin := stored.setdefault(symbol.casefold(), symbol)):
            message = f"{symbol!r} would be a second symbol beside {twin!r}; write it as {twin}"
            raise ConfigurationError(message)
    with store.lock(source.name, "fetch"):  # another process may fetch the same at this moment
        jobs: dict[Span, list[str]] = defaultdict(list)
        for symbol in symbols:
            wanted = wanted_span(store, market, source.name, symbol, period)
            for span in [wanted] if again and wanted else _lacking(store, source.name, symbol, wanted):
                jobs[span].append(symbol)
        for span, group in sorted(jobs.items()):
            for at in range(0, len(group), _AT_ONCE):
                part = group[at : at + _AT_ONCE]
                added += _take(store, source, part, span, market)
                asked.update(part)
    if asked:
        logger.info(
            "{}: {} added for {}", source.name, pluralize(added, "row"), pluralize(len(asked), "symbol")
        )
    return Update(added, tuple(sorted(asked)))


def _lacking(store: PriceStore, source: str, symbol: str, wanted: Span | None) -> list[Span]:
    """Return what the store lacks of a period, the last of it with days that it has."""
    store.set_damaged_aside(source, symbol)  # so that their days are lacking
    covered = store.covered(source, symbol)
    holes = missing(wanted, covered) if wanted else []
    if holes and covered and holes[-1][0] > covered[-1][1]:
        holes[-1] = (max(holes[-1][0] - _OVERLAP, covered[0][0]), holes[-1][1])
    return holes


def _take(store: PriceStore, source: PriceSource, symbols: list[str], span: Span, market: Market) -> int:
    """Store what `source` answers for one period; return how many rows were new."""
    import pandas as pd

    answer = _answer(source, symbols, span)
    newest = answer.loc[answer["kind"] == "bar", "date"].max()
    answered = span[1]
    if span[1] > market.moment.date() - _OVERLAP:
        # A source that is late has not answered for the sessions after its newest bar.
        answered = span[0] - timedelta(days=1) if pd.isna(newest) else min(span[1], newest.date())
    known, held = (
        pd.concat([store.current(source.name, symbol, area=area) for symbol in symbols])
        for area in (PRICES, HELD)
    )
    there = {*answer["symbol"], *known["symbol"]}
    recent = answer[(answer["kind"] == "bar") & (answer["date"].dt.date > market.moment.date() - _OVERLAP)]
    own = recent.groupby("symbol")["date"].max().dt.date.to_dict()  # it may be late with some symbols only
    spans = {
        symbol: (span[0], min(answered, own.get(symbol, answered))) for symbol in symbols if symbol in there
    }
    known = known[known["date"] >= answer["date"].min()]
    expected = (
        _inside(known, span) & known[VALUES].notna().any(axis=1) & known["symbol"].isin(answer["symbol"])
    )
    gone = _without(known[expected], answer)
    said = pd.concat([answer, gone.assign(**dict.fromkeys(VALUES, float("nan")))])
    before = pd.concat([known, held]).drop_duplicates(_ROW, keep="last")
    added, revised = _without(answer, known), _differing(said, before)
    if answered >= span[0]:
        store.append(source.name, added, spans)
    if len(revised):
        logger.warning(
            "{} has revised {} since; the stored values stay until `sta410 fetch` has judged the revisions",
            source.name,
            pluralize(len(revised), "stored row"),
        )
        store.append(source.name, revised, dict.fromkeys(revised["symbol"].unique(), span), HELD)
    return len(added)


def revisions(store: PriceStore, source: str, symbols: Iterable[str]) -> pd.DataFrame:
    """Return the rows that are held because their source has revised them, as they would be stored."""
    import pandas as pd

    parts = [
        _differing(store.current(source, symbol, area=HELD), store.current(source, symbol))
        for symbol in symbols
    ]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def differences(store: PriceStore, source: str, revised: pd.DataFrame) -> pd.DataFrame:
    """Return what revisions change: one row per value, stored and revised."""
    import pandas as pd

    found = []
    for symbol, rows in revised.groupby("symbol", sort=False):
        both = rows.merge(store.current(source, str(symbol)), on=KEYS, suffixes=("", "_stored"))
        for field in VALUES:
            stored, now = both[f"{field}_stored"], both[field]
            part = both[["symbol", *KEYS]].assign(field=field, stored=stored, revised=now)
            found.append(part[~_same(stored, now)])
    whole = pd.concat(found) if found else pd.DataFrame(columns=DIFFERENCES)
    return whole.sort_values(["symbol", "date"], kind="stable", ignore_index=True)


def _answer(source: PriceSource, symbols: list[str], span: Span) -> pd.DataFrame:
    """Return bars and actions of a source as rows of the store, one for each key."""
    import pandas as pd

    known_late = (span[0] - _LATE, span[1])
    try:
        answers = source.bars(symbols, *span), source.actions(symbols, *known_late)
    except OSError as error:  # of a source that lets those of its connection through
        message = f"{source.name} does not answer ({type(error).__name__}: {error})."
        raise APIError(message) from error
    # A source without data may answer None or a frame without columns.
    bars, actions = (answer if answer is not None and len(answer) else None for answer in answers)
    parts = []
    for part, names in ((bars, [*_BAR, "symbol", "date"]), (actions, ["value", "kind", "symbol", "date"])):
        if part is None:
            continue
        absent = [name for name in names if name not in part]
        if absent:
            message = f"{source.name} answered without {', '.join(absent)}; report it to its author"
            raise APIError(message)
        parts.append(part if part is actions else part.assign(kind="bar"))
    rows = pd.concat(parts or [pd.DataFrame()]).reindex(columns=[*_ROW, *VALUES])
    try:
        rows = rows.astype(dict.fromkeys(VALUES, "float64") | {"date": "datetime64[us]"})
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        message = f"{source.name} answered with a wrong type ({reason}); report it to its author"
        raise APIError(message) from error
    _require_actions(source.name, rows[rows["kind"] != "bar"])
    rows["date"] = rows["date"].dt.normalize()
    in_time = _inside(rows, span) | ((rows["kind"] != "bar") & _inside(rows, known_late))
    inside = rows["symbol"].isin(symbols) & in_time
    # Several dividends of a day count together.
    paid = rows["kind"] == "dividend"
    rows.loc[paid, "value"] = rows[paid].groupby(["symbol", "date"])["value"].transform("sum")
    return rows[inside].drop_duplicates(_ROW, keep="last")


def _require_actions(source: str, actions: pd.DataFrame) -> None:
    """Raise for an action that is neither split nor dividend, or has no value: prices are adjusted by it."""
    wrong = actions[~(actions["kind"].isin(["split", "dividend"]) & (actions["value"] > 0))]
    if len(wrong):
        first = wrong.iloc[0]
        message = (
            f"{source} answered with the action {first['kind']!r} of {first['value']} for {first['symbol']} "
            f"on {first['date']:%Y-%m-%d}; it must be 'split' or 'dividend' with a value above 0"
        )
        raise APIError(message)


def _inside(rows: pd.DataFrame, span: Span) -> pd.Series[bool]:
    import pandas as pd

    return rows["date"].between(pd.Timestamp(span[0]), pd.Timestamp(span[1]))


def _without(rows: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose key is none of `others`."""
    import pandas as pd

    if not len(others):
        return rows
    keys, there = (pd.MultiIndex.from_frame(frame[_ROW]) for frame in (rows, others))
    return rows[~keys.isin(there)]


def _differing(rows: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have other values than the row of the same key among `others`."""
    import numpy as np

    both = rows[_ROW].merge(others, on=_ROW, how="left", indicator=True)
    same = [_same(rows[name].reset_index(drop=True), both[name]) for name in VALUES]
    changed: NDArray[np.bool_] = (both["_merge"] == "both").to_numpy() & ~np.logical_and.reduce(same)
    return rows[changed]


def _same(left: pd.Series[float], right: pd.Series[float]) -> pd.Series[bool]:
    return ((left - right).abs() <= _SAME * right.abs()) | (left.isna() & right.isna())
