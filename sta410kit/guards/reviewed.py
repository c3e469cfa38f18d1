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

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from sta410kit._internal.text import pluralize
from sta410kit.guards.declarations import Period, read_entries

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

FILE = "accepted.toml"


@dataclass(frozen=True)
class ReviewedFinding(Period):
    """Findings that a reviewer has accepted, or that a known event explains.

    Attributes
    ----------
    suite, expectation : str
        What found them.
    reason, by : str
        Why they are accepted, and by whom.
    expires : date or None
        The last day on which they are accepted.
    event : str
        The kind of the event that explains them.
    """

    suite: str
    expectation: str
    reason: str
    by: str = ""
    expires: date | None = None
    event: str = ""

    @property
    def expired(self) -> bool:
        """Whether it counts again."""
        return self.expires is not None and datetime.now(UTC).date() > self.expires

    @property
    def covers_table(self) -> bool:
        """Whether it is about the whole table."""
        return not self.symbol and self.first is None

    def covers_rows(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows of a frame it is about."""
        import numpy as np

        from sta410kit.guards.evidence import at_positions

        rows = at_positions(frame, np.arange(len(frame)))
        return self.covers(rows.symbols, rows.days)

    def in_words(self, count: int) -> str:
        """Return one line for the data docs."""
        who = f" by {self.by}" if self.by else ""
        rows = f" ({pluralize(count, 'row')})" if count else ""
        what = f"explained by an event, {self.event}" if self.event else f"accepted{who} until {self.expires}"
        return f"{'the table' if self.covers_table else self}{rows}: {what}. {self.reason}"


def read_reviewed(folder: Path, suite: str) -> list[ReviewedFinding]:
    """Return the findings of `suite` in ``accepted.toml`` in `folder`; none when there is no such file.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or an entry lacks a key or has one that does not exist.
    """
    required = ("suite", "expectation", "reason", "expires")
    advice = "; say what is accepted, why, and until when"
    return [
        ReviewedFinding(period.symbol, period.first, period.last, **entry)
        for period, entry, _ in read_entries(folder / FILE, "finding", required, ("by",), advice)
        if entry["suite"] == suite
    ]
