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

from sta410kit._internal.text import did_you_mean, pluralize
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.declarations import Period, read_entries
from sta410kit.guards.suites import list_suites

if TYPE_CHECKING:
    from collections.abc import Collection
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
    emptied : bool
        Whether a declared repair emptied the bar; shown with the repairs, and not again.
    """

    suite: str
    expectation: str
    reason: str
    by: str = ""
    expires: date | None = None
    event: str = ""
    emptied: bool = False

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


def read_reviewed(folder: Path, suite: str, known: Collection[str] = ()) -> list[ReviewedFinding]:
    """Return the findings of `suite` in ``accepted.toml`` in `folder`; none when there is no such file.

    A symbol that the frame lacks is no error: a gate does not know whether it sees the whole universe, and
    a part of it must not complain about the entries of the rest.

    Parameters
    ----------
    folder : Path
        The folder of the suite.
    suite : str
        Its name.
    known : collection of str, optional
        Expectations whose findings can be accepted; any when left out.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or an entry lacks a key, or has a key, a suite or an expectation that does
        not exist.
    """
    required = ("suite", "expectation", "reason", "expires")
    advice = "; say what is accepted, why, and until when"
    found = []
    for period, entry, where in read_entries(folder / FILE, "finding", required, ("by",), advice):
        if entry["suite"] == suite:
            _require_known(entry["expectation"], known, "expectation", where)
            found.append(ReviewedFinding(period.symbol, period.first, period.last, **entry))
        else:
            suites = {*list_suites(), *(path.stem for path in folder.glob("*.json"))}
            _require_known(entry["suite"], suites, "suite", where)
    return found


def _require_known(name: object, known: Collection[str], what: str, where: str) -> None:
    """Raise `ConfigurationError` for a name that would accept nothing."""
    if known and name not in known:
        message = f"{where}: no {what} called {name!r}.{did_you_mean(name, known)}"
        if what == "suite":
            message += f" Suites: {', '.join(sorted(known))}."
        raise ConfigurationError(message)
