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
from sta410kit.guards.decisions import (
    BAR,
    BY,
    REASON,
    Cases,
    Decision,
    accept,
    date_of,
    days_of,
    decision,
    event,
    findings_of,
    has_rows,
    largest_move,
    of_limit,
    of_table,
    repair,
)
from sta410kit.guards.declarations import write_entry
from sta410kit.guards.evidence import NO_ROW
from sta410kit.guards.result import CRITICAL
from sta410kit.guards.unit_steps import stretches_in_another_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sta410kit.guards.result import GuardResult

_QUARANTINE = "quarantine the bars"
REPAIRS, EVENTS, ACCEPTED, SUITE = "repairs.toml", "events.toml", "accepted.toml", "the suite"
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
    """
    found = findings_of(result.failures)
    if repairs is not None and len(repairs):
        known = repairs[repairs["action"] == "quarantine"]
        keys = pd.MultiIndex.from_arrays([known["symbol"], days_of(known["date"])])
        found = found[~pd.MultiIndex.from_frame(found[["symbol", "day"]]).isin(keys)]
    cases = Cases(result, frame, found)
    decisions = [one for make in _MAKERS for one in make(cases) if one.count]
    decisions += [of_table(check) for check in result.failures if not has_rows(check)]
    if result.excess and all(one.proposal == _QUARANTINE or one.severity != CRITICAL for one in decisions):
        decisions.append(of_limit(result, frame))  # no other decision brings anything back
    return sorted(decisions, key=lambda one: (one.severity != CRITICAL, -one.count))


def _bars_without_values(cases: Cases) -> Iterator[Decision]:
    kinds = ("expect_column_values_to_not_be_null", "expect_column_values_to_be_between")
    there = (cases.left["position"] >= 0) & cases.left["column"].isin([*BAR, "adj_close", "volume"])
    found = cases.take(cases.of(*kinds) & there & (cases.left["severity"] == CRITICAL))
    yield decision(
        "no value, or none above zero",
        found,
        _QUARANTINE,
        REPAIRS,
        cases.repairs(found, "quarantine"),
    )


def _outside_the_range(cases: Cases) -> Iterator[Decision]:
    pairs = cases.of("expect_column_pair_values_a_to_be_greater_than_b")
    pairs &= cases.left["column"].isin([f"{a}, {b}" for a in BAR for b in BAR])
    found = cases.take(pairs & (cases.left["column"] == "high, low"))
    yield decision("low above the high", found, _QUARANTINE, REPAIRS, cases.repairs(found, "quarantine"))
    pairs = pairs.reindex(cases.left.index, fill_value=False)
    for name in ("open", "close"):
        here = pairs & cases.left["column"].str.contains(name)
        if not here.any():
            continue
        price, high, low = (cases.values(cases.left[here], column) for column in (name, "high", "low"))
        beyond = pd.Series(np.fmax(price - high, low - price), index=cases.left.index[here])
        share = beyond / price
        near = share <= (_CENTS if name == "open" else _WILD)
        largest = f"at most {beyond[near].max():.2f} ({share[near].max():.2%})" if near.any() else ""
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
        yield decision(what, found, proposal, REPAIRS, entry, size=largest)
        pairs = pairs.reindex(cases.left.index, fill_value=False)
    found = cases.take(pairs)
    what = "open or close far outside of its bar"
    yield decision(what, found, _QUARANTINE, REPAIRS, cases.repairs(found, "quarantine"))


def _wrong_calendar(cases: Cases) -> Iterator[Decision]:
    calendar = cases.of(_CALENDAR)
    extra = cases.left[calendar & (cases.left["position"] >= 0)]
    counts = extra.groupby("symbol").size()
    foreign = counts.index[counts >= _FOREIGN]
    fits = {str(symbol): _best_calendar(cases.frame, symbol) for symbol in foreign}
    off = [symbol for symbol, name in fits.items() if not name]
    found = cases.take(cases.of(_CALENDAR) & cases.left["symbol"].isin(off))
    yield decision("dates that fit no exchange, perhaps a day off", found, "correct it at its source", "", "")
    for name in filter(None, dict.fromkeys(fits.values())):
        symbols = [symbol for symbol, one in fits.items() if one == name]
        found = cases.take(cases.of(_CALENDAR) & cases.left["symbol"].isin(symbols))
        entry = json.dumps({"overrides": {" ".join(symbols): {"calendar": name}}})
        proposal = f"judge them by the calendar {name}: --exchange {name}, or overrides of {_CALENDAR}"
        yield decision("sessions of another exchange", found, proposal, SUITE, entry)


def _sessions(cases: Cases) -> Iterator[Decision]:
    found = cases.take(cases.of(_CALENDAR) & (cases.left["position"] >= 0))
    entry = cases.repairs(found, "drop")
    yield decision("rows on days without a session", found, "drop the rows", REPAIRS, entry)
    gone = cases.of(_CALENDAR) & (cases.left["position"] == NO_ROW)
    times = cases.left[gone].groupby("day")["symbol"].nunique()
    shared = times.index[(times >= _TOGETHER) & (times >= _SHARE * cases.symbols)]
    found = cases.take(gone & cases.left["day"].isin(shared))
    entry = cases.each_stretch(found.assign(symbol="*"), lambda at: accept(cases.suite, _CALENDAR, at))
    proposal = "ask another source; or accept that the vendor lacks them"
    yield decision("sessions that the vendor lacks", found, proposal, ACCEPTED, entry)
    ended = {note.split(":")[0] for note in cases.notes if "delisted or cut short" in note}
    found = cases.take(cases.of(_CALENDAR) & cases.left["symbol"].isin(ended))
    entry = cases.each_stretch(found, lambda at: event(at, "delisting", "Delisted."))
    proposal = "ask another source; or say that they were delisted"
    yield decision("series that end before the others", found, proposal, EVENTS, entry)
    found = cases.take(cases.of(_CALENDAR))
    entry = cases.each_stretch(found, lambda at: event(at, "halt", "No trading."))
    proposal = "ask another source; or say that trading was halted"
    yield decision("sessions missing in single symbols", found, proposal, EVENTS, entry)


def _units(cases: Cases) -> Iterator[Decision]:
    kind, what = "expect_prices_in_one_unit", "prices in another unit"
    for symbol in cases.left.loc[cases.of(kind), "symbol"].unique():
        found = cases.take(cases.of(kind) & (cases.left["symbol"] == symbol))
        bars = cases.frame[cases.frame["symbol"] == symbol]
        stretches = stretches_in_another_unit(bars, found["day"].to_numpy(np.int32))
        if not stretches:
            yield decision(what, found, "no entry: no factor fits; correct it at its source", "", "")
            continue
        entries = []
        for one in stretches:
            first, last = date_of(one.first), date_of(one.last)
            when = {"date": first} if first == last else {"first": first, "last": last}
            columns = {"columns": list(one.columns)} if one.columns else {}
            entries.append(repair({"symbol": symbol, **when}, "scale", **columns, factor=one.factor))
        factors = sorted({one.factor for one in stretches})
        proposal = f"multiply these prices by {' or '.join(f'{factor:g}' for factor in factors)}"
        size = " and ".join(f"{1 / factor:g}" for factor in factors) + " times"
        if len(stretches) > 1:
            size += f" in {len(stretches)} stretches"
        yield decision(what, found, proposal, REPAIRS, "\n".join(entries), size=size)


def _moves(cases: Cases) -> Iterator[Decision]:
    moves = cases.of(_JUMPS, *_REVERTING)
    times = cases.left[moves].groupby("day")["symbol"].nunique()
    together = times.index[times >= _TOGETHER]
    found = cases.take(moves & cases.left["day"].isin(together))
    entry = cases.each_stretch(found.assign(symbol="*"), lambda at: event(at, "other", "The market moved."))
    what, size = "moves of several symbols on one day", largest_move(cases, found)
    yield decision(what, found, "say that the market moved", EVENTS, entry, size=size)
    found = cases.take(cases.of(*_REVERTING) & ~_busy(cases))
    after = cases.left["position"].isin(found["position"] + 1) | cases.left["position"].isin(
        found["position"]
    )
    cases.take(cases.of(_JUMPS) & after)  # the way back
    what, size = "bars that the next takes back", largest_move(cases, found)
    yield decision(what, found, _QUARANTINE, REPAIRS, cases.repairs(found, "quarantine"), size=size)
    yield _adjustments(cases)
    found = cases.take(cases.of(_JUMPS, *_REVERTING))
    entry = cases.each_stretch(found, lambda at: event(at, "earnings", "News; look up which."))
    what, size = "moves with volume, or that last", largest_move(cases, found)
    proposal = "look for news and name the event; or ask another source"
    yield decision(what, found, proposal, EVENTS, entry, size=size)


def _busy(cases: Cases) -> pd.Series[bool]:
    """Return which of the findings left are on a bar with a multiple of the usual volume."""
    busy = pd.Series(data=False, index=cases.left.index)
    here = cases.left["position"] >= 0
    if here.any() and "volume" in cases.frame:
        found = cases.left[here]
        busy[here] = cases.values(found, "volume") >= _BUSY * cases.usual(found, "volume")
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
    return decision(
        "adj_close does not follow a split, or steps alone", found, proposal, REPAIRS, "\n".join(entries)
    )


def _rows_twice(cases: Cases) -> Iterator[Decision]:
    found = cases.take(cases.of("expect_compound_columns_to_be_unique"))
    entry = cases.repairs(found, "keep_first")
    yield decision("sessions that are there twice", found, "keep the first row", REPAIRS, entry)


def _the_rest(cases: Cases) -> Iterator[Decision]:
    for kind in cases.left["expectation"].unique():
        found = cases.take(cases.of(kind))
        what = _FAULTS.get(kind) or kind.removeprefix("expect_").replace("_", " ") + ": not met"
        if kind in _AT_SOURCE:
            yield decision(what, found, "correct it at its source", "", "")
        elif kind in _WHOLE_BARS:
            yield decision(what, found, _QUARANTINE, REPAIRS, cases.repairs(found, "quarantine"))
        elif len(found):
            many = found.groupby("symbol")["day"].agg(["min", "max"]).reset_index()
            periods = [
                {"symbol": row["symbol"], "first": date_of(row["min"]), "last": date_of(row["max"])}
                for row in many.to_dict("records")
            ]
            if kind == _VOLUME:  # a symbol's last row stands for all of it
                periods = [{"symbol": one["symbol"]} for one in periods]
            entry = "\n".join(accept(cases.suite, kind, at) for at in periods)
            proposal = "ask another source; or accept it for these symbols"
            yield decision(what, found, proposal, ACCEPTED, entry)


_CALENDAR, _VOLUME = "expect_sessions_to_match_calendar", "expect_volume_in_one_unit"
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
