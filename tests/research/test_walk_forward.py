"""Walk-forward evaluation: no fold sees the future, and the predictions frame is complete."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError, FeatureEngineeringError, ModelTrainingError
from sta410kit.guards import check_splits
from sta410kit.research.features import build_features, feature_names
from sta410kit.research.folds import fold_rows, splits
from sta410kit.research.models import MODELS
from sta410kit.research.targets import build_target
from sta410kit.research.walk_forward import (
    fit,
    labelled,
    make_estimator,
    predict,
    predict_folds,
    training_table,
    walk_forward,
)
from tests.research.simulated import simulate

pytestmark = pytest.mark.unit


def test_the_training_table_is_complete(walks, walk_features):
    """Warm-up rows and unknown outcomes are dropped."""
    table = training_table(walk_features, walks, 5)
    assert list(table.columns) == ["symbol", "date", *feature_names(walk_features), "target"]
    assert not table.isna().any().any()
    assert len(table) == 2 * (600 - 49 - 5)
    joined = table.merge(build_target(walks, 5), on=["symbol", "date"])
    assert joined["target_x"].equals(joined["target_y"])


def test_the_predictions_frame_is_complete(walk_predictions, walks):
    """Columns, order and types are fixed, and the actual value is the target."""
    assert list(walk_predictions.columns) == [
        "symbol", "date", "horizon", "model", "fold", "predicted", "actual", "lower", "upper",
    ]  # fmt: skip
    assert walk_predictions["horizon"].unique().tolist() == [1]
    assert walk_predictions["model"].unique().tolist() == ["ridge"]
    assert not walk_predictions.isna().any().any()
    assert (walk_predictions["lower"] < walk_predictions["predicted"]).all()
    assert (walk_predictions["predicted"] < walk_predictions["upper"]).all()
    assert walk_predictions.sort_values(["symbol", "date"]).index.equals(walk_predictions.index)
    joined = walk_predictions.merge(build_target(walks, 1), on=["symbol", "date"])
    assert (joined["actual"] == joined["target"]).all()


@pytest.mark.parametrize(
    ("model", "scheme"),
    [
        *((model, {}) for model in MODELS if model != "regime"),
        ("ridge", {"window": 252, "per_symbol": True}),
        ("arima_boosting", {"window": 252}),
        ("ridge", {"tune": True}),
        ("ridge+elastic_net@inverse_error", {}),
        pytest.param("boosting", {"window": 252, "per_symbol": True}, marks=pytest.mark.slow),
        pytest.param("regime", {}, marks=pytest.mark.slow),
        pytest.param("regime", {"window": 252}, marks=pytest.mark.slow),
    ],
)
def test_the_future_changes_no_prediction(walks, model, scheme):
    """Prices after a day do not change any prediction or interval up to that day."""
    day = walks["date"].unique()[480]
    factor = np.where(walks["date"] <= day, 1.0, np.random.default_rng(1).uniform(0.5, 2.0, len(walks)))
    columns = ["open", "high", "low", "close", "adj_close"]
    disturbed = walks.assign(**{name: walks[name] * factor for name in columns})
    one, two = (
        walk_forward(build_features(prices), prices, model=model, horizon=3, **scheme)
        for prices in (walks, disturbed)
    )
    columns = ["symbol", "date", "fold", "predicted", "lower", "upper"]
    one, two = (frame.loc[frame["date"] <= day, columns].reset_index(drop=True) for frame in (one, two))
    assert len(one) > 100
    pd.testing.assert_frame_equal(one, two, check_exact=True)


@pytest.mark.parametrize("model", ["ridge", "elastic_net", "gd", "boosting", "arima_boosting"])
def test_a_planted_signal_is_found(model):
    """If the next return depends on a feature, predictions correlate with outcomes."""
    prices = simulate(700, symbols=2, seed=4)
    moves = np.log(prices["close"]).groupby(prices["symbol"]).diff().fillna(0).to_numpy().copy()
    for t in range(1, len(moves)):
        moves[t] += 0.5 * moves[t - 1]
    level = 100 * np.exp(pd.Series(moves).groupby(prices["symbol"]).cumsum().to_numpy())
    prices = prices.assign(open=level, high=level * 1.001, low=level * 0.999, close=level, adj_close=level)
    found = walk_forward(build_features(prices), prices, model=model)
    assert np.corrcoef(found["predicted"], found["actual"])[0, 1] > 0.3


def test_a_rolling_window_adapts():
    """When momentum turns into reversal, a rolling window adapts and an expanding one does not."""
    prices = simulate(900, symbols=1, seed=6)
    shocks = np.log(prices["close"]).diff().fillna(0).to_numpy()
    moves = np.zeros(900)
    for t in range(1, 900):
        moves[t] = (0.5 if t < 600 else -0.5) * moves[t - 1] + shocks[t]
    level = 100 * np.exp(np.cumsum(moves))
    prices = prices.assign(open=level, high=level * 1.001, low=level * 0.999, close=level, adj_close=level)
    features = build_features(prices, ["return_1"])
    options = {"model": "gd", "min_train": 100, "refit_every": 20}
    late = [
        frame[frame["date"] >= frame["date"].iloc[-150]]
        for frame in (walk_forward(features, prices, window=w, **options) for w in (100, None))
    ]
    rolling, expanding = (np.corrcoef(f["predicted"], f["actual"])[0, 1] for f in late)
    assert rolling > 0.3
    assert expanding < 0


def test_an_embargo_delays_the_first_prediction(walks, walk_features):
    """The first prediction moves by the number of embargoed sessions."""
    first = [walk_forward(walk_features, walks, embargo=e)["date"].min() for e in (0, 10)]
    days = walks["date"].unique().tolist()
    assert days.index(first[1]) - days.index(first[0]) == 10


def test_per_symbol_predicts_each_from_its_own_past(walks, walk_features):
    """With separate fits, one symbol's predictions do not depend on the other's prices."""
    both = walk_forward(walk_features, walks, per_symbol=True)
    other = walks.assign(
        adj_close=np.where(walks["symbol"] == "S1", walks["adj_close"] ** 1.1, walks["adj_close"])
    )
    changed = walk_forward(build_features(other), other, per_symbol=True)
    mine = [f[f["symbol"] == "S0"]["predicted"].tolist() for f in (both, changed)]
    assert mine[0] == mine[1]
    assert both["predicted"].tolist() != walk_forward(walk_features, walks)["predicted"].tolist()


def test_a_symbol_that_misses_sessions_does_not_leak(walks):
    """A target that a gap pushes past the purge is kept out of training.

    The symbol's row before a gap of thirty sessions has a target that is realised after the test block began;
    its value must not change the predictions of that block.
    """
    days = walks["date"].unique()
    fold = splits(days[49:599], 1)[0]
    first = int(np.flatnonzero(days == fold.test_start)[0])
    gap = (walks["symbol"] == "S1") & walks["date"].isin(days[first - 3 : first + 27])
    holey = walks[~gap].reset_index(drop=True)
    after = (holey["symbol"] == "S1") & (holey["date"] >= days[first + 27])
    columns = ("open", "high", "low", "close", "adj_close")
    jump = holey.assign(**{c: holey[c] * np.where(after, 5.0, 1.0) for c in columns})
    one, two = (walk_forward(build_features(p), p, horizon=1) for p in (holey, jump))
    block = days[first : first + 27]
    one, two = (
        frame.loc[frame["date"].isin(block) & (frame["symbol"] == "S0"), "predicted"] for frame in (one, two)
    )
    assert one.tolist() == two.tolist()


def test_the_minimum_of_sessions_is_exact(walks):
    """The number of sessions in the message is enough, and one fewer is not, at horizons of 1 and 30."""
    days = walks["date"].unique()
    enough = walks[walks["date"] <= days[49 + 317]]
    assert len(walk_forward(build_features(enough), enough)) == 2
    short = walks[walks["date"] <= days[49 + 316]]
    with pytest.raises(ModelTrainingError, match=r"^316 sessions"):
        walk_forward(build_features(short), short)
    prices = simulate(49 + 612 + 30, symbols=1)
    assert len(walk_forward(build_features(prices), prices, horizon=30)) == 1
    short = prices.head(-1)
    with pytest.raises(ModelTrainingError, match=r"^611 sessions .* take 612 or more"):
        walk_forward(build_features(short), short, horizon=30)


def test_alternating_symbols_need_more_sessions(walks):
    """If each symbol misses every other session, outcomes are known later."""
    days = walks["date"].unique()
    odd = walks["date"].isin(days[1::2])
    turns = walks[odd == (walks["symbol"] == "S1")].reset_index(drop=True)
    table = training_table(build_features(turns), turns, 1)
    ends = table["date"].drop_duplicates().sort_values().iloc[[316, 317]]
    short, enough = (turns[turns["date"] <= end + pd.Timedelta(days=4)] for end in ends)
    usable = [training_table(build_features(p), p, 1)["date"].nunique() for p in (short, enough)]
    assert usable[0] >= 317
    with pytest.raises(ModelTrainingError, match="No prediction has 63 sessions of known errors"):
        walk_forward(build_features(short), short)


def test_frames_that_do_not_belong_together_are_refused(walks, walk_features):
    """Features of other prices, unsorted features, and no features are refused."""
    with pytest.raises(FeatureEngineeringError, match="the prices do not"):
        walk_forward(walk_features, walks[walks["symbol"] == "S0"])
    with pytest.raises(FeatureEngineeringError, match="not sorted"):
        walk_forward(walk_features.iloc[::-1], walks)
    with pytest.raises(FeatureEngineeringError, match="no column but symbol and date"):
        walk_forward(walk_features[["symbol", "date"]], walks)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.astype({"date": str}), "date of the features holds str"),
        (lambda f: f.assign(date=f["date"].dt.tz_localize("UTC")), "without a timezone"),
        (lambda f: f.astype({"symbol": "category"}), "symbol of the features holds category"),
        (lambda f: f.assign(target=0.0), "column 'target' of the features has a reserved name"),
        (lambda f: f.assign(known=0.0), "column 'known' of the features has a reserved name"),
        (lambda f: f.assign(sector="tech"), "feature sector holds str, not numbers"),
        (lambda f: f.assign(when=f["date"]), "feature when holds datetime64"),
        (lambda f: f.rename(columns={"rsi_14": 7}), "column 7 of the features is not named by a string"),
        (lambda f: f.assign(rsi_14=float("inf")), "feature rsi_14 is infinite for S0 20"),
        (lambda f: pd.concat([f, f[["rsi_14"]]], axis=1), "column 'rsi_14' of the features is there twice"),
    ],
)
def test_invalid_features_are_refused(walk_features, walks, change, words):
    """The message names the column."""
    with pytest.raises(FeatureEngineeringError, match=words):
        training_table(change(walk_features), walks, 1)


def test_features_may_share_names_with_result_columns(walk_features, walks):
    """Names of internal and result columns are allowed for features."""
    names = ["scale", "_merge", "lower", "score", "predicted", "horizon"]
    mine = walk_features[["symbol", "date", *walk_features.columns[2:8]]]
    renamed = mine.set_axis(["symbol", "date", *names], axis=1)
    pd.testing.assert_frame_equal(walk_forward(renamed, walks), walk_forward(mine, walks))


@pytest.fixture(scope="module")
def table(walks, walk_features):
    return labelled(walk_features, walks, 1).sort_values("date", kind="stable", ignore_index=True)


@pytest.fixture(scope="module")
def folds(table):
    return [fold_rows(fold, table) for fold in splits(table["date"], 1)]


@pytest.mark.parametrize("horizon", [1, 5])
def test_folds_are_purged_by_the_sessions_of_each_symbol(walks, walk_features, horizon):
    """One of two symbols skips every other week: the split check accepts the folds that training uses."""
    away = (walks["symbol"] == "S1") & (walks["date"].dt.isocalendar().week % 2 == 0)
    prices, features = walks[~away], walk_features[~away]
    rows = labelled(features, prices, horizon)
    folds = splits(rows["date"], horizon)
    used = [fold_rows(fold, rows) for fold in folds]
    assert check_splits(used, rows, horizon, sessions=prices).passed
    assert not check_splits(folds, rows, horizon, sessions=prices).passed
    train, test = used[-1]
    late = np.flatnonzero(rows["date"] == rows["date"].iloc[test].min())[:1] - 1
    leaking = check_splits([(np.union1d(train, late), test)], rows, horizon, sessions=prices)
    assert [finding.kind for finding in leaking.findings] == ["purge"]


def test_a_fold_is_a_plain_fit_and_predict(table, folds):
    """Predictions equal those of fitting each fold by hand."""
    found = predict_folds(table, folds, model="ridge", seed=0, horizon=1)
    names = feature_names(table.drop(columns="known"))
    for (train, test), values in zip(folds, found, strict=True):
        by_hand = fit(make_estimator("ridge", 0, 1), table.iloc[train], names)
        assert predict(by_hand, table.iloc[test], names) == pytest.approx(values, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("model", ["ridge", "boosting", "arima_boosting"])
def test_threads_change_no_number(table, folds, model):
    """One thread or three give identical predictions."""
    one, three = (predict_folds(table, folds, model=model, seed=1, horizon=1, n_jobs=n) for n in (1, 3))
    for left, right in zip(one, three, strict=True):
        assert (left == right).all()


def test_training_rows_need_not_be_contiguous(table, folds):
    """Non-contiguous training rows are selected correctly."""
    train, test = folds[0]
    some = train[np.arange(len(train)) % 3 > 0]
    (found,) = predict_folds(table, [(some, test)], model="ridge", seed=0, horizon=1)
    names = feature_names(table.drop(columns="known"))
    by_hand = make_estimator("ridge", 0, 1).fit(
        table[names].to_numpy()[some], table["target"].to_numpy()[some]
    )
    assert found == pytest.approx(by_hand.predict(table[names].to_numpy()[test]), rel=1e-12)


def test_invalid_choices_are_refused(walks, walk_features, table, folds):
    """An unknown model before any work, a model of series wrapped per symbol, and a number of threads."""
    with pytest.raises(ConfigurationError, match="Did you mean 'ridge'"):
        walk_forward(walk_features.head(0), walks, model="rigde")
    with pytest.raises(ConfigurationError, match="regime fits each symbol separately already"):
        make_estimator("regime", 0, 1, per_symbol=True)
    for n_jobs in (0, -1, 1.5, True, "2"):
        with pytest.raises(ConfigurationError, match="n_jobs is"):
            predict_folds(table, folds, model="ridge", seed=0, horizon=1, n_jobs=n_jobs)


def test_what_is_tuned_or_weighted_waits_for_the_outcome_of_its_target():
    """An outcome from open to open is known a session later, also inside the training window."""
    for model, tune in (("ridge", True), ("ridge+gd@inverse_error", False)):
        made = [make_estimator(model, 0, 5, target=name, tune=tune) for name in ("rank", "open_to_open")]
        assert [each.horizon for each in made] == [5, 6]
