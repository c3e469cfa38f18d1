"""Combinatorial purged cross-validation: many histories instead of one.

The sessions are cut into groups; each way to choose some of them for testing is a split, trained on the rest.
Every group is tested in several splits, and one prediction of each group put together makes a path: a whole
out-of-sample history. A walk-forward gives one path, and its luck is all there is (López de Prado 2018,
*Advances in Financial Machine Learning*, chapter 12).

Training rows here may lie after the test. A row is purged when its target's window, from decision to outcome,
overlaps that of a tested group; and an embargo leaves out the sessions right after a tested group, whose
features still remember it. What follows is an estimate over many pasts, not a record of what could have been
earned: for that, use `walk_forward`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import require_whole
from sta410kit.exceptions import ConfigurationError, ModelTrainingError
from sta410kit.research.estimation import labelled, make_estimator, needs_history, predict_folds
from sta410kit.research.folds import require_sessions
from sta410kit.research.frames import require_horizon

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = ("symbol", "date", "horizon", "model", "path", "fold", "predicted", "actual")


@dataclass(frozen=True)
class Combination:
    """One split: the groups that are tested, and the rows that train and test, as positions in the table."""

    number: int
    groups: tuple[int, ...]
    train: NDArray[np.intp]
    test: NDArray[np.intp]


def combinatorial_splits(
    table: pd.DataFrame, horizon: int, *, groups: int = 6, test_groups: int = 2, embargo: int | None = None
) -> list[Combination]:
    """Return every split of the sessions into tested groups and the rest, purged.

    Parameters
    ----------
    table : DataFrame
        Columns ``date`` (decision) and ``known`` (session at whose close the target is known), sorted in any
        way.
    horizon : int
        Sessions the target looks ahead.
    groups, test_groups : int
        Groups of neighbouring sessions, and how many of them each split tests.
    embargo : int, optional
        Sessions left out after a tested group's last outcome; as many as the horizon when omitted.

    Returns
    -------
    list of Combination
        ``groups`` choose ``test_groups`` of them, in the order of `itertools.combinations`.

    Raises
    ------
    ConfigurationError
        If a number makes no sense.
    ModelTrainingError
        If there are too few sessions, or the purge leaves a split without a row to train on.
    """
    horizon = require_horizon(horizon)
    _require_groups(groups, test_groups)
    embargo = horizon if embargo is None else embargo
    embargo = require_whole("embargo", embargo, 0, of="sessions")
    days = np.sort(table["date"].unique())
    require_sessions(len(days), groups * (horizon + 1), f"{groups} groups")
    dates, known = table["date"].to_numpy(), table["known"].to_numpy()
    group = _group_of(dates, days, groups)
    forbidden = [_touches(dates, known, days, group == one, embargo) for one in range(groups)]
    found = []
    for number, chosen in enumerate(combinations(range(groups), test_groups)):
        tested = np.isin(group, chosen)
        train = ~tested & ~np.logical_or.reduce([forbidden[one] for one in chosen])
        if not train.any():
            message = (
                f"Purge and embargo leave nothing to train on beside the groups {chosen}; take fewer groups."
            )
            raise ModelTrainingError(message)
        found.append(Combination(number, chosen, np.flatnonzero(train), np.flatnonzero(tested)))
    return found


def paths(groups: int, test_groups: int) -> NDArray[np.intp]:
    """Return which split predicts each group on each path.

    Returns
    -------
    ndarray of shape (n_paths, groups)
        Numbers of splits; ``n_paths`` is ``groups - 1`` choose ``test_groups - 1``. Every split is used once
        for each group it tests.
    """
    _require_groups(groups, test_groups)
    chosen = list(combinations(range(groups), test_groups))
    columns = [[number for number, each in enumerate(chosen) if one in each] for one in range(groups)]
    return np.array(columns, dtype=np.intp).T


def cross_validate(  # noqa: PLR0913 - each is a choice of the experiment, by keyword
    features: pd.DataFrame,
    prices: pd.DataFrame,
    *,
    model: str = "ridge",
    horizon: int = 1,
    seed: int = 42,
    groups: int = 6,
    test_groups: int = 2,
    embargo: int | None = None,
    per_symbol: bool = False,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Return the out-of-sample predictions of a model on every path.

    Parameters
    ----------
    features, prices, model, horizon, seed, per_symbol, n_jobs
        As `walk_forward` takes them.
    groups, test_groups, embargo
        As `combinatorial_splits` takes them.

    Returns
    -------
    DataFrame
        Columns ``symbol, date, horizon, model, path, fold, predicted, actual``, sorted by path, symbol and
        date; `fold` is the number of the split. Each path holds every row of the training table once. There
        are no intervals: the errors around a prediction are not in its past.

    Raises
    ------
    ConfigurationError
        If a number makes no sense, or the model needs an unbroken past, as `arima_boosting` and `regime` do.
    ModelTrainingError
        If there are too few sessions.
    """
    estimator = make_estimator(model, seed, horizon)
    if needs_history(estimator):
        message = f"{model} learns from an unbroken past, which these splits cut; judge it with walk_forward."
        raise ConfigurationError(message)
    table = labelled(features, prices, horizon).sort_values("date", kind="stable", ignore_index=True)
    splits = combinatorial_splits(table, horizon, groups=groups, test_groups=test_groups, embargo=embargo)
    predicted = np.full((len(splits), len(table)), np.nan)
    values = predict_folds(
        table,
        [(split.train, split.test) for split in splits],
        model=model, seed=seed, horizon=horizon, per_symbol=per_symbol, n_jobs=n_jobs,
    )  # fmt: skip
    for split, of_split in zip(splits, values, strict=True):
        predicted[split.number, split.test] = of_split
    group = _group_of(table["date"].to_numpy(), np.sort(table["date"].unique()), groups)
    rows = np.arange(len(table))
    parts = []
    for number, route in enumerate(paths(groups, test_groups)):
        fold = route[group]
        part = table[["symbol", "date"]].assign(path=number, fold=fold, predicted=predicted[fold, rows])
        parts.append(part.assign(horizon=horizon, model=model, actual=table["target"]))
    return pd.concat(parts).sort_values(["path", "symbol", "date"], ignore_index=True)[list(COLUMNS)]


