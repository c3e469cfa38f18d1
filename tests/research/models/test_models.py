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


def test_naive_predicts_no_change(data):
    """Naive answers zero whatever it was taught."""
    assert (make_model("naive").fit(*data).predict(data[0]) == 0).all()


def test_the_mean_predicts_the_mean(data):
    """The historical mean answers the mean of what it was taught."""
    assert make_model("mean").fit(*data).predict(data[0]) == pytest.approx([data[1].mean()] * 2000)


@pytest.mark.parametrize("name", ["ridge", "elastic_net", "gd", "boosting"])
def test_a_model_learns_what_is_there(data, name):
    """Where there is a strong signal, the models find it, and do not overshoot it."""
    with threadpool_limits(1):
        predicted = make_model(name).fit(*data).predict(data[0])
    assert np.corrcoef(predicted, data[0][:, 0])[0, 1] > 0.9
    assert predicted.std() < 0.53


@pytest.mark.parametrize("name", ["ridge", "elastic_net", "gd", "boosting"])
def test_noise_is_not_taken_for_signal(data, name):
    """Taught pure noise, no model is better than the mean on new noise, and the shrunk ones hardly differ."""
    rng = np.random.default_rng(1)
    noise, fresh = rng.standard_normal(2000), rng.standard_normal(2000)
    with threadpool_limits(1):
        predicted = make_model(name).fit(data[0], noise).predict(rng.standard_normal((2000, 3)))
    gain = 1 - ((fresh - predicted) ** 2).sum() / ((fresh - noise.mean()) ** 2).sum()
    assert -0.01 < gain < 0.005


def test_an_elastic_net_leaves_noise_out(data):
    """Of three columns of which one counts, the other two get no weight, or hardly any."""
    net = make_model("elastic_net").fit(*data).regressor_[-1]
    assert net.coef_[0] > 0.3
    assert net.coef_[1] == 0
    assert abs(net.coef_[2]) < 0.01


@pytest.mark.parametrize("name", ["ridge", "elastic_net", "gd", "boosting", "naive", "mean"])
def test_a_target_that_never_moves_is_predicted(data, name):
    """Constant outcomes, as of a halted stock, give that constant and no warning."""
    with threadpool_limits(1):
        predicted = make_model(name).fit(data[0], np.zeros(2000)).predict(data[0])
    assert predicted.tolist() == [0.0] * 2000


@pytest.mark.parametrize(
    ("name", "hint"), [("Ridge", "Did you mean 'ridge'?"), ("bosting", "Did you mean 'boosting'?")]
)
def test_an_unknown_model_gets_a_suggestion(name, hint):
    """A misspelt name is met with the nearest one and the list."""
    with pytest.raises(ConfigurationError) as caught:
        make_model(name)
    assert str(caught.value) == (
        f"Unknown model {name!r}. {hint} Known: {', '.join(MODELS)}, or module:Class for a custom estimator."
    )


def test_a_notebook_takes_the_same_names():
    """The type of the parameter accepts every model and module:Class, and says so of anything else."""
    adapter = TypeAdapter(ModelName)
    for name in (*MODELS, "my_models:Trend", "package.module:Class"):
        assert adapter.validate_python(name) == name
    for name in ("rigde", "my models:Trend", "a:", ":B", "a:b:c", ""):
        with pytest.raises(ValidationError, match="or module:Class for a custom estimator"):
            adapter.validate_python(name)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", True, None])
def test_a_seed_is_what_scikit_learn_takes(seed):
    """A seed of another kind is refused by name."""
    with pytest.raises(ConfigurationError, match="seed is"):
        make_model("boosting", seed)


def test_a_whole_number_of_numpy_is_a_seed():
    """Seeds from an array are taken, and kept as Python's numbers, which a file can hold."""
    assert type(make_model("boosting", np.int64(3)).random_state) is int


@pytest.mark.parametrize("name", [None, 3])
def test_a_name_is_text(name):
    """What is no text is an unknown model like any other."""
    with pytest.raises(ConfigurationError, match="Unknown model"):
        make_model(name)
