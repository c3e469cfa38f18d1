"""Entries of the files beside a suite in which people declare things: accepted findings, events, repairs.

``accepted.toml`` has findings that a reviewer has accepted::

    [[finding]]
    suite = "prices"
    expectation = "expect_jumps_to_be_explained"
    symbol = "ACME"
    first = 2024-03-01
    last = 2024-03-01        # the same day when left out
    reason = "Spin-off; the vendor does not adjust for it."
    by = "R. Eviewer"
    expires = 2027-03-01

An accepted finding no longer fails its expectation and is shown in the data docs of every validation it
affects. After `expires` it counts again, and the failure says so. ``events.toml`` has known events, which
explain moves and volume and are shown alike::

    [[event]]
    symbol = "GME"           # "*" for a day of the whole market
    date = 2021-01-28        # or first and last
    kind = "halt"
    note = "Brokers restricted buying."
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import did_you_mean, pluralize
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.suites import list_suites

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_MOVES = ("expect_jumps_to_be_explained", "expect_no_reverting_spikes", "expect_no_extreme_wicks")
_VOLUME = ("expect_volume_in_one_unit", "expect_no_runs_of_zero_volume")
_SESSIONS = ("expect_sessions_to_match_calendar",)
EXCUSES = {
    "earnings": (*_MOVES, *_VOLUME),  # also on the session after, when they were announced in the evening
    "split": (*_MOVES, *_VOLUME, "expect_adjusted_close_to_follow_close", "expect_prices_in_one_unit"),
    "dividend": (*_MOVES, "expect_adjusted_close_to_follow_close"),
    "halt": (*_MOVES, *_VOLUME, *_SESSIONS, "expect_no_stale_bars"),
    "index change": (*_MOVES, *_VOLUME),
    "delisting": _SESSIONS,  # and every session after it
    "other": (*_MOVES, *_VOLUME),
}
"""The expectations that each kind of event excuses."""
_ALWAYS = date(2199, 12, 31)
_FRIDAY = 4
_PERIOD = ("symbol", "date", "first", "last")
_EVERYTHING = ("", "*")


@dataclass(frozen=True)
class Period:
    """Some sessions of a symbol, or of all.

    Attributes
    ----------
    symbol : str
        The symbol; empty for all.
    first, last : date or None
        First and last session, both included; every session when None.
    """

    symbol: str
    first: date | None
    last: date | None

    def covers(self, symbols: NDArray[np.object_], days: NDArray[np.signedinteger[Any]]) -> NDArray[np.bool_]:
        """Return which of the symbols and days since 1970-01-01 are in it."""
        import numpy as np

        hit = np.asarray(symbols == self.symbol, bool) if self.symbol else np.ones(len(symbols), bool)
        if self.first is not None and self.last is not None:
            first, last = (int(np.datetime64(day, "D").astype(int)) for day in (self.first, self.last))
            hit = hit & (days >= first) & (days <= last)
        return hit

    def __str__(self) -> str:
        when = f" {self.first}" if self.first else ""
        return (
            (self.symbol or "every symbol") + when + (f" to {self.last}" if self.last != self.first else "")
        )


def read_entries(
    path: Path, key: str, required: Sequence[str], optional: Sequence[str] = (), advice: str = ""
) -> list[tuple[Period, dict[str, Any], str]]:
    """Return the period, the other keys and the place of each entry of a TOML file; none without a file.

    Parameters
    ----------
    path : Path
        The file.
    key : str
        The name of its tables: ``[[finding]]``.
    required, optional : sequence of str
        Keys an entry must and may have beside ``symbol``, ``date`` and ``first``, ``last``.
    advice : str
        What an entry that lacks a key has to say.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or an entry lacks a key or has one that does not exist.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:  # opened without asking first: the runner observes what a step tries to read
        return []
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read as TOML: {error}"
        raise ConfigurationError(message) from error
    entries = content.pop(key, [])
    if content or not isinstance(entries, list):
        message = f"{path} holds {', '.join(content) or key}; it takes entries [[{key}]] only"
        raise ConfigurationError(message)
    known = [*required, *optional, *_PERIOD]
    found = []
    for number, entry in enumerate(entries, 1):
        where = f"{path}, {key} {number}"
        if problem := _problem(entry, required, known, advice):
            raise ConfigurationError(where + problem)
        first, last = (entry.get(name) or entry.get("date") for name in ("first", "last"))
        symbol = str(entry.get("symbol", ""))
        period = Period("" if symbol in _EVERYTHING else symbol, first or last, last or first)
        found.append((period, {name: value for name, value in entry.items() if name not in _PERIOD}, where))
    return found


def _problem(  # noqa: PLR0911 - one for each kind of slip
    entry: dict[str, Any], required: Sequence[str], known: list[str], advice: str
) -> str:
    dates = {name: entry[name] for name in ("date", "first", "last", "expires") if name in entry}
    if unknown := [name for name in entry if name not in known]:
        return f": no key called {unknown[0]!r}.{did_you_mean(unknown[0], known)}"
    if missing := [name for name in required if entry.get(name) in {None, ""}]:
        return f" has no {', '.join(missing)}{advice}"
    if wrong := [name for name, value in dates.items() if type(value) is not date]:
        return f": {wrong[0]} must be a date such as 2027-03-01, without quotes, got {dates[wrong[0]]!r}"
    if not isinstance(entry.get("symbol", ""), str):
        return f': symbol must be one symbol as text, or "*" for all, got {entry["symbol"]!r}'
    if "date" in dates and len({"first", "last"} & dates.keys()):
        return ": give date, or first and last"
    if "first" in dates and "last" in dates and dates["last"] < dates["first"]:
        return f": last ({dates['last']}) lies before first ({dates['first']})"
    return ""


