"""Models of a symbol's own returns: what they estimate, and that they never look ahead."""

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression
from threadpoolctl import threadpool_limits

from sta410kit.exceptions import ModelTrainingError
from sta410kit.research.models import make_model
from sta410kit.research.models.series import ArimaBoostingRegressor, ArimaRegressor, RegimeSwitchingRegressor

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def arma():
    """Give an ARMA(1, 1) of daily returns with phi 0.5, theta 0.3 and a mean of 0.0005."""
    return lfilter([1, 0.3], [1, -0.5], 0.01 * np.random.default_rng(0).standard_normal(2500)) + 0.0005


@pytest.fixture(scope="module")
def regimes():
    """Give returns of a calm regime that rises and a rough one that falls, and which one it is."""
    rng = np.random.default_rng(1)
    state = np.zeros(2000, dtype=int)
    for t in range(1, 2000):
        state[t] = state[t - 1] if rng.random() < 0.98 else 1 - state[t - 1]
    return np.where(state == 0, 0.004, -0.006) + np.where(state == 0, 0.005, 0.02) * rng.standard_normal(
        2000
    ), state


def framed(**series):
    """Return series as a frame of the one feature, indexed as the walk does."""
    parts = [
        pd.DataFrame(
            {"symbol": name, "date": pd.bdate_range("2000-01-03", periods=len(values)), "return_1": values}
        )
        for name, values in series.items()
    ]
    return pd.concat(parts).sort_values("date", kind="stable").set_index(["symbol", "date"])


def test_arima_agrees_with_a_state_space(arma):
    """Conditional least squares ends where statsmodels' maximum likelihood does."""
    mean, phi, theta = ArimaRegressor().estimate(arma, None)
    theirs = ARIMA(arma * 100, order=(1, 0, 1)).fit()
    assert [phi, theta] == pytest.approx(theirs.params[1:3], abs=2e-3)
    assert mean == pytest.approx(theirs.params[0] / 100, abs=2e-5)


@pytest.mark.parametrize("horizon", [1, 3])
def test_arima_forecasts_agree_with_a_state_space(arma, horizon):
    """Given its parameters, the sum of the forecasts from the end is that of statsmodels."""
    parameters = ArimaRegressor().estimate(arma, None)
    ours = ArimaRegressor(horizon).forecasts(arma, parameters)[-1]
    mean, phi, theta = parameters
    theirs = ARIMA(arma, order=(1, 0, 1)).filter([mean, phi, theta, 1e-4]).forecast(horizon).sum()
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_arima_explains_what_it_should(arma):
    """On its own process the forecasts explain the theoretical share of variance."""
    predicted = ArimaRegressor().fit(arma[:, None], arma).predict(arma[:, None])
    share = 1 - np.var(arma[1:] - predicted[:-1]) / np.var(arma)
    assert share == pytest.approx(1 - 1 / (1 + 0.8**2 / (1 - 0.25)), abs=0.03)  # psi weights 0.8, 0.4, ...


def test_boosting_finds_what_arima_leaves():
    """A target that is half momentum and half a step of another feature needs both parts."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((3000, 2)) * [0.01, 1]
    x[:, 0] = lfilter([1], [1, -0.6], x[:, 0])
    y = 0.6 * x[:, 0] + 0.02 * (x[:, 1] > 0) + 0.001 * rng.standard_normal(3000)
    both = ArimaBoostingRegressor().fit(x, y).predict(x)
    alone = ArimaRegressor().fit(x, y).predict(x)
    assert np.corrcoef(both, y)[0, 1] > 0.95
    assert np.corrcoef(alone, y)[0, 1] < 0.8


def test_the_regimes_are_found(regimes):
    """The forecast is high in the calm regime and low in the volatile one."""
    returns, state = regimes
    predicted = RegimeSwitchingRegressor().fit(returns[:, None], returns).predict(returns[:, None])
    assert predicted[state == 0].mean() > 0.003
    assert predicted[state == 1].mean() < -0.003


def test_forecasts_are_filtered_not_smoothed(regimes):
    """Forecasts agree with statsmodels' one-step predictions, shifted by one session."""
    returns, _ = regimes
    model = RegimeSwitchingRegressor()
    scale, *values = model.estimate(returns, None)
    theirs = MarkovRegression(returns / scale, k_regimes=2, switching_variance=True).filter(np.array(values))
    chances = theirs.predicted_marginal_probabilities[1:]  # of t + 1, known at t
    ours = model.forecasts(returns, np.array([scale, *values]))
    np.testing.assert_allclose(ours[:-1], scale * chances @ values[2:4], atol=1e-12)


