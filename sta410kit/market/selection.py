"""Which rows of a source are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError, DataLoadingError

if TYPE_CHECKING:
    import pandas as pd

Day: TypeAlias = str | date
_SHOWN = 20


def unknown(what: str, value: object, known: Sequence[str]) -> str:
    """Return the message for a name that is not one of `known`, with the nearest one if there is one."""
    return f"Unknown {what} {value!r}.{did_you_mean(value, known)} Known: {', '.join(known)}."


def parse_symbols(symbols: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the symbols asked for, each once and in the order given; ``None`` means all.

    Raises
    ------
    ConfigurationError
        If nothing is left (``[]``, ``""``), or an element is not a string: ``000001`` read as a number has
        lost its zeros already.
    """
    if symbols is None:
        return None
    given: object = symbols.split(",") if isinstance(symbols, str) else symbols
    if not isinstance(given, Sequence | set | frozenset):
        message = f"symbols is {symbols!r}; give text such as 'AAPL,MSFT' or a list of strings."
        raise ConfigurationError(message)
    strange = [item for item in given if not isinstance(item, str)]
    if strange:
        message = f"symbols holds {strange[0]!r}, which is not text; write it in quotes, '{strange[0]}'."
        raise ConfigurationError(message)
    in_order = sorted(given) if isinstance(given, set | frozenset) else given
    wanted = tuple(dict.fromkeys(item.strip() for item in in_order if item.strip()))
    if not wanted:
        message = f"symbols is {symbols!r}, which selects nothing; leave it out to get every symbol."
        raise ConfigurationError(message)
    return wanted


def parse_period(start: Day | None, end: Day | None) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Return the first and last session asked for; raise `ConfigurationError` if they are not a period."""
    first, last = _parse_day("start", start), _parse_day("end", end)
    if first is not None and last is not None and first > last:
        message = f"start {first:%Y-%m-%d} is after end {last:%Y-%m-%d}; exchange them."
        raise ConfigurationError(message)
    return first, last


def _parse_day(name: str, value: Day | None) -> pd.Timestamp | None:
    import pandas as pd

    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        if not isinstance(value, str | date):  # a number would be read as nanoseconds since 1970
            raise TypeError  # noqa: TRY301 - joins the other ways in which a day can be unreadable
        # Only the ISO form: pandas would read '03/04/2012' one way or the other without a word.
        day = pd.Timestamp(date.fromisoformat(value.strip()[:10]) if isinstance(value, str) else value)
        if pd.isna(day) or (isinstance(value, str) and pd.isna(pd.Timestamp(value.strip()))):
            raise ValueError  # noqa: TRY301
    except (ValueError, TypeError) as error:
        message = f"{name} is {value!r}, which is not a day; write it as YYYY-MM-DD."
        raise ConfigurationError(message) from error
    return day.tz_localize(None).normalize()


def select(
    frame: pd.DataFrame,
    symbols: tuple[str, ...] | None,
    first: pd.Timestamp | None,
    last: pd.Timestamp | None,
) -> pd.DataFrame:
    """Return the rows asked for, otherwise as they are; spaces around a symbol do not hide it.

    Raises
    ------
    DataLoadingError
        If a symbol has no row in the period, or no row is left at all.
    """
    import pandas as pd

    spellings = {name: name.strip() for name in frame["symbol"].unique()}
    available = sorted(set(spellings.values()))
    kept = frame
    if first is not None:
        kept = kept[kept["date"] >= first]
    if last is not None:
        kept = kept[kept["date"] < last + pd.Timedelta(days=1)]
    period = f" from {first:%Y-%m-%d}" if first is not None else ""
    period += f" to {last:%Y-%m-%d}" if last is not None else ""
    if symbols is not None:
        there = {spellings[name] for name in kept["symbol"].unique()}
        absent = [symbol for symbol in symbols if symbol not in there]
        if absent:
            raise DataLoadingError(_absent(absent, available, period))
        kept = kept[kept["symbol"].isin([name for name, plain in spellings.items() if plain in symbols])]
    if kept.empty:
        held = (
            f"{frame['date'].min():%Y-%m-%d} to {frame['date'].max():%Y-%m-%d}" if len(frame) else "no rows"
        )
        message = f"No prices{period}; the source holds {held}. Choose other dates."
        raise DataLoadingError(message)
    return kept.reset_index(drop=True)


def _absent(absent: list[str], available: list[str], period: str) -> str:
    shown = ", ".join(available[:_SHOWN]) + (
        f" and {len(available) - _SHOWN} more" if len(available) > _SHOWN else ""
    )
    hint = "" if absent[0] in available else did_you_mean(absent[0], available)
    return f"No prices{period} for {', '.join(absent)}.{hint} The source holds: {shown}."
