"""Walk-forward validation: refit on everything known so far, predict only what comes after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import require_whole
from sta410kit._internal.long_work import reported
from sta410kit.exceptions import ConfigurationError, FeatureEngineeringError, ModelTrainingError
from sta410kit.research import conformal
from sta410kit.research.features import KEYS, feature_names, require_features_frame
from sta410kit.research.folds import MIN_TRAIN, REFIT_EVERY, fold_rows, require_sessions, splits
from sta410kit.research.frames import PREDICTION_COLUMNS, require_rows_of
from sta410kit.research.models import make_model, members_of
from sta410kit.research.target_names import DEFAULT, TargetName, with_target
from sta410kit.research.targets import build_target, interval_scale, realised_on, sessions_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from sklearn.base import RegressorMixin

    Rows = NDArray[np.intp]
    Inputs = pd.DataFrame | NDArray[np.float64]


def walk_forward(  # noqa: PLR0913 - each is a choice of the experiment, by keyword
    features: pd.DataFrame,
    prices: pd.DataFrame,
    *,
    model: str = "ridge",
    horizon: int = 1,
    target: TargetName = DEFAULT,
    seed: int = 42,
    min_train: int = MIN_TRAIN,
    refit_every: int = REFIT_EVERY,
    level: float = conformal.LEVEL,
    window: int | None = None,
    embargo: int = 0,
    per_symbol: bool = False,
    tune: bool = False,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Return out-of-sample predictions of a model, each with an interval.

    Every prediction comes from a fit on targets realised before its fold began. Its interval comes from the
    errors known at the time (see `conformal`); the first sessions (63, or 10 horizons if longer) have no such
    past and are left out.

    Parameters
    ----------
    features, prices : DataFrame
        A features frame and the prices frame it was built from.
    model : str
        One of `models.MODELS`, ``module:Class`` for a custom estimator, or a combination such as
        ``ridge+boosting``.
    horizon : int
        Sessions the target looks ahead.
    target : str
        What is predicted, see `targets`.
    seed : int
        Random seed of the model.
    min_train, refit_every, window, embargo
        See `folds.splits`; without `window` the training block grows.
    level : float
        Share of outcomes that an interval should hold.
    per_symbol : bool
        Fit each symbol separately once it has `min_train` rows; until then a pooled fit predicts it.
    tune : bool
        Choose among the candidates of `models.tuning` anew in each training window, by purged splits of it.
        ``attrs["tuning"]`` of the result says what was tried, see `models.tuning.tuning_table`; the ledger
        counts every candidate.
    n_jobs : int, optional
        Threads that fit folds side by side; by default one per processor for `boosting` and
        `arima_boosting`, else one. The predictions do not depend on it.

    Returns
    -------
    DataFrame
        A predictions frame: ``symbol, date, horizon, model, fold, predicted, actual, lower, upper``, sorted
        by symbol and date; `date` is the decision date, the last four are in the unit of the target. A
        column `target` names it where it is not the default.

    Raises
    ------
    ConfigurationError
        If the model is unknown or a number is out of range.
    ModelTrainingError
        If there are too few sessions.
    """
    # Refuses a wrong name or seed before any work.
    make_estimator(model, seed, horizon, target=target, per_symbol=per_symbol, tune=tune)
    table = labelled(features, prices, horizon, target).sort_values("date", kind="stable", ignore_index=True)
    past, ahead = conformal.burn_in(horizon, level), sessions_ahead(horizon, target)
    needed = min_train + embargo + past + 2 * ahead  # the purge, and the wait for the last score
    require_sessions(table["date"].nunique(), needed, "predictions with intervals")
    folds = splits(
        table["date"], ahead,
        min_train=min_train, refit_every=refit_every, window=window, embargo=embargo,
    )  # fmt: skip
    rows = [fold_rows(fold, table) for fold in folds]
    tried: dict[int, list[dict[str, object]]] = {}
    predicted = predict_folds(
        table, rows,
        model=model, seed=seed, horizon=horizon, target=target, per_symbol=per_symbol, least=min_train,
        tune=tune, n_jobs=n_jobs,
        fitted=lambda number, estimator: tried.update({number: getattr(estimator, "tried_", [])}),
    )  # fmt: skip
    outcomes = table[["symbol", "date", "known", "target"]]
    blocks = [
        outcomes.iloc[test].assign(fold=fold.number, predicted=values)
        for fold, (_, test), values in zip(folds, rows, predicted, strict=True)
    ]
    scale = interval_scale(prices, horizon, target)
    found = conformal.add_intervals(pd.concat(blocks), prices, horizon, level, scale=scale)
    if found.empty:  # symbols that miss many sessions learn their outcomes too late
        message = (
            f"No prediction has {past} sessions of known errors before it, so none has an interval. "
            "Load a longer period, or shorten the horizon."
        )
        raise ModelTrainingError(message)
    found = found.assign(horizon=int(horizon), model=model, actual=found["target"])
    found = with_target(found[list(PREDICTION_COLUMNS)], target)
    if tune:
        way = {"fit": f"window {window}, per symbol {per_symbol}"} if window or per_symbol else {}
        found.attrs["tuning"] = [
            {"fold": fold.number, **way, **each} for i, fold in enumerate(folds) for each in tried[i]
        ]
    return found


