"""Triage: what a gate found, grouped by cause into the decisions that a reviewer has to make.

Each decision has a proposal and the entries that carry it out, for ``repairs.toml``, ``events.toml``,
``accepted.toml`` or the suite. With all of them pasted, the next triage of the same data has nothing left.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit._internal.calendars import sessions
from sta410kit._internal.text import percent
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.decisions import (
    BY,
    QUARANTINE,
    REASON,
    REPAIRS,
    Cases,
    Decision,
    date_of,
    days_of,
    decide,
    event,
    findings_of,
    has_rows,
    of_limit,
    of_table,
    repair,
    stretches_in_another_unit,
    when,
)
from sta410kit.guards.declarations import write_entry
from sta410kit.guards.result import CRITICAL
from sta410kit.guards.suites import BAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sta410kit.guards.result import GuardResult

_EVENTS, _ACCEPTED, _SUITE = "events.toml", "accepted.toml", "the suite"
_AT_ITS_SOURCE = "correct it at its source"
_CENTS = 0.01  # of the price: an open that far outside of its bar is clamped
_WILD = 0.05  # of the price: a close further outside of its bar is not believed
_BUSY = 2.0  # times the usual volume that makes a move news
_TOGETHER = 2  # symbols that move on one day make a market event
_SHARE = 0.5  # of the symbols that lack a session make it the vendor's
_FOREIGN = 5  # days without a session that make a calendar the wrong one
_LARGE = (
    "XNYS XLON XETR XPAR XAMS XMIL XMAD XSWX XSTO XTSE XTKS XHKG XSHG XBOM XTAI XASX XSES BVMF XJSE 24/7 24/5"
)
_NEAR = 0.1  # in logs, from the ratio of a split
_RATIOS = np.array([1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50])
_RATIOS = np.concatenate([1 / _RATIOS, _RATIOS])


def triage(result: GuardResult, frame: pd.DataFrame, repairs: pd.DataFrame | None = None) -> list[Decision]:
    """Group what a gate found into decisions, critical ones first.

    Parameters
    ----------
    result : GuardResult
        What the gate found.
    frame : DataFrame
        The frame that it judged.
    repairs : DataFrame, optional
        What `apply_repairs` changed in it; bars that it quarantined need no decision.

    Raises
    ------
    ConfigurationError
        The rows are intraday bars.
    """
    if result.intraday:
        message = f"decisions are about sessions, and the suite '{result.suite}' judges intraday bars"
        raise ConfigurationError(message + "; `sta410 validate` names the bars")
    found = findings_of(result.failures)
    if repairs is not None and len(repairs):
        known = repairs[repairs["action"] == "quarantine"]
        keys = pd.MultiIndex.from_arrays([known["symbol"], days_of(known["date"])])
        found = found[~pd.MultiIndex.from_frame(found[["symbol", "day"]]).isin(keys)]
    cases = Cases(result, frame, found)
    decisions = [one for make in _MAKERS for one in make(cases) if one.count]
    decisions += [of_table(check) for check in result.failures if not has_rows(check)]
    if result.excess and all(one.proposal == QUARANTINE or one.severity != CRITICAL for one in decisions):
        decisions.append(of_limit(result, frame))  # no other decision brings anything back
    return sorted(decisions, key=lambda one: (one.severity != CRITICAL, -one.count))


def _bars_without_values(cases: Cases) -> Iterator[Decision]:
    kinds = ("expect_column_values_to_not_be_null", "expect_column_values_to_be_between")
    there = cases.rows & cases.left["column"].isin([*BAR, "adj_close", "volume"])
    critical = cases.left["severity"] == CRITICAL
    yield cases.quarantine("no value, or none above zero", cases.of(*kinds) & there & critical)


def _outside_the_range(cases: Cases) -> Iterator[Decision]:
    pairs = cases.of("expect_column_pair_values_a_to_be_greater_than_b")
    pairs &= cases.left["column"].isin([f"{a}, {b}" for a in BAR for b in BAR])
    yield cases.quarantine("low above the high", pairs & (cases.left["column"] == "high, low"))
    for name in ("open", "close"):
        pairs = pairs.reindex(cases.left.index)
        here = pairs & cases.left["column"].str.contains(name)
        if not here.any():
            continue
        price, high, low = (cases.values(cases.left[here], column) for column in (name, "high", "low"))
        beyond = pd.Series(np.fmax(price - high, low - price), index=cases.left.index[here])
        share = beyond / price
        near = share <= (_CENTS if name == "open" else _WILD)
        most = percent(share[near].max(), ".2%")
        largest = f"at most {beyond[near].max():.2f} ({most})" if near.any() else ""
        found = cases.take(here & near.reindex(here.index, fill_value=False))
        if name == "open":
            entry = write_entry("repair", symbol="*", action="clamp", columns=["open"], reason=REASON, by=BY)
            what, proposal = (
                "open outside of its bar by cents",
                "clamp the open to low and high, in every bar",
            )
        else:
            entry = cases.repairs(found, "extend")
            what, proposal = "close outside of its bar", "extend low and high to the close"
        yield decide(what, found, proposal, REPAIRS, entry, largest)
    yield cases.quarantine("open or close far outside of its bar", pairs.reindex(cases.left.index))


def _wrong_calendar(cases: Cases) -> Iterator[Decision]:
    counts = cases.left[cases.of(_CALENDAR) & cases.rows].groupby("symbol").size()
    fits = {str(symbol): _best_calendar(cases.frame, symbol) for symbol in counts.index[counts >= _FOREIGN]}
    for name in sorted(dict.fromkeys(fits.values()), key=bool):
        symbols = [symbol for symbol, one in fits.items() if one == name]
        found = cases.take(cases.of(_CALENDAR) & cases.left["symbol"].isin(symbols))
        if not name:
            yield decide("dates that fit no exchange, perhaps a day off", found, _AT_ITS_SOURCE)
            continue
        entry = json.dumps({"overrides": {" ".join(symbols): {"calendar": name}}})
        proposal = f"judge them by the calendar {name}: --exchange {name}, or overrides of {_CALENDAR}"
        yield decide("sessions of another exchange", found, proposal, _SUITE, entry)


def _sessions(cases: Cases) -> Iterator[Decision]:
    found = cases.take(cases.of(_CALENDAR) & cases.rows)
    entry = cases.repairs(found, "drop")
    yield decide("rows on days without a session", found, "drop the rows", REPAIRS, entry)
    gone = cases.of(_CALENDAR)
    times = cases.left[gone].groupby("day")["symbol"].nunique()
    found = cases.take(gone & cases.on(times.index[times >= max(_TOGETHER, _SHARE * cases.symbols)]))
    entry = cases.each_stretch(found.assign(symbol="*"), lambda at: cases.accept(_CALENDAR, at))
    proposal = "ask another source; or accept that the vendor lacks them"
    yield decide("sessions that the vendor lacks", found, proposal, _ACCEPTED, entry)
    ended = {note.split(":")[0] for note in cases.notes if "delisted or cut short" in note}
    found = cases.take(cases.of(_CALENDAR) & cases.left["symbol"].isin(ended))
    entry = cases.each_stretch(found, lambda at: event(at, "delisting", "Delisted."))
    proposal = "ask another source; or say that they were delisted"
    yield decide("series that end before the others", found, proposal, _EVENTS, entry)
    found = cases.take(cases.of(_CALENDAR))
    entry = cases.each_stretch(found, lambda at: event(at, "halt", "No trading."))
    proposal = "ask another source; or say that trading was halted"
    yield decide("sessions missing in single symbols", found, proposal, _EVENTS, entry)


def _units(cases: Cases) -> Iterator[Decision]:
    kind, what = "expect_prices_in_one_unit", "prices in another unit"
    for symbol in cases.left.loc[cases.of(kind), "symbol"].unique():
        found = cases.take(cases.of(kind) & (cases.left["symbol"] == symbol))
        bars = cases.frame[cases.frame["symbol"] == symbol]
        stretches = stretches_in_another_unit(bars, found["day"].to_numpy(np.int32))
        if not stretches:
            yield decide(what, found, f"no entry: no factor fits; {_AT_ITS_SOURCE}")
            continue
        entries = []
        for one in stretches:
            columns = {"columns": list(one.columns)} if one.columns else {}
            at = {"symbol": symbol, **when(one.first, one.last)}
            entries.append(repair(at, "scale", **columns, factor=one.factor))
        factors = sorted({one.factor for one in stretches})
        proposal = f"multiply these prices by {' or '.join(f'{factor:g}' for factor in factors)}"
        size = " and ".join(f"{1 / factor:g}" for factor in factors) + " times"
        if len(stretches) > 1:
            size += f" in {len(stretches)} stretches"
        yield decide(what, found, proposal, REPAIRS, "\n".join(entries), size)


def _moves(cases: Cases) -> Iterator[Decision]:
    moves = cases.of(_JUMPS, *_REVERTING)
    times = cases.left[moves].groupby("day")["symbol"].nunique()
    found = cases.take(moves & cases.on(times.index[times >= _TOGETHER]))
    entry = cases.each_stretch(found.assign(symbol="*"), lambda at: event(at, "other", "The market moved."))
    what, size = "moves of several symbols on one day", cases.largest_move(found)
    yield decide(what, found, "say that the market moved", _EVENTS, entry, size)
    one = cases.quarantine("bars that the next takes back", cases.of(*_REVERTING) & ~_busy(cases), moves=True)
    places = one.findings["position"]
    cases.take(cases.of(_JUMPS) & cases.left["position"].isin([*places, *(places + 1)]))  # the way back
    yield one
    yield _adjustments(cases)
    found = cases.take(cases.of(_JUMPS, *_REVERTING))
    entry = cases.each_stretch(found, lambda at: event(at, "earnings", "News; look up which."))
    what, size = "moves with volume, or that last", cases.largest_move(found)
    proposal = "look for news and name the event; or ask another source"
    yield decide(what, found, proposal, _EVENTS, entry, size)


def _busy(cases: Cases) -> pd.Series[bool]:
    """Return which of the findings left are on a bar with a multiple of the usual volume."""
    busy = pd.Series(data=False, index=cases.left.index)
    if cases.rows.any() and "volume" in cases.frame:
        found = cases.left[cases.rows]
        busy[cases.rows] = cases.values(found, "volume") >= _BUSY * cases.usual(found, "volume")
    return busy


def _adjustments(cases: Cases) -> Decision:
    """Decide on steps of adj_close that close does not have, or of both by a split's ratio on a quiet day."""
    kinds = cases.of(_JUMPS, "expect_adjusted_close_to_follow_close") & (cases.left["position"] > 0)
    here = cases.left[kinds & ~_busy(cases)]
    before = here.assign(position=here["position"] - 1)
    step, move = (
        np.log(cases.values(here, name) / cases.values(before, name)) for name in ("adj_close", "close")
    )
    splits = _RATIOS[np.abs(np.log(_RATIOS) - step[:, None]).argmin(axis=1)]
    alone = np.abs(move) < np.abs(step) / 2
    factors = pd.Series(np.where(alone, np.exp(step - move), splits), here.index)
    near = here.index[alone | (np.abs(np.log(splits) - step) < _NEAR)]
    found = cases.take(pd.Series(cases.left.index.isin(near), cases.left.index))
    entries = []
    for row in found.assign(factor=factors.reindex(found.index)).to_dict("records"):
        days = days_of(cases.frame.loc[cases.frame["symbol"] == row["symbol"], "date"])
        at = {"symbol": row["symbol"], "first": date_of(days.min())}
        at["last"] = date_of(days[days < row["day"]].max())
        entries.append(repair(at, "scale", columns=["adj_close"], factor=float(f"{row['factor']:.6g}")))
    proposal = "ask another source for adj_close; or scale what is before the step"
    what = "adj_close does not follow a split, or steps alone"
    return decide(what, found, proposal, REPAIRS, "\n".join(entries))


