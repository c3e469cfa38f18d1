"""Dates of a file; where two readings are possible, they are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import DataLoadingError

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.market.tables import Table

_TIME = r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?)?"
_OFFSET = r"\s*(?P<offset>Z|UTC|[+-]\d{2}:?\d{2}(?::?\d{2})?)?"
_FORMS = (
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})" + _TIME + _OFFSET,
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})" + _TIME + _OFFSET,
)
_SLASHED = (
    r"(?P<first>\d{1,2})(?P<mark>[-/.])(?P<second_part>\d{1,2})(?P=mark)(?P<year>\d{4})" + _TIME + _OFFSET
)
_NAMED = (  # 31-Dec-2012, and Dec 31, 2012
    r"(?P<day>\d{1,2})[- .]+(?P<month>[A-Za-z]{3,9})[- .]+(?P<year>\d{4})",
    r"(?P<month>[A-Za-z]{3,9})[- .]+(?P<day>\d{1,2}),? +(?P<year>\d{4})",
)
_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_MONTH_NUMBERS = {"sept": "9"} | {
    written: str(number) for number, name in enumerate(_MONTH_NAMES, 1) for written in (name, name[:3])
}
_YEARS = range(1700, 2200)  # within what every pandas can hold
_MONTHS = 12
_CLOCK = ("hour", "minute", "second")
_UTC = ("Z", "UTC", "+00:00", "+0000", "-00:00", "+00")
_NEW_YORK = ("-05:00", "-04:00", "-0500", "-0400")
_INSTANT = r"(\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19})(?:\.0+)?"  # s, ms, us or ns since 1970
# Midnight in UTC, and New York's midnight, open and close: at these hours of UTC the session is that day's.
_DAILY = ({"00:00"}, {"04:00", "05:00"}, {"13:30", "14:30"}, {"20:00", "21:00"})
_OPEN = (
    "has a time other than midnight and an offset, so the session depends on the exchange's clock; "
    "write the session as YYYY-MM-DD"
)


def stamps(values: pd.Series[str], symbols: pd.Series[str], table: Table) -> pd.Series[pd.Timestamp]:
    """Return the date of each row by the clock it was written with, without time zone.

    A time of day is kept, for the gate to name. Accepted are ISO dates (also ``2012/01/03`` and
    ``20120103``), dates with the English name of a month, dates with the year last if the whole file allows
    only one order of day and month, and any of them with a time and an offset: ``2012-01-03 00:00:00-05:00``
    is the session of 3 January. Instants in UTC, written or as a number since 1970, are read if all of them
    are midnight, or New York's midnight, open or close, as Alpaca, Polygon and Yahoo stamp daily bars, and so
    is New York's own time of its open or close, as TradingView writes it.

    Raises
    ------
    DataLoadingError
        A date cannot be read, could be read in two ways, or has a time that makes it an intraday price or
        leaves its session open.
    """
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        found = _from_stamps(pd.Series(pd.DatetimeIndex(values), index=values.index), table)
    else:
        whole = values.dtype.kind == "f" and bool((values.dropna() % 1 == 0).all())
        text = values.astype("Int64").astype("str") if whole else values.astype("str")
        found = _from_text(text.where(values.notna(), "").str.strip(), table)
    days = found.dt.normalize()
    timed = found != days
    if timed.any():
        repeated = pd.DataFrame({"symbol": symbols, "day": days}).duplicated(keep=False)
        distinct = ~pd.DataFrame({"symbol": symbols, "stamp": found}).duplicated(keep=False)
        intraday = (timed & repeated & distinct).to_numpy()
        if intraday.any():
            place = table.where(int(intraday.argmax()))
            message = (
                f"{place}: several times of one day, so these are intraday prices; give one row a session, "
                f"or judge the bars alone: `sta410 validate {table.file} --suite minute_bars`."
            )
            raise DataLoadingError(message)
    return found.astype("datetime64[us]")


def _from_stamps(values: pd.Series[pd.Timestamp], table: Table) -> pd.Series[pd.Timestamp]:
    missing = values.isna().to_numpy()
    if missing.any():
        message = f"{table.where(int(missing.argmax()))}: the date is empty; fill it in or remove the row."
        raise DataLoadingError(message)
    local = values.dt.tz_localize(None)
    zoned = values.dt.tz is not None
    _refuse(~local.dt.year.isin(_YEARS), values, table, "is outside the years 1700 to 2199")
    if zoned and str(values.dt.tz) in _UTC and _are_daily(local.dt.strftime("%H:%M")):
        local = local.dt.normalize()
    elif zoned:
        _refuse(local != local.dt.normalize(), values, table, _OPEN)
    return local.astype("datetime64[us]")


def _from_text(text: pd.Series[str], table: Table) -> pd.Series[pd.Timestamp]:
    """Parse each distinct text once, because prices of many symbols repeat their dates."""
    import pandas as pd

    codes, unique = pd.factorize(text)
    different = pd.Series(unique, dtype="str")
    first_row = pd.Series(range(len(codes))).groupby(codes).first()
    parts = _fields(_written_out(different))
    clock = parts["hour"].str.zfill(2) + ":" + parts["minute"]
    opening = parts["offset"].isin(_NEW_YORK).all() and set(clock) in ({"09:30"}, {"16:00"})
    if opening or (parts["offset"].isin(_UTC).all() and _are_daily(clock)):
        parts[["hour", "minute", "offset"]] = None
    for bad, why in _problems(different, parts):
        if bad.any():
            at = int(first_row[bad.to_numpy()].min())
            message = f"{table.where(at)}: the date {text.iloc[at]!r} {why}."
            raise DataLoadingError(message)
    whole = parts[["year", "month", "day", *_CLOCK]].apply(pd.to_numeric).fillna(0).astype("int64")
    stamps = pd.to_datetime(whole, errors="coerce")
    wrong = stamps.isna()
    if wrong.any():
        at = int(first_row[wrong.to_numpy()].min())
        message = f"{table.where(at)}: the date {text.iloc[at]!r} is not in the calendar."
        raise DataLoadingError(message)
    return pd.Series(stamps.to_numpy()[codes], index=text.index)


def _are_daily(clock: pd.Series[str]) -> bool:
    return any(set(clock.unique()) <= hours for hours in _DAILY)


def _written_out(text: pd.Series[str]) -> pd.Series[str]:
    """Return dates with the name of a month, and numbers since 1970 if all are such, as ISO text.

    By their digits the numbers are s, ms, us or ns.
    """
    import pandas as pd

    if text.str.contains("[A-Za-z]{3}", regex=True).any():
        for form in _NAMED:
            named = text.str.extract(rf"^{form}$")
            month = named["month"].str.casefold().map(_MONTH_NUMBERS)
            text = text.where(month.isna(), named["year"] + "-" + month + "-" + named["day"])
        return text
    digits = text.str.extract(rf"^{_INSTANT}$")[0]
    if digits.isna().any():
        return text
    unit = digits.str.len().map(lambda length: 10 ** (9 - 3 * ((length - 9) // 3)))
    return pd.to_datetime(digits.astype("int64") * unit).dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype("str")


def _fields(text: pd.Series[str]) -> pd.DataFrame:
    """Return year, month, day and time as text, one row per date; empty where no form fits."""
    import pandas as pd

    names = ("year", "month", "day", "first", "second_part", *_CLOCK, "offset")
    found = pd.DataFrame(index=text.index, columns=list(names), dtype="object")
    for form in (*_FORMS, _SLASHED):
        part = text.str.extract(rf"^{form}$").astype("object")
        found = found.where(found["year"].notna(), part.reindex(columns=list(names)))
    first, second = (pd.to_numeric(found[name]) for name in ("first", "second_part"))
    if (first > _MONTHS).any() and not (second > _MONTHS).any():
        day, month = found["first"], found["second_part"]
    else:
        day, month = found["second_part"], found["first"]
    found["ambiguous"] = found["first"].notna() & ((first > _MONTHS).any() == (second > _MONTHS).any())
    iso = found["day"].notna()
    found["day"], found["month"] = found["day"].where(iso, day), found["month"].where(iso, month)
    return found


def _problems(text: pd.Series[str], parts: pd.DataFrame) -> list[tuple[pd.Series[bool], str]]:
    """Return what can be wrong with the dates, with the message for it, in order of importance."""
    import pandas as pd

    unread = parts["year"].isna()
    numbers = text.str.fullmatch(r"-?\d+(?:\.\d+)?") & (unread | parts["offset"].notna())
    years = pd.to_numeric(parts["year"])
    at_midnight = parts[list(_CLOCK)].apply(pd.to_numeric).fillna(0).sum(axis=1) == 0
    return [
        (text == "", "is empty; fill it in or remove the line"),
        (numbers, "is a number, perhaps of seconds since 1970 or of days; write dates as YYYY-MM-DD"),
        (unread, "cannot be read; write dates as YYYY-MM-DD"),
        (parts["ambiguous"].astype("bool"), "could be day first or month first; write dates as YYYY-MM-DD"),
        (~years.isin(_YEARS), "is outside the years 1700 to 2199"),
        (parts["offset"].notna() & ~at_midnight, _OPEN),
    ]


def _refuse(bad: pd.Series[bool], values: pd.Series[pd.Timestamp], table: Table, why: str) -> None:
    if bad.any():
        row = int(bad.to_numpy().argmax())
        message = f"{table.where(row)}: the date {values.iloc[row]} {why}."
        raise DataLoadingError(message)
