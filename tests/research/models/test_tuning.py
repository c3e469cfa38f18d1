"""Tuning: purged, inside the training window, every candidate shown and counted."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards import probe_leaks
from sta410kit.research.features import build_features
from sta410kit.research.models.tuning import GRIDS, TunedRegressor, inner_splits, tuning_table
from sta410kit.research.walk_forward import make_estimator, walk_forward
from tests.research.simulated import simulate

pytestmark = pytest.mark.unit


def panel(days=400, symbols=("A", "B"), seed=0, slope=0.0):
    """Return features indexed by symbol and date in time order, and targets that depend on the first."""
    index = pd.MultiIndex.from_product(
        [pd.bdate_range("2000-01-03", periods=days, unit="us"), symbols], names=["date", "symbol"]
    ).swaplevel()
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(rng.standard_normal((len(index), 5)), index=index)
    return x, slope * x[0].to_numpy() + 0.01 * rng.standard_normal(len(index))


def test_the_later_half_is_predicted_in_three_parts():
    """400 sessions at horizon 4: 198 to begin with, then parts of 66, each purged of four sessions."""
    x, _ = panel()
    positions = {day: i for i, day in enumerate(x.index.get_level_values("date").unique())}
    found = [
        [sorted({positions[day] for day in x.index.get_level_values("date")[rows]}) for rows in split]
        for split in inner_splits(x.index, 4)
    ]
    assert [(train[0], train[-1], test[0], test[-1]) for train, test in found] == [
        (0, 197, 202, 267),
        (0, 263, 268, 333),
        (0, 329, 334, 399),
    ]


def test_a_symbol_that_misses_sessions_is_purged_by_its_own_rows():
    """Rows whose outcome lies three weeks later than the calendar suggests do not train."""
    x, _ = panel()
    days = x.index.get_level_values("date").unique()
    hole = (x.index.get_level_values("symbol") == "B") & x.index.get_level_values("date").isin(days[186:201])
    x = x[~hole]
    train, test = inner_splits(x.index, 4)[0]
    last = {s: x.index[train][x.index.get_level_values("symbol")[train] == s][-1][1] for s in "AB"}
    assert x.index[test[0]][1] == days[202]
    assert last == {"A": days[197], "B": days[182]}  # B's fourth row after 182 is session 201


@pytest.mark.parametrize(("slope", "strong"), [(0.0, True), (0.01, False)])
def test_noise_is_shrunk_and_a_signal_is_not(slope, strong):
    """Of two penalties the strong one is chosen on noise, the weak one on a signal."""
    ridge = make_pipeline(StandardScaler(), Ridge())
    tuned = TunedRegressor(ridge, {"ridge__alpha": [1.0, 1e6]}).fit(*panel(slope=slope))
    assert [each["chosen"] for each in tuned.tried_] == [not strong, strong]
    assert [each["candidate"] for each in tuned.tried_] == ["alpha=1.0", "alpha=1000000.0"]
    assert tuned.best_estimator_[-1].alpha == (1e6 if strong else 1.0)


def test_the_score_is_out_of_sample_by_hand():
    """R² is that of the parts, each predicted by a fit on its purged past."""
    x, y = panel(slope=0.005)
    tuned = TunedRegressor(Ridge(), {"alpha": [10.0]}, horizon=2).fit(x, y)
    errors, naive = [], []
    for train, test in inner_splits(x.index, 2):
        fitted = Ridge(alpha=10.0).fit(x.to_numpy()[train], y[train])
        errors.append(np.mean((y[test] - fitted.predict(x.to_numpy()[test])) ** 2))
        naive.append(np.mean(y[test] ** 2))
    assert tuned.tried_[0]["r2"] == pytest.approx(1 - np.mean(errors) / np.mean(naive))


@pytest.mark.parametrize(
    ("model", "per_symbol"),
    [
        ("ridge", False),
        pytest.param("ridge", True, marks=pytest.mark.slow),
        pytest.param("boosting", False, marks=pytest.mark.slow),
    ],
)
def test_the_leak_probe_finds_nothing_in_a_tuned_walk(model, per_symbol):
    """No prediction, interval or choice depends on prices after the outcome, which a row waits for."""
    prices = simulate(460, symbols=2, seed=3)

    def build(given):
        found = walk_forward(
            build_features(given), given, model=model, tune=True, per_symbol=per_symbol, refit_every=40
        )
        best = tuning_table(found)["chosen"]
        return found[["symbol", "date", "predicted", "lower", "upper"]].assign(
            chosen=found["fold"].map(best).astype(str)
        )

    ahead = dict.fromkeys(("predicted", "lower", "upper", "chosen"), 1)
    assert probe_leaks(build, prices, cutoffs=3, horizon=ahead).findings == ()


def test_every_fold_shows_what_was_tried(walks, walk_features):
    """One row per fold, one column per candidate, the best chosen."""
    found = walk_forward(walk_features, walks, model="ridge", tune=True, refit_every=100)
    table = tuning_table(found)
    assert table.columns.tolist() == [
        "chosen", "alpha=1000.0", "alpha=3000.0", "alpha=10000.0", "alpha=30000.0", "alpha=100000.0",
    ]  # fmt: skip
    assert table.index.tolist() == [0, 1, 2]
    assert (table.drop(columns="chosen").idxmax(axis=1) == table["chosen"]).all()
    assert tuning_table(walk_forward(walk_features, walks)).empty


def test_each_candidate_is_a_trial_once(walks, walk_features, ledger, tmp_path):
    """Five penalties and the tuned forecast are six trials, also after a file and on more sessions."""
    found = walk_forward(walk_features, walks, model="ridge", tune=True)
    assert ledger.record_predictions(found).forecasts == 6
    found.to_parquet(tmp_path / "predictions.parquet")
    again = pd.read_parquet(tmp_path / "predictions.parquet")
    assert ledger.record_predictions(again).forecasts == 6
    earlier = walks[walks["date"] < walks["date"].unique()[560]]
    fewer = walk_forward(build_features(earlier), earlier, model="ridge", tune=True)
    trials = ledger.record_predictions(fewer)
    assert [each.model for each in trials.trials if each.kind == "tuning"] == [
        f"ridge alpha={alpha}" for alpha in (1000.0, 3000.0, 10000.0, 30000.0, 100000.0)
    ]


@pytest.mark.parametrize("change", [{"target": "open_to_open"}, {"window": 300}])
def test_candidates_of_another_target_or_window_are_other_trials(walks, walk_features, ledger, change):
    """Five penalties and the tuned forecast twice are twelve trials."""
    ledger.record_predictions(walk_forward(walk_features, walks, model="ridge", tune=True))
    other = walk_forward(walk_features, walks, model="ridge", tune=True, **change)
    found = ledger.record_predictions(other)
    assert len([each for each in found.trials if each.kind == "tuning"]) == 10
    assert found.forecasts in {11, 12}  # a window may give nearly the same forecast


def test_a_custom_estimator_brings_its_own_grid(tmp_path, monkeypatch):
    """The class attribute `tuning_grid` is used; without one, tuning is refused with what to do."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").write_text("")
    (tmp_path / "my_tuned.py").write_text(
        "from sklearn.linear_model import Ridge\n"
        "class Plain(Ridge): pass\n"
        "class Tuned(Ridge): tuning_grid = {'alpha': [1.0, 2.0]}\n"
    )
    monkeypatch.chdir(tmp_path)
    assert make_estimator("my_tuned:Tuned", 0, 1, tune=True).grid == {"alpha": [1.0, 2.0]}
    with pytest.raises(ConfigurationError, match=r"no candidates to tune my_tuned:Plain.* tuning_grid = "):
        make_estimator("my_tuned:Plain", 0, 1, tune=True)


@pytest.mark.parametrize("model", GRIDS)
def test_the_default_of_the_catalogue_is_among_the_candidates(model):
    """Tuning can choose what the model is without it, for one fit or one per symbol."""
    for per_symbol in (False, True):
        tuned = make_estimator(model, 0, 1, tune=True, per_symbol=per_symbol)
        values = tuned.estimator.get_params()
        assert all(values[name] in tried for name, tried in tuned.grid.items())
