"""Gradient descent: scikit-learn's estimator checks and the closed forms."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, LinearRegression, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from sta410kit.config import Config, ModelConfig, set_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.research.models import make_model
from sta410kit.research.models.gradient_descent import GradientDescentRegressor

pytestmark = pytest.mark.unit


@parametrize_with_checks([GradientDescentRegressor(tol=1e-3)])
def test_it_passes_scikit_learns_estimator_checks(estimator, check):
    """Every check of scikit-learn for regressors passes."""
    check(estimator)


@pytest.fixture(scope="module")
def data():
    """Correlated columns of very different size."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 6)) @ rng.standard_normal((6, 6)) * [1, 10, 0.1, 1, 1, 100]
    return x, x @ rng.standard_normal(6) / 100 + rng.standard_normal(500) + 3


@pytest.mark.parametrize(
    ("penalty", "closed"),
    [
        ({"alpha": 0.3, "l1_ratio": 0.0}, Ridge(alpha=150)),
        ({"alpha": 0.02, "l1_ratio": 0.5}, ElasticNet(alpha=0.02, l1_ratio=0.5, tol=1e-14, max_iter=10**6)),
        ({"alpha": 0.05, "l1_ratio": 1.0}, ElasticNet(alpha=0.05, l1_ratio=1.0, tol=1e-14, max_iter=10**6)),
    ],
    ids=["ridge", "elastic net", "lasso"],
)
def test_it_converges_to_the_known_solution(data, penalty, closed):
    """It ends where scikit-learn does, to 1e-6, zeros included."""
    ours = GradientDescentRegressor(max_iter=200_000, tol=1e-10, **penalty).fit(*data)
    theirs = closed.fit(*data)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours.predict(data[0]), theirs.predict(data[0]), rtol=0, atol=1e-6)
    assert ((ours.coef_ == 0) == (theirs.coef_ == 0)).all()


def test_without_a_penalty_it_is_least_squares(data):
    """The starting point is the solution already."""
    ours = GradientDescentRegressor(alpha=0).fit(*data)
    theirs = LinearRegression().fit(*data)
    np.testing.assert_allclose(ours.predict(data[0]), theirs.predict(data[0]), rtol=0, atol=1e-8)
    assert ours.n_iter_ == 1


def test_momentum_needs_fewer_steps(data):
    """With momentum a lasso converges in less than half the iterations."""
    steps = [
        GradientDescentRegressor(0.05, l1_ratio=1.0, momentum=m, max_iter=10**5).fit(*data).n_iter_
        for m in (0.0, 0.9)
    ]
    assert steps[1] < steps[0] / 2


def test_duplicate_and_constant_columns_change_nothing(data):
    """A doubled, a constant and an empty column leave the predictions of ridge unchanged."""
    x, y = data
    wide = np.column_stack([x, x[:, 0], np.full(len(x), 7.0), np.zeros(len(x))])
    ours = GradientDescentRegressor(0.1, l1_ratio=0, tol=1e-10, max_iter=10**5).fit(wide, y)
    theirs = Ridge(alpha=50).fit(wide, y)
    np.testing.assert_allclose(ours.predict(wide), theirs.predict(wide), rtol=0, atol=1e-6)


def test_more_columns_than_rows_have_a_solution():
    """With more columns than rows the penalised solution is that of ridge."""
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((10, 30)), rng.standard_normal(10)
    ours = GradientDescentRegressor(0.5, l1_ratio=0, tol=1e-10, max_iter=10**5).fit(x, y)
    np.testing.assert_allclose(ours.coef_, Ridge(alpha=5).fit(x, y).coef_, rtol=0, atol=1e-6)


def test_too_few_steps_are_a_warning(data):
    """The warning names the setting to raise."""
    with pytest.warns(ConvergenceWarning, match="3 steps were not enough .* raise GD_ITERATIONS"):
        GradientDescentRegressor(alpha=0.1, l1_ratio=1, max_iter=3).fit(*data)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"alpha": -1}, "alpha is -1"),
        ({"l1_ratio": 2}, "l1_ratio is 2"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"momentum": 1}, "momentum is 1"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"tol": 0}, "tol is 0"),
    ],
)
def test_parameters_out_of_range_are_named(data, wrong, words):
    """Invalid parameters are refused before the first iteration."""
    with pytest.raises(ConfigurationError, match=words):
        GradientDescentRegressor(**wrong).fit(*data)


def test_the_settings_reach_the_model():
    """The chain's `gd` takes its numbers from the GD_* settings."""
    chosen = ModelConfig(
        gd_learning_rate=0.2, gd_iterations=7, gd_momentum=0.5, gd_l2_reg=0.3, gd_l1_ratio=0.4
    )
    try:
        set_config(Config(model=chosen))
        descent = make_model("gd").regressor[-1]
    finally:
        set_config(None)
    given = descent.get_params()
    expected = {"learning_rate": 0.2, "max_iter": 7, "momentum": 0.5, "alpha": 0.3, "l1_ratio": 0.4}
    assert {name: given[name] for name in expected} == expected
