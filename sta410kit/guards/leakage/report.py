"""What the leak probe found, as evidence; raising is `LeakReport.require`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError, LeakageError

if TYPE_CHECKING:
    from collections.abc import Iterable

NOT_DETERMINISTIC = "not deterministic"


@dataclass(frozen=True)
class LeakFinding:
    """One column that knew something of the future, or that cannot be judged because it is random.

    Attributes
    ----------
    column : str
        The column.
    symbol : str
        The symbol of the first bad row; empty where a row stands for the whole market.
    date : str
        The first bad session, ``YYYY-MM-DD``: the value there changed with what came later.
    cutoff : str
        The last session that was left unchanged when it did.
    offset : str
        How far ahead the column looks, e.g. ``"uses t+1"`` (the furthest seen), ``"uses the whole sample"``,
        or ``"uses the bar of t itself"`` where that bar was declared unknown.
    ahead : int
        The same as a number of sessions; 0 for the bar of *t*, and a lower bound for the whole sample.
    mode : str
        What was done to the future when it showed first, e.g. ``"cut off"``; ``"not deterministic"`` where
        two calls on the same prices differed, which is no leak.
    symbols : tuple of str
        All symbols in which the column changed.
    message : str
        All of that in a sentence.
    """

    column: str
    symbol: str
    date: str
    cutoff: str
    offset: str
    ahead: int
    mode: str
    symbols: tuple[str, ...]
    message: str

    @property
    def is_leak(self) -> bool:
        """Whether the column looks ahead; a random one is reported, but is no leak."""
        return self.mode != NOT_DETERMINISTIC

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Sensitivity:
    """Something a value depends on that is no leak, but that a researcher should know.

    Attributes
    ----------
    column : str
        The column.
    sessions : int or None
        Warm-up: sessions from the start of the history until the value no longer depends on that start;
        None when it always does. Revisions: None.
    message : str
        In a sentence.
    """

    column: str
    sessions: int | None
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class LeakReport:
    """What the probe found, with ``.passed`` when it found nothing.

    Attributes
    ----------
    findings : tuple of LeakFinding
        One a column, in the order of the columns.
    columns : tuple of str
        All columns that were judged.
    cutoffs : tuple of str
        The sessions after which the future was changed.
    runs : int
        Calls of the function.
    notes : tuple of str
        What else was seen: a function that raised on some futures, changed its input, keeps state.
    warmup, revisions : tuple of Sensitivity
        Filled on request; never part of ``.passed``.
    """

    findings: tuple[LeakFinding, ...]
    columns: tuple[str, ...]
    cutoffs: tuple[str, ...]
    runs: int = 0
    notes: tuple[str, ...] = ()
    warmup: tuple[Sensitivity, ...] = ()
    revisions: tuple[Sensitivity, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every column was judged and none depends on the future."""
        return not self.findings

    @property
    def leaks(self) -> tuple[LeakFinding, ...]:
        """The findings that are leaks; the others are columns that are random."""
        return tuple(finding for finding in self.findings if finding.is_leak)

    def require(self) -> LeakReport:
        """Return the report itself, or raise when a column depends on the future.

        Raises
        ------
        LeakageError
            Names every such column and its first bad row.
        ConfigurationError
            No leak, but a column that is not deterministic, so that nothing can be said of it.
        """
        if self.passed:
            return self
        lines = "\n".join(f"  - {finding}" for finding in self.findings)
        if self.leaks:
            message = f"the leak probe found columns that look ahead:\n{lines}"
            raise LeakageError(message)
        message = f"the leak probe cannot judge a function that is not deterministic:\n{lines}"
        raise ConfigurationError(message)

    def summary(self) -> str:
        """Return one line: outcome and counts."""
        outcome = "no leak found" if self.passed else "LEAK" if self.leaks else "NOT DETERMINISTIC"
        return (
            f"leak probe: {outcome} - {len(self.findings)} of {len(self.columns)} columns, "
            f"{len(self.cutoffs)} cutoffs, {self.runs} runs"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"passed": self.passed, **asdict(self)}

    def _repr_html_(self) -> str:
        colour = "#00734d" if self.passed else "#b3261e"
        frame = f"border-left:6px solid {colour};padding:6px 12px;margin:4px 0"
        parts = [f'<div style="{frame}"><b>{escape(self.summary())}</b>']
        if self.findings:
            heads = (
                "column",
                "symbols",
                "first bad date",
                "looks ahead",
                "found when the future was",
                "what",
            )
            rows = (
                (f.column, ", ".join(f.symbols), f.date, f.offset, f.mode, f.message) for f in self.findings
            )
            parts.append(_table(heads, rows))
        for title, items in (
            ("Notes", self.notes),
            ("Warm-up (no leak)", self.warmup),
            ("Revisions of adj_close (no leak)", self.revisions),
        ):
            if items:
                lines = "".join(f"<li>{escape(str(item))}</li>" for item in items)
                parts.append(f"<div>{title}</div><ul>{lines}</ul>")
        return "".join([*parts, "</div>"])


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f'<th style="text-align:left">{name}</th>' for name in heads)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
