"""The split check: no training row may know what its test asks.

A training target of *t* is known at *t + horizon*: if the test begins by then, its first answers are in the
training data. Purging leaves such rows out; an embargo leaves out some more, because features remember (López
de Prado 2018, *Advances in Financial Machine Learning*, section 7.4).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from sta410kit._internal.argument_checks import require_whole
from sta410kit.exceptions import LeakageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from sta410kit.guards.folds import Positions, Windows


@dataclass(frozen=True)
class SplitFinding:
    """One thing wrong with one fold.

    Attributes
    ----------
    fold : int
        Number of the fold, from 0.
    kind : str
        ``"empty"``, ``"overlap"`` (a session in both), ``"shuffled"`` (test sessions between training
        sessions), ``"order"`` (training after the test), ``"purge"`` (a target window reaches into the test)
        or ``"embargo"``.
    rows : int
        Number of training rows that are wrong.
    symbol, date : str
        The first of them; empty where there are none.
    message : str
        The finding in a sentence, with what to do.
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
    """The result of the split check.

    Attributes
    ----------
    findings : tuple of SplitFinding
        By fold.
    folds, sessions : int
        How many of them were checked.
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
        """Return the report itself, or raise `LeakageError` with every finding."""
        if self.passed:
            return self
        lines = "\n".join(f"  - {finding}" for finding in self.findings)
        message = f"the split check refused {self._refused()}:\n{lines}"
        raise LeakageError(message)

    def summary(self) -> str:
        """Return one line: outcome and counts."""
        outcome = "clean" if self.passed else f"REFUSED, {self._refused()}"
        return (
            f"split check: {outcome} - {self.folds} folds, {self.sessions} sessions, horizon {self.horizon}, "
            f"embargo {self.embargo}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"passed": self.passed, **asdict(self)}

    def _refused(self) -> str:
        return f"{len({finding.fold for finding in self.findings})} of {self.folds} folds"

    def _repr_html_(self) -> str:
        colour = "#00734d" if self.passed else "#b3261e"
        lines = "".join(f"<li>{escape(str(finding))}</li>" for finding in self.findings)
        return (
            f'<div style="border-left:6px solid {colour};padding:6px 12px;margin:4px 0">'
            f"<b>{escape(self.summary())}</b>{f'<ul>{lines}</ul>' if lines else ''}</div>"
        )


def check_splits(
    splits: Iterable[Any] | Any,  # noqa: ANN401 - a splitter of any library
    dates: Any,  # noqa: ANN401 - dates in any form, or a frame that has them
    horizon: int,
    embargo: int = 0,
    sessions: pd.DataFrame | None = None,
) -> SplitReport:
    """Check every fold of a walk-forward against the declared horizon.

    Parameters
    ----------
    splits : splitter or iterable
        Anything with scikit-learn's ``split(X)``, or pairs of train and test: row positions, truth values by
        row, or dates. Also the folds of `sta410kit.research.walk_forward.splits`.
    dates : array-like or DataFrame
        The decision date of each row, in order of the rows. With a frame that has ``symbol`` and ``date``,
        target windows are counted in each symbol's own sessions.
    horizon : int
        Sessions a target looks ahead.
    embargo : int
        Further sessions that training keeps away from the test.
    sessions : DataFrame, optional
        ``symbol, date`` of all sessions, such as the prices, where `dates` lacks some of a symbol's own.

    Returns
    -------
    SplitReport
        A finding for each thing wrong with a fold.

    Raises
    ------
    ConfigurationError
        There are no folds, or a fold or the dates cannot be read.

    Notes
    -----
    A training row is refused when a test date lies in its target window, from the session after *t* to
    *t + horizon*: with scikit-learn's ``TimeSeriesSplit`` on one symbol, ``gap=horizon`` is the least.
    """
    from sta410kit.guards.folds import Windows, read_folds

    horizon = require_whole("horizon", horizon, of="sessions")
    embargo = require_whole("embargo", embargo, 0, of="sessions")
    windows = Windows.of(dates, horizon, sessions)
    folds = read_folds(splits, windows.dates)
    findings = (
        finding
        for number, (train, test) in enumerate(folds)
        for finding in _findings(windows, number, train, test, horizon, embargo)
    )
    return SplitReport(tuple(findings), len(folds), windows.sessions, horizon, embargo)


def _findings(  # noqa: PLR0913, PLR0917 - the pieces of one fold
    windows: Windows, fold: int, train: Positions, test: Positions, horizon: int, embargo: int
) -> Iterator[SplitFinding]:
    """Yield what is wrong with a fold."""
    import numpy as np

    def finding(kind: str, rows: Positions, what: str) -> SplitFinding:
        symbol, date = windows.first(rows)
        first = f"{symbol} {date}".strip()
        message = f"fold {fold}, {kind}: {len(rows)} training row(s), first {first}: {what}"
        return SplitFinding(fold, kind, len(rows), symbol, date, message)

    if not len(train) or not len(test):
        side = "test" if len(train) else "training"
        yield SplitFinding(fold, "empty", 0, "", "", f"fold {fold} has no {side} rows")
        return
    starts, ends = windows.starts, windows.ends
    begin = starts[test].min()
    shared = np.isin(starts[train], starts[test])
    if shared.any():
        yield finding("overlap", train[shared], "train and test share sessions; split by date")
    late = ~shared & (starts[train] > begin)
    if late.any():
        if (starts[train[late]] < starts[test].max()).any():
            kind, what = "shuffled", "train and test are mixed in time; split by time, without shuffling"
        else:
            day = windows.first(test)[1]
            kind, what = "order", f"training comes after the test, which begins on {day}; train before it"
        yield finding(kind, train[late], what)
    early = train[~shared & ~late]
    purged = ends[early] >= begin
    if purged.any():
        advice = f"leave out {horizon} session(s) before it (horizon {horizon})"
        yield finding("purge", early[purged], f"their targets reach into the test; {advice}")
    near = ~purged & (ends[early] + min(embargo, windows.sessions) >= begin)
    if near.any():
        yield finding("embargo", early[near], f"they are within the embargo of {embargo} session(s)")
