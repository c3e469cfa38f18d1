"""Walk-forward splits, purged.

Between training and test lie as many sessions as the target looks ahead, so no training target reaches into
the test (López de Prado 2018, *Advances in Financial Machine Learning*, chapter 7). Nothing trains on what
comes after its test, so an embargo is optional.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import require_whole
from sta410kit.exceptions import ConfigurationError, ModelTrainingError
from sta410kit.research.frames import require_horizon

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

MIN_TRAIN = 252  # sessions before the first fit, about a year
REFIT_EVERY = 63  # sessions a fit is used for, about a quarter


@dataclass(frozen=True)
class Fold:
    """One fold: train on `train_start` to `train_end`, predict `test_start` to `test_end`, ends included.

    `train_end` lies ``horizon + embargo + 1`` sessions before `test_start`.
    """

    number: int
    train_end: pd.Timestamp
    test_start: pd.Timestamp
    test_end: pd.Timestamp
    train_start: pd.Timestamp


def splits(  # noqa: PLR0913 - each is a choice of the experiment, by keyword
    dates: Iterable[pd.Timestamp],
    horizon: int,
    *,
    min_train: int = MIN_TRAIN,
    refit_every: int = REFIT_EVERY,
    window: int | None = None,
    embargo: int = 0,
) -> list[Fold]:
    """Return the folds of a walk-forward over the sessions.

    Parameters
    ----------
    dates : iterable of Timestamp
        Decision dates, in any order, duplicates allowed.
    horizon : int
        Sessions the target looks ahead; as many are left out before each test block.
    min_train : int
        Sessions in the first training block.
    refit_every : int
        Sessions in a test block; the last one may be shorter.
    window : int, optional
        Maximum sessions in a training block (rolling); without it the block grows (expanding).
    embargo : int
        Sessions left out before each test block, on top of the horizon.

    Raises
    ------
    ConfigurationError
        If a number is out of range, or the window is shorter than `min_train`.
    ModelTrainingError
        If there are too few sessions for one fold.
    """
    horizon = require_horizon(horizon)
    for name, value, least in (
        ("min_train", min_train, 1),
        ("refit_every", refit_every, 1),
        ("window", min_train if window is None else window, 1),
        ("embargo", embargo, 0),
    ):
        require_whole(name, value, least, of="sessions")
    if window is not None and window < min_train:
        message = f"window is {window}, min_train {min_train}; give a window of at least min_train."
        raise ConfigurationError(message)
    days = pd.DatetimeIndex(pd.unique(pd.Series(list(dates), dtype="datetime64[us]"))).sort_values()
    gap = horizon + embargo
    require_sessions(len(days), min_train + gap + 1, "one fold")
    folds = []
    for number, start in enumerate(range(min_train + gap, len(days), refit_every)):
        last = start - gap - 1
        first = 0 if window is None else max(0, last + 1 - window)
        end = min(start + refit_every, len(days)) - 1
        folds.append(Fold(number, days[last], days[start], days[end], days[first]))
    return folds


def fold_rows(fold: Fold, table: pd.DataFrame) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the positions a fold trains on and tests; training targets are known before the test."""
    dates, known = table["date"].to_numpy(), table["known"].to_numpy()
    start, end, first, last = (
        np.datetime64(day) for day in (fold.train_start, fold.train_end, fold.test_start, fold.test_end)
    )
    train = (dates >= start) & (dates <= end) & (known < first)
    return np.flatnonzero(train), np.flatnonzero((dates >= first) & (dates <= last))


def require_sessions(there: int, needed: int, purpose: str) -> None:
    """Raise `ModelTrainingError` if there are too few sessions."""
    if there < needed:
        message = (
            f"{there} sessions with complete features and a known outcome; {purpose} take {needed} or more. "
            "Load a longer period, or shorten the horizon."
        )
        raise ModelTrainingError(message)
