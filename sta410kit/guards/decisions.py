"""What a triage puts decisions together from: findings, what they amount to, and entries for the files."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from sta410kit._internal.text import percent, pluralize
from sta410kit.guards.declarations import write_entry
from sta410kit.guards.evidence import NO_DAY, NO_ROW
from sta410kit.guards.result import CRITICAL
from sta410kit.guards.suites import BAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from sta410kit.guards.result import Check, GuardResult

REASON, BY = "Seen in triage.", "your name"
REPAIRS, QUARANTINE = "repairs.toml", "quarantine the bars"
_WHERE = 3  # symbols or days that a decision names
_MOST_NAMED = 10  # symbols that are left out
_YEAR = timedelta(days=365)
_TOLERANCE = 0.25  # log distance of a step between units from a power of ten
_MOST = 6  # largest power of ten between two units


@dataclass(frozen=True)
class Decision:
    """Findings of one cause, and what to do about them.

    Attributes
    ----------
    what, where, size : str
        The cause, the symbols and sessions, and how large the largest of the findings is.
    severity : str
        ``critical`` or ``warning``.
    findings : DataFrame
        ``symbol, day, position, expectation`` of each; `day` in days since 1970-01-01.
    proposal : str
        What to do.
    file : str
        The file that `entries` belong in; empty when the source has to be corrected.
    entries : str
        Ready to be pasted, in TOML or, for the suite, in JSON.
    """

    what: str
    where: str
    size: str
    severity: str
    findings: pd.DataFrame
    proposal: str
    file: str = ""
    entries: str = ""

    @property
    def count(self) -> int:
        """How many findings it covers."""
        return len(self.findings)


class Cases:
    """The findings that no decision covers yet."""

    def __init__(self, result: GuardResult, frame: pd.DataFrame, found: pd.DataFrame) -> None:
        self.suite, self.frame, self.left = result.suite, frame, found
        self.notes = tuple(
            note for check in result.failures if check.evidence for note in check.evidence.notes
        )
        self.symbols = frame["symbol"].nunique() if "symbol" in frame else 0

    def of(self, *expectations: str) -> pd.Series[bool]:
        """Return which of the findings left are of some expectations."""
        return self.left["expectation"].isin(expectations)

    def on(self, days: Iterable[int]) -> pd.Series[bool]:
        """Return which of the findings left are on some days."""
        return self.left["day"].isin(days)

    @property
    def rows(self) -> pd.Series[bool]:
        """Which of the findings left have a row."""
        return self.left["position"] != NO_ROW

    def take(self, chosen: pd.Series[bool]) -> pd.DataFrame:
        """Return the chosen findings, one a bar; what else was found of the same bars goes with them."""
        keys = ["symbol", "day"]
        worst = self.left.sort_values("severity", key=lambda column: column != CRITICAL, kind="stable")
        severity = worst.drop_duplicates(keys).set_index(keys)["severity"]
        taken = self.left[chosen].drop_duplicates(keys)
        bars = pd.MultiIndex.from_frame(taken[keys])
        self.left = self.left[~pd.MultiIndex.from_frame(self.left[keys]).isin(bars)]
        return taken.assign(severity=severity.reindex(bars).to_numpy())

    def quarantine(self, what: str, chosen: pd.Series[bool], *, moves: bool = False) -> Decision:
        """Decide to quarantine the chosen bars."""
        found = self.take(chosen)
        size = self.largest_move(found) if moves else ""
        return decide(what, found, QUARANTINE, REPAIRS, self.repairs(found, "quarantine"), size)

    def repairs(self, found: pd.DataFrame, action: str) -> str:
        """Return entries that do something to the bars found; one without dates if all of a symbol's are."""
        entries = []
        for symbol, part in found.groupby("symbol", sort=False):
            if np.isin(self._days(symbol), part["day"]).all():
                entries.append(repair({"symbol": symbol}, action))
            else:
                entries.append(self.each_stretch(part, lambda at: repair(at, action)))
        return "\n".join(entries)

    def each_stretch(self, found: pd.DataFrame, entry: Callable[[dict[str, Any]], str]) -> str:
        """Return an entry for each stretch of a symbol's sessions; ``*`` has those of all symbols."""
        entries = []
        for symbol, part in found.groupby("symbol", sort=False):
            days = np.unique(part["day"])
            known = np.union1d(self._days(symbol), days)  # a session that is missing has no row
            gaps = np.flatnonzero(np.diff(np.searchsorted(known, days)) > 1) + 1
            entries += [
                entry({"symbol": symbol, **when(stretch[0], stretch[-1])}) for stretch in np.split(days, gaps)
            ]
        return "\n".join(entries)

    def accept(self, expectation: str, at: dict[str, Any]) -> str:
        """Return an entry of accepted.toml that holds for a year."""
        more = {"reason": REASON, "by": BY, "expires": str(datetime.now(UTC).date() + _YEAR)}
        return write_entry("finding", suite=self.suite, expectation=expectation, **at, **more)

    def _days(self, symbol: object) -> NDArray[np.int32]:
        every = slice(None) if symbol == "*" else self.frame["symbol"] == symbol
        return days_of(self.frame.loc[every, "date"])

    def values(self, found: pd.DataFrame, name: str) -> NDArray[np.float64]:
        """Return a column at the findings."""
        if name not in self.frame:
            return np.full(len(found), np.nan)
        column = pd.to_numeric(self.frame[name], errors="coerce").iloc[found["position"].to_numpy(np.int64)]
        return column.to_numpy(float)

    def usual(self, found: pd.DataFrame, name: str, reach: int = 20) -> NDArray[np.float64]:
        """Return the median of a column around each finding, within its symbol."""
        symbols, column = self.frame["symbol"].to_numpy(), self.frame[name].to_numpy(float)
        medians = []
        for at in found["position"].to_numpy(np.int64):
            near = slice(max(at - reach, 0), at + reach + 1)
            medians.append(np.nanmedian(column[near][symbols[near] == symbols[at]]))
        return np.array(medians)

    def largest_move(self, found: pd.DataFrame) -> str:
        """Return the largest distance of a bar's ends from the usual close around it."""
        if found.empty:
            return ""
        usual = self.usual(found, "close", 5)
        ends = np.array([self.values(found, name) / usual - 1 for name in BAR])
        return f"up to {percent(np.nanmax(np.abs(ends)))} from the closes around"


