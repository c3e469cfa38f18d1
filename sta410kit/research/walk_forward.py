"""Predictions made as they would have been made at the time.

The model is refitted again and again on everything known so far and predicts only what came after. Between
training and test lie as many sessions as the target looks ahead, so no training target reaches into the test
(the purge of López de Prado 2018, *Advances in Financial Machine Learning*, chapter 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError, FeatureEngineeringError, ModelTrainingError
from sta410kit.research import conformal
from sta410kit.research.features import KEYS, feature_names
from sta410kit.research.frames import PREDICTION_COLUMNS, require_columns, require_horizon, require_order
from sta410kit.research.models import make_model
from sta410kit.research.targets import build_target, realised_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.base import RegressorMixin

MIN_TRAIN = 252  # sessions before the first fit, about a year
REFIT_EVERY = 63  # sessions a fit is used for, about a quarter


@dataclass(frozen=True)
class Fold:
    """One step of the walk: train on everything up to `train_end`, predict `test_start` to `test_end`.

    All three are sessions and included. `train_end` lies ``horizon + 1`` sessions before `test_start`.
    """

    number: int
    train_end: pd.Timestamp
    test_start: pd.Timestamp
    test_end: pd.Timestamp


def splits(
    dates: Iterable[pd.Timestamp],
    horizon: int,
    *,
    min_train: int = MIN_TRAIN,
    refit_every: int = REFIT_EVERY,
) -> list[Fold]:
    """Return the folds of an expanding walk over the sessions.

    Parameters
    ----------
    dates : iterable of Timestamp
        Decision dates, in any order and as often as they come.
    horizon : int
        Sessions the target looks ahead; as many are left out before each test block.
    min_train : int
        Sessions in the first training block.
    refit_every : int
        Sessions in a test block; the last one may be shorter.

    Raises
    ------
    ConfigurationError
        If a number is not a whole one of at least 1.
    ModelTrainingError
        If there are too few sessions for one fold.
    """
    import pandas as pd

    horizon = require_horizon(horizon)
    for name, value in (("min_train", min_train), ("refit_every", refit_every)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            message = f"{name} is {value!r}; give a whole number of sessions, 1 or more."
            raise ConfigurationError(message)
    days = pd.DatetimeIndex(pd.unique(pd.Series(list(dates), dtype="datetime64[us]"))).sort_values()
    _require_sessions(len(days), min_train + horizon + 1, "one fold")
    starts = range(min_train + horizon, len(days), refit_every)
    return [
        Fold(number, days[start - horizon - 1], days[start], days[min(start + refit_every, len(days)) - 1])
        for number, start in enumerate(starts)
    ]


def training_table(features: pd.DataFrame, prices: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return what a model learns from: ``symbol, date``, the features and ``target``, without NaN.

    Rows in the warm-up of the features, and rows whose outcome is not known yet, are left out.

    Raises
    ------
    FeatureEngineeringError
        If the two frames do not belong together, or there is no feature.
    """
    return _labelled(features, prices, horizon).drop(columns="known")