@dataclass(frozen=True)
class ReviewedFinding(Period):
    """Findings that a reviewer has accepted, or that a known event explains.

    Attributes
    ----------
    suite, expectation : str
        What found them.
    reason, by : str
        Why they are accepted, and by whom.
    expires : date or None
        The last day on which they are accepted.
    event : str
        The kind of the event that explains them.
    emptied : bool
        Whether a declared repair emptied the bar; shown with the repairs, and not again.
    """

    suite: str
    expectation: str
    reason: str
    by: str = ""
    expires: date | None = None
    event: str = ""
    emptied: bool = False

    @property
    def expired(self) -> bool:
        """Whether it counts again."""
        return self.expires is not None and datetime.now(UTC).date() > self.expires

    @property
    def covers_table(self) -> bool:
        """Whether it is about the whole table."""
        return not self.symbol and self.first is None

    def covers_rows(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows of a frame it is about."""
        import numpy as np

        from sta410kit.guards.evidence import at_positions

        rows = at_positions(frame, np.arange(len(frame)))
        return self.covers(rows.symbols, rows.days)

    def in_words(self, count: int) -> str:
        """Return one line for the data docs."""
        who = f" by {self.by}" if self.by else ""
        rows = f" ({pluralize(count, 'row')})" if count else ""
        what = f"explained by an event, {self.event}" if self.event else f"accepted{who} until {self.expires}"
        return f"{'the table' if self.covers_table else self}{rows}: {what}. {self.reason}"


def read_reviewed(folder: Path, suite: str, known: Collection[str] = ()) -> list[ReviewedFinding]:
    """Return the findings of `suite` in ``accepted.toml`` in `folder`; none when there is no such file.

    A symbol that the frame lacks is no error: a gate does not know whether it sees the whole universe, and
    a part of it must not complain about the entries of the rest.

    Parameters
    ----------
    folder : Path
        The folder of the suite.
    suite : str
        Its name.
    known : collection of str, optional
        Expectations whose findings can be accepted; any when left out.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or an entry lacks a key, or has a key, a suite or an expectation that does
        not exist.
    """
    required = ("suite", "expectation", "reason", "expires")
    advice = "; say what is accepted, why, and until when"
    found = []
    for period, entry, where in read_entries(folder / "accepted.toml", "finding", required, ("by",), advice):
        if entry["suite"] == suite:
            _require_known(entry["expectation"], known, "expectation", where)
            found.append(ReviewedFinding(period.symbol, period.first, period.last, **entry))
        else:
            suites = {*list_suites(), *(path.stem for path in folder.glob("*.json"))}
            _require_known(entry["suite"], suites, "suite", where)
    return found


def read_all_reviewed(folder: Path) -> list[ReviewedFinding]:
    """Return the findings of every suite in ``accepted.toml`` in `folder`, those that expire first first."""
    suites = sorted({*list_suites(), *(path.stem for path in folder.glob("*.json"))})
    found = [one for suite in suites for one in read_reviewed(folder, suite)]
    return sorted(found, key=lambda one: one.expires or _ALWAYS)


def _require_known(name: object, known: Collection[str], what: str, where: str) -> None:
    """Raise `ConfigurationError` for a name that would accept nothing."""
    if known and name not in known:
        message = f"{where}: no {what} called {name!r}.{did_you_mean(name, known)}"
        if what == "suite":
            message += f" Suites: {', '.join(sorted(known))}."
        raise ConfigurationError(message)


def read_events(folder: Path, suite: str) -> list[ReviewedFinding]:
    """Return what the events in ``events.toml`` in `folder` excuse; nothing when there is no such file.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or an entry lacks a key, or has a key or a kind that does not exist.
    """
    found = []
    for period, entry, where in read_entries(folder / "events.toml", "event", ("kind",), ("note",)):
        kind = str(entry["kind"])
        if kind not in EXCUSES:
            known = ", ".join(EXCUSES)
            message = (
                f"{where}: no kind of event called {kind!r}.{did_you_mean(kind, EXCUSES)} Kinds: {known}."
            )
            raise ConfigurationError(message)
        if period.first is None:
            message = f"{where} has no date; an event has one, or first and last"
            raise ConfigurationError(message)
        last = _ALWAYS if kind == "delisting" else period.last
        if kind == "earnings" and last is not None:
            last += timedelta(days=7 - last.weekday() if last.weekday() >= _FRIDAY else 1)
        note = str(entry.get("note", ""))
        found += [
            ReviewedFinding(period.symbol, period.first, last, suite, expectation, note, event=kind)
            for expectation in EXCUSES[kind]
        ]
    return found


def write_entry(table: str, /, **keys: object) -> str:
    """Return an entry as such a file has it; JSON's texts, numbers and lists are TOML's."""
    dates = ("date", "first", "last", "expires")
    lines = [
        f"{name} = {value if name in dates else json.dumps(value, ensure_ascii=False)}"
        for name, value in keys.items()
    ]
    return "\n".join([f"[[{table}]]", *lines, ""])