def _rows_twice(cases: Cases) -> Iterator[Decision]:
    found = cases.take(cases.of("expect_compound_columns_to_be_unique"))
    entry = cases.repairs(found, "keep_first")
    yield decide("sessions that are there twice", found, "keep the first row", REPAIRS, entry)


def _the_rest(cases: Cases) -> Iterator[Decision]:
    for kind in cases.left["expectation"].unique():
        what = _FAULTS.get(kind) or kind.removeprefix("expect_").replace("_", " ") + ": not met"
        if kind in _WHOLE_BARS:
            yield cases.quarantine(what, cases.of(kind))
            continue
        found = cases.take(cases.of(kind))
        if kind in _AT_SOURCE:
            yield decide(what, found, _AT_ITS_SOURCE)
            continue
        periods = [
            # Of a volume in another unit, a symbol's last row stands for all of it.
            {"symbol": symbol}
            if kind == "expect_volume_in_one_unit"
            else {"symbol": symbol, "first": date_of(days.min()), "last": date_of(days.max())}
            for symbol, days in found.groupby("symbol")["day"]
        ]
        entry = "\n".join(cases.accept(kind, at) for at in periods)
        yield decide(what, found, "ask another source; or accept it for these symbols", _ACCEPTED, entry)


_CALENDAR = "expect_sessions_to_match_calendar"
_JUMPS = "expect_jumps_to_be_explained"
_REVERTING = ("expect_no_reverting_spikes", "expect_no_extreme_wicks")
_FAULTS = {
    "expect_column_pair_values_a_to_be_greater_than_b": "one column above another",
    "expect_column_values_to_be_between": "values out of range",
    "expect_column_values_to_be_in_type_list": "values of another type",
    "expect_column_values_to_match_regex": "text in another form",
    "expect_column_values_to_not_be_null": "values missing",
    "expect_dates_not_in_future": "dates in the future",
    "expect_dates_without_time": "dates with a time of day",
    "expect_adjusted_close_to_follow_close": "adj_close departs from close",
    "expect_history_unrevised": "past sessions revised",
    "expect_last_session_to_be_recent": "last session too old",
    "expect_missing_only_in_warm_up": "values missing after the warm-up",
    "expect_no_pasted_bars": "bars pasted from other sessions",
    "expect_no_runs_of_zero_volume": "runs of zero volume",
    "expect_no_stale_bars": "stale bars",
    "expect_open_to_follow_close": "opens far from the close before",
    "expect_prices_within_bar": "prices outside of their bar",
    "expect_rows_in_order": "rows out of order",
    "expect_symbols_in_step": "symbols out of step with the others",
    "expect_symbols_spelled_alike": "symbols spelled in two ways",
    "expect_symbols_to_differ": "symbols that copy one another",
    "expect_volume_in_one_unit": "volume in another unit",
    "expect_whole_numbers": "numbers that are not whole",
    "expect_whole_shares": "shares that are not whole",
}
_AT_SOURCE = (
    "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_match_regex",
    "expect_rows_in_order",
    "expect_symbols_spelled_alike",
    "expect_dates_without_time",
    "expect_dates_not_in_future",
)
_WHOLE_BARS = (
    "expect_prices_within_bar",
    "expect_no_stale_bars",
    "expect_no_pasted_bars",
    "expect_open_to_follow_close",
)
_MAKERS: tuple[Callable[[Cases], Iterable[Decision]], ...] = (
    _rows_twice,
    _bars_without_values,
    _outside_the_range,
    _wrong_calendar,
    _sessions,
    _units,
    _moves,
    _the_rest,
)


def _best_calendar(frame: pd.DataFrame, symbol: str) -> str:
    """Return the calendar whose sessions differ least from the days of a symbol; empty when none is near."""
    days = np.unique(days_of(frame.loc[frame["symbol"] == symbol, "date"]))
    first, last = int(days[0]), int(days[-1])
    differ = {name: len(np.setxor1d(sessions(name, first, last), days)) for name in _LARGE.split()}
    best = min(differ, key=differ.__getitem__)
    return best if differ[best] < _FOREIGN else ""
