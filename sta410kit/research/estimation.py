"""Fit and predict: from a training table to numbers, the same way in a walk, across folds and at the end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sta410kit._internal.argument_checks import require_whole
from sta410kit.exceptions import ConfigurationError, FeatureEngineeringError, ModelTrainingError
from sta410kit.research.features import KEYS, feature_names, require_features_frame
from sta410kit.research.frames import require_rows_of
from sta410kit.research.models import make_model
from sta410kit.research.models.per_symbol import PerSymbolRegressor
from sta410kit.research.targets import build_target, realised_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.base import RegressorMixin

    Rows = NDArray[np.intp]


def training_table(features: pd.DataFrame, prices: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return what a model learns from: ``symbol, date``, the features and ``target``, without NaN.

    Rows in the warm-up of the features, and rows whose outcome is not known yet, are left out.

    Raises
    ------
    FeatureEngineeringError
        If the two frames do not belong together, there is no feature, or one is not numbers.
    """
    return labelled(features, prices, horizon).drop(columns="known")


def labelled(features: pd.DataFrame, prices: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return the training table with ``known``, the session at which each target is known."""
    require_features_frame(features, FeatureEngineeringError)
    target = build_target(prices, horizon).assign(known=realised_on(prices, horizon))
    require_rows_of(features, prices, "features", FeatureEngineeringError)
    return features.merge(target, on=list(KEYS), how="left").dropna(ignore_index=True)


def make_estimator(
    model: str, seed: int, horizon: int, *, per_symbol: bool = False, least: int = 252
) -> RegressorMixin:
    """Return a fresh estimator of a model, wrapped to fit each symbol on its own if `per_symbol`.

    Models that keep to each symbol's series anyway, `arima_boosting` and `regime`, cannot be wrapped.
    """
    estimator = make_model(model, seed, horizon)
    if not per_symbol:
        return estimator
    if needs_history(estimator):
        message = f"{model} fits each symbol's series on its own already; leave per_symbol out."
        raise ConfigurationError(message)
    return PerSymbolRegressor(estimator, least=least)


def needs_history(estimator: RegressorMixin) -> bool:
    """Tell whether an estimator takes frames of whole histories, see `models`."""
    return bool(getattr(estimator, "needs_history", False))


def fit(estimator: RegressorMixin, table: pd.DataFrame, names: Sequence[str]) -> RegressorMixin:
    """Fit an estimator on the named columns of a training table, in order of time, and return it.

    On one thread: the tables are small, and threads that wait for a busy core make the fit ten times slower.

    Raises
    ------
    ModelTrainingError
        If the estimator refuses the data; the message is its own.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    ordered = table.sort_values("date", kind="stable")
    with threadpool_limits(limits=1):
        return _fitted(estimator, _inputs(estimator, ordered, names), ordered["target"].to_numpy())


def predict(estimator: RegressorMixin, table: pd.DataFrame, names: Sequence[str]) -> NDArray[np.float64]:
    """Return the predictions of a fitted estimator for the rows of a table, on one thread as in `fit`.

    For an estimator that needs history, the table holds each symbol's rows from the first on.
    """
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
    per_symbol: bool = False,
    least: int = 252,
    n_jobs: int | None = None,
) -> list[NDArray[np.float64]]:
    """Return for each fold the predictions of its test rows by a model fitted on its training rows.

    Parameters
    ----------
    table : DataFrame
        From `labelled`, sorted by date.
    folds : sequence of pairs of int arrays
        Rows to train on and to test, as positions.
    n_jobs : int, optional
        Threads that fit folds side by side; one a processor when omitted for models that gain by it
        (`boosting` and `arima_boosting`), else one. Every fold starts from the same seed, so the numbers are
        the same however many there are. An estimator with a true `warm_start` that needs history learns the
        folds one after the other, each from where the last one ended.
    """
    from threadpoolctl import ThreadpoolController

    names = feature_names(table.drop(columns="known"))
    matrix, target = table[names].to_numpy(dtype=float), table["target"].to_numpy(dtype=float)
    frame = table.set_index(list(KEYS))[names]

    def run(fold: tuple[Rows, Rows], estimator: RegressorMixin | None = None) -> NDArray[np.float64]:
        train, test = fold
        if estimator is None:
            estimator = make_estimator(model, seed, horizon, per_symbol=per_symbol, least=least)
        # The limit holds for the thread that sets it, so each sets its own. Finding the libraries anew for
        # every fold would take longer than fitting it.
        with libraries.limit(limits=1):
            if not needs_history(estimator):
                _fitted(estimator, matrix[_span(train)], target[_span(train)])
                return _predicted(estimator, matrix[_span(test)])
            _fitted(estimator, frame.iloc[train], target[train])
            return _predicted(estimator, frame.iloc[: test.max() + 1])[test]

    first = make_estimator(model, seed, horizon, per_symbol=per_symbol, least=least)
    libraries = ThreadpoolController()
    if needs_history(first) and getattr(first, "warm_start", False):
        return [run(fold, first) for fold in folds]
    threads = _threads(n_jobs, model)
    if threads == 1:
        return [run(fold) for fold in folds]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, folds))


def _threads(n_jobs: int | None, model: str) -> int:
    import os

    if n_jobs is None:
        return (os.cpu_count() or 1) if model in {"boosting", "arima_boosting"} else 1
    return require_whole("n_jobs", n_jobs, of="threads")


def _span(rows: Rows) -> Rows | slice:
    """Return the rows as a slice where they are one: a view costs nothing, a copy a few milliseconds."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _inputs(
    estimator: RegressorMixin, table: pd.DataFrame, names: Sequence[str]
) -> pd.DataFrame | NDArray[np.float64]:
    if needs_history(estimator):
        return table.set_index(list(KEYS))[list(names)]
    matrix: NDArray[np.float64] = table[list(names)].to_numpy(dtype=float)
    return matrix


def _fitted(
    estimator: RegressorMixin, x: pd.DataFrame | NDArray[np.float64], y: NDArray[np.float64]
) -> RegressorMixin:
    try:
        return estimator.fit(x, y)
    except (ValueError, ArithmeticError) as error:
        message = f"{type(estimator).__name__} could not be fitted to {len(y)} row(s): {error}"
        raise ModelTrainingError(message) from error


def _predicted(estimator: RegressorMixin, x: pd.DataFrame | NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    try:
        values = np.asarray(estimator.predict(x), dtype=float)
    except (ValueError, ArithmeticError) as error:
        message = f"{type(estimator).__name__} could not predict {len(x)} row(s): {error}"
        raise ModelTrainingError(message) from error
    if values.shape != (len(x),) or not np.isfinite(values).all():
        message = (
            f"{type(estimator).__name__} predicts shape {values.shape} for {len(x)} row(s), "
            f"{int((~np.isfinite(values)).sum())} value(s) of it no numbers; one number a row is asked for."
        )
        raise ModelTrainingError(message)
    return values
