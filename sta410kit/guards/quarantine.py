"""What a gate leaves out: bars and symbols at fault, so that a bad bar does not stop a universe.

``meta.on_failure`` of an expectation says what its findings cost: the whole frame (``stop``), the symbol
(``quarantine_symbol``) or the bars (``quarantine_bars``). A quarantined symbol is gone from the usable
frame. A quarantined bar keeps its row without values, and a missing session gets such a row: horizons are
counted in rows and must not stretch. In a frame without prices, the row is left out.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from sta410kit._internal.text import percent, pluralize
from sta410kit.guards.evidence import DAY, KEYS, MICROSECOND, NO_DAY, NO_ROW, at_positions
from sta410kit.guards.expectations import EXPECTATIONS
from sta410kit.guards.result import CRITICAL, QUARANTINED
from sta410kit.guards.suites import QUARANTINE_SYMBOL, STOP
from sta410kit.guards.wording import Coverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sta410kit.guards.declarations import ReviewedFinding
    from sta410kit.guards.evidence import Evidence
    from sta410kit.guards.result import Check
    from sta410kit.guards.suites import Limits, Suite

_WHOLE, _BAR, _MISSING, _EXTRA = "symbol", "bar", "missing session", "extra day"
_ROUNDS = 8
_SHIFT = 7  # days between a missing session and an extra day that make a shift of dates


class Quarantine:
    """What critical expectations found in a frame, and the frame without it.

    Parameters
    ----------
    frame : pandas.DataFrame
        The frame that was judged; it is not changed.
    limits : Limits
        How much may be left out.
    emptied : int
        Bars that declared repairs have emptied: they count as well.
    unit : str
        What evidence counts in: ``D``, or ``us`` for intraday bars.

    Attributes
    ----------
    usable : pandas.DataFrame
        The frame without what has been added so far.
    unsettled : str
        Why nothing of it can be used.
    """

    def __init__(self, frame: pd.DataFrame, limits: Limits, emptied: int = 0, unit: str = DAY) -> None:
        self.usable, self._emptied, self._unit = frame, emptied, unit
        self._limits = limits
        self._found = _no_findings()
        self._whole: dict[str, str] = {}  # quarantined symbols, and why where it is the share of their bars
        self.unsettled = ""
        self._sessions: dict[Any, int] = {}
        with suppress(TypeError):  # no symbols, if they are lists or dictionaries
            if "symbol" in frame.columns:
                self._sessions = frame["symbol"].astype(object).value_counts().to_dict()

    def add(self, checks: Sequence[Check]) -> bool:
        """Leave out what `checks` found in the usable frame; return whether any of it is new."""
        new = self.new_findings(checks, self.usable)
        if new.empty:
            return False
        self._found = pd.concat([self._found, new], ignore_index=True)
        self._whole |= dict.fromkeys(new.loc[new["kind"] == _WHOLE, "symbol"], "")
        self._whole |= self._shifted() | self._too_many()
        self.usable = _without(self.usable, new, list(self._whole))
        return True

    def new_findings(self, checks: Iterable[Check], frame: pd.DataFrame) -> pd.DataFrame:
        """Return what `checks` found in `frame` that is not left out yet."""
        parts = [_findings(check, frame) for check in checks if _can_be_left_out(check)]
        new = pd.concat([_no_findings(), *parts], ignore_index=True)
        keys = ["symbol", "day"]
        known = pd.MultiIndex.from_frame(new[keys]).isin(pd.MultiIndex.from_frame(self._found[keys]))
        known &= (new["kind"] != _WHOLE).to_numpy()
        return new[~known & ~new["symbol"].isin(list(self._whole)).to_numpy()]

    @property
    def touched(self) -> pd.DataFrame:
        """The usable rows of all symbols with a bar that is left out."""
        return self.usable[self.usable["symbol"].isin(self._bars()["symbol"])].reset_index(drop=True)

    def _shifted(self) -> dict[str, str]:
        """Return symbols with a missing session beside an extra day: the bars between are on wrong dates."""
        found = self._found[self._found["kind"].isin([_MISSING, _EXTRA])].sort_values(["symbol", "day"])
        before = found.shift()
        off = (found["symbol"] == before["symbol"]) & (found["kind"] != before["kind"])
        off &= found["day"] - before["day"] <= _SHIFT
        return dict.fromkeys(found.loc[off, "symbol"], "a session is missing beside an extra day")

    def _too_many(self) -> dict[str, str]:
        """Return symbols with more single bars left out than the suite allows."""
        most = self._limits.max_bars_per_symbol
        counts = self._bars().groupby("symbol", sort=False)["day"].nunique().to_dict()
        return {
            str(symbol): f"{self._what(symbol, count)}, more than {percent(most)} (max_bars_per_symbol)"
            for symbol, count in counts.items()
            if count > most * self._length(symbol)
        }

    def _what(self, symbol: object, count: int) -> str:
        """Return what of a symbol is left out; a series that ends early is no series of bad bars."""
        found, dates = self._bars(), self.usable.loc[self.usable["symbol"] == symbol, "date"]
        found = found[found["symbol"] == symbol]
        last = int(np.datetime64(dates.max(), "D").astype(np.int64)) if len(dates) else NO_DAY
        if (found["kind"] == _MISSING).all() and (found["day"] > last).all():
            return f"{pluralize(count, 'session')} missing at the end, of {self._length(symbol):,}"
        return f"{count:,} of {self._length(symbol):,} bars"

    def _bars(self) -> pd.DataFrame:
        return self._found[(self._found["kind"] != _WHOLE) & ~self._found["symbol"].isin(self._whole)]

    def _length(self, symbol: object) -> int:
        gone = self._found[(self._found["symbol"] == symbol) & (self._found["kind"] == _MISSING)]
        return self._sessions[symbol] + int(gone["day"].nunique())

    @property
    def table(self) -> pd.DataFrame:
        """``symbol, date, expectation, reason`` of each symbol (without date) and bar that is left out."""
        whole = self._found[self._found["symbol"].isin(self._whole)].assign(day=NO_DAY)
        found = pd.concat(
            [whole.sort_values("kind", key=lambda kind: kind != _WHOLE, kind="stable"), self._bars()]
        )
        rows = found.groupby(["symbol", "day"], sort=True, as_index=False).agg(
            expectation=("expectation", lambda names: ", ".join(dict.fromkeys(names))),
            reason=("reason", "first"),
        )
        rows["reason"] = [
            self._whole.get(symbol) or reason
            for symbol, reason in zip(rows["symbol"], rows["reason"], strict=True)
        ]
        days = rows["day"].astype("int64").where(rows["day"] != NO_DAY, np.iinfo(np.int64).min)
        rows["date"] = pd.to_datetime(days.to_numpy().astype(f"datetime64[{self._unit}]")).as_unit("us")
        return rows[list(QUARANTINED)]

    @property
    def coverage(self) -> Coverage:
        """How many symbols and bars are left out."""
        bars = self._bars().drop_duplicates(["symbol", "day"])
        used = sum(count for symbol, count in self._sessions.items() if symbol not in self._whole)
        total = used + int((bars["kind"] == _MISSING).sum())
        return Coverage(len(self._sessions), len(self._whole), total, len(bars))

    @property
    def excess(self) -> str:
        """Which limit does not hold, in words; empty when all do."""
        if self.unsettled:
            return self.unsettled
        one, limits = self.coverage, self._limits
        if one.symbols and one.symbols_left_out == one.symbols:
            return "every symbol is quarantined"
        if one.symbols_left_out > limits.max_symbols * one.symbols:
            return (
                f"{one.symbols_left_out} of {pluralize(one.symbols, 'symbol')} are quarantined, "
                f"more than the suite allows (max_symbols {limits.max_symbols:g})"
            )
        gone = one.bars_left_out + self._emptied
        if gone > limits.max_bars * one.bars:
            how = "quarantined or emptied by repairs" if self._emptied else "quarantined"
            return (
                f"{gone:,} of {pluralize(one.bars, 'bar')} are {how}, "
                f"more than the suite allows (max_bars {limits.max_bars:g})"
            )
        return ""


def leave_out(
    contract: Suite,
    expectations: Sequence[dict[str, Any]],
    frame: pd.DataFrame,
    checks: Sequence[Check],
    reviewed: Sequence[ReviewedFinding],
) -> tuple[list[Check], Quarantine]:
    """Leave out what `checks` found, and what is found in the rest, until nothing critical is left in it.

    A bar may hide another: the rest is judged again by all that can leave something out. Symbols with a bar
    that is left out come first, alone; only if they show something new, which the others may explain, all do.

    Returns
    -------
    list of Check
        The checks, marked where their findings are left out.
    Quarantine
        What is left out.
    """
    from sta410kit.guards.evaluation import evaluate

    checks = [replace(check, quarantined=_can_be_left_out(check)) for check in checks]
    unit, within = MICROSECOND if contract.intraday else DAY, contract.intraday
    quarantine = Quarantine(frame, contract.limits, _emptied(frame, reviewed), unit)
    new = quarantine.add(checks)
    if any(check.severity == CRITICAL and not check.held and not check.quarantined for check in checks):
        return checks, quarantine
    again = [item for item in expectations if item["meta"].get("on_failure", STOP) != STOP]
    for _ in range(_ROUNDS):
        if not new or quarantine.excess:
            return checks, quarantine
        for rows in (quarantine.touched, quarantine.usable):
            found = evaluate(contract.name, again, rows, reviewed, intraday=within)[0] if len(rows) else []
            left = [check for check in found if not check.held and not _can_be_left_out(check)]
            if not left and quarantine.new_findings(found, rows).empty:
                return checks, quarantine
        if left:
            break
        new = quarantine.add(found)
    quarantine.unsettled = "what is left is still refused: " + "; ".join(map(str, left or found))
    return checks, quarantine


def _emptied(frame: pd.DataFrame, reviewed: Sequence[ReviewedFinding]) -> int:
    """Return how many bars declared repairs have emptied."""
    periods = {(one.symbol, one.first, one.last): one for one in reviewed if one.emptied}.values()
    rows = at_positions(frame, np.arange(len(frame) if periods else 0))
    return int(sum(one.covers(rows.symbols, rows.days).sum() for one in periods))


def _can_be_left_out(check: Check) -> bool:
    """Return whether a check failed, and what it found is confined to symbols, or to bars of them."""
    evidence, action = check.evidence, check.on_failure
    if check.held or action == STOP or evidence is None or not evidence.count:
        return False
    named = all(isinstance(symbol, str) and symbol for symbol in evidence.symbols)
    return named and (action == QUARANTINE_SYMBOL or bool((evidence.days != NO_DAY).all()))


def _findings(check: Check, frame: pd.DataFrame) -> pd.DataFrame:
    evidence = check.evidence
    assert evidence is not None  # noqa: S101 - of `can_be_left_out`
    rule = EXPECTATIONS.get(check.expectation)
    here = _EXTRA if rule is not None and rule.finds_rows_to_drop else _BAR
    kinds = np.where(evidence.positions == NO_ROW, _MISSING, here).astype(object)
    kinds[np.isin(evidence.symbols, list(evidence.whole)) | (check.on_failure == QUARANTINE_SYMBOL)] = _WHOLE
    return pd.DataFrame(
        {
            "symbol": evidence.symbols,
            "day": evidence.days,
            "position": evidence.positions,
            "kind": kinds,
            "expectation": check.expectation,
            "reason": _reasons(evidence, kinds, frame),
        }
    )


def _reasons(evidence: Evidence, kinds: NDArray[np.object_], frame: pd.DataFrame) -> list[str]:
    """Return the values judged at each bar, or what a note says of the symbol."""
    notes: dict[str, str] = {}
    for note in [*evidence.notes, *evidence.stretches()] if (kinds == _WHOLE).any() else ():
        for word in note.replace(":", "").split():
            notes.setdefault(word, note)
    shown = {
        name: frame[name].to_numpy()
        for name in evidence.columns
        if name in frame.columns and name not in KEYS
    }
    words = {_MISSING: _MISSING, _EXTRA: _EXTRA}
    return [
        (notes.get(symbol, "") if kind == _WHOLE else "")
        or words.get(kind)
        or ", ".join(f"{name}={values[position]}" for name, values in shown.items())
        for symbol, position, kind in zip(evidence.symbols, evidence.positions, kinds, strict=True)
    ]


def _without(frame: pd.DataFrame, found: pd.DataFrame, symbols: list[str]) -> pd.DataFrame:
    """Return the frame without some findings and symbols, in the frame's order."""
    keep = ~frame["symbol"].isin(symbols).to_numpy()
    found = found[~found["symbol"].isin(symbols)]
    empty = np.zeros(len(frame), bool)
    empty[found.loc[found["kind"] == _BAR, "position"].to_numpy(np.int64)] = True
    keep[found.loc[found["kind"] == _EXTRA, "position"].to_numpy(np.int64)] = False
    if "close" not in frame.columns:
        return frame[keep & ~empty].reset_index(drop=True)
    places = np.flatnonzero(empty)  # of several rows for one session, one stays
    keep[places[frame.iloc[places].duplicated(list(KEYS)).to_numpy()]] = False
    gone = found[found["kind"] == _MISSING].drop_duplicates(["symbol", "day"])
    rows = np.flatnonzero(keep)
    first = np.flatnonzero(~frame["symbol"].duplicated().to_numpy())
    like = dict(zip(frame["symbol"].iloc[first], first, strict=True))
    taken = np.append(rows, [like[symbol] for symbol in gone["symbol"]]).astype(np.int64)
    usable = frame.iloc[taken].reset_index(drop=True)
    empty = np.concatenate([empty[rows], np.ones(len(gone), bool)])
    for name in usable.columns.difference(list(KEYS)):
        if empty.any() and is_numeric_dtype(usable[name].dtype):
            usable[name] = usable[name].mask(empty)
    if gone.empty:
        return usable
    dates = usable["date"].to_numpy(copy=True).astype("datetime64[us]")
    dates[len(rows) :] = gone["day"].to_numpy().astype("datetime64[D]")
    usable["date"] = pd.Series(dates).astype(frame["date"].dtype)
    order = np.lexsort((dates, pd.factorize(usable["symbol"])[0]))
    return usable.iloc[order].reset_index(drop=True)


def _no_findings() -> pd.DataFrame:
    kinds = {"symbol": object, "day": np.int32, "position": np.int64}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, object)) for name in _FINDING})


_FINDING = ("symbol", "day", "position", "kind", "expectation", "reason")
