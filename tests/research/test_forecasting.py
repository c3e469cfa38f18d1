"""The final model and its forecasts."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from sta410kit.config import TradingConfig
from sta410kit.exceptions import ConfigurationError, ModelPredictionError, ModelTrainingError
from sta410kit.guards import validate
from sta410kit.research.features import build_features
from sta410kit.research.forecasting import fit_final, forecast, without_forecast
from sta410kit.research.model_store import load_model, save_model
from sta410kit.research.models import make_model
from sta410kit.research.orders import propose_orders
from sta410kit.research.quantile_forecast import quantile_forecast
from sta410kit.research.targets import build_target
from sta410kit.research.volatility import trailing_scale
from sta410kit.research.walk_forward import training_table, walk_forward
from tests.research.simulated import simulate

pytestmark = pytest.mark.unit


def test_the_fit_uses_every_known_outcome(fitted, walks, walk_features):
    """The estimator is the one fitted on the whole training table, and the model describes it."""
    assert (fitted.name, fitted.horizon, fitted.seed, fitted.level) == ("ridge", 1, 42, 0.9)
    assert (fitted.symbols, fitted.trained_through) == (("S0", "S1"), walks["date"].max())
    assert len(fitted.features) == 14
    table = training_table(walk_features, walks, 1).sort_values("date", kind="stable")
    names = list(fitted.features)
    again = make_model("ridge", 42).fit(table[names].to_numpy(), table["target"].to_numpy())
    x = table[names].to_numpy()
    assert (again.predict(x) == fitted.estimator.predict(x)).all()


def test_a_window_forgets_what_is_older(walks, walk_features, walk_predictions):
    """The final fit of a rolling walk-forward only uses the window."""
    options = {"model": "mean", "window": 300}
    fitted = fit_final(walk_features, walks, walk_predictions.assign(model="mean"), **options)
    table = training_table(walk_features, walks, 1)
    newest = table[table["date"] >= table["date"].unique()[-300]]
    assert fitted.estimator.constant_[0][0] == pytest.approx(newest["target"].mean(), rel=1e-12)
    for window in (0, -5, 1.5, "9", True):
        with pytest.raises(ConfigurationError, match="window is"):
            fit_final(walk_features, walks, walk_predictions, window=window)


def test_predictions_after_the_prices_are_refused(walks, walk_features, walk_predictions):
    """Errors of later sessions would set the width of an earlier forecast."""
    days = walks["date"].unique()
    early = walks["date"] < days[500]
    with pytest.raises(ModelTrainingError, match=r"predictions hold S0 .*, the prices do not"):
        fit_final(walk_features[early], walks[early], walk_predictions)


@pytest.mark.parametrize("level", [0.5, 0.8])
def test_misses_are_counted_at_the_level_of_the_fit(walks, walk_features, walk_predictions, level):
    """The intervals of the predictions, at 90 %, do not matter: only their errors do."""
    fitted = fit_final(walk_features, walks, walk_predictions, level=level)
    of_its_own = walk_forward(walk_features, walks, level=level)
    expected = fit_final(walk_features, walks, of_its_own, level=level)
    assert fitted.scores_quantile == expected.scores_quantile
    assert fitted.adaptation == expected.adaptation


@pytest.mark.slow
def test_intervals_of_another_level_hold_their_share():
    """From predictions at 95 %, intervals at 85 % hold that of outcomes five sessions ahead, to 4 points."""
    inside = []
    for seed in range(40):
        walks = simulate(700, symbols=5, seed=seed)
        past = walks[walks["date"] < walks["date"].unique()[694]]
        features = build_features(past, "return_1")
        predictions = walk_forward(features, past, model="naive", horizon=5, level=0.95)
        fitted = fit_final(features, past, predictions, model="naive", horizon=5, level=0.85)
        found = forecast(fitted, past).merge(build_target(walks, 5), on=["symbol", "date"])
        inside += found["target"].between(found["lower"], found["upper"]).tolist()
    assert len(inside) == 200
    assert abs(np.mean(inside) - 0.85) < 0.04


def test_the_forecast_frame_is_complete(fitted, walks):
    """One row per symbol; the interval is the calibrated widths times the volatility.

    The forecast is the estimator's prediction from the last features, and does not depend on other symbols.
    """
    table = forecast(fitted, walks)
    assert list(table.columns) == ["symbol", "date", "horizon", "model", "predicted", "lower", "upper"]
    assert table["symbol"].tolist() == ["S0", "S1"]
    assert table["date"].tolist() == [walks["date"].max()] * 2
    scale = trailing_scale(walks, 1).groupby("symbol")["scale"].last()
    widths = np.array([table["predicted"] - table["lower"], table["upper"] - table["predicted"]])
    expected = fitted.scores_quantile * np.array(fitted.adaptation) * scale.to_numpy()[:, None]
    assert np.allclose(widths.T, expected, rtol=1e-12)
    last = build_features(walks).groupby("symbol").tail(1)[list(fitted.features)].to_numpy()
    assert table["predicted"].tolist() == fitted.estimator.predict(last).tolist()
    alone = forecast(fitted, walks[walks["symbol"] == "S1"])
    pd.testing.assert_frame_equal(alone, table.tail(1).reset_index(drop=True), check_exact=True)


def test_the_width_comes_from_out_of_sample_errors(fitted, walks, walk_predictions):
    """The widths are the conformal quantiles of the last five years' scores, one for each tail."""
    joined = walk_predictions.merge(trailing_scale(walks, 1), on=["symbol", "date"])
    scores = np.sort(((joined["actual"] - joined["predicted"]) / joined["scale"]).to_numpy())
    rank = int(np.ceil((len(scores) + 1) * 0.95))
    assert fitted.scores_quantile == (-scores[-rank], scores[rank - 1])