def findings_of(failures: Iterable[Check]) -> pd.DataFrame:
    """Return the rows of all failures, one a line."""
    parts = [
        pd.DataFrame(
            {
                "symbol": check.evidence.symbols,
                "day": check.evidence.days,
                "position": check.evidence.positions,
                "expectation": check.expectation,
                "column": check.column,
                "severity": check.severity,
            }
        )
        for check in failures
        if check.evidence is not None and has_rows(check)
    ]
    empty = {"symbol": "", "day": 0, "position": 0, "expectation": "", "column": "", "severity": ""}
    return pd.concat([pd.DataFrame([empty])[:0], *parts], ignore_index=True)


def has_rows(check: Check) -> bool:
    """Return whether all that a check found has a symbol and a session."""
    found = check.evidence
    if found is None or not found.count or (found.days == NO_DAY).any():
        return False
    return all(isinstance(symbol, str) and symbol for symbol in found.symbols)


def of_table(check: Check) -> Decision:
    """Return the decision on what concerns the table as a whole."""
    nothing = findings_of(())
    proposal = "correct it at its source"
    return Decision(check.message, "the table", "", check.severity, nothing, proposal)


def of_limit(result: GuardResult, frame: pd.DataFrame) -> Decision:
    """Return the decision on a quarantine that is larger than the suite allows."""
    whole = result.quarantined.loc[result.quarantined["date"].isna(), "symbol"]
    others = [str(symbol) for symbol in frame["symbol"].unique() if symbol not in set(whole)]
    limit = next((name for name in ("max_symbols", "max_bars") if name in result.excess), "")
    proposal = "ask another source"
    if limit:
        proposal += f"; or raise {limit} in meta.quarantine of the suite"
    if limit == "max_symbols":
        left = shlex.quote(f"symbols={','.join(others)}")
        proposal = f"run with the symbols that are left, sta410 run -p {left}; {proposal}"
    where = ", ".join(whole) if len(whole) <= _MOST_NAMED else pluralize(len(whole), "symbol")
    size = result.excess.replace(", more than the suite allows", "")
    what = "more is left out than the suite allows"
    return Decision(what, where or "single bars", size, CRITICAL, findings_of(()), proposal)


def decide(  # noqa: PLR0913, PLR0917 - as many as a decision has
    what: str, found: pd.DataFrame, proposal: str, file: str = "", entries: str = "", size: str = ""
) -> Decision:
    """Return a decision on the findings; it is as severe as the worst of them."""
    severity = CRITICAL if (found["severity"] == CRITICAL).any() else "warning"
    return Decision(what, _where(found), size, severity, found, proposal, file, entries)


