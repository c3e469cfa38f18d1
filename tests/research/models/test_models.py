"""The models by name."""

import numpy as np
import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.research.models import MODELS, make_model

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 3))
    return x, 0.5 * x[:, 0] + rng.standard_normal(2000)


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_model(data, name):
    """Two fits with one seed predict the same, to the last bit."""
    first, second = (make_model(name, 7).fit(*data).predict(data[0]) for _ in range(2))
    assert (first == second).all()


def test_naive_predicts_no_change(data):
    """Naive answers zero whatever it was taught."""
    assert (make_model("naive").fit(*data).predict(data[0]) == 0).all()


@pytest.mark.parametrize("name", ["ridge", "boosting"])
def test_a_model_learns_what_is_there(data, name):
    """Where there is a strong signal, the models find it, and shrink it."""
    predicted = make_model(name).fit(*data).predict(data[0])
    assert np.corrcoef(predicted, data[0][:, 0])[0, 1] > 0.9
    assert predicted.std() < 0.5


@pytest.mark.parametrize(
    ("name", "hint"), [("Ridge", "Did you mean 'ridge'?"), ("bosting", "Did you mean 'boosting'?")]
)
def test_an_unknown_model_gets_a_suggestion(name, hint):
    """A misspelt name is met with the nearest one and the list."""
    with pytest.raises(ConfigurationError) as caught:
        make_model(name)
    assert str(caught.value) == (
        f"Unknown model {name!r}. {hint} Known: {', '.join(MODELS)}, "
        "or module:Class for an estimator of your own."
    )


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", True, None])
def test_a_seed_is_what_scikit_learn_takes(seed):
    """A seed of another kind is refused by name."""
    with pytest.raises(ConfigurationError, match="seed is"):
        make_model("boosting", seed)