def training_table(
    features: pd.DataFrame, prices: pd.DataFrame, horizon: int, target: TargetName = DEFAULT
) -> pd.DataFrame:
    """Return what a model is trained on: ``symbol, date``, the features and ``target``, without NaN.

    Rows in the warm-up of the features, rows whose outcome is not known yet, and rows whose features or
    target would reach over a gap of the prices are dropped.

    Raises
    ------
    FeatureEngineeringError
        If the frames do not match, there is no feature, or one is not numeric.
    """
    return labelled(features, prices, horizon, target).drop(columns="known")


def labelled(
    features: pd.DataFrame, prices: pd.DataFrame, horizon: int, target: TargetName = DEFAULT
) -> pd.DataFrame:
    """Return the training table with ``known``, the session at which each target is known."""
    require_features_frame(features, FeatureEngineeringError)
    known = realised_on(prices, horizon, target)
    outcomes = build_target(prices, horizon, target).assign(known=known)
    require_rows_of(features, prices, "features", FeatureEngineeringError)
    return features.merge(outcomes, on=list(KEYS), how="left").dropna(ignore_index=True)


def make_estimator(  # noqa: PLR0913 - each is a choice of the experiment
    model: str,
    seed: int,
    horizon: int,
    *,
    target: TargetName = DEFAULT,
    per_symbol: bool = False,
    least: int = MIN_TRAIN,
    tune: bool = False,
) -> RegressorMixin:
    """Return a fresh estimator of a model or of a combination.

    It is wrapped to fit each symbol separately if `per_symbol`, and to be tuned if `tune`.
    """
    names, weighting = members_of(model) if isinstance(model, str) else ((model,), "")
    if len(names) > 1:
        if tune:
            message = f"Only a single model can be tuned, not {model}; leave tune out."
            raise ConfigurationError(message)
        from sta410kit.research.models.combination import CombinedRegressor

        members = [
            (name, make_estimator(name, seed, horizon, target=target, per_symbol=per_symbol, least=least))
            for name in names
        ]
        return CombinedRegressor(members, weighting, horizon=sessions_ahead(horizon, target))
    estimator = make_model(model, seed, horizon)
    if getattr(estimator, "forecasts_returns", False) and target not in {DEFAULT, "open_to_open"}:
        message = f"{model} forecasts returns, and the target is {target}; use another model or target."
        raise ConfigurationError(message)
    if per_symbol:
        if needs_history(estimator):
            message = f"{model} fits each symbol separately already; leave per_symbol out."
            raise ConfigurationError(message)
        from sta410kit.research.models.per_symbol import PerSymbolRegressor

        estimator = PerSymbolRegressor(estimator, least=least)
    if tune:
        from sta410kit.research.models.tuning import make_tuned

        estimator = make_tuned(model, estimator, sessions_ahead(horizon, target))
    return estimator


def needs_history(estimator: RegressorMixin) -> bool:
    """Return whether an estimator is given frames of whole histories, see `models`."""
    return bool(getattr(estimator, "needs_history", False))


