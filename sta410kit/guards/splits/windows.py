"""Which target windows reach where, counted in sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.leakage.panel import days, find_keys
from sta410kit.guards.splits.report import SplitFinding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sta410kit.guards.leakage.panel import Dates

    Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Windows:
    """Each row's decision and the end of its target, as numbers of sessions.

    Attributes
    ----------
    dates, symbols : array
        Of each row.
    starts, ends : array of int
        The session of the decision, and the one at whose close the target is known; the symbol's last where
        it lies beyond the data.
    sessions, horizon, embargo : int
        How many there are; as declared.
    """

    dates: Dates
    symbols: NDArray[Any]
    starts: Positions
    ends: Positions
    sessions: int
    horizon: int
    embargo: int

    @classmethod
    def of(cls, dates: Any, horizon: int, embargo: int) -> Windows:  # noqa: ANN401 - see `check_splits`
        """Read the dates, and the symbols where there are some."""
        frame = pd.DataFrame(index=dates) if isinstance(dates, pd.MultiIndex) else dates
        keys = find_keys(frame) if isinstance(frame, pd.DataFrame) else None
        own = keys.dates if keys is not None else days(frame)
        if own is None or not len(own) or np.isnat(own).any():
            message = "the dates are not complete: give one decision date a row"
            raise ConfigurationError(message)
        symbols = np.full(len(own), "", dtype=object)
        if keys is not None and keys.symbols is not None:
            symbols = keys.symbols.to_numpy(dtype=object)
        if pd.isna(symbols).any():
            row = int(np.flatnonzero(pd.isna(symbols))[0])
            message = f"the row of {str(own[row])[:10]} has no symbol: give one a row, or the dates alone"
            raise ConfigurationError(message)
        calendar, starts = np.unique(own, return_inverse=True)
        ends = np.empty(len(own), dtype=np.int64)
        codes, names = pd.factorize(symbols)
        for code in range(len(names)):
            mine = codes == code
            live = np.unique(starts[mine])
            place = np.searchsorted(live, starts[mine]) + min(horizon, len(live))
            ends[mine] = live[np.minimum(place, len(live) - 1)]
        return cls(own, symbols, starts.astype(np.int64), ends, len(calendar), horizon, embargo)

    def findings(
        self, fold: int, train: Positions, test: Positions, *, train_after_test: bool
    ) -> Iterator[SplitFinding]:
        """Yield what is wrong with a fold."""
        if not len(train) or not len(test):
            empty = "no training rows" if not len(train) else "no test rows"
            yield SplitFinding(fold, "empty", 0, "", "", f"fold {fold} has {empty}")
            return
        tested = np.zeros(self.sessions, dtype=bool)
        tested[self.starts[test]] = True
        shared = tested[self.starts[train]]
        yield from self._overlap(fold, train[shared], test)
        train = train[~shared]
        later = self.starts[train] > self.starts[test].min()
        if later.any() and not train_after_test:
            yield self._order(fold, train[later], test)
        if train_after_test:
            yield from self._after(fold, train, test)
        yield from self._before(fold, train if train_after_test else train[~later], tested, train_after_test)

    def _overlap(self, fold: int, shared: Positions, test: Positions) -> Iterator[SplitFinding]:
        if len(shared):
            both = len(np.intersect1d(shared, test))
            what = f"{both} row(s) stand in both" if both else "train and test share sessions"
            yield self._finding(fold, "overlap", shared, f"{what}; split by date")

    def _order(self, fold: int, late: Positions, test: Positions) -> SplitFinding:
        first, last = self.starts[test].min(), self.starts[test].max()
        if (self.starts[late] < last).any():
            advice = "split by time, without shuffling"
            return self._finding(fold, "shuffled", late, f"train and test are mixed in time; {advice}")
        when = str(self.dates[test][self.starts[test] == first][0])[:10]
        advice = "purge both sides and say train_after_test=True if that is meant"
        return self._finding(fold, "order", late, f"they come after the test began on {when}; {advice}")

    def _before(
        self,
        fold: int,
        train: Positions,
        tested: NDArray[np.bool_],
        combinatorial: bool,  # noqa: FBT001 - a flag handed on
    ) -> Iterator[SplitFinding]:
        """Look at targets that reach forward to a test date."""
        until = np.concatenate([[0], np.cumsum(tested)])  # test sessions before session i
        starts, ends = self.starts[train], self.ends[train]

        def reaches(further: int) -> NDArray[np.bool_]:
            end = np.minimum(ends + min(further, self.sessions), self.sessions - 1)
            reached: NDArray[np.bool_] = until[end + 1] > until[starts + 1]
            return reached

        purge = reaches(0)
        if purge.any():
            yield self._purge(fold, train[purge], "their targets reach into the test")
        near = np.zeros(len(train), dtype=bool) if combinatorial else reaches(self.embargo) & ~purge
        if near.any():
            yield self._embargoed(fold, train[near], "before the test")

    def _after(self, fold: int, train: Positions, test: Positions) -> Iterator[SplitFinding]:
        """Look at training rows that lie in a target window of the test, or shortly after it."""
        starts, ends = self.starts[test], self.ends[test]
        asked = self._covered(starts, ends)[self.starts[train]]
        until = np.minimum(ends + min(self.embargo, self.sessions), self.sessions - 1)
        near = self._covered(starts, until)[self.starts[train]]
        if asked.any():
            yield self._purge(fold, train[asked], "they lie within the test's target windows")
        if (near & ~asked).any():
            yield self._embargoed(fold, train[near & ~asked], "after the test's targets")

    def _covered(self, starts: Positions, ends: Positions) -> NDArray[np.bool_]:
        """Mark the sessions that lie in any of the windows, both ends included."""
        steps = np.zeros(self.sessions + 1, dtype=np.int64)
        np.add.at(steps, starts, 1)
        np.add.at(steps, ends + 1, -1)
        covered: NDArray[np.bool_] = np.cumsum(steps)[:-1] > 0
        return covered

    def _purge(self, fold: int, rows: Positions, what: str) -> SplitFinding:
        advice = f"leave {self.horizon} session(s) out between them (horizon {self.horizon})"
        return self._finding(fold, "purge", rows, f"{what}; {advice}")

    def _embargoed(self, fold: int, rows: Positions, where: str) -> SplitFinding:
        return self._finding(
            fold, "embargo", rows, f"they lie within the embargo of {self.embargo} session(s) {where}"
        )

    def _finding(self, fold: int, kind: str, rows: Positions, what: str) -> SplitFinding:
        first = rows[np.argmin(self.starts[rows])]
        symbol, date = str(self.symbols[first]), str(self.dates[first])[:10]
        place = f"{symbol} {date}".strip()
        message = f"fold {fold}, {kind}: {len(rows)} training row(s), first {place}: {what}"
        return SplitFinding(fold, kind, len(rows), symbol, date, message)