def _group_of(dates: NDArray[np.datetime64], days: NDArray[np.datetime64], groups: int) -> NDArray[np.intp]:
    """Return the number of each row's group; groups differ by one session at most."""
    numbers = np.concatenate([np.full(len(part), n) for n, part in enumerate(np.array_split(days, groups))])
    return np.asarray(numbers[np.searchsorted(days, dates)], dtype=np.intp)


def _touches(
    dates: NDArray[np.datetime64],
    known: NDArray[np.datetime64],
    days: NDArray[np.datetime64],
    tested: NDArray[np.bool_],
    embargo: int,
) -> NDArray[np.bool_]:
    """Return which rows' windows overlap those of the tested rows, or begin within the embargo after them."""
    begin, end = dates[tested].min(), known[tested].max()
    free = np.searchsorted(days, end, side="right") + embargo  # the first session that may train again
    last = days[min(free, len(days)) - 1]
    return np.asarray((known >= begin) & (dates <= max(end, last)))


def _require_groups(groups: int, test_groups: int) -> None:
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in (groups, test_groups))
    if not whole or not 1 <= test_groups < groups:
        message = (
            f"groups is {groups!r}, test_groups {test_groups!r}; "
            "give whole numbers, at least one group to test and one to train on."
        )
        raise ConfigurationError(message)
    if comb(groups, test_groups) > 1000:  # noqa: PLR2004 - a fit each
        message = (
            f"{groups} groups choose {test_groups} are {comb(groups, test_groups)} fits; take fewer groups."
        )
        raise ConfigurationError(message)