def fit(estimator: RegressorMixin, table: pd.DataFrame, names: Sequence[str]) -> RegressorMixin:
    """Fit an estimator on the named columns of a training table, in time order, on one thread."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    ordered = table.sort_values("date", kind="stable")
    with threadpool_limits(limits=1):
        return _fitted(estimator, _inputs(estimator, ordered, names), ordered["target"].to_numpy())


def predict(estimator: RegressorMixin, table: pd.DataFrame, names: Sequence[str]) -> NDArray[np.float64]:
    """Return the predictions for the rows of a table: whole histories for an estimator that needs them."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return _predicted(estimator, _inputs(estimator, table, names))


def predict_folds(  # noqa: PLR0913 - each is a choice of the experiment
    table: pd.DataFrame,
    folds: Sequence[tuple[Rows, Rows]],
    *,
    model: str,
    seed: int,
    horizon: int,
    target: TargetName = DEFAULT,
    per_symbol: bool = False,
    least: int = MIN_TRAIN,
    tune: bool = False,
    n_jobs: int | None = None,
    fitted: Callable[[int, RegressorMixin], None] | None = None,
) -> list[NDArray[np.float64]]:
    """Return for each fold of positions the predictions of its test rows, fitted on its training rows.

    `fitted`, if given, is called with each fold's position and its fitted estimator, in any order.
    """
    from threadpoolctl import ThreadpoolController

    names = feature_names(table.drop(columns="known"))
    matrix, outcomes = table[names].to_numpy(dtype=float), table["target"].to_numpy(dtype=float)
    frame = table.set_index(list(KEYS))[names]
    # A limit holds for the thread that sets it; looking up the libraries once saves more than a fit takes.
    libraries = ThreadpoolController()
    make = partial(
        make_estimator, model, seed, horizon, target=target, per_symbol=per_symbol, least=least, tune=tune
    )

    def run(number: int, estimator: RegressorMixin | None = None) -> NDArray[np.float64]:
        train, test = folds[number]
        if estimator is None:
            estimator = make()
        history = needs_history(estimator)
        with libraries.limit(limits=1):
            if history:
                _fitted(estimator, frame.iloc[train], outcomes[train])
            else:
                _fitted(estimator, matrix[_span(train)], outcomes[_span(train)])
            if fitted is not None:
                fitted(number, estimator)
            if not history:
                return _predicted(estimator, matrix[_span(test)])
            return _predicted(estimator, frame.iloc[: test.max() + 1])[test]

    first = make()
    numbers = range(len(folds))
    if needs_history(first) and getattr(first, "warm_start", False):
        return list(reported((run(number, first) for number in numbers), "fold", len(folds)))
    threads = _threads(n_jobs, model)
    if threads == 1:
        return list(reported(map(run, numbers), "fold", len(folds)))
    with ThreadPoolExecutor(threads) as pool:
        return list(reported(pool.map(run, numbers), "fold", len(folds)))


def _threads(n_jobs: int | None, model: str) -> int:
    import os

    if n_jobs is None:
        return (os.cpu_count() or 1) if {"boosting", "arima_boosting"} & {*members_of(model)[0]} else 1
    return require_whole("n_jobs", n_jobs, of="threads")


def _span(rows: Rows) -> Rows | slice:
    """Return contiguous rows as a slice: a view costs nothing, a copy a few milliseconds."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _inputs(estimator: RegressorMixin, table: pd.DataFrame, names: Sequence[str]) -> Inputs:
    if needs_history(estimator):
        return table.set_index(list(KEYS))[list(names)]
    return table[list(names)].to_numpy(dtype=float)


def _fitted(estimator: RegressorMixin, x: Inputs, y: NDArray[np.float64]) -> RegressorMixin:
    try:
        return estimator.fit(x, y)
    except (ValueError, ArithmeticError) as error:
        message = f"{type(estimator).__name__} could not be fitted to {len(y)} row(s): {error}"
        raise ModelTrainingError(message) from error


def _predicted(estimator: RegressorMixin, x: Inputs) -> NDArray[np.float64]:
    try:
        values = np.asarray(estimator.predict(x), dtype=float)
    except (ValueError, ArithmeticError) as error:
        message = f"{type(estimator).__name__} could not predict {len(x)} row(s): {error}"
        raise ModelTrainingError(message) from error
    if values.shape != (len(x),) or not np.isfinite(values).all():
        message = (
            f"{type(estimator).__name__} predicts shape {values.shape} for {len(x)} row(s), with "
            f"{int((~np.isfinite(values)).sum())} value(s) that are not finite; return one number per row."
        )
        raise ModelTrainingError(message)
    return values
