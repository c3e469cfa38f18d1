"""What the split check found, as evidence; raising is `SplitReport.require`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from sta410kit.exceptions import LeakageError


@dataclass(frozen=True)
class SplitFinding:
    """One thing wrong with one fold.

    Attributes
    ----------
    fold : int
        Number of the fold, from 0.
    kind : str
        ``"empty"``, ``"overlap"`` (a session or row in both), ``"shuffled"`` (test sessions in between
        training sessions), ``"order"`` (training after the test), ``"purge"`` (a target window reaches over),
        or ``"embargo"``.
    rows : int
        Training rows that are wrong.
    symbol, date : str
        The first of them; empty where there are none.
    message : str
        All of that in a sentence, with what to do.
    """

    fold: int
    kind: str
    rows: int
    symbol: str
    date: str
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class SplitReport:
    """What the check found, with ``.passed`` when it found nothing.

    Attributes
    ----------
    findings : tuple of SplitFinding
        By fold.
    folds, sessions : int
        How many of them were looked at.
    horizon, embargo : int
        As declared, in sessions.
    """

    findings: tuple[SplitFinding, ...]
    folds: int
    sessions: int
    horizon: int
    embargo: int

    @property
    def passed(self) -> bool:
        """Whether no training row knows anything of its test."""
        return not self.findings

    def require(self) -> SplitReport:
        """Return the report itself, or raise when a fold is not clean.

        Raises
        ------
        LeakageError
            Names every finding.
        """
        if self.passed:
            return self
        lines = "\n".join(f"  - {finding}" for finding in self.findings)
        message = f"the split check refused {len(self._bad_folds())} of {self.folds} folds:\n{lines}"
        raise LeakageError(message)

    def summary(self) -> str:
        """Return one line: outcome and counts."""
        outcome = "clean" if self.passed else f"REFUSED, {len(self._bad_folds())} of {self.folds} folds"
        return (
            f"split check: {outcome} - {self.folds} folds, {self.sessions} sessions, horizon {self.horizon}, "
            f"embargo {self.embargo}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"passed": self.passed, **asdict(self)}

    def _bad_folds(self) -> set[int]:
        return {finding.fold for finding in self.findings}

    def _repr_html_(self) -> str:
        colour = "#00734d" if self.passed else "#b3261e"
        lines = "".join(f"<li>{escape(str(finding))}</li>" for finding in self.findings)
        return (
            f'<div style="border-left:6px solid {colour};padding:6px 12px;margin:4px 0">'
            f"<b>{escape(self.summary())}</b>"
            f"{f'<ul>{lines}</ul>' if lines else ''}</div>"
        )
