"""The models by name."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from threadpoolctl import threadpool_limits

from sta410kit.exceptions import ConfigurationError
from sta410kit.research.models import MODELS, ModelName, make_model

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 3))
    return x, 0.5 * x[:, 0] + rng.standard_normal(2000)


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_model(data, name):
    """Two fits with one seed predict the same, to the last bit."""
    x, y = (values[:300] for values in data)
    with threadpool_limits(1):
        first, second = (make_model(name, 7).fit(x, y).predict(x) for _ in range(2))
    assert (first == second).all()


def test_the_baselines_predict_zero_and_the_mean(data):
    """Naive predicts zero and the historical mean the mean of its training targets."""
    x, y = data
    assert (make_model("naive").fit(x, y).predict(x) == 0).all()
    assert make_model("mean").fit(x, y).predict(x) == pytest.approx([y.mean()] * 2000)


@pytest.mark.parametrize("name", ["ridge", "elastic_net", "gd", "boosting"])
def test_a_strong_signal_is_learned(data, name):
    """Predictions follow a strong signal without overshooting it."""
    with threadpool_limits(1):
        predicted = make_model(name).fit(*data).predict(data[0])
    assert np.corrcoef(predicted, data[0][:, 0])[0, 1] > 0.9
    assert predicted.std() < 0.53


@pytest.mark.parametrize("name", ["ridge", "elastic_net", "gd", "boosting"])
def test_noise_is_not_fitted(data, name):
    """Trained on pure noise, no model is better or much worse than the mean on new noise."""
    rng = np.random.default_rng(1)
    noise, fresh = rng.standard_normal(2000), rng.standard_normal(2000)
    with threadpool_limits(1):
        predicted = make_model(name).fit(data[0], noise).predict(rng.standard_normal((2000, 3)))
    gain = 1 - ((fresh - predicted) ** 2).sum() / ((fresh - noise.mean()) ** 2).sum()
    assert -0.01 < gain < 0.005


def test_the_elastic_net_drops_noise_columns(data):
    """Of three columns, the two without signal get a coefficient of zero or nearly so."""
    net = make_model("elastic_net").fit(*data).regressor_[-1]
    assert net.coef_[0] > 0.3
    assert net.coef_[1] == 0
    assert abs(net.coef_[2]) < 0.01


@pytest.mark.parametrize("name", ["ridge", "elastic_net", "gd", "boosting", "naive", "mean"])
def test_a_constant_target_is_predicted(data, name):
    """Constant outcomes, as of a halted stock, are predicted without a warning."""
    with threadpool_limits(1):
        predicted = make_model(name).fit(data[0], np.zeros(2000)).predict(data[0])
    assert predicted.tolist() == [0.0] * 2000


@pytest.mark.parametrize(
    ("name", "hint"),
    [("Ridge", "Did you mean 'ridge'"), ("bosting", "Did you mean 'boosting'"), (None, ""), (3, "")],
)
def test_an_unknown_model_is_refused_with_a_suggestion(name, hint):
    """The message has the nearest name and all known ones."""
    with pytest.raises(ConfigurationError, match="Unknown model") as caught:
        make_model(name)
    assert hint in str(caught.value)
    assert f"Known: {', '.join(MODELS)}, or module:Class for a custom estimator." in str(caught.value)


def test_the_parameter_type_accepts_the_same_names():
    """`ModelName` accepts every model and module:Class, and rejects other names."""
    adapter = TypeAdapter(ModelName)
    for name in (*MODELS, "my_models:Trend", "package.module:Class"):
        assert adapter.validate_python(name) == name
    for name in ("rigde", "my models:Trend", "a:", ":B", "a:b:c", ""):
        with pytest.raises(ValidationError, match="or module:Class for a custom estimator"):
            adapter.validate_python(name)


def test_a_seed_is_an_unsigned_32_bit_integer():
    """Other seeds are refused by name; NumPy integers become Python's, which a model file can store."""
    for seed in (-1, 2**32, 1.5, "1", True, None):
        with pytest.raises(ConfigurationError, match="seed is"):
            make_model("boosting", seed)
    assert type(make_model("boosting", np.int64(3)).random_state) is int
