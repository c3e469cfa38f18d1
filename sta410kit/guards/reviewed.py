"""Findings a reviewer has accepted, in a file that is reviewed like code.

``accepted.toml`` lies beside the suites::

    [[finding]]
    suite = "prices"
    expectation = "expect_jumps_to_be_explained"
    symbol = "ACME"
    first = 2024-03-01
    last = 2024-03-01        # the same day when left out
    reason = "Spin-off; the vendor does not adjust for it."
    by = "R. Eviewer"
    expires = 2027-03-01

An accepted finding no longer fails its expectation and is shown in the data docs of every validation it
affects. After `expires` it counts again, and the failure says so.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import did_you_mean, pluralize
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

FILE = "accepted.toml"
_REQUIRED = ("suite", "expectation", "reason", "expires")
_KNOWN = (*_REQUIRED, "symbol", "first", "last", "by")


@dataclass(frozen=True)
class ReviewedFinding:
    """One finding that a reviewer has accepted.

    Attributes
    ----------
    suite, expectation : str
        What found it.
    symbol : str
        The symbol it is about; empty for a finding about the whole table.
    first, last : date or None
        The sessions it is about, both included; all when ``None``.
    reason, by : str
        Why it is accepted, and by whom.
    expires : date
        The last day on which it is accepted.
    """

    suite: str
    expectation: str
    symbol: str
    first: date | None
    last: date | None
    reason: str
    by: str
    expires: date

    @property
    def expired(self) -> bool:
        """Whether it counts again."""
        return datetime.now(UTC).date() > self.expires

    @property
    def covers_table(self) -> bool:
        """Whether it is about the whole table."""
        return not self.symbol and self.first is None

    def covers(self, symbols: NDArray[np.object_], days: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return which findings, by symbol and days since 1970-01-01, it is about."""
        import numpy as np

        hit = symbols == self.symbol if self.symbol else np.ones(len(symbols), bool)
        if self.first is not None and self.last is not None:
            first, last = (int(np.datetime64(day, "D").astype(int)) for day in (self.first, self.last))
            hit = hit & (days >= first) & (days <= last)
        return np.asarray(hit, bool)

    def covers_rows(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows of a frame it is about."""
        import numpy as np

        from sta410kit.guards.evidence import at_positions

        rows = at_positions(frame, np.arange(len(frame)))
        return self.covers(rows.symbols, rows.days)

    def in_words(self, count: int) -> str:
        """Return one line for the data docs."""
        when = f" {self.first}" if self.first else ""
        when += f" to {self.last}" if self.last != self.first else ""
        who = f" by {self.by}" if self.by else ""
        rows = f" ({pluralize(count, 'row')})" if count else ""
        return f"{self.symbol or 'the table'}{when}{rows}: accepted{who} until {self.expires}. {self.reason}"


def read_reviewed(folder: Path, suite: str) -> list[ReviewedFinding]:
    """Return the findings of `suite` in ``accepted.toml`` in `folder`; none when there is no such file.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or an entry lacks a key or has one that does not exist.
    """
    path = folder / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:  # opened without asking first: the runner observes what a step tries to read
        return []
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read as TOML: {error}"
        raise ConfigurationError(message) from error
    entries = content.pop("finding", [])
    if content or not isinstance(entries, list):
        message = f"{path} holds {', '.join(content) or 'finding'}; it takes entries [[finding]] only"
        raise ConfigurationError(message)
    findings = [_finding(entry, f"{path}, finding {number}") for number, entry in enumerate(entries, 1)]
    return [finding for finding in findings if finding.suite == suite]


def _finding(entry: dict[str, Any], where: str) -> ReviewedFinding:
    days = {key: entry.get(key) for key in ("first", "last", "expires")}
    first, last = days["first"] or days["last"], days["last"] or days["first"]
    problem = ""
    if unknown := [key for key in entry if key not in _KNOWN]:
        problem = f": no key called {unknown[0]!r}.{did_you_mean(unknown[0], list(_KNOWN))}"
    elif missing := [key for key in _REQUIRED if not entry.get(key)]:
        problem = f" has no {', '.join(missing)}; say what is accepted, why, and until when"
    elif wrong := [key for key, value in days.items() if value is not None and type(value) is not date]:
        problem = f": {wrong[0]} must be a date such as 2027-03-01, got {days[wrong[0]]!r}"
    elif first and last and last < first:
        problem = f": last ({last}) lies before first ({first})"
    if problem:
        raise ConfigurationError(where + problem)
    words = {key: str(entry.get(key, "")) for key in ("suite", "expectation", "symbol", "reason", "by")}
    return ReviewedFinding(**words, first=first, last=last, expires=entry["expires"])