def test_later_prices_are_forecast_from_their_last_session(fitted, walks):
    """Prices that continue after the training move the decision date."""
    later = simulate(5, seed=9)
    more = pd.concat([walks, later.assign(date=later["date"] + (walks["date"].max() - walks["date"].min()))])
    longer = more.drop_duplicates(["symbol", "date"]).sort_values(["symbol", "date"])
    assert (forecast(fitted, longer)["date"] > fitted.trained_through).all()


@pytest.mark.parametrize("trained_on", [("S0", "S1"), ("S0",)])
def test_a_symbol_that_ended_has_no_forecast(fitted, walks, trained_on):
    """Halted or delisted, perhaps too early to be trained on: it has no band either, and a hold says why."""
    ended = walks[(walks["symbol"] == "S0") | (walks["date"] <= walks["date"].unique()[550])]
    forecasts = forecast(
        dataclasses.replace(fitted, symbols=trained_on, adaptation=((1.0, 1.0),) * len(trained_on)), ended
    )
    assert forecasts[["symbol", "date"]].to_numpy().tolist() == [["S0", walks["date"].max()]]
    assert without_forecast(forecasts, ended) == {"S1": "no forecast: its prices end on 2002-02-11"}
    assert quantile_forecast(ended)["symbol"].unique().tolist() == ["S0"]
    held = propose_orders(forecasts, ended, 100_000, TradingConfig()).iloc[1]
    assert (held["symbol"], held["side"], held["shares"]) == ("S1", "hold", 0)
    assert held["reason"] == "no forecast: its prices end on 2002-02-11"


def test_prices_that_do_not_fit_the_model_are_refused(fitted, walks):
    """New symbols, old prices, short histories and unknown features are refused."""
    with pytest.raises(ModelPredictionError, match="not trained on NEW, only on S0, S1"):
        forecast(
            fitted, walks.assign(symbol=walks["symbol"].replace("S1", "NEW")).sort_values(["symbol", "date"])
        )
    with pytest.raises(ModelPredictionError, match="would know the future"):
        forecast(fitted, walks[walks["date"] < walks["date"].max()])
    with pytest.raises(ModelPredictionError, match="Too few sessions for the features of S1"):
        forecast(fitted, walks[(walks["symbol"] == "S0") | (walks["date"] >= walks["date"].unique()[560])])
    other = dataclasses.replace(fitted, features=(*fitted.features, "moon_phase"))
    with pytest.raises(ModelPredictionError, match="moon_phase, which are not registered"):
        forecast(other, walks)
    with pytest.raises(ModelPredictionError, match="close of S0"):
        forecast(fitted, walks.assign(close=np.nan))


