"""Fit and predict across folds: the same numbers however the work is shared."""

import numpy as np
import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.research.estimation import fit, labelled, make_estimator, predict, predict_folds
from sta410kit.research.features import feature_names
from sta410kit.research.folds import fold_rows, splits

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def table(walks, walk_features):
    return labelled(walk_features, walks, 1).sort_values("date", kind="stable", ignore_index=True)


@pytest.fixture(scope="module")
def folds(table):
    return [fold_rows(fold, table) for fold in splits(table["date"], 1)]


def test_a_fold_is_a_plain_fit_and_predict(table, folds):
    """What the shared loop returns is what fitting each fold by hand does."""
    found = predict_folds(table, folds, model="ridge", seed=0, horizon=1)
    names = feature_names(table.drop(columns="known"))
    for (train, test), values in zip(folds, found, strict=True):
        by_hand = fit(make_estimator("ridge", 0, 1), table.iloc[train], names)
        assert predict(by_hand, table.iloc[test], names) == pytest.approx(values, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("model", ["ridge", "boosting", "arima_boosting", "regime"])
def test_threads_change_no_number(table, folds, model):
    """One thread or three: the predictions are equal to the last bit."""
    one, three = (predict_folds(table, folds, model=model, seed=1, horizon=1, n_jobs=n) for n in (1, 3))
    for left, right in zip(one, three, strict=True):
        assert (left == right).all()


def test_rows_need_not_stand_together(table, folds):
    """Training rows with holes give what the same rows give on their own."""
    train, test = folds[0]
    some = train[np.arange(len(train)) % 3 > 0]
    (found,) = predict_folds(table, [(some, test)], model="ridge", seed=0, horizon=1)
    names = feature_names(table.drop(columns="known"))
    by_hand = make_estimator("ridge", 0, 1).fit(
        table[names].to_numpy()[some], table["target"].to_numpy()[some]
    )
    assert found == pytest.approx(by_hand.predict(table[names].to_numpy()[test]), rel=1e-12)


def test_a_model_of_series_is_not_wrapped_per_symbol():
    """What fits each series on its own already says so."""
    with pytest.raises(ConfigurationError, match="regime fits each symbol's series on its own already"):
        make_estimator("regime", 0, 1, per_symbol=True)


@pytest.mark.parametrize("n_jobs", [0, -1, 1.5, True, "2"])
def test_threads_are_a_whole_number(table, folds, n_jobs):
    """Another number of threads is named."""
    with pytest.raises(ConfigurationError, match="n_jobs is"):
        predict_folds(table, folds, model="ridge", seed=0, horizon=1, n_jobs=n_jobs)
