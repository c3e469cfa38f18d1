"""Tuning inside a training window: candidates compared on purged, later parts of the window itself.

Nested cross-validation (Varma and Simon 2006, BMC Bioinformatics 7) in time order: what is chosen for a test
block depends on nothing after its training window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin

from sta410kit.exceptions import ConfigurationError
from sta410kit.research.folds import fold_rows, splits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

# What `tune` tries, around the values of the catalogue. A custom estimator has its own `tuning_grid`.
GRIDS: dict[str, dict[str, list[Any]]] = {
    "ridge": {"ridge__alpha": [1000.0, 3000.0, 10_000.0, 30_000.0, 100_000.0]},
    "elastic_net": {
        "regressor__elasticnet__alpha": [0.01, 0.03, 0.1],
        "regressor__elasticnet__l1_ratio": [0.1, 0.5, 0.9],
    },
    "boosting": {"learning_rate": [0.01, 0.03, 0.1], "max_leaf_nodes": [3, 6]},
}
_BLOCKS = 3  # that the later half of a training window is predicted in


def make_tuned(model: str, estimator: RegressorMixin, horizon: int) -> TunedRegressor:
    """Return an estimator that chooses among the candidates of a model each time it is fitted.

    Raises
    ------
    ConfigurationError
        If the model has no grid.
    """
    inner = getattr(estimator, "estimator", None)  # of a fit per symbol
    own = getattr(estimator if inner is None else inner, "tuning_grid", None)
    grid = GRIDS.get(model, own)
    if not grid:
        message = (
            f"There are no candidates to tune {model} with; tune {', '.join(GRIDS)}, or give a custom "
            'estimator the class attribute tuning_grid = {"parameter": [values]}.'
        )
        raise ConfigurationError(message)
    prefix = "" if inner is None else "estimator__"
    return TunedRegressor(
        estimator, {f"{prefix}{name}": list(values) for name, values in grid.items()}, horizon=horizon
    )


class TunedRegressor(MetaEstimatorMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Choose the candidate with the smallest squared error on later parts of the training window.

    Parameters
    ----------
    estimator : regressor
        The regressor to tune.
    grid : mapping of str to list
        Values to try of each parameter; every combination is a candidate.
    horizon : int
        Sessions the target looks ahead; as many are purged before each part.

    Attributes
    ----------
    best_estimator_ : regressor
        The chosen candidate, fitted on the whole window.
    tried_ : list of dict
        ``candidate`` (its parameters in words), ``r2`` (against a forecast of zero, on the parts predicted)
        and ``chosen`` of each candidate.
    """

    needs_history = True

    def __init__(
        self, estimator: RegressorMixin, grid: Mapping[str, Sequence[Any]], *, horizon: int = 1
    ) -> None:
        self.estimator = estimator
        self.grid = grid
        self.horizon = horizon

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Compare the candidates and fit the best; a frame indexed by symbol and date."""
        from sklearn.model_selection import GridSearchCV

        target, parts = np.asarray(y, dtype=float), inner_splits(X.index, self.horizon)
        search = GridSearchCV(
            self.estimator, dict(self.grid), scoring="neg_mean_squared_error", cv=parts, error_score="raise"
        ).fit(inputs_of(self.estimator, X), target)
        naive = np.mean([np.mean(target[test] ** 2) for _, test in parts])
        self.n_features_in_ = X.shape[1]
        self.best_estimator_ = search.best_estimator_
        results = zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)
        self.tried_ = [
            {
                "candidate": ", ".join(
                    f"{key.split('__')[-1]}={value}" for key, value in sorted(each.items())
                ),
                "r2": 1 + float(score / naive) if naive > 0 else float("nan"),
                "chosen": number == int(search.best_index_),
            }
            for number, (each, score) in enumerate(results)
        ]
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:  # noqa: N803
        """Return the predictions of the chosen candidate."""
        predicted: NDArray[np.float64] = self.best_estimator_.predict(inputs_of(self.best_estimator_, X))
        return predicted


def inner_splits(index: pd.Index[Any], horizon: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return purged splits of a training window, by position: its later half in three parts.

    Parameters
    ----------
    index : Index
        Levels ``symbol`` and ``date`` of the rows, in time order.
    horizon : int
        Sessions the target looks ahead. A row trains if the symbol's row that many further on lies before the
        part that is predicted.
    """
    rows = index.to_frame(index=False)[["symbol", "date"]]
    known = rows.groupby("symbol", sort=False, observed=True)["date"].shift(-horizon)
    table = rows.assign(known=known.fillna(pd.Timestamp.max.floor("D")))
    days = rows["date"].nunique()
    first = max((days - horizon) // 2, 1)
    size = max(-(-(days - first - horizon) // _BLOCKS), 1)
    folds = splits(rows["date"], horizon, min_train=first, refit_every=size)
    return [fold_rows(fold, table) for fold in folds]


def inputs_of(estimator: RegressorMixin, frame: pd.DataFrame) -> pd.DataFrame | NDArray[np.float64]:
    """Return what an estimator is fitted on: the frame if it needs histories, else its values."""
    return frame if getattr(estimator, "needs_history", False) else frame.to_numpy(dtype=float)


def tuning_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return what `walk_forward` tried with `tune`, one row per fold.

    Returns
    -------
    DataFrame
        Index ``fold``, a column ``chosen``, and for each candidate its R² against zero within the training
        window. Empty for predictions without tuning.
    """
    tried = pd.DataFrame(predictions.attrs.get("tuning", []), columns=["fold", "candidate", "r2", "chosen"])
    best = tried[tried["chosen"].astype(bool)].set_index("fold")["candidate"].rename("chosen")
    order = list(dict.fromkeys(tried["candidate"]))
    table = tried.pivot(index="fold", columns="candidate", values="r2")[order]  # noqa: PD010 - one value each
    table.insert(0, "chosen", best)
    return table.rename_axis(columns=None)