def entries_of(decisions: Sequence[Decision]) -> str:
    """Return the entries of all decisions in TOML, file by file; what is no TOML is a comment."""
    # A title may quote the data: it stays on its line, or the rest of it would no longer be a comment.
    titles = [
        " ".join(f"# {number}. {one.what}: {one.proposal}".split()) for number, one in enumerate(decisions, 1)
    ]
    lines = []
    for file in dict.fromkeys(one.file for one in decisions if one.entries):
        lines.append(f"# {file}")
        for title, one in zip(titles, decisions, strict=True):
            if one.file == file and one.entries:
                entry = one.entries.rstrip() if file.endswith(".toml") else f"# {one.entries}"
                lines += ["", title, entry]
        lines.append("")
    lines += [title for title, one in zip(titles, decisions, strict=True) if not one.entries]
    return "\n".join(lines or ["# nothing to decide"]).rstrip() + "\n"


def _where(found: pd.DataFrame) -> str:
    if found.empty:
        return ""
    symbols, days = found["symbol"].unique(), np.sort(found["day"].unique())
    who = ", ".join(symbols) if len(symbols) <= _WHERE else pluralize(len(symbols), "symbol")
    when = (
        ", ".join(map(date_of, days)) if len(days) <= _WHERE else f"{date_of(days[0])} to {date_of(days[-1])}"
    )
    return f"{who}: {when}"


def days_of(dates: pd.Series[pd.Timestamp]) -> NDArray[np.int32]:
    """Return dates as days since 1970-01-01."""
    return dates.to_numpy().astype("datetime64[D]").astype(np.int32)


def date_of(day: int) -> str:
    """Return a day since 1970-01-01 as a date."""
    return str(np.datetime64(int(day), "D"))


def when(first: int, last: int) -> dict[str, str]:
    """Return the keys of an entry for the days from `first` to `last`."""
    if first == last:
        return {"date": date_of(first)}
    return {"first": date_of(first), "last": date_of(last)}


def repair(at: dict[str, Any], action: str, **more: object) -> str:
    """Return an entry of repairs.toml."""
    return write_entry("repair", **at, action=action, **more, reason=REASON, by=BY)


def event(at: dict[str, Any], kind: str, note: str) -> str:
    """Return an entry of events.toml."""
    return write_entry("event", **at, kind=kind, note=note)


class Stretch(NamedTuple):
    """Bars in another unit: first and last day since 1970-01-01, what to multiply by, and which columns."""

    first: int
    last: int
    factor: float
    columns: tuple[str, ...]


def stretches_in_another_unit(bars: pd.DataFrame, found: NDArray[np.int32]) -> list[Stretch]:
    """Return the stretches of one symbol that are in another unit than most of its bars.

    A bar is compared with the one before it: over a long stretch a price may move by as much as a unit does.

    Parameters
    ----------
    bars : DataFrame
        Prices of one symbol.
    found : ndarray of int32
        The days that the expectation found; steps elsewhere, such as splits, change no unit.
    """
    names = [name for name in (*BAR, "adj_close") if name in bars and bars[name].dtype.kind in "iuf"]
    bars = bars[bars["close"] > 0].sort_values("date")
    days = days_of(bars["date"])
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(bars[names].to_numpy(float))
    steps = np.diff(logs, axis=0, prepend=logs[:1])
    close = steps[:, names.index("close")]
    powers = np.rint(close)
    powers[np.abs(close - powers) > _TOLERANCE / np.log(10)] = 0
    at_finding = np.isin(days, found)
    powers[~(at_finding | np.r_[False, at_finding[:-1]]) | (np.abs(powers) > _MOST)] = 0
    level = np.cumsum(powers).astype(int)
    usual = np.unique(level, return_counts=True)
    level -= usual[0][usual[1].argmax()] if len(level) else 0
    stretches = []
    for part in np.split(np.arange(len(level)), np.flatnonzero(powers)):
        if not len(part) or not level[part[0]]:
            continue
        # The columns that step as the close does, at the edges that the stretch has.
        edges = [at for at in (part[0], part[-1] + 1) if 0 < at < len(level)]
        with_it = [
            name
            for number, name in enumerate(names)
            if all(abs(steps[at, number] - powers[at]) < abs(powers[at]) / 2 for at in edges)
        ]
        factor = float(f"1e{-level[part[0]]}")
        columns = () if len(with_it) == len(names) else tuple(with_it)
        stretches.append(Stretch(int(days[part[0]]), int(days[part[-1]]), factor, columns))
    return stretches
