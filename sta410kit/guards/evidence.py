"""What breaks an expectation: positions of rows, sessions that have no row, and sentences."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from sta410kit.guards.panel import Panel

EXAMPLES = 20  # rows that a check shows
NO_ROW = -1
NO_DAY = np.iinfo(np.int32).min
EVERY_ROW = 1.0
KEYS = ("symbol", "date")
DAY, MICROSECOND = "D", "us"


@dataclass(frozen=True)
class Evidence:
    """What breaks one expectation, computed once; everything that is shown is derived from it.

    Attributes
    ----------
    positions : ndarray of int64
        Where each finding is in the frame, for ``frame.iloc``; -1 for a session that has no row.
    symbols : ndarray of object
        The symbol of each finding; empty text where the frame has none.
    days : ndarray of int32 or int64
        Its session, in days since 1970-01-01; its time in microseconds where `unit` is ``us``.
    notes : tuple of str
        What concerns no single row, or is clearer in words.
    columns : tuple of str
        The columns whose values show what is wrong.
    judged : int
        Rows that could break the expectation, those that are excused left out.
    mostly : float
        Share of them that has to hold.
    whole : tuple of str
        Symbols whose fault goes beyond these rows, such as a unit that changes at one of them.
    unit : str
        What `days` counts since 1970-01-01: ``D``, or ``us`` where the rows are intraday bars.
    """

    positions: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    symbols: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, object))
    days: NDArray[np.signedinteger[Any]] = field(default_factory=lambda: np.empty(0, np.int32))
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    judged: int = 0
    mostly: float = EVERY_ROW
    whole: tuple[str, ...] = ()
    unit: str = DAY

    @property
    def dates(self) -> NDArray[np.int64]:
        """The calendar day of each finding, in days since 1970-01-01."""
        return self.days.astype(f"datetime64[{self.unit}]").astype("datetime64[D]").astype(np.int64)

    @property
    def count(self) -> int:
        """How many findings there are."""
        return len(self.positions)

    @property
    def holds(self) -> bool:
        """Whether the expectation holds."""
        if not self.count:
            return not self.notes
        return self.mostly < EVERY_ROW and (self.judged - self.count) / self.judged >= self.mostly

    def without(self, excused: NDArray[np.bool_]) -> Evidence:
        """Return the evidence without some findings; the notes go when no finding stays."""
        return replace(
            self,
            positions=self.positions[~excused],
            symbols=self.symbols[~excused],
            days=self.days[~excused],
            notes=() if excused.all() else self.notes,
            judged=self.judged - int(excused.sum()),
        )

    def rows(self, frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
        """Yield symbol, session and the values judged of the first few findings."""
        for position, symbol, day in zip(
            *(part[:EXAMPLES] for part in (self.positions, self.symbols, self.days)), strict=True
        ):
            row: dict[str, Any] = {}
            for name in self.columns if position != NO_ROW else ():
                if name in frame.columns and name not in KEYS:
                    value = frame[name].iloc[position]
                    row[name] = value.item() if hasattr(value, "item") else value
            if "symbol" in frame.columns:
                row["symbol"] = symbol
            if "date" in frame.columns:
                known = day != NO_DAY
                row["date"] = in_words(day, self.unit) if known else str(frame["date"].iloc[position])
            yield row or {"row": int(position)}

    def stretches(self) -> Iterator[str]:
        """Yield where the findings lie, symbol by symbol: ``AAPL: 5 sessions, 2001-03-02 to 2001-03-08``."""
        from sta410kit._internal.text import pluralize

        for symbol in dict.fromkeys(self.symbols):
            days = self.days[self.symbols == symbol]
            first, last = (in_words(day, self.unit) for day in (days.min(), days.max()))
            when = first if first == last else f"{first} to {last}"
            yield f"{symbol}: {pluralize(len(days), 'session' if self.unit == DAY else 'bar')}, {when}"


def in_words(day: int | np.integer[Any], unit: str = DAY) -> str:
    """Return a session as ``2024-01-02``, and the time of an intraday bar as ``2024-01-02T09:31:00``."""
    return str(np.array(int(day), f"datetime64[{unit}]")).removesuffix(".000000")


def with_times(evidence: Evidence, panel: Panel) -> Evidence:
    """Return evidence of intraday bars with their times; that of sessions as it is."""
    if not panel.intraday:
        return evidence
    stamps = panel.times(evidence.positions).astype(f"datetime64[{MICROSECOND}]")
    return replace(
        evidence, days=np.where(np.isnat(stamps), NO_DAY, stamps.astype(np.int64)), unit=MICROSECOND
    )


def concatenate(parts: Sequence[Evidence]) -> Evidence:
    """Return the findings and notes of several pieces of evidence as one."""
    if not parts:
        return Evidence()
    return Evidence(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.symbols for part in parts]),
        np.concatenate([part.days for part in parts]),
        tuple(note for part in parts for note in part.notes),
        whole=tuple(symbol for part in parts for symbol in part.whole),
    )


def at_panel_rows(
    panel: Panel, rows: NDArray[np.int64], notes: Iterable[str] = (), *, whole: Iterable[str] = ()
) -> Evidence:
    """Return findings at rows of the panel, each once."""
    rows = np.unique(rows)
    symbols = np.array(panel.symbols, object)[panel.symbol_of(rows)]
    return Evidence(panel.position(rows), symbols, panel.days[rows], tuple(notes), whole=tuple(whole))


def at_positions(  # noqa: PLR0913 - evidence of any kind
    frame: pd.DataFrame,
    positions: NDArray[np.int64],
    notes: Iterable[str] = (),
    *,
    columns: Sequence[str] = (),
    judged: int = 0,
    mostly: float = EVERY_ROW,
) -> Evidence:
    """Return findings at positions of the frame itself."""
    symbols, days = np.full(len(positions), "", object), np.full(len(positions), NO_DAY, np.int32)
    if len(positions) and "symbol" in frame.columns:
        symbols = frame["symbol"].iloc[positions].to_numpy(object)
    dtype = frame["date"].dtype if len(positions) and "date" in frame.columns else None
    if dtype is not None and dtype.kind == "M" and getattr(dtype, "tz", None) is None:
        stamps = frame["date"].iloc[positions].to_numpy().astype("datetime64[D]")
        days = np.where(np.isnat(stamps), NO_DAY, stamps.astype(np.int64)).astype(np.int32)
    return Evidence(positions, symbols, days, tuple(notes), tuple(columns), judged, mostly)
