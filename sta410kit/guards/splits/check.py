"""Whether a split keeps its test unknown.

A training target of *t* is known at *t + horizon*: if the test begins by then, its first answers are in the
training data. Purging leaves such rows out; an embargo leaves out some more, because features remember (López
de Prado 2018, *Advances in Financial Machine Learning*, section 7.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sta410kit._internal.argument_checks import require_whole
from sta410kit.guards.splits.report import SplitReport

if TYPE_CHECKING:
    from collections.abc import Iterable


def check_splits(
    splits: Iterable[Any] | Any,  # noqa: ANN401 - a splitter of any library
    dates: Any,  # noqa: ANN401 - dates in any form, or a frame that has them
    horizon: int,
    embargo: int = 0,
    *,
    train_after_test: bool = False,
) -> SplitReport:
    """Check every fold against the declared horizon.

    Parameters
    ----------
    splits : splitter or iterable
        Anything with scikit-learn's ``split(X)``, or pairs of train and test: row positions, truth values by
        row, or dates. Also the folds of `sta410kit.research.walk_forward.splits`, and one pair alone.
    dates : array-like or DataFrame
        The decision date of each row, in the order of the rows, as often as there are symbols. A frame with
        ``symbol`` and ``date`` lets the target windows be counted in each symbol's own sessions.
    horizon : int
        Sessions a target looks ahead.
    embargo : int
        Further sessions that training keeps away. In a walk-forward they widen the gap before the test. With
        `train_after_test` they stand after the test, where a feature's window still holds what the test was
        asked.
    train_after_test : bool
        Allow training rows later than the test, as in combinatorial purged cross-validation; they too are
        purged, by the test's target windows, and embargoed.

    Returns
    -------
    SplitReport
        A finding for each thing wrong with a fold.

    Raises
    ------
    ConfigurationError
        There are no folds, or something is not what it should be: a position out of range, a mask of another
        length, a date that no row has.

    Notes
    -----
    Before the test, a training row is refused when a test date lies in its target window, from the session
    after *t* to *t + horizon*: with scikit-learn's ``TimeSeriesSplit`` on one symbol, ``gap=horizon`` is the
    least.
    """
    from sta410kit.guards.splits.folds import read_folds
    from sta410kit.guards.splits.windows import Windows

    horizon = require_whole("horizon", horizon, of="sessions")
    embargo = require_whole("embargo", embargo, 0, of="sessions")
    windows = Windows.of(dates, horizon, embargo)
    folds = read_folds(splits, windows.dates)
    findings = [
        finding
        for number, (train, test) in enumerate(folds)
        for finding in windows.findings(number, train, test, train_after_test=train_after_test)
    ]
    return SplitReport(tuple(findings), len(folds), windows.sessions, horizon, embargo)