def test_a_final_fit_needs_its_own_predictions(walks, walk_features, walk_predictions):
    """The intervals of one model must not come from the errors of another."""
    refused = "of ridge at horizon 1, close_to_close; the final fit of"
    with pytest.raises(ModelTrainingError, match=f"{refused} boosting at 1, close_to_close"):
        fit_final(walk_features, walks, walk_predictions, model="boosting")
    with pytest.raises(ModelTrainingError, match=f"{refused} ridge at 1, rank"):
        fit_final(walk_features, walks, walk_predictions, model="ridge", target="rank")
    with pytest.raises(ModelTrainingError, match=f"{refused} ridge at 5"):
        fit_final(walk_features, walks, walk_predictions, model="ridge", horizon=5)
    few = walk_predictions[walk_predictions["date"] > walk_predictions["date"].unique()[-63]]
    with pytest.raises(ModelTrainingError, match=r"^124 predictions of 62 sessions .* need 63 sessions"):
        fit_final(walk_features, walks, few, model="ridge")
    with pytest.raises(ModelTrainingError, match="No row has complete features"):
        fit_final(walk_features.groupby("symbol").head(40), walks, walk_predictions)
    with pytest.raises(ConfigurationError, match="Unknown model"):
        fit_final(walk_features, walks, walk_predictions, model="oracle")


def test_a_scaled_forecast_is_given_back_in_returns(walks, walk_features):
    """Three times as wild prices have the same scaled targets, and forecasts three times as large.

    A mean of scaled targets times today's volatility is the forecast of each symbol.
    """
    wild = walks.assign(**{name: walks[name] ** 3 for name in ("open", "high", "low", "close", "adj_close")})
    choice = {"model": "mean", "target": "volatility_scaled"}
    calm, large = (
        forecast(
            fit_final(walk_features, prices, walk_forward(walk_features, prices, **choice), **choice), prices
        )
        for prices in (walks, wild)
    )
    assert calm["target"].tolist() == ["volatility_scaled"] * 2
    numbers = ["predicted", "lower", "upper"]
    assert np.allclose(large[numbers], 3 * calm[numbers], rtol=1e-9)
    scale = trailing_scale(walks, 1).groupby("symbol")["scale"].last().to_numpy()
    mean = build_target(walks, 1, "volatility_scaled").merge(walk_features.dropna(), on=["symbol", "date"])
    assert calm["predicted"].to_numpy() == pytest.approx(scale / 0.01 * mean["target"].mean(), rel=1e-9)
    width = (calm["upper"] - calm["lower"]).to_numpy() / scale
    assert width == pytest.approx([3.3, 3.3], rel=0.15)  # 90 % of a normal


@pytest.mark.parametrize("target", ["open_to_open", "market_excess", "rank"])
def test_forecasts_of_a_target_name_it_and_pass_their_gate(walks, walk_features, target, tmp_path):
    """Also after the model was saved; the interval of a rank ends within the ranks."""
    past = walk_forward(walk_features, walks, target=target)
    assert past["target"].unique().tolist() == [target]
    assert past["actual"].between(past["lower"], past["upper"]).mean() > 0.85
    assert validate(past, "predictions", symbols=["S0", "S1"]).passed
    save_model(fit_final(walk_features, walks, past, target=target), tmp_path / "model.skops")
    found = forecast(load_model(tmp_path / "model.skops"), walks)
    assert found["target"].tolist() == [target] * 2
    result = validate(found, "forecasts", symbols=["S0", "S1"])
    assert result.passed, result
    if target == "rank":
        assert found["lower"].min() >= -1
        assert not validate(found.assign(upper=1.2), "forecasts").passed


def test_models_of_return_series_forecast_returns_only(walks, walk_features):
    """A forecast return is no rank, and the message says what to change."""
    for model in ("regime", "arima_boosting"):
        with pytest.raises(ConfigurationError, match=f"{model} forecasts returns, and the target is rank"):
            walk_forward(walk_features, walks, model=model, target="rank")
