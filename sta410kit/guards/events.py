"""Known events, which explain moves and volume, in a file that is reviewed like code.

``events.toml`` lies beside the suites::

    [[event]]
    symbol = "GME"           # "*" for a day of the whole market
    date = 2021-01-28        # or first and last
    kind = "halt"
    note = "Brokers restricted buying."

An event is shown in the data docs of every validation in which it explains something.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.declarations import read_entries
from sta410kit.guards.reviewed import ReviewedFinding

if TYPE_CHECKING:
    from pathlib import Path

FILE = "events.toml"
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


def read_events(folder: Path, suite: str) -> list[ReviewedFinding]:
    """Return what the events in ``events.toml`` in `folder` excuse; nothing when there is no such file.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or an entry lacks a key, or has a key or a kind that does not exist.
    """
    found = []
    for period, entry, where in read_entries(folder / FILE, "event", ("kind",), ("note",)):
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