def walk_forward(  # noqa: PLR0913 - each is a choice of the experiment, by keyword
    features: pd.DataFrame,
    prices: pd.DataFrame,
    *,
    model: str = "ridge",
    horizon: int = 1,
    seed: int = 42,
    min_train: int = MIN_TRAIN,
    refit_every: int = REFIT_EVERY,
    level: float = conformal.LEVEL,
) -> pd.DataFrame:
    """Return the predictions of a model, all of them out of sample, each with an interval.

    One model serves all symbols. Every prediction comes from a fit that used only targets realised before its
    fold began. The interval around it comes from the errors known at the time (see `conformal`); the first
    sessions of predictions (63, or 10 horizons if longer) have no such past, serve as that past, and are left
    out.

    Parameters
    ----------
    features, prices : DataFrame
        A features frame and the prices frame it was built from.
    model : str
        Name of the model, see `models.MODELS`.
    horizon : int
        Sessions the target looks ahead.
    seed : int
        Seed of the model; the same inputs and seed give the same predictions.
    min_train, refit_every : int
        See `splits`.
    level : float
        Share of outcomes that an interval should hold.

    Returns
    -------
    DataFrame
        A predictions frame: ``symbol, date, horizon, model, fold, predicted, actual, lower, upper``, sorted
        by symbol and date; `date` is the decision date, the rest but `fold` in log return, unit 1.

    Raises
    ------
    ConfigurationError
        If the model is unknown or a number makes no sense.
    ModelTrainingError
        If there are too few sessions; the message says how many there are and how many it takes.
    """
    import pandas as pd

    make_model(model, seed)  # a wrong name or seed is refused before any work
    table = _labelled(features, prices, horizon)
    past = conformal.burn_in(horizon, level)
    needed = min_train + past + 2 * horizon  # the purge, and the wait for the last score
    _require_sessions(table["date"].nunique(), needed, "predictions with intervals")
    names = feature_names(features)
    blocks = []
    for fold in splits(table["date"], horizon, min_train=min_train, refit_every=refit_every):
        # The second condition is for symbols that miss sessions: their target may be realised later.
        train = table[(table["date"] <= fold.train_end) & (table["known"] < fold.test_start)]
        test = table[table["date"].between(fold.test_start, fold.test_end)]
        estimator = fit(make_model(model, seed), train, names)
        blocks.append(test.assign(fold=fold.number, predicted=predict(estimator, test, names)))
    found = conformal.add_intervals(pd.concat(blocks), prices, horizon, level)
    found = found.assign(horizon=int(horizon), model=model, actual=found["target"])
    if found.empty:  # sessions enough, but symbols that miss many of them learn their outcomes too late
        message = (
            f"No prediction has {past} sessions of known errors before it, "
            "so none has an interval. Load a longer period, or shorten the horizon."
        )
        raise ModelTrainingError(message)
    return found[list(PREDICTION_COLUMNS)]


def fit(estimator: RegressorMixin, table: pd.DataFrame, names: list[str]) -> RegressorMixin:
    """Fit an estimator on the named columns of a training table and return it.

    On one thread: the tables are small, and threads that wait for a busy core make the fit ten times slower.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    with threadpool_limits(limits=1):
        return estimator.fit(table[names].to_numpy(), table["target"].to_numpy())


def predict(estimator: RegressorMixin, table: pd.DataFrame, names: list[str]) -> NDArray[np.float64]:
    """Return the predictions of a fitted estimator for the rows of a table, on one thread as in `fit`."""
    import numpy as np
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    with threadpool_limits(limits=1):
        return np.asarray(estimator.predict(table[names].to_numpy()), dtype=float)


def _labelled(features: pd.DataFrame, prices: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return the training table with the session at which each target is known."""
    require_columns(features, KEYS, "features", FeatureEngineeringError)
    require_order(features, "features", FeatureEngineeringError)
    if not feature_names(features):
        message = "The features hold no column but symbol and date; build them with build_features."
        raise FeatureEngineeringError(message)
    target = build_target(prices, horizon).assign(known=realised_on(prices, horizon))
    table = features.merge(target, on=list(KEYS), how="left", indicator=True)
    strangers = table["_merge"] == "left_only"
    if strangers.any():
        row = table[strangers].iloc[0]
        message = (
            f"The features hold {row['symbol']} {row['date']:%Y-%m-%d}, the prices do not; "
            "build the features from these prices."
        )
        raise FeatureEngineeringError(message)
    return table.drop(columns="_merge").dropna(ignore_index=True)


def _require_sessions(there: int, needed: int, purpose: str) -> None:
    if there < needed:
        message = (
            f"{there} sessions with complete features and a known outcome; {purpose} take {needed} or more. "
            "Load a longer period, or shorten the horizon."
        )
        raise ModelTrainingError(message)
