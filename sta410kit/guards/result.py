"""The evidence a gate returns: what was checked, what failed, and on which rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import pluralize
from sta410kit.exceptions import DataValidationError
from sta410kit.guards.wording import Coverage, failures_table, name_left_out, plain, row_words

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.guards.evidence import Evidence
    from sta410kit.guards.quarantine import Quarantine

CRITICAL = "critical"
_CONTAINS = "expect_column_distinct_values_to_contain_set"
SEVERITIES = (CRITICAL, "warning", "info")
QUARANTINED = ("symbol", "date", "expectation", "reason")  # columns of what is left out


@dataclass(frozen=True)
class Check:
    """One expectation and what was found: the one result type, from which everything shown is built.

    Attributes
    ----------
    expectation : str
        Type of the expectation, e.g. ``expect_column_values_to_not_be_null``.
    held : bool
        Whether the data meet it.
    column : str
        The columns it is about, joined by ``", "``; empty for the table as a whole.
    rows : tuple of dict
        The first few rows that break it: symbol, date (``YYYY-MM-DD``) and the values judged.
    severity : str
        ``critical`` stops the chain or leaves out what was found; ``warning`` and ``info`` are shown.
    message : str
        What was expected and what was found, in words; empty when it held.
    evidence : Evidence or None
        All rows and sessions that break it; None where the kit did not evaluate it.
    accepted : tuple of str
        What a reviewer has accepted and was left out of the evidence, in words.
    config : dict
        The expectation as it is in its suite.
    found : dict or None
        Great Expectations' ``result``, where Great Expectations evaluated it.
    error : str
        Why it could not be evaluated.
    not_asked : bool
        Whether the frame lacks what it looks at.
    quarantined : bool
        Whether what it found is left out of the usable frame.
    """

    expectation: str
    held: bool = False
    column: str = ""
    rows: tuple[dict[str, Any], ...] = ()
    severity: str = CRITICAL
    message: str = ""
    evidence: Evidence | None = field(default=None, repr=False)
    accepted: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict, repr=False)
    found: dict[str, Any] | None = field(default=None, repr=False)
    error: str = ""
    not_asked: bool = False
    quarantined: bool = False

    @property
    def expected(self) -> str:
        """What is expected, in plain words."""
        if not self.config:
            return ""
        asked = self.config["kwargs"].items()
        arguments = ", ".join(f"{key}={value!r}" for key, value in asked if key != "column")
        words = f"Expected {self.expectation.removeprefix('expect_').replace('_', ' ')} ({arguments})."
        return self.config.get("description") or words

    @property
    def on_failure(self) -> str:
        """What its findings cost: ``stop``, ``quarantine_symbol`` or ``quarantine_bars``."""
        return str(self.config.get("meta", {}).get("on_failure", "stop"))

    @property
    def strict(self) -> bool:
        """Whether its findings stop only because the gate was asked to be strict."""
        return bool(self.config.get("meta", {}).get("strict", False))

    @property
    def count(self) -> int:
        """Rows and sessions that break it; 0 when it is about the table and not about rows."""
        if self.evidence is not None:
            return self.evidence.count
        return int((self.found or {}).get("unexpected_count") or 0)

    @property
    def name(self) -> str:
        """The expectation and its columns: ``expect_column_values_to_not_be_null(close)``."""
        return self.expectation + (f"({self.column})" if self.column else "")

    def __str__(self) -> str:
        text = f"{self.name}: {self.message}"
        if self.rows:
            shown = "; ".join(row_words(row) for row in self.rows[:3])
            more = f"; and {self.count - 3} more" if self.count > len(self.rows[:3]) else ""
            text += f" [{shown}{more}]"
        return text

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "expectation": self.expectation,
            "column": self.column,
            "count": self.count,
            "rows": [{key: plain(value) for key, value in row.items()} for row in self.rows],
            "severity": self.severity,
            "quarantined": self.quarantined,
            "message": self.message,
        }


@dataclass(frozen=True, repr=False)
class GuardResult:
    """What one gate found in one frame.

    Attributes
    ----------
    suite : str
        Name of the suite.
    row_count : int
        Rows of the frame that was judged.
    checks : tuple of Check
        Every expectation that was evaluated, the ones every gate adds included, in the order of the suite.
    skipped : tuple of str
        Expectations that could not be evaluated because of another failure (a missing column, a wrong type).
    suite_file, rules, frame : str
        The suite's file, a digest of its expectations, and one of the frame that was judged.
    repairs : tuple of str
        What `apply_repairs` changed before the frame was judged, in words, with the raw values.
    quarantine : Quarantine or None
        What is left out; None where the frame could not be judged.
    judges_prices : bool
        Whether the suite is about daily prices, which ``sta410 triage`` takes.
    intraday : bool
        Whether the rows are bars within the day.
    judged : DataFrame or None
        The frame itself, for drawings of what was found in it; None where it is no frame.
    """

    suite: str
    row_count: int
    checks: tuple[Check, ...] = ()
    skipped: tuple[str, ...] = ()
    suite_file: str = ""
    rules: str = ""
    frame: str = ""
    repairs: tuple[str, ...] = ()
    quarantine: Quarantine | None = None
    judges_prices: bool = False
    intraday: bool = False
    judged: pd.DataFrame | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return (
            f"GuardResult(suite={self.suite!r}, row_count={self.row_count}, evaluated={self.evaluated}, "
            f"failures={self.failures}, skipped={self.skipped}, accepted={self.accepted})"
        )

    @property
    def evaluated(self) -> int:
        """How many expectations were evaluated."""
        return len(self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """Everything that does not hold: what stops first, then what is left out, then warnings."""
        failed = [check for check in self.checks if not check.held]
        return tuple(sorted(failed, key=lambda one: (one.severity != CRITICAL, one.quarantined, one.strict)))

    @property
    def accepted(self) -> tuple[str, ...]:
        """Findings that a reviewer has accepted and that this frame shows, in words."""
        return tuple(f"{check.expectation}: {words}" for check in self.checks for words in check.accepted)

    @property
    def passed(self) -> bool:
        """Whether nothing critical is left in the usable frame, and the limits of the quarantine hold."""
        return not self.stopping and not self.excess

    @property
    def stopping(self) -> tuple[Check, ...]:
        """The critical failures that cannot be left out."""
        return tuple(check for check in self.critical if not check.quarantined)

    @property
    def excess(self) -> str:
        """Which limit of the quarantine does not hold, in words; empty when all do."""
        return self.quarantine.excess if self.quarantine else ""

    @property
    def reason(self) -> str:
        """Why the frame is refused, in a few words: the first of the reasons; empty when it is not."""
        if self.excess or not self.stopping:
            return self.excess
        first = self.stopping[0]
        if first.strict:
            return f"strict: {pluralize(len(self.critical), 'critical finding')}"
        if first.expectation == _CONTAINS and first.evidence is not None and first.evidence.notes:
            return first.evidence.notes[0].replace("no ", "no rows of ", 1)
        where = f" at {row_words(first.rows[0])}" if first.rows else ""
        return f"{first.name}{where}" if first.config else first.message

    @property
    def coverage(self) -> Coverage:
        """How many symbols and bars are left out."""
        return self.quarantine.coverage if self.quarantine else Coverage()

    @property
    def quarantined(self) -> pd.DataFrame:
        """What is left out: ``symbol, date, expectation, reason``; without a date it is the whole symbol."""
        import pandas as pd

        return self.quarantine.table if self.quarantine else pd.DataFrame(columns=list(QUARANTINED))

    @property
    def named(self) -> list[str]:
        """The first few symbols and bars that are left out, a line each, and how many more there are."""
        if self.stopping:  # a frame that is refused for something else loses no symbol or bar
            return []
        table = self.quarantined
        days = map(plain, table["date"])
        cells = zip(table["symbol"], days, table["expectation"], table["reason"], strict=True)
        return name_left_out([dict(zip(QUARANTINED, row, strict=True)) for row in cells])

    @property
    def usable(self) -> pd.DataFrame:
        """The frame without what is quarantined: the frame itself where nothing is.

        Quarantined symbols are gone. Quarantined bars and missing sessions have a row without values. Judged
        by the same suite again, these rows are findings: nothing in the frame says that the kit emptied them.

        Raises
        ------
        DataValidationError
            The frame was refused.
        """
        self.require()
        assert self.quarantine is not None  # noqa: S101 - a frame that was not judged is refused
        return self.quarantine.usable

    @property
    def critical(self) -> tuple[Check, ...]:
        """The failures that stop the chain, or whose rows are left out."""
        return tuple(f for f in self.failures if f.severity == CRITICAL)

    @property
    def warnings(self) -> tuple[Check, ...]:
        """The failures that are shown and recorded, and stop nothing."""
        return tuple(f for f in self.failures if f.severity != CRITICAL)

    @property
    def counts(self) -> str:
        """What was asked of how much, and what does not hold, in words."""
        return (
            f"{pluralize(self.evaluated, 'check')} on {pluralize(self.row_count, 'row')}, "
            f"{len(self.critical)} critical, {pluralize(len(self.warnings), 'warning')}"
        )

    def summary(self) -> str:
        """Return one line: suite, outcome, counts."""
        without = f" without {self.coverage}" if str(self.coverage) else ""
        outcome = f"accepted{without}" if self.passed else f"REJECTED, {self.reason}"
        excused = f", {pluralize(len(self.accepted), 'accepted finding')}" if self.accepted else ""
        return f"{self.suite}: {outcome} - {self.counts}{excused}"

    def require(self) -> GuardResult:
        """Return the result itself, or raise when the frame is refused.

        Raises
        ------
        DataValidationError
            Names every failure that stops with its expectation and first rows; all critical ones where too
            much would be left out.
        """
        if self.passed:
            return self
        words = [*([self.excess] if self.excess else []), *(self.stopping or self.critical)]
        lines = "\n".join(f"  - {failure}" for failure in words)
        strict = f", {self.reason}" if self.stopping and self.stopping[0].strict else ""
        advice = "`sta410 triage FILE` proposes what to do about each; " if self.judges_prices else ""
        rows = pluralize(self.row_count, "row")
        message = (
            f"the gate '{self.suite}' refused the data ({rows}{strict}):\n{lines}\n"
            f"Correct these rows at their source; {advice}`sta410 docs` shows the whole validation."
        )
        raise DataValidationError(message)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: counts and failures."""
        return {
            "suite": self.suite,
            "passed": self.passed,
            "row_count": self.row_count,
            "evaluated": self.evaluated,
            "failures": [failure.to_dict() for failure in self.failures],
            "skipped": list(self.skipped),
            "accepted": list(self.accepted),
            "repairs": list(self.repairs),
            "left_out": str(self.coverage),
            "named": self.named,
            "coverage": asdict(self.coverage),
            "excess": self.excess,
        }

    def _repr_html_(self) -> str:
        colour, word = ("#00734d", "accepted") if self.passed else ("#b3261e", "rejected")
        left_out = str(self.coverage)
        if self.passed and left_out:
            colour, word = "#8a5a00", f"accepted without {left_out}"
        head = (
            f'<div style="border-left:6px solid {colour};padding:6px 12px;margin:4px 0">'
            f"<b>{escape(self.suite)}</b>: <b>{word}</b> &mdash; {self.counts}"
        )
        if self.excess:
            head += f"<div>{escape(self.excess)}</div>"
        head += "".join(f"<div>{escape(line)}</div>" for line in self.named)
        if self.failures:
            head += failures_table(self.failures)
        for title, lines in (
            ("Findings a reviewer has accepted", self.accepted),
            ("Repaired before it was judged", self.repairs),
        ):
            if lines:
                head += f"<div>{title}:<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul></div>"
        return head + "</div>"
