"""The result of the leak probe: findings with evidence; `LeakReport.require` raises."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

from sta410kit.exceptions import ConfigurationError, LeakageError

NOT_DETERMINISTIC = "not deterministic"


@dataclass(frozen=True)
class LeakFinding:
    """One column that uses the future, or that cannot be judged because it is not deterministic."""

    column: str
    symbol: str  # of the first bad row; empty for the market as a whole
    date: str  # the first session whose value changed with what came later
    cutoff: str  # the last session that was left unchanged in that run
    offset: str  # "uses t+1" (the furthest seen), "uses the whole sample" or "uses the bar of t itself"
    ahead: int  # the same in sessions: 0 for the bar of *t*, a lower bound for the whole sample
    mode: str  # how the future was changed, or "not deterministic", which is no leak
    symbols: tuple[str, ...]  # all in which the column changed
    message: str  # the finding in a sentence

    @property
    def is_leak(self) -> bool:
        """Whether the column looks ahead; one that is not deterministic is reported, but is no leak."""
        return self.mode != NOT_DETERMINISTIC

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class LeakReport:
    """The result of the leak probe; warm-up and revisions, on request, are no part of ``.passed``."""

    findings: tuple[LeakFinding, ...]  # one per column that was found
    columns: tuple[str, ...]  # all that were judged
    cutoffs: tuple[str, ...]  # the sessions after which the future was changed
    runs: int = 0  # calls of the function
    notes: tuple[str, ...] = ()  # e.g. that the function raised, changes its input or keeps state
    # For how many sessions a column depends on where the history starts; None if always.
    warmup: dict[str, int | None] = field(default_factory=dict)
    revisions: tuple[str, ...] = ()  # columns that later splits and dividends rescale

    @property
    def passed(self) -> bool:
        """Whether every column was judged and none depends on the future."""
        return not self.findings

    @property
    def leaks(self) -> tuple[LeakFinding, ...]:
        """The findings that are leaks; the others are columns that are not deterministic."""
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

    def remarks(self) -> list[str]:
        """Return notes, warm-up and revisions as sentences."""
        first = {None: "always", 1: "for the first session"}
        return [
            *(f"note: {note}" for note in self.notes),
            *(
                f"warm-up: {name} depends {first.get(n, f'for the first {n} sessions')} on where the "
                "history starts"
                for name, n in self.warmup.items()
            ),
            *(
                f"revision: {name} moves with the level of adj_close, which every later split or dividend "
                "rescales; returns and ratios do not"
                for name in self.revisions
            ),
        ]

    def _repr_html_(self) -> str:
        colour = "#00734d" if self.passed else "#b3261e"
        frame = f"border-left:6px solid {colour};padding:6px 12px;margin:4px 0"
        heads = ("column", "symbols", "first bad date", "looks ahead", "future was", "what")
        rows = [(f.column, ", ".join(f.symbols), f.date, f.offset, f.mode, f.message) for f in self.findings]
        table = _row("th", heads) + "".join(_row("td", row) for row in rows)
        remarks = "".join(f"<li>{escape(remark)}</li>" for remark in self.remarks())
        return (
            f'<div style="{frame}"><b>{escape(self.summary())}</b>'
            f"{f'<table>{table}</table>' if rows else ''}{f'<ul>{remarks}</ul>' if remarks else ''}</div>"
        )


def _row(tag: str, cells: tuple[str, ...]) -> str:
    inner = "".join(f'<{tag} style="text-align:left">{escape(cell)}</{tag}>' for cell in cells)
    return f"<tr>{inner}</tr>"
