"""Predictions made as they would have been made at the time.

The model is refitted again and again on everything known so far and predicts only what came after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import ModelTrainingError
from sta410kit.research import conformal
from sta410kit.research.estimation import (
    fit,
    labelled,
    make_estimator,
    predict,
    predict_folds,
    training_table,
)
from sta410kit.research.folds import MIN_TRAIN, REFIT_EVERY, Fold, fold_rows, require_sessions, splits
from sta410kit.research.frames import PREDICTION_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MIN_TRAIN", "REFIT_EVERY", "Fold", "fit", "predict", "splits", "training_table", "walk_forward"]


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
    window: int | None = None,
    embargo: int = 0,
    per_symbol: bool = False,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Return the predictions of a model, all of them out of sample, each with an interval.

    One model serves all symbols, unless `per_symbol`. Every prediction comes from a fit that used only
    targets realised before its fold began. The interval around it comes from the errors known at the time
    (see `conformal`); the first sessions of predictions (63, or 10 horizons if longer) have no such past,
    serve as that past, and are left out.

    Parameters
    ----------
    features, prices : DataFrame
        A features frame and the prices frame it was built from.
    model : str
        Name of the model, see `models.MODELS`, or ``module:Class`` for an estimator of your own.
    horizon : int
        Sessions the target looks ahead.
    seed : int
        Seed of the model; the same inputs and seed give the same predictions.
    min_train, refit_every, window, embargo
        See `folds.splits`; without `window` the training block grows.
    level : float
        Share of outcomes that an interval should hold.
    per_symbol : bool
        Whether each symbol is fitted on its own, once it has `min_train` rows; until then it is predicted by
        a fit on all.
    n_jobs : int, optional
        See `estimation.predict_folds`; the predictions do not depend on it.

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

    # A wrong name or seed is refused before any work.
    make_estimator(model, seed, horizon, per_symbol=per_symbol)
    table = labelled(features, prices, horizon).sort_values("date", kind="stable", ignore_index=True)
    past = conformal.burn_in(horizon, level)
    needed = min_train + embargo + past + 2 * horizon  # the purge, and the wait for the last score
    require_sessions(table["date"].nunique(), needed, "predictions with intervals")
    folds = splits(
        table["date"], horizon,
        min_train=min_train, refit_every=refit_every, window=window, embargo=embargo,
    )  # fmt: skip
    rows = [fold_rows(fold, table) for fold in folds]
    predicted = predict_folds(
        table, rows,
        model=model, seed=seed, horizon=horizon, per_symbol=per_symbol, least=min_train, n_jobs=n_jobs,
    )  # fmt: skip
    # Without the features, which may be called as a column of the intervals is.
    outcomes = table[["symbol", "date", "known", "target"]]
    blocks = [
        outcomes.iloc[test].assign(fold=fold.number, predicted=values)
        for fold, (_, test), values in zip(folds, rows, predicted, strict=True)
    ]
    found = conformal.add_intervals(pd.concat(blocks), prices, horizon, level)
    found = found.assign(horizon=int(horizon), model=model, actual=found["target"])
    if found.empty:  # sessions enough, but symbols that miss many of them learn their outcomes too late
        message = (
            f"No prediction has {past} sessions of known errors before it, "
            "so none has an interval. Load a longer period, or shorten the horizon."
        )
        raise ModelTrainingError(message)
    return found[list(PREDICTION_COLUMNS)]