def test_horizons_are_summed(regimes):
    """A forecast over many sessions ends at the mean of all regimes times the sessions."""
    returns, _ = regimes
    parameters = RegimeSwitchingRegressor().estimate(returns, None)
    far = RegimeSwitchingRegressor(2000).forecasts(returns, parameters) / 2000
    assert np.ptp(far) < 2e-4
    assert far[0] == pytest.approx(returns.mean(), abs=1e-3)


def test_a_warm_start_ends_where_a_cold_one_does(regimes):
    """Refitting from the last parameters reaches nearly the same likelihood."""
    returns, _ = regimes
    model = RegimeSwitchingRegressor()
    before = model.estimate(returns[:1900], None)
    likelihood = [
        MarkovRegression(returns / found[0], k_regimes=2, switching_variance=True).loglike(found[1:])
        for found in (model.estimate(returns, before), model.estimate(returns, None))
    ]
    assert likelihood[0] == pytest.approx(likelihood[1], abs=0.5)


@pytest.mark.parametrize("name", ["arima_boosting", "regime"])
@pytest.mark.parametrize("horizon", [1, 5])
def test_later_rows_change_no_prediction(arma, name, horizon):
    """A prediction does not depend on later rows."""
    model = make_model(name, 0, horizon).fit(arma[:1000, None], arma[:1000])
    whole = model.predict(arma[:2000, None])
    other = arma[:2000].copy()
    other[1500:] = -0.1
    assert (model.predict(other[:, None])[:1500] == whole[:1500]).all()
    assert (model.predict(arma[:1500, None]) == whole[:1500]).all()


def test_an_extreme_return_keeps_forecasts_finite(regimes):
    """A return of a hundred standard deviations does not produce NaN in later forecasts."""
    returns = regimes[0].copy()
    parameters = RegimeSwitchingRegressor().estimate(returns[:1000], None)
    returns[1500:1510] = [-1, 1] * 5
    assert np.isfinite(RegimeSwitchingRegressor().forecasts(returns, parameters)).all()
    again = RegimeSwitchingRegressor().estimate(returns, parameters)
    assert np.isfinite(RegimeSwitchingRegressor().forecasts(returns, again)).all()


@pytest.mark.parametrize("name", ["arima_boosting", "regime"])
def test_each_symbol_has_its_own_series(arma, regimes, name):
    """Two symbols together get the parameters that each gets alone."""
    frame = framed(A=arma[:800], B=regimes[0][:800])
    together = make_model(name).fit(frame, np.zeros(len(frame)))
    for symbol in ("A", "B"):
        part = frame.xs(symbol, level="symbol", drop_level=False)
        alone = make_model(name).fit(part, np.zeros(len(part)))
        assert (alone.parameters_[symbol] == together.parameters_[symbol]).all()


@pytest.mark.parametrize("kind", [ArimaRegressor, RegimeSwitchingRegressor])
def test_short_constant_and_unknown_series_get_the_mean(arma, kind):
    """Symbols with too few, constant or no returns are forecast with the mean return of all."""
    frame = framed(A=arma[:500], FEW=arma[:50], FLAT=np.zeros(500))
    model = kind(2).fit(frame, np.zeros(len(frame)))
    assert list(model.parameters_) == ["A"]
    new = framed(FEW=arma[:60], FLAT=np.zeros(60), NEW=arma[:60])
    mean = frame["return_1"].mean()
    assert model.predict(new) == pytest.approx([2 * mean] * 180)


def test_a_failed_fit_falls_back_to_the_mean(monkeypatch, arma):
    """If the fit of the regimes raises, the forecast is the mean."""

    def fail(*_, **__):
        raise np.linalg.LinAlgError

    monkeypatch.setattr(MarkovRegression, "fit", fail)
    model = RegimeSwitchingRegressor()
    predicted = model.forecasts(arma, model.estimate(arma, None))
    assert predicted == pytest.approx([arma.mean()] * len(arma))


@pytest.mark.parametrize("name", ["arima_boosting", "regime"])
def test_the_daily_return_is_required(name):
    """Features without the daily return are refused."""
    frame = framed(A=np.zeros(200)).rename(columns={"return_1": "rsi_14"})
    with pytest.raises(ModelTrainingError, match="forecasts the feature return_1, which is missing"):
        make_model(name).fit(frame, np.zeros(200))
