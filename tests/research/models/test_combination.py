"""Combinations of forecasts: weights by hand, from the past only."""

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards import probe_leaks
from sta410kit.research.features import build_features
from sta410kit.research.forecasting import fit_final, forecast
from sta410kit.research.model_store import load_model, save_model
from sta410kit.research.models import members_of
from sta410kit.research.models.combination import CombinedRegressor
from sta410kit.research.models.tuning import inner_splits
from sta410kit.research.walk_forward import make_estimator, walk_forward
from tests.research.models.test_tuning import panel
from tests.research.simulated import simulate

pytestmark = pytest.mark.unit


def test_a_combination_is_the_mean_of_its_members(walks, walk_features):
    """Equal weights: ridge and the historical mean, each predicted alone, averaged."""
    both, ridge, mean = (
        walk_forward(walk_features, walks, model=name)["predicted"]
        for name in ("ridge+mean", "ridge", "mean")
    )
    assert both.to_numpy() == pytest.approx((ridge + mean).to_numpy() / 2, abs=1e-15)


def test_inverse_errors_weigh_by_hand():
    """Each weight is the inverse of the mean squared error out of sample, scaled to a sum of 1."""
    x, y = panel(slope=0.01)
    members = [("line", LinearRegression()), ("zero", DummyRegressor(strategy="constant", constant=0.0))]
    fitted = CombinedRegressor(members, "inverse_error", horizon=3).fit(x, y)
    values, errors = x.to_numpy(), []
    for train, test in inner_splits(x.index, 3):
        line = LinearRegression().fit(values[train], y[train])
        errors.append(np.column_stack([y[test] - line.predict(values[test]), y[test]]) ** 2)
    inverse = 1 / np.concatenate(errors).mean(axis=0)
    assert fitted.weights_ == pytest.approx(inverse / inverse.sum())
    assert fitted.weights_[0] == pytest.approx(2 / 3, abs=0.03)  # the signal is half of the variance
    assert fitted.predict(x) == pytest.approx(
        fitted.weights_[0] * LinearRegression().fit(values, y).predict(values)
    )


@pytest.mark.parametrize(
    "model", ["ridge+elastic_net@inverse_error", pytest.param("ridge+arima_boosting", marks=pytest.mark.slow)]
)
def test_the_leak_probe_finds_nothing_in_a_combined_walk(model):
    """Neither predictions nor weights depend on prices after the outcome, which a row waits for."""
    prices = simulate(460, symbols=2, seed=3)

    def build(given):
        found = walk_forward(build_features(given), given, model=model, refit_every=40)
        return found[["symbol", "date", "predicted", "lower", "upper"]]

    assert (
        probe_leaks(
            build, prices, cutoffs=3, horizon=dict.fromkeys(("predicted", "lower", "upper"), 1)
        ).findings
        == ()
    )


@pytest.mark.parametrize("model", ["ridge+boosting", "ridge+gd@inverse_error"])
@pytest.mark.parametrize("per_symbol", [False, True])
def test_a_combination_survives_the_file(walks, walk_features, walk_predictions, tmp_path, model, per_symbol):  # noqa: PLR0913, PLR0917
    """A loaded combination forecasts exactly like the saved one."""
    predictions = walk_predictions.assign(model=model)
    fitted = fit_final(walk_features, walks, predictions, model=model, per_symbol=per_symbol)
    save_model(fitted, tmp_path / "model.skops")
    assert forecast(load_model(tmp_path / "model.skops"), walks).equals(forecast(fitted, walks))


def test_names_of_combinations():
    """Members are joined by +, the weighting follows @."""
    assert members_of("ridge") == (("ridge",), "equal")
    assert members_of("ridge+my.own:Model") == (("ridge", "my.own:Model"), "equal")
    assert members_of("a+b@inverse_error") == (("a", "b"), "inverse_error")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("ridge+rigde", "Unknown model 'rigde'. Did you mean 'ridge'"),
        ("ridge+ridge", "names a model twice"),
        ("ridge@inverse_error", "a combination is a.b, or a.b@inverse_error"),
        ("ridge+gd@equal", "a combination is a.b, or a.b@inverse_error"),
        ("ridge+", "Unknown model ''"),
    ],
)
def test_a_wrong_combination_is_refused(model, words):
    """The message names the part that is wrong."""
    with pytest.raises(ConfigurationError, match=words):
        make_estimator(model, 0, 1)


def test_a_combination_is_not_tuned():
    """The message says to leave it out."""
    with pytest.raises(ConfigurationError, match=r"Only a single model can be tuned, not ridge\+gd"):
        make_estimator("ridge+gd", 0, 1, tune=True)
